"""The tables, against a second wording of what the protocols say."""

from __future__ import annotations

import pytest

from askfirst.model import Use
from askfirst.signals import vocabulary as v

GENERATIVE, OTHER, INPUT, SEARCH, MINE = (
    Use.TRAIN_GENERATIVE,
    Use.TRAIN_OTHER,
    Use.AI_INPUT,
    Use.SEARCH,
    Use.MINE,
)


def test_agents_are_each_there_once():
    tokens = [agent.token.lower() for agent in v.AGENTS]
    assert len(tokens) == len(set(tokens)) == len(v.USES_OF_TOKEN) - 1


@pytest.mark.parametrize(
    ("kind", "tokens"),
    [
        ("training", "GPTBot ClaudeBot anthropic-ai Google-Extended Applebot-Extended meta-externalagent Bytespider"),
        ("training", "cohere-training-data-crawler Amazonbot"),
        ("corpus", "CCBot img2dataset LAIONDownloader Diffbot omgili"),
        ("answers", "OAI-SearchBot PerplexityBot Claude-SearchBot"),
        ("user-fetch", "ChatGPT-User Claude-User Perplexity-User"),
    ],
)
def test_agents_of_the_decision_tokens(kind, tokens):
    kinds = {agent.token: agent.kind for agent in v.AGENTS}
    assert [kinds[token] for token in tokens.split()] == [kind] * len(tokens.split())


@pytest.mark.parametrize(
    ("token", "uses"),
    [
        ("*", {GENERATIVE, OTHER, INPUT, SEARCH, MINE}),
        ("gptbot", {GENERATIVE, OTHER}),
        ("google-extended", {GENERATIVE, OTHER, INPUT}),
        ("ccbot", {GENERATIVE, OTHER, MINE}),
        ("oai-searchbot", {INPUT}),
        ("claude-user", {INPUT}),
    ],
)
def test_uses_of_token(token, uses):
    assert v.USES_OF_TOKEN[token] == uses


def test_no_table_speaks_of_style():
    statements = [s for table in (v.PLUS_DATA_MINING,) for s in table.values()]
    uses = [v.ALL_USES, v.TDM_RESERVED, v.TDM_UNRESERVED, *v.AIPREF.values(), *v.AIPREF_LEGACY.values()]
    uses += [*v.CONTENT_SIGNAL.values(), *(uses for uses, _ in v.ROBOTS_RULES.values())]
    uses += [part for s in statements for part in (s.disallows, s.allows)]
    assert Use.STYLE not in frozenset().union(*uses)


def test_aipref_training_is_generative_only_and_earlier_labels_are_apart():
    assert v.AIPREF["train-ai"] == {GENERATIVE}
    assert not v.AIPREF.keys() & v.AIPREF_LEGACY.keys()


@pytest.mark.parametrize("code", v.PLUS_DATA_MINING)
def test_plus_codes_that_prohibit_disallow_and_the_others_do_not(code):
    statement = v.PLUS_DATA_MINING[code]
    assert bool(statement.disallows) == ("PROHIBITED" in code)
    assert not statement.disallows & statement.allows
    assert len(v.PLUS_DATA_MINING) == 9
