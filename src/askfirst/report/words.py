"""Every word a reader sees: one catalogue a language, looked up by key, with numbers the language's way.

The tables stand in `words_en`, `words_de` and `words_nl`. They hold the same keys and the same placeholders.
A key that counts something has two entries, `key.one` and `key.other`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from askfirst.errors import ConfigError
from askfirst.report.words_de import GERMAN
from askfirst.report.words_en import ENGLISH
from askfirst.report.words_nl import DUTCH

__all__ = ["LANGUAGES", "Words", "clean", "one_line", "shorten", "words"]

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN, "nl": DUTCH}
"""The catalogues by language tag."""

_SLUG_LETTERS = 60

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters: terminals obey them, HTML forbids them
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e\u2066-\u2069"  # overrides and isolates that turn the text around them
    "\ud800-\udfff\ufeff\ufffe\uffff]"  # what cannot be written as UTF-8 or does not belong in a text
)


def clean(text: str) -> str:
    """Return text from outside with every character that could act on a page or a terminal made visible.

    Tabs and line feeds stay; control characters, turned-around text and half characters become U+FFFD.
    """
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return text from outside on one line: a line of its own could pass for one of ours."""
    return clean(text).replace("\n", " ").replace("\t", " ")


def shorten(text: str, limit: int) -> str:
    """Return text of at most `limit` characters, the middle left out: both ends of a name tell most."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue of one language.

    Args:
        language: Its tag: `en`, `de` or `nl`.
        table: Its entries.
    """

    language: str
    table: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """Return an entry with its placeholders filled; values are never read as templates."""
        return self.table[key].format(**values)

    def count(self, key: str, number: int, **values: object) -> str:
        """Return the entry for one or for any other number; `{n}` is the number, grouped."""
        return self.say(self.form(key, number), n=self.number(number), **values)

    def form(self, key: str, number: int) -> str:
        """Return the key of the entry for one or for any other number."""
        return f"{key}.one" if number == 1 else f"{key}.other"

    def either(self, parts: Sequence[str]) -> str:
        """Return up to three parts as alternatives: `a, b or c`."""
        return self.table[f"join.{len(parts)}"].format(*parts) if len(parts) > 1 else "".join(parts)

    def name(self, group: str, slug: str) -> str:
        """Return what a slug is called, or the slug itself where the catalogue does not know it."""
        return self.table.get(f"{group}.{slug}") or shorten(one_line(slug), _SLUG_LETTERS)

    def reason(self, rule: str) -> str:
        """Return the rule that decided, in words; `signal:robots.txt` names the notice, `gap:...` why."""
        kind, _, slug = rule.partition(":")
        if kind == "gap":
            return self.say("reason.gap", name=self.name("flaw", slug or "unusable"))
        return self.say("reason.signal", name=one_line(slug)) if kind == "signal" else self.say(f"reason.{kind}")

    def number(self, number: int) -> str:
        """Return a whole number grouped by thousands."""
        return f"{number:,}".replace(",", self.table["number.group"])

    def decimal(self, number: float, places: int) -> str:
        """Return a number with a fixed count of decimal places."""
        whole, _, part = f"{number:.{places}f}".partition(".")
        sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        grouped = sign + self.number(int(digits))
        return f"{grouped}{self.table['number.point']}{part}" if part else grouped

    def share(self, part: int, whole: int) -> str:
        """Return a share in percent; never 0 % for something or 100 % for less than everything."""
        if part == 0 or whole == 0:
            figure = "0"
        elif part == whole:
            figure = "100"
        elif part * 1000 < whole:
            figure = "<" + self.decimal(0.1, 1)
        elif (whole - part) * 1000 < whole:
            figure = ">" + self.decimal(99.9, 1)
        else:
            figure = self.decimal(part * 100 / whole, 1)
        return self.say("number.percent", figure=figure)

    def day(self, text: str) -> str:
        """Return an ISO day written out; anything else as it is."""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return one_line(text)
        month = self.table["date.months"].split()[day.month - 1]
        return self.say("date.day", day=day.day, month=month, year=day.year)

    def duration(self, seconds: float) -> str:
        """Return a length of time in the unit that suits it."""
        if seconds < 100:
            return f"{self.decimal(seconds, 1)} s"
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{self.number(hours)} h {minutes} min" if hours else f"{minutes} min {rest} s"


def words(language: str) -> Words:
    """Return the catalogue of a language.

    Args:
        language: A tag; a region after it (`de-AT`) is left out of account.

    Raises:
        ConfigError: There is no catalogue for it.
    """
    tag = re.split("[-_.]", language.strip().lower())[0]
    if tag not in LANGUAGES:
        raise ConfigError(
            f"there is no report in the language {language!r}",
            key="language",
            value=language,
            advice="use " + ", ".join(LANGUAGES),
        )
    return Words(tag, LANGUAGES[tag])
