"""Words of the rights protocols and the uses they speak of: versioned tables, no code.

A table changes by getting a new name (`AGENTS_V1`), never silently: a verdict must be repeatable years later.
Where a protocol leaves a use open, the table leaves it open too; where it is in doubt, the table says no.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from askfirst.model import Use

__all__ = [
    "AGENTS",
    "AIPREF",
    "AIPREF_LEGACY",
    "ALL_USES",
    "CONTENT_SIGNAL",
    "CONTENT_SIGNAL_BELOW_TRAINING",
    "NO_USES",
    "PLUS_DATA_MINING",
    "ROBOTS_RULES",
    "TDM_RESERVED",
    "TDM_UNRESERVED",
    "USES_OF_TOKEN",
    "VOCABULARY_VERSION",
    "WRITTEN_TOKEN",
    "Agent",
    "AgentKind",
    "Statement",
    "uses_of_agent",
]

VOCABULARY_VERSION = "vocabulary_v0"
"""Name of all tables in this file together. State of November 2026."""

TRAINING = frozenset({Use.TRAIN_GENERATIVE, Use.TRAIN_OTHER})
GENERATIVE = frozenset({Use.TRAIN_GENERATIVE})
AI_INPUT = frozenset({Use.AI_INPUT})
SEARCH = frozenset({Use.SEARCH})
NO_USES: frozenset[Use] = frozenset()

ALL_USES = frozenset({Use.TRAIN_GENERATIVE, Use.TRAIN_OTHER, Use.AI_INPUT, Use.SEARCH, Use.MINE})
"""Every use a protocol can speak of. `STYLE` exists in licence terms only."""


# --- crawlers


class AgentKind(StrEnum):
    """What a crawler collects for."""

    TRAINING = "training"
    CORPUS = "corpus"
    ANSWERS = "answers"
    USER_FETCH = "user-fetch"


@dataclass(frozen=True, slots=True)
class Agent:
    """A product token of robots.txt.

    Args:
        token: As its operator writes it; compared without regard to case.
        kind: What it collects for.
        operator: Who sends it.
        also: Uses beyond those of its kind.
    """

    token: str
    kind: AgentKind
    operator: str
    also: frozenset[Use] = NO_USES


def _agents(kind: AgentKind, *lines: tuple[str, str]) -> list[Agent]:
    return [Agent(token, kind, operator) for operator, tokens in lines for token in tokens.split(", ")]


AGENTS_V0: tuple[Agent, ...] = (
    # A control token, not a crawler: it also switches off grounding in the operator's assistant.
    Agent("Google-Extended", AgentKind.TRAINING, "Google", also=AI_INPUT),
    *_agents(
        AgentKind.TRAINING,
        ("OpenAI", "GPTBot"),
        ("Anthropic", "ClaudeBot, anthropic-ai, Claude-Web"),
        ("Apple", "Applebot-Extended"),
        ("Meta", "meta-externalagent, FacebookBot"),
        ("ByteDance", "Bytespider, TikTokSpider"),
        ("Cohere", "cohere-training-data-crawler, cohere-ai"),
        ("Amazon", "Amazonbot"),
        ("Google", "GoogleOther, GoogleOther-Image, GoogleOther-Video"),
        ("ROIS-DS", "Cotoyogi"),
        ("NICT", "ICC-Crawler"),
        ("SB Intuitions", "SBIntuitionsBot"),
        ("Reflection AI", "Reflectionbot"),
        ("Huawei", "PanguBot"),
        ("Linguee", "Linguee Bot"),
        ("Yandex", "YandexAdditional, YandexAdditionalBot"),
    ),
    *_agents(
        AgentKind.CORPUS,
        ("Common Crawl", "CCBot"),
        ("LAION", "img2dataset, LAIONDownloader, laion-huggingface-processor"),
        ("Diffbot", "Diffbot"),
        ("Webz.io", "omgili, omgilibot, Webzio-Extended"),
        ("Allen Institute for AI", "AI2Bot, Ai2Bot-Dolma"),
        ("Hive", "ImagesiftBot"),
        ("Timpi", "Timpibot"),
        ("Velen", "VelenPublicWebCrawler"),
    ),
    *_agents(
        AgentKind.ANSWERS,
        ("OpenAI", "OAI-SearchBot"),
        ("Perplexity", "PerplexityBot"),
        ("Anthropic", "Claude-SearchBot"),
        ("DuckDuckGo", "DuckAssistBot"),
        ("Meta", "Meta-WebIndexer"),
        ("You.com", "YouBot"),
        ("Google", "Google-CloudVertexBot"),
    ),
    *_agents(
        AgentKind.USER_FETCH,
        ("OpenAI", "ChatGPT-User"),
        ("Anthropic", "Claude-User"),
        ("Perplexity", "Perplexity-User"),
        ("Mistral", "MistralAI-User"),
        ("Meta", "meta-externalfetcher"),
        ("Google", "Google-Agent"),
    ),
)
"""Crawlers whose ban says something about a use.

Sources: the operators' own documentation, as listed in the AI Crawler Index (CC0, 2026-09-14) and in
ai.robots.txt (2026-08-22). Crawlers of search engines, previews and site tools are not in it: their ban says
nothing about training.
"""

AGENTS = AGENTS_V0

_USES_OF_KIND = {
    # A ban of one company's training crawler is evidence of what the makers want, not only of a quarrel with
    # that company; nobody can list every crawler.
    AgentKind.TRAINING: TRAINING,
    # A corpus is collected for whatever its buyers do with it.
    AgentKind.CORPUS: TRAINING | {Use.MINE},
    AgentKind.ANSWERS: AI_INPUT,
    AgentKind.USER_FETCH: AI_INPUT,
}


def uses_of_agent(agent: Agent) -> frozenset[Use]:
    """Return the uses that a ban of this agent disallows."""
    return _USES_OF_KIND[agent.kind] | agent.also


USES_OF_TOKEN: dict[str, frozenset[Use]] = {
    "*": ALL_USES,
    **{agent.token.lower(): uses_of_agent(agent) for agent in AGENTS},
}
"""What a ban of each token, in lower case, disallows. A ban of everybody disallows everything."""

WRITTEN_TOKEN = {"*": "*", **{agent.token.lower(): agent.token for agent in AGENTS}}
"""Tokens as their operators write them."""


# --- words and what they mean


@dataclass(frozen=True, slots=True)
class Statement:
    """What a word disallows and allows."""

    disallows: frozenset[Use] = NO_USES
    allows: frozenset[Use] = NO_USES


AIPREF_V08: dict[str, frozenset[Use]] = {
    "train-ai": GENERATIVE,
    "ai-use": AI_INPUT,
    "search": SEARCH,
}
"""Labels of AIPREF: `n` disallows the uses, `y` allows them.

Source: draft-ietf-aipref-vocab-08 (2026-09-14). Training that is not generative is not covered by it.
"""

AIPREF = AIPREF_V08

AIPREF_LEGACY_V0: dict[str, frozenset[Use]] = {
    "tdm": ALL_USES,
    "all": ALL_USES,
    "bots": ALL_USES,
    "ai": TRAINING,
    "genai": GENERATIVE,
    "train-genai": GENERATIVE,
    "inference": AI_INPUT,
    "ai-output": AI_INPUT | SEARCH,
}
"""Labels of earlier drafts, read where they disallow and only there: who wrote one meant no.

Source: draft-ietf-aipref-vocab-01 (2025-06) to -04 (2025-10).
"""

AIPREF_LEGACY = AIPREF_LEGACY_V0

CONTENT_SIGNAL_V0: dict[str, frozenset[Use]] = {
    "ai-train": TRAINING,
    "ai-input": AI_INPUT,
    "search": SEARCH,
}
"""Keys of Content Signals: `no` disallows the uses, `yes` allows them. Source: contentsignals.org (2026)."""

CONTENT_SIGNAL = CONTENT_SIGNAL_V0

CONTENT_SIGNAL_BELOW_TRAINING = frozenset({"immediate", "reference"})
"""Values of the key `use` below `full`: the highest level of consumption the makers accept. Training needs
`full`; input to an assistant is conditional, so such a line no longer allows it."""

TDM_RESERVED = frozenset({Use.TRAIN_GENERATIVE, Use.TRAIN_OTHER, Use.AI_INPUT, Use.MINE})
"""What `tdm-reservation: 1` disallows. A policy beside it offers conditions; nobody has agreed to them yet.

Source: TDM Reservation Protocol, W3C community group report (2024), section 6.
"""

TDM_UNRESERVED = frozenset({Use.TRAIN_GENERATIVE, Use.TRAIN_OTHER, Use.MINE})
"""What `tdm-reservation: 0` allows, as a preference."""

PLUS_CONDITIONAL = Statement(disallows=ALL_USES)

PLUS_DATA_MINING_V0: dict[str, Statement] = {
    "DMI-UNSPECIFIED": Statement(),
    "DMI-ALLOWED": Statement(allows=TRAINING | {Use.MINE}),
    "DMI-PROHIBITED-AIMLTRAINING": Statement(disallows=TRAINING),
    "DMI-PROHIBITED-GENAIMLTRAINING": Statement(disallows=GENERATIVE),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": Statement(disallows=ALL_USES - SEARCH, allows=SEARCH),
    "DMI-PROHIBITED": Statement(disallows=ALL_USES),
    "DMI-PROHIBITED-SEECONSTRAINT": PLUS_CONDITIONAL,
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": PLUS_CONDITIONAL,
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": PLUS_CONDITIONAL,
}
"""Codes of the PLUS property Data Mining. Conditions that only a person can read are a no until one has.

Source: PLUS Licence Data Format vocabulary, property `plus:DataMining`; IPTC Photo Metadata 2023.1.
"""

PLUS_DATA_MINING = PLUS_DATA_MINING_V0

ROBOTS_RULES_V0: dict[str, tuple[frozenset[Use], str]] = {
    "noai": (TRAINING, ""),
    "noml": (TRAINING, ""),
    "noimageai": (TRAINING, "images"),
    "noindex": (SEARCH, ""),
    "none": (SEARCH, ""),
    "noimageindex": (SEARCH, "images"),
    "noarchive": (AI_INPUT | GENERATIVE, "bingbot"),
    "nocache": (AI_INPUT | GENERATIVE, "bingbot"),
}
"""Rules of `X-Robots-Tag` and robots meta tags: what each disallows, and what it is limited to.

`noimageai` and `noimageindex` bind images only. `noarchive` and `nocache` have this meaning for one company
only (none or no more than title and snippet in answers and training); restrictive reading takes it as said.
Sources: DeviantArt (2022) for `noai`; Google and Bing documentation of robots meta tags (2026).
"""

ROBOTS_RULES = ROBOTS_RULES_V0
