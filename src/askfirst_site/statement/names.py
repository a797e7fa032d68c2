"""Names as people write them: cleaned for showing, folded for comparing, shortened to initials.

Everything here is pure. Cleaning takes out what nobody can see and what turns lines around; it never rewrites what
a person is called.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz, process

from askfirst_site.statement.errors import StatementError

__all__ = [
    "NAME_MAX",
    "BadNameError",
    "clean_line",
    "clean_name",
    "clean_text",
    "fold_name",
    "fold_words",
    "graphemes",
    "initials",
    "look_alike",
]

NAME_MAX = 200
"""Characters of a name; more is refused, never cut."""
MARKS_MAX = 4
"""Combining marks on one letter; Vietnamese and Hebrew need three."""
WORD_MAX = 40
"""Characters of a folded word."""
LOOK_ALIKE_MIN = 90
"""Of 100: rapidfuzz's ratio of two folded names from which on they are shown to a moderator."""

_JOINERS = "\u200c\u200d"
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
_UNSAFE_START = "=+-@|%\\ "
"""A spreadsheet runs a cell that begins with one of these."""
_DOMAIN = re.compile(
    r"[\w-]{2,}\.(?:com|net|org|info|biz|io|ru|xyz|shop|online|site|top|app|dev|link|click)\b", re.IGNORECASE
)
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t",
    # Cyrillic and Greek letters that look like Latin ones
    "а": "a", "в": "b", "е": "e", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p", "с": "c", "т": "t", "у": "y",
    "х": "x", "і": "i", "ј": "j", "ѕ": "s", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ӏ": "l", "һ": "h",
    "α": "a", "β": "b", "ε": "e", "ι": "i", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x",
}  # fmt: skip
_FOLD = str.maketrans(_LETTERS)


class BadNameError(StatementError):
    """A name or a line that cannot stand on the wall."""


def clean_line(text: str, *, longest: int = NAME_MAX) -> str:
    """Return one line as it may be shown and stored; empty when nothing visible is left.

    1. compose (NFC) and turn every kind of space and line end into one space;
    2. drop what cannot be seen: controls, bidi marks, zero-width characters, lone surrogates, private use;
    3. keep joiners only where a script or an emoji needs them, and at most four marks on a letter;
    4. strip what a spreadsheet would run from the start.

    Raises:
        BadNameError: Longer than `longest` characters, or an address on the web.
    """
    if len(text) > 20 * longest:
        raise BadNameError(_("This is too long. Please shorten it."))
    spaced = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", _encodable(text)))
    seen = "".join(_visible(spaced))
    line = unicodedata.normalize("NFC", " ".join(seen.split()).lstrip(_UNSAFE_START).rstrip())
    while line and unicodedata.category(line[0]).startswith("M"):
        line = line[1:]
    if len(line) > longest:
        raise BadNameError(_("This is too long. Please shorten it."))
    if "://" in line or "www." in line.lower() or _DOMAIN.search(line):
        raise BadNameError(_("Please leave web addresses out here."))
    return line


def clean_text(text: str) -> str:
    """Return one line of a longer text: composed, without what nobody can see; spaces and signs stay as they are."""
    return unicodedata.normalize("NFC", "".join(_visible(unicodedata.normalize("NFC", _encodable(text))))).rstrip()


def clean_name(text: str) -> str:
    """Return a name as it may be shown and stored.

    Raises:
        BadNameError: Nothing that can be read is left, it is too long, or it holds a web or e-mail address.
    """
    line = clean_line(text)
    if not any(unicodedata.category(char)[0] in "LNS" for char in line):
        raise BadNameError(_("Please give a name."))
    if "@" in line:
        raise BadNameError(_("Please leave e-mail addresses out of the name."))
    return line


def _encodable(text: str) -> str:
    return text.encode("utf-8", "ignore").decode()


def _visible(text: str) -> Iterator[str]:
    marks = 0
    for index, char in enumerate(text):
        category = unicodedata.category(char)
        if char in _JOINERS:
            if _joins(text[index - 1 : index], text[index + 1 : index + 2]):
                yield char
        elif category.startswith("M"):
            marks += 1
            if marks <= MARKS_MAX and char not in _INVISIBLE:
                yield char
        elif not category.startswith("C") and char not in _INVISIBLE:
            marks = 0
            yield char


def _joins(before: str, after: str) -> bool:
    kinds = {"Lo", "Mn", "Mc", "So", "Sk"}
    return bool(before and after) and unicodedata.category(before) in kinds and unicodedata.category(after) in kinds


def fold_words(text: str) -> tuple[str, ...]:
    """Return the words of a line without case, marks and punctuation, look-alike letters as one, each once.

    Source:
        Unicode NFKD and case folding; the table above for letters that do not decompose.
    """
    spaced = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(
        char if unicodedata.category(char)[0] in "LN" else "" if unicodedata.category(char)[0] in "MC" else " "
        for char in spaced.replace("'", "").replace("’", "")
    )
    words = (word.translate(_FOLD)[:WORD_MAX] for word in letters.split())
    return tuple(dict.fromkeys(words))


def fold_name(name: str) -> str:
    """Return what two spellings of one name have in common: folded words in alphabetical order."""
    return " ".join(sorted(fold_words(name)))[:NAME_MAX] or name.casefold()[:NAME_MAX]


def graphemes(text: str) -> list[str]:
    """Return what a reader sees as single characters: letters with their marks, joined emoji, flags.

    Source:
        Unicode annex 29 in outline: enough for initials, not for cursors.
    """
    found: list[str] = []
    for char in text:
        previous = found[-1] if found else ""
        joined = previous.endswith("\u200d") or char == "\u200d" or "\U0001f3fb" <= char <= "\U0001f3ff"
        flag = _is_flag_letter(char) and len(previous) == 1 and _is_flag_letter(previous)
        if previous and (joined or flag or unicodedata.category(char).startswith("M")):
            found[-1] += char
        else:
            found.append(char)
    return found


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def initials(name: str) -> str:
    """Return a name's initials, such as `A. B.`: of its first two words and its last one."""
    words = [
        "".join(char for char in word if unicodedata.category(char)[0] != "P")
        for word in unicodedata.normalize("NFC", name).split()
    ]
    words = [word for word in words if word]
    if len(words) > 3:
        words = [*words[:2], words[-1]]
    firsts = [graphemes(word)[0].upper() for word in words]
    return " ".join(f"{first}." for first in firsts) or "."


def look_alike(name: str, others: Iterable[tuple[int, str]]) -> int | None:
    """Return the key of the name most like another one, if any is much like it; a hint for people, never a rule.

    Args:
        name: As written.
        others: Key and folded name.
    """
    folded = fold_name(name)
    choices = dict(others)
    if len(folded) < 5 or not choices:
        return None
    best = process.extractOne(folded, choices, scorer=fuzz.ratio, score_cutoff=LOOK_ALIKE_MIN)
    return None if best is None else best[2]
