"""One verdict in plain words: what was known, in the order it was weighed, and what decided."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from askfirst.model import Outcome
from askfirst.report.sides import likeness
from askfirst.report.summary import rule_outcome
from askfirst.report.words import Words, one_line, shorten, words
from askfirst.verdict import FACT_NAMES, Facts, decide

__all__ = ["explain"]

_WIDTH = 80
_QUOTE_LETTERS = 500
_LINE_LETTERS = 300

_OF_STANDING = {
    "agreement": "agreement",
    "contested": "contested",
    "refused": "register_refusal",
    "open-consent": "open_consent",
    "open-licence": "open_licence",
    "public-domain": "public_domain",
    "own": "own",
}
"""Which fact of the decision table a work's standing is."""

_OF_RULE = {decide(Facts(**{name: True})).rule: name for name in FACT_NAMES}
"""Which fact of the decision table a rule stands for; `silence` stands for none."""

_GROUPS = {
    "agreement": "agreement",
    "contested": "no",
    "register_refusal": "no",
    "signal_refusal": "notice",
    "gap": "gap",
}
"""Facts that are spoken of in one way; all others are a `yes`."""


def explain(row: Mapping[str, Any], works: Mapping[str, Mapping[str, str]] | None = None, language: str = "en") -> str:
    """Say in plain words why an item has its verdict.

    1. Say what the item is and what was concluded.
    2. Put the facts into the order of the decision table.
    3. Say of each what it is, in its own words, and whether it decided; if not, why not.
    4. Say what one could do next.

    Args:
        row: One row of the manifest.
        works: `work_id` to {"title", "creator", "terms"}, as far as known.
        language: `en`, `de` or `nl`.

    Returns:
        Lines of at most 80 characters where the words allow it, without a line feed at the end. Nothing in
        them acts on a terminal.

    Raises:
        ConfigError: There is no catalogue for the language.
        FormatError: The row's rule is not in the decision table.
    """
    phrases, known = words(language), works or {}
    facts = [_Fact.of(entry) for entry in row.get("evidence") or ()]
    facts.sort(key=lambda fact: fact.place)  # stable: facts of one kind keep their order
    rule = str(row.get("rule") or "silence")
    rule_outcome(rule)  # a manifest of another version may name rules that the catalogue does not
    parts = [
        *_item(phrases, row, facts),
        "",
        *_filled(_conclusion(phrases, str(row["outcome"]))),
        "",
        phrases.say("explain.weighed"),
        "",
        *_weighed(phrases, facts, rule, known),
        "",
        phrases.say("explain.next"),
        "",
        *_filled(_next(phrases, row, facts, known), "  "),
    ]
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class _Fact:
    """One piece of evidence, and its place in the decision table.

    Args:
        entry: As in the manifest.
        fact: Name of the fact in the table; empty for what never decides.
        place: Its row in the table; after all rows for what never decides.
    """

    entry: Mapping[str, Any]
    fact: str
    place: int

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> _Fact:
        """Find the place of a piece of evidence."""
        says = str(entry.get("says") or "")
        fact = {"match": _OF_STANDING.get(says, ""), "gap": "gap"}.get(str(entry["kind"]), "")
        if entry["kind"] == "signal" and says == "disallowed":
            fact = "signal_refusal"
        return cls(entry, fact, FACT_NAMES.index(fact) if fact else len(FACT_NAMES))

    def text(self, key: str) -> str:
        """Return a field of the entry on one line."""
        return shorten(one_line(str(self.entry.get(key) or "")), _QUOTE_LETTERS)

    def decided(self, rule: str) -> bool:
        """Return whether this is the fact that the rule names."""
        kind, _, name = rule.partition(":")
        return bool(self.fact) and self.fact == _OF_RULE.get(kind) and name in {"", str(self.entry.get("name"))}


def _item(phrases: Words, row: Mapping[str, Any], facts: Iterable[_Fact]) -> list[str]:
    """Return what the item is, as a name and a few lines."""
    medium, unit, units = (row.get(key) for key in ("medium", "unit", "units"))
    amount = phrases.count(f"amount.{unit}", units) if f"amount.{unit}.one" in phrases.table and units else ""
    detail = str(row.get("detail") or "")
    if any(detail == fact.entry.get("quote") for fact in facts):
        detail = ""
    values = {
        "source": row.get("source"),
        "address": row.get("url"),
        "medium": phrases.name("one", str(medium)) if medium else "",
        "amount": amount,
        "digest": row.get("digest"),
        "detail": detail,
    }
    shown = {phrases.say(f"explain.{key}"): one_line(str(value)) for key, value in values.items() if value}
    width = max(map(len, shown), default=0)
    lines = [f"  {term:<{width}}  {shorten(value, _LINE_LETTERS)}" for term, value in shown.items()]
    return [shorten(one_line(str(row["item_id"])), _LINE_LETTERS), "", *lines]


def _conclusion(phrases: Words, outcome: str) -> str:
    """Return the outcome, what it means and whether the item may be used."""
    may = phrases.say("explain.may" if outcome == Outcome.PERMITTED else "explain.may_not")
    return f"{phrases.say(f'outcome.{outcome}')}. {phrases.say(f'means.{outcome}')} {may}"


def _weighed(phrases: Words, facts: list[_Fact], rule: str, works: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return every fact, numbered, with what it is and whether it decided."""
    lines: list[str] = []
    for number, fact in enumerate(facts, 1):
        sentences = _told(phrases, fact, works)
        verdict = phrases.say("explain.decided") if fact.decided(rule) else _idle(phrases, fact, rule)
        mark = f"{number:>3}. "
        block = [line for text in [*sentences, f"→ {verdict}"] for line in _filled(text, " " * len(mark))]
        lines += [mark + block[0].lstrip(), *block[1:], ""]
    if not facts:
        lines += [*_filled(phrases.say("explain.nothing"), "  "), ""]
    if not any(fact.decided(rule) for fact in facts):
        lines += [*_filled(phrases.say("explain.rule", reason=phrases.reason(rule)), "  "), ""]
    return lines[:-1]


def _told(phrases: Words, fact: _Fact, works: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return one fact in sentences: what it is, where it stands, what it says, its own words."""
    kind, name, where = fact.entry["kind"], fact.text("name"), fact.text("where")
    quote = fact.text("quote")
    if kind == "match":
        return _match(phrases, fact, works)
    source = [phrases.say("explain.found", source=where)] if where else []
    if kind == "gap":
        return [
            phrases.say("explain.gap", name=phrases.name("flaw", name)),
            *source,
            *([_sentence(quote)] if quote else []),
        ]
    note = phrases.table.get(f"protocol.{name}")
    said = phrases.say(f"says.{fact.text('says')}") if f"says.{fact.text('says')}" in phrases.table else ""
    quoted = phrases.say("quoted", text=quote)
    return [
        phrases.say("explain.notice", name=f"{name} ({note})" if note else name),
        *source,
        *([said] if said else []),
        *([phrases.say("explain.quote", quote=quoted)] if quote else []),
    ]


def _match(phrases: Words, fact: _Fact, works: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return in sentences which work was recognised, how, and what the register says of it."""
    work_id, says = fact.text("work_id"), fact.text("says")
    work = {key: one_line(value) for key, value in works.get(str(fact.entry.get("work_id")), {}).items() if value}
    if "title" in work and "creator" in work:
        name = phrases.say("explain.work", title=work["title"], creator=work["creator"], work_id=work_id)
    else:
        name = phrases.say("explain.work_bare", work_id=work_id)
    how = [f"{phrases.name('kind', fact.text('name'))}.", *_where(phrases, fact)]
    standing = phrases.table.get(f"says.{says}") or phrases.say("says.missing")
    terms = [phrases.say("explain.terms", terms=work["terms"])] if "terms" in work else []
    return [phrases.say("explain.match", work=name), " ".join(how), " ".join([standing, *terms])]


def _where(phrases: Words, fact: _Fact) -> list[str]:
    """Return in sentences what matched: offsets, likeness, or the registered address."""
    raw, score = str(fact.entry.get("where") or ""), fact.entry.get("score")
    try:
        where = json.loads(raw) if raw.startswith("{") else None
    except ValueError:  # an address all the same
        where = None
    if where is None:
        return [f"{phrases.say('match.registered')}: {fact.text('where')}"] if raw else []
    sentences = likeness(phrases, where, 1.0 if score is None else float(score))
    match where:
        case {"item": [int(a), int(b)], "work": [int(c), int(d)], "letters": _}:
            ends = {name: phrases.number(end) for name, end in zip("abcd", (a, b, c, d), strict=True)}
            sentences.append(phrases.say("explain.offsets", **ends))
    return sentences


def _idle(phrases: Words, fact: _Fact, rule: str) -> str:
    """Return why a fact did not decide."""
    kind = rule.partition(":")[0]
    decisive = _GROUPS.get(_OF_RULE[kind], "yes") if kind in _OF_RULE else "silence"
    decisive = "refused" if decisive in {"no", "notice"} else decisive
    if fact.entry["kind"] == "signal" and not fact.fact:
        key = f"idle.{fact.text('says')}"
    else:
        key = f"idle.{_GROUPS.get(fact.fact, 'yes')}.{decisive}" if fact.fact else "idle.other"
    why = phrases.table.get(key) or phrases.say("idle.other")
    return phrases.say("explain.idle", why=why)


def _next(phrases: Words, row: Mapping[str, Any], facts: list[_Fact], works: Mapping[str, Mapping[str, str]]) -> str:
    """Return what one could do next."""
    rule = str(row.get("rule") or "silence").partition(":")[0]
    advice = phrases.say(f"next.{rule}")
    named = (works.get(str(fact.entry.get("work_id")), {}).get("creator") for fact in facts)
    creators = list(dict.fromkeys(one_line(name) for name in named if name))
    if row["outcome"] == Outcome.PERMITTED or rule == "gap" or not creators:
        return advice
    return f"{advice} {phrases.say('explain.maker', creator=', '.join(creators))}"


def _sentence(text: str) -> str:
    """Return a line from elsewhere as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _filled(text: str, indent: str = "") -> list[str]:
    """Return text in lines; what has no place to break stays whole."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
