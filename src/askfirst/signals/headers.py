"""HTTP response headers: `X-Robots-Tag`, TDMRep, `Content-Usage` and `Content-Signal`.

Headers bind the representation they came with. `noimageai` binds images only: its signal has the scope
`images`, and who knows the medium of the item leaves it out for others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from askfirst.model import Gap, Signal, Use
from askfirst.signals.preferences import Preferences, read_content_signal, read_content_usage
from askfirst.signals.reading import NOTHING, Reading, clip, joined, malformed
from askfirst.signals.vocabulary import (
    NO_USES,
    ROBOTS_RULES,
    TDM_RESERVED,
    TDM_UNRESERVED,
    USES_OF_TOKEN,
    WRITTEN_TOKEN,
)

__all__ = ["read_headers"]

HEADERS_SIZE_MAX = 2**18
"""Characters that are read. Servers and proxies stop at a quarter of it and below."""

Pair = tuple[str, str]

_RIGHTS_HEADERS = frozenset(
    {"x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage", "content-signal", "content-signals"}
)


def read_headers(headers: str, *, source: str = "headers") -> Reading:
    """Return what the headers of a response say about the use of its body.

    1. Find names and values; several headers of one name all count.
    2. Read each protocol by its own rules.

    Args:
        headers: A header block as sent, with or without its status line, or JSON: an object of strings or
            lists of strings, a list of pairs, or a list of objects with `name` and `value`.
        source: What the signals name as their source.

    Returns:
        Signals with the protocols `x-robots-tag`, `tdmrep`, `aipref` and `content-signal`. A gap where the
        headers cannot be read, or a preference is malformed. Never raises.

    Cost:
        10 to 20 microseconds.
    """
    text = headers.strip().removeprefix("\ufeff")
    if not text:
        return NOTHING
    if len(text) > HEADERS_SIZE_MAX:
        return _gap("the headers are larger than 256 KiB", source)
    if "\0" in text:
        return _gap("the headers hold NUL bytes", source)
    pairs = _pairs_of_json(text) if text[0] in "{[" else _pairs_of_block(text)  # 1
    if isinstance(pairs, str):
        return _gap(pairs, source)
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in _RIGHTS_HEADERS:
            values.setdefault(name, []).append(value)
    return joined(_protocols(values, source)) if values else NOTHING  # 2


def _gap(cause: str, source: str) -> Reading:
    return Reading(gaps=(malformed(cause, source, advice="give the headers as JSON, or as they were sent"),))


def _protocols(values: dict[str, list[str]], source: str) -> Iterator[Reading]:
    for value in values.get("x-robots-tag", ()):
        yield _read_robots_tag(value, source)
    if "tdm-reservation" in values:
        yield _read_tdm(values["tdm-reservation"], values.get("tdm-policy", []), source)
    if "content-usage" in values:
        # Several headers are one dictionary. Source: RFC 9651, section 4.2.
        value = ", ".join(values["content-usage"])
        yield _stated("aipref", f"Content-Usage: {value}", source, read_content_usage(value))
    signals = [*values.get("content-signal", ()), *values.get("content-signals", ())]
    if signals:
        value = ", ".join(signals)
        yield _stated("content-signal", f"Content-Signal: {value}", source, read_content_signal(value))


def _stated(protocol: str, quote: str, source: str, said: Preferences) -> Reading:
    signals: tuple[Signal, ...] = ()
    if said.disallows or said.allows:
        signals = (Signal(protocol, said.disallows, said.allows, source, clip(quote)),)
    return Reading(signals, (malformed(said.flaw, source),) if said.flaw else ())


# --- names and values

_STATUS_LINE = re.compile(r"HTTP/[\d.]+ \d{3}\b")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]+")
_LINE_END = re.compile(r"\r\n|\n|\r")


def _pairs_of_block(text: str) -> list[Pair] | str:
    """Return names in lower case and values of a header block, or why it is none.

    A line that cannot be read is passed over, unless it begins with the name of a rights header.
    """
    pairs: list[Pair] = []
    for line in _LINE_END.split(_FOLD.sub(" ", text)):
        header = _HEADER.match(line)
        if header:
            pairs.append((header[1].lower(), header[2].strip()))
        elif any(line.lower().lstrip().startswith(name) for name in _RIGHTS_HEADERS):
            return f"a rights header has no colon: {line.strip()[:60]!r}"
    if not pairs and not _STATUS_LINE.match(text):
        return "the headers are neither a header block nor JSON"
    return pairs


class _Object(list[tuple[str, object]]):
    """A JSON object with all its pairs: a name that stands twice counts twice."""


def _pairs_of_json(text: str) -> list[Pair] | str:
    """Return names in lower case and values of headers in JSON, or why there are none."""
    try:
        document = json.loads(text, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return "the headers are not valid JSON"
    named = _named_values(document)
    if named is None:
        return "the headers in JSON are neither an object nor a list of pairs"
    pairs: list[Pair] = []
    for raw_name, value in named:
        name = raw_name.strip().lower()
        for part in value if isinstance(value, list) and not isinstance(value, _Object) else [value]:
            if isinstance(part, str | int | float) and not isinstance(part, bool):
                pairs.append((name, str(part).strip()))
            elif part is not None and name in _RIGHTS_HEADERS:
                return f"the header {name} in JSON has no text"
    return pairs


def _named_values(document: object) -> list[tuple[str, object]] | None:
    """Return the pairs of an object or a list; None where a part of it is no pair."""
    if isinstance(document, _Object):
        return list(document)
    if not isinstance(document, list):
        return None
    named: list[tuple[str, object]] = []
    for entry in document:
        if isinstance(entry, _Object):
            fields = {name.lower(): value for name, value in entry}
            name = fields.get("name")
            named += [(name, fields["value"])] if isinstance(name, str) and "value" in fields else entry
        elif isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str):
            named.append((entry[0], entry[1]))
        else:
            return None
    return named


# --- X-Robots-Tag

_BOT = re.compile(r"[A-Za-z*][A-Za-z0-9_.*/-]*|360\w+")
_OTHER_RULES = frozenset(
    {
        "all",
        "index",
        "follow",
        "archive",
        "snippet",
        "nofollow",
        "nosnippet",
        "notranslate",
        "noodp",
        "noydir",
        "nopagereadaloud",
        "nositelinkssearchbox",
        "indexifembedded",
        "unavailable_after",
        "max-snippet",
        "max-image-preview",
        "max-video-preview",
    }
)
"""Rules that say nothing about a use, and are not the name of an agent."""


def _read_robots_tag(value: str, source: str) -> Reading:
    """Read one `X-Robots-Tag` header.

    1. A name before a colon addresses the rules after it, up to the next such name.
    2. Rules for an agent outside the vocabulary bind nobody who trains.
    3. Rules with the same scope are one signal.

    Source: Google Search Central, specifications of the robots meta tag and X-Robots-Tag (2026).
    """
    by_scope: dict[str, frozenset[Use]] = {}
    agent = ""
    for item in re.split("[,;]", value):
        named, rules = _addressee(item)  # 1
        agent = named or agent
        for word in re.split(r"[\s:]+", rules.lower()):
            uses, limited_to = ROBOTS_RULES.get(word, (NO_USES, ""))
            if uses and (agent in {"", "*", limited_to} or agent in USES_OF_TOKEN):  # 2
                scope = limited_to or WRITTEN_TOKEN.get(agent, "").strip("*")
                by_scope[scope] = by_scope.get(scope, NO_USES) | uses  # 3
    quote = clip(f"X-Robots-Tag: {value}")
    return Reading(
        tuple(
            Signal("x-robots-tag", disallows=uses, source=source, quote=quote, scope=scope)
            for scope, uses in by_scope.items()
        )
    )


def _addressee(item: str) -> tuple[str, str]:
    """Return the agent an item addresses, in lower case or empty, and its rules.

    Not an agent: a rule with a value (`max-snippet: 20`), a part of a date (`unavailable_after: Fri,
    25 Jun 2027 15:00:00 GMT`), or any name that no rule follows.
    """
    before, colon, after = item.partition(":")
    name = before.strip().lower()
    first = re.split(r"[\s:]", after.strip().lower(), maxsplit=1)[0]
    if colon and not _is_rule(name) and _is_rule(first) and _BOT.fullmatch(name):
        return name.partition("/")[0], after
    return "", item


def _is_rule(word: str) -> bool:
    return word in ROBOTS_RULES or word in _OTHER_RULES


# --- TDMRep


def _read_tdm(reservations: list[str], policies: list[str], source: str) -> Reading:
    """Read `tdm-reservation`, with `tdm-policy` as part of the quote.

    Proxies join headers of one name, so the value may be a list; one 1 in it is a reservation.
    Source: TDM Reservation Protocol, section 6.1. Any value but 0 and 1 leaves the reservation unset.
    """
    words = [word.strip().strip("\"'") for value in reservations for word in value.split(",")]
    quote = clip("\n".join([*(f"tdm-reservation: {v}" for v in reservations), *(f"tdm-policy: {v}" for v in policies)]))
    gaps: tuple[Gap, ...] = ()
    unknown = [word for word in words if word not in {"0", "1", ""}]
    if unknown:
        gaps = (malformed(f"tdm-reservation is {unknown[0][:40]!r} where only 0 or 1 is defined", source),)
    if "1" in words:
        return Reading((Signal("tdmrep", TDM_RESERVED, source=source, quote=quote),), gaps)
    if "0" in words and not unknown:
        return Reading((Signal("tdmrep", frozenset(), TDM_UNRESERVED, source, quote),))
    return Reading(gaps=gaps)
