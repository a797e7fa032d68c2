"""The report as one HTML page: no script, no request, every word from outside escaped.

`render` puts the numbers into sentences and rows, has the examples put side by side, and fills the template.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from askfirst.model import MEDIA, Regime
from askfirst.report.answer import Sentence, difference, headline
from askfirst.report.sides import NAME_LETTERS, show_example
from askfirst.report.summary import OUTCOMES, Example, HostRow, Others, RightsholderRow, Summary
from askfirst.report.words import Words, clean, shorten, words

__all__ = ["load_template", "render"]

# What a page holds at most, so that the largest audit's report stays below 300 kB without its pictures.
_ROWS_OPEN = 12
_EXAMPLES = 24
_REASONS = 32
_GAPS = 24
_NOTES = 12
_SOURCES = 8
_LINE_LETTERS = 200

_SECTIONS = ("optout", "where", "match", "gap", "why", "how")
_LIMITS = ("limit.translation", "limit.recordings", "limit.register", "limit.score")
_ANSWERED = ("use", "regime")  # settings that stand among the facts above them


def render(summary: Summary, examples: Sequence[Example], language: str = "en") -> str:
    """Return the report as one HTML document.

    Args:
        summary: The numbers.
        examples: Items beside the works they were recognised as; the first 24 are shown, in their order.
        language: `en`, `de` or `nl`.

    Returns:
        The document, ending in a line feed; the same arguments give the same text. It asks nothing of any
        server, which its content-security policy states.

    Raises:
        ConfigError: There is no catalogue for the language.
    """
    phrases = words(language)
    view = {
        **_answer(phrases, summary),
        **_tables(phrases, summary),
        **_making(phrases, summary),
        "examples": [show_example(phrases, example) for example in examples[:_EXAMPLES]],
        "outcomes": OUTCOMES,
        "sections": _SECTIONS,
        "rows_open": _ROWS_OPEN,
        "limits": _LIMITS,
    }
    style = Markup(_part("style.css"))  # noqa: S704 our own file
    page: str = _template().render(summary=summary, words=phrases, view=view, style=style)
    return page


def load_template() -> None:
    """Compile the template, which `render` does else: a third of a second that a program may have before."""
    _template()


@cache
def _template() -> Any:
    """Return the compiled template; whatever it is given is cleaned and escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalized
    )
    return environment.from_string(_part("template.html.j2"))


def _part(name: str) -> str:
    """Return a text file that is shipped beside this module."""
    text: str = files("askfirst.report").joinpath(name).read_text(encoding="utf-8")
    return text


def _finalized(value: object) -> object:
    """Return a value of the template with characters that could act on the page made visible."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _bold(phrases: Words, sentence: Sentence) -> Markup:
    """Return a sentence with its numbers set in bold."""
    figures = {name: Markup("<strong>{}</strong>").format(figure) for name, figure in sentence.figures.items()}
    template = Markup(escape(phrases.table[sentence.key]))  # noqa: S704 escaped on this line
    return template.format(**figures, **sentence.phrases)


def _answer(phrases: Words, summary: Summary) -> dict[str, Any]:
    """Return the headline, what follows it, and the comparison of the two rules."""
    yes, silent = summary.outcomes["permitted"], summary.opt_out_difference
    head, lede = headline(phrases, summary)
    means = {outcome: phrases.say(f"means.{outcome}") for outcome in OUTCOMES}
    if summary.regime is Regime.OPT_OUT:
        means["unasked"] = phrases.say("means.unasked.optout")
    parts = [
        phrases.say("figure.part", outcome=phrases.say(f"outcome.{outcome}"), figure=phrases.share(n, summary.items))
        for outcome, n in summary.outcomes.items()
    ]
    day = summary.policy.get("on")
    question = [phrases.say(f"use.{summary.use}"), *([phrases.day(str(day))] if day else [])]
    return {
        "headline": _bold(phrases, head),
        "lede": _bold(phrases, lede),
        "is_yes": bool(yes) and summary.regime is Regime.OPT_IN,
        "question": " · ".join(question),
        "means": means,
        "figure_alt": phrases.say("figure.alt", parts=", ".join(parts)),
        "optout": _bold(phrases, difference(phrases, summary)),
        "rules_compared": [
            {"name": "opt-in", "yes": yes, "silent": 0, "rest": summary.items - yes},
            {"name": "opt-out", "yes": yes, "silent": silent, "rest": summary.items - yes - silent},
        ],
    }


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a table of names with a bar as long as its items are many."""

    name: str
    items: int
    outcomes: dict[str, int]
    extent: str
    works: int | None = None
    exact: bool = True
    others: bool = False


def _tables(phrases: Words, summary: Summary) -> dict[str, Any]:
    """Return the rows of every table."""
    hosts = _ranking(phrases, summary.by_host, summary.other_hosts)
    order = {medium.value: place for place, medium in enumerate(MEDIA)}
    media = sorted(summary.by_medium, key=lambda medium: (order.get(medium, len(order)), medium))
    sums = {medium: sum(summary.by_medium[medium].values()) for medium in media}
    most = max(sums.values(), default=0)
    return {
        "media": [
            _Row(phrases.name("media", m), sums[m], summary.by_medium[m], _extent(sums[m], most))
            for m in media
            if sums[m]
        ],
        "holders": _ranking(phrases, summary.by_rightsholder, summary.other_rightsholders),
        "hosts": hosts,
        "hosts_at_least": any(not row.exact for row in hosts),
        "gaps": [
            {
                "name": phrases.name("flaw", gap.kind),
                "cause": _opened(shorten(gap.cause, _LINE_LETTERS)),
                "advice": _opened(shorten(gap.advice, _LINE_LETTERS)),
                "count": gap.count,
                "example": shorten(gap.example_item, NAME_LETTERS),
            }
            for gap in summary.gaps[:_GAPS]
        ],
        "gaps_rest": max(0, len(summary.gaps) - _GAPS),
        "reasons": _reasons(phrases, summary),
        "reasons_rest": max(0, len(summary.reasons()) - _REASONS),
    }


def _opened(text: str) -> str:
    """Return a line that begins like a sentence."""
    return text[:1].upper() + text[1:]


def _ranking(phrases: Words, named: Sequence[RightsholderRow | HostRow], others: Others) -> list[_Row]:
    """Return the rows of a table of rightsholders or hosts, and one for the rest."""
    most = max((row.items for row in named), default=0)
    rows = []
    for row in named:
        works, exact, name, unnamed = None, True, "", "host.unnamed"
        if isinstance(row, HostRow):
            exact, name = row.exact, row.host
        else:
            works, name, unnamed = row.works, row.rightsholder, "holder.unnamed"
        shown = shorten(name, NAME_LETTERS) or phrases.say(unnamed)
        rows.append(_Row(shown, row.items, row.outcomes, _extent(row.items, most), works, exact))
    if others.names:
        works = others.works if rows and rows[0].works is not None else None
        name = phrases.count("table.others", others.names)
        extent = _extent(min(others.items, most), most)
        rows.append(_Row(name, others.items, others.outcomes, extent, works, others.exact, others=True))
    return rows


def _reasons(phrases: Words, summary: Summary) -> list[dict[str, Any]]:
    """Return the rows of the table of reasons."""
    reasons = summary.reasons()[:_REASONS]
    most = max((n for _, _, n in reasons), default=0)
    return [
        {
            "text": shorten(phrases.reason(rule), NAME_LETTERS),
            "note": phrases.table.get("protocol." + rule.partition(":")[2], "") if rule.startswith("signal:") else "",
            "outcome": outcome.value,
            "count": n,
            "extent": _extent(n, most),
        }
        for rule, outcome, n in reasons
    ]


def _extent(part: int, whole: int) -> str:
    """Return the length of a bar in percent."""
    return f"{part * 100 / whole:.2f}" if whole else "0"


def _making(phrases: Words, summary: Summary) -> dict[str, Any]:
    """Return how the audit was made, and the commands that make it again."""
    sources = [shorten(source, NAME_LETTERS) for source in summary.sources[:_SOURCES]]
    if len(summary.sources) > _SOURCES:
        sources.append(phrases.count("how.sources_more", len(summary.sources) - _SOURCES))
    party = str(summary.policy.get("party") or "")
    again = f"askfirst audit SOURCE --register REGISTER --use {summary.use} --regime {summary.regime}"
    if party:
        again += f" --as {shlex.quote(shorten(party, NAME_LETTERS))}"
    works = phrases.count("how.register_size", summary.register.size)
    register = f"{shorten(summary.register.origin, NAME_LETTERS)}, {works}"
    return {
        "made": [
            (phrases.say("how.use"), f"{phrases.say(f'use.{summary.use}')} ({summary.use})", False),
            (phrases.say("how.regime"), phrases.say(f"regime.{summary.regime}"), False),
            (phrases.say("how.register"), register, False),
            (phrases.say("how.root"), shorten(summary.register.root, NAME_LETTERS), True),
            (phrases.say("how.sources"), ", ".join(sources), False),
            (phrases.say("how.input"), shorten(summary.input_digest, NAME_LETTERS), True),
            (phrases.say("how.tool"), shorten(summary.tool, NAME_LETTERS), False),
            (phrases.say("how.time"), phrases.duration(summary.seconds), False),
        ],
        "tool": shorten(summary.tool, NAME_LETTERS),
        "commands": [
            ("how.explain", "askfirst explain . ITEM"),
            ("how.verify", "askfirst register verify REGISTER"),
            ("how.again", again),
        ],
        "policy": [_setting(phrases, key, value) for key, value in summary.policy.items() if key not in _ANSWERED],
        "notes": [shorten(note, _LINE_LETTERS) for note in summary.notes[:_NOTES]],
    }


def _setting(phrases: Words, key: str, value: object) -> tuple[str, str]:
    """Return a setting of the policy in words."""
    if key == "on":
        return phrases.name("policy", key), phrases.day(str(value))
    if key == "party" and not value:
        return phrases.name("policy", key), phrases.say("policy.party.nobody")
    if key == "cover_min" and isinstance(value, float):
        return phrases.name("policy", key), phrases.share(round(value * 1000), 1000)
    shown = phrases.number(value) if type(value) is int else shorten(str(value), NAME_LETTERS)
    return phrases.name("policy", key), shown
