"""robots.txt (RFC 9309): bans of training and corpus crawlers, and the preferences carried in it.

A ban of one crawler that collects for training is read as what the makers want, for every such crawler: see
`vocabulary.AGENTS`. Rules are matched by Protego. Where readers of robots.txt disagree about a file (a line
between two agents, several agents in one line, a pattern without its slash), every reading is evaluated, and
a ban in one of them is a ban.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from askfirst.model import Gap, Preference, Signal
from askfirst.signals.groups import (
    EVERYBODY,
    Block,
    Line,
    blocks_of,
    fields_of,
    path_of,
    possible_names,
    product_token,
    whole_name,
)
from askfirst.signals.preferences import Preferences, read_content_signal, read_content_usage
from askfirst.signals.reading import NOTHING, Reading, clip, malformed
from askfirst.signals.rules import RuleSet, matches, rooted
from askfirst.signals.vocabulary import USES_OF_TOKEN

__all__ = ["read_crawl", "read_robots"]

ROBOTS_SIZE_MAX = 500 * 1024
"""Bytes that are read. Source: RFC 9309, section 2.5."""

RULES_MAX = 10_000
"""Rules of all groups that are matched for one address; the largest of 4,231 real files but one has 5,600."""

PREFERENCES_MAX = 500
"""`Content-Usage` and `Content-Signal` lines; real files have one to three."""

_SMALL_FILE = 32 * 1024
_READINGS_KEPT = 4096

_PROTOCOLS = {"usage": "aipref", "signal": "content-signal"}


def read_robots(text: str, url: str, *, source: str = "robots.txt") -> Reading:
    """Return what the robots.txt of its host says about one address.

    1. Take the file apart; the last few thousand files are kept.
    2. Match the address against each distinct set of rules.
    3. Add the preferences that bind the address.

    Args:
        text: The file. An empty one says nothing.
        url: The address. If its path cannot be told, only what binds the whole host is a signal, and rules
            that may bind it are a gap.
        source: What the signals name as their source.

    Returns:
        Signals with the protocols `robots.txt`, `aipref` and `content-signal`; a gap where the file is no
        robots.txt, or a preference is malformed.

    Cost:
        20 microseconds for a file that was read before, a millisecond for a new one.
    """
    kept = text[: ROBOTS_SIZE_MAX + 1]  # more is never looked at, and must not fill the cache
    file = _parsed_small(kept, source) if len(kept) <= _SMALL_FILE else _parsed_large(kept, source)  # 1
    if file.is_silent:
        return file.fixed
    path = path_of(url)
    return file.at(path or "/", url if path is not None else "")


def read_crawl(text: str, url: str, agent: str) -> Preference:
    """Return whether an agent may fetch an address: the question robots.txt was made for.

    Args:
        text: The file.
        url: The address.
        agent: The product token of a crawler.

    Returns:
        `DISALLOWED` if any reading of the file bans it, `ALLOWED` if a group names the agent or everybody and
        does not ban it, `UNKNOWN` if no group does, or the path cannot be told.
    """
    token = product_token(agent.strip())
    path = path_of(url)
    preference = Preference.UNKNOWN
    for reader in _readers(_lines_of(text)) if path is not None and not _flaw(text) else ():
        own = _rules_of(reader, token)
        rules = own if own is not None else _rules_of(reader, EVERYBODY)
        if rules and RuleSet(rules, [], "").ban(path or "/", url):
            return Preference.DISALLOWED
        if rules is not None:
            preference = Preference.ALLOWED
    return preference


# --- one file


@dataclass(frozen=True, slots=True)
class _Reader:
    """One way to read a file.

    Args:
        blocks: Groups in order.
        blocks_of: Groups that bind an agent, by its name in lower case.
        is_lenient: Whether to look for what was meant where the standard finds nothing.
    """

    blocks: list[Block]
    blocks_of: dict[str, list[Block]]
    is_lenient: bool = False

    @classmethod
    def of(cls, blocks: list[Block], names_of: Callable[[str], Iterable[str]]) -> _Reader:
        """Read groups with one understanding of `User-agent` lines."""
        blocks_of: dict[str, list[Block]] = {}
        for block in blocks:
            for name in dict.fromkeys(name for value in block.agents for name in names_of(value)):
                blocks_of.setdefault(name, []).append(block)
        return cls(blocks, blocks_of)

    @classmethod
    def lenient(cls, blocks: list[Block]) -> _Reader:
        """Read groups as they were meant: every word is an agent, rules before the first are for everybody."""
        reader = cls.of(blocks, possible_names)
        if blocks[0].lines:
            reader.blocks_of[EVERYBODY] = [blocks[0], *reader.blocks_of.get(EVERYBODY, [])]
        return cls(blocks, reader.blocks_of, is_lenient=True)


@dataclass(slots=True)
class _File:
    """A robots.txt, ready to be asked about many addresses."""

    rule_sets: list[RuleSet] = field(default_factory=list)
    preference_sets: list[list[_Preference]] = field(default_factory=list)
    fixed: Reading = NOTHING
    source: str = ""
    unknown_path: Gap = field(init=False)
    _known: dict[tuple[int, ...], Reading] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unknown_path = _unknown_path(self.source)

    @property
    def is_silent(self) -> bool:
        return not self.rule_sets and not self.preference_sets

    def at(self, path: str, url: str) -> Reading:
        """Return what binds a path of an address, or of an unknown one; equal readings are one object."""
        found: list[Signal | Gap] = []
        for rules in self.rule_sets:
            signal = rules.ban(path, url)
            if signal is not None:
                found.append(signal)
        for preferences in self.preference_sets:
            found += _binding(preferences, path)
        if not url and self._may_bind_elsewhere(path):
            found.append(self.unknown_path)
        key = tuple(map(id, found))  # every part lives as long as this file
        reading = self._known.get(key)
        if reading is None:
            if len(self._known) >= _READINGS_KEPT:
                self._known.clear()
            distinct = dict.fromkeys([*self.fixed.signals, *self.fixed.gaps, *found])
            reading = Reading(
                tuple(part for part in distinct if isinstance(part, Signal)),
                tuple(part for part in distinct if isinstance(part, Gap)),
            )
            self._known[key] = reading
        return reading

    def _may_bind_elsewhere(self, path: str) -> bool:
        return any(rules.ban(path) is None for rules in self.rule_sets) or any(
            preference.line.pattern for preferences in self.preference_sets for preference in preferences
        )


@lru_cache(maxsize=2048)
def _parsed_small(text: str, source: str) -> _File:
    return _parsed(text, source)


@lru_cache(maxsize=32)
def _parsed_large(text: str, source: str) -> _File:
    return _parsed(text, source)


def _parsed(text: str, source: str) -> _File:
    """Take a file apart.

    1. Refuse what is no robots.txt.
    2. Group its lines in the ways readers do.
    3. Collect the rules of every known agent; agents with the same rules are one set.
    4. Collect the preferences of every agent, known or not.
    """
    flaw = _flaw(text)  # 1
    if flaw:
        advice = "fetch the file again; until then nobody has said yes"
        return _File(fixed=Reading(gaps=(malformed(flaw, source, advice=advice),)))
    lines = _lines_of(text)
    readers = _readers(lines)  # 2
    if not lines.is_robots:
        return _File(fixed=Reading(gaps=(malformed("no line of it is a line of a robots.txt", source),)))
    gaps = [malformed("it is longer than 500 KiB; the rest was not read", source)] if lines.is_cut else []
    tokens_of = _tokens_of_rules(readers)  # 3
    if sum(map(len, tokens_of)) > RULES_MAX:
        gaps.append(malformed(f"it has more than {RULES_MAX:,} rules", source))
        tokens_of = {}
    lines_of = _lines_of_preferences(readers)  # 4
    if lines_of is None:
        gaps.append(malformed(f"it has more than {PREFERENCES_MAX:,} lines of preferences", source))
        lines_of = []
    return _File(
        rule_sets=[RuleSet(rules, tokens, source) for rules, tokens in tokens_of.items()],
        preference_sets=[[_preference(n, source, may_allow=known) for n in found] for found, known in lines_of],
        fixed=Reading(gaps=tuple(gaps)) if gaps else NOTHING,
        source=source,
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    standard: list[Block]
    closing: list[Block]
    is_robots: bool
    is_cut: bool


def _lines_of(text: str) -> _Lines:
    text = text.removeprefix("\ufeff").removeprefix("ï»¿")  # the same mark, decoded rightly and wrongly
    cut = _cut(text)
    fields = list(fields_of(cut))
    return _Lines(
        standard=blocks_of(fields, others_close=False),
        closing=blocks_of(fields, others_close=True),
        is_robots=bool(fields) or not _WORDS.search(cut),
        is_cut=len(cut) < len(text),
    )


def _readers(lines: _Lines) -> list[_Reader]:
    """Return the ways to read a file: by the standard, by whole names, as meant, and with groups ended early."""
    readers = [
        _Reader.of(lines.standard, lambda value: (product_token(value),)),
        _Reader.of(lines.standard, lambda value: (whole_name(value),)),
        _Reader.lenient(lines.standard),
    ]
    if [block.agents for block in lines.closing] != [block.agents for block in lines.standard]:
        readers.append(_Reader.of(lines.closing, lambda value: (product_token(value),)))
    return readers


_WORDS = re.compile(r"^[ \t]*[^#\s]", re.MULTILINE)
_HTML = re.compile(r"\s*<")
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1f\x7f\ufffd]")


def _flaw(text: str) -> str:
    """Say why a text cannot be a robots.txt; empty if it can."""
    if "\0" in text:
        return "it holds NUL bytes and is not a text"
    if _HTML.match(text.removeprefix("\ufeff")):
        return "it is a page or XML, not a robots.txt"
    if len(_CONTROLS.findall(text)) > len(text) / 50:
        return "it holds control characters and is not a text"
    return ""


def _cut(text: str) -> str:
    """Return the part of a text that is read: whole lines of at most `ROBOTS_SIZE_MAX` bytes."""
    if len(text) * 4 <= ROBOTS_SIZE_MAX or len(text.encode("utf-8", "replace")) <= ROBOTS_SIZE_MAX:
        return text
    head = text.encode("utf-8", "replace")[:ROBOTS_SIZE_MAX].decode("utf-8", "ignore")
    return head[: max(head.rfind("\n"), head.rfind("\r")) + 1]


# --- rules


def _tokens_of_rules(readers: list[_Reader]) -> dict[tuple[Line, ...], list[str]]:
    """Return every distinct list of rules that bans something, and the known agents it binds."""
    tokens_of: dict[tuple[Line, ...], dict[str, None]] = {}
    for reader in readers:
        for token in USES_OF_TOKEN:
            rules = _rules_of(reader, token) or ()
            if any(line.field == "disallow" for line in rules):
                tokens_of.setdefault(rules, {})[token] = None
    return {rules: list(tokens) for rules, tokens in tokens_of.items()}


def _rules_of(reader: _Reader, token: str) -> tuple[Line, ...] | None:
    """Return the rules of all groups of an agent, merged; None if no group names it."""
    blocks = reader.blocks_of.get(token)
    if blocks is None:
        return None
    rules = (line for block in blocks for line in block.lines if line.field in {"allow", "disallow"})
    return tuple(rooted(line) for line in rules) if reader.is_lenient else tuple(rules)


# --- preferences


@dataclass(frozen=True, slots=True)
class _Preference:
    """A `Content-Usage` or `Content-Signal` line and what it says: signals and gaps."""

    line: Line
    says: tuple[Signal | Gap, ...]


def _lines_of_preferences(readers: list[_Reader]) -> list[tuple[tuple[Line, ...], bool]] | None:
    """Return the preferences of every agent, each distinct list once, and whether its yes counts.

    Whose crawler is asked about is not known, so a no to any agent counts. A yes counts only where it is said
    to everybody or to a known crawler. None if there are too many.
    """
    found: dict[tuple[tuple[int, ...], bool], None] = {}
    lines_of: list[list[Line]] = []
    for reader in readers:
        blocks_of_agent: dict[str, list[int]] = {}
        for block in [] if reader.is_lenient else reader.blocks:
            lines = [line for line in block.lines if line.field in _PROTOCOLS]
            for token in dict.fromkeys(map(product_token, block.agents)) or {""} if lines else ():
                blocks_of_agent.setdefault(token, []).append(len(lines_of))
            lines_of.append(lines)
        found |= {(tuple(b), not t or t in USES_OF_TOKEN): None for t, b in blocks_of_agent.items()}
    if sum(len(lines_of[block]) for blocks, _ in found for block in blocks) > PREFERENCES_MAX:
        return None
    merged = {(tuple(n for block in blocks for n in lines_of[block]), known): None for blocks, known in found}
    return list(merged)


def _preference(line: Line, source: str, *, may_allow: bool) -> _Preference:
    said: Preferences = read_content_usage(line.value) if line.field == "usage" else read_content_signal(line.value)
    parts: list[Signal | Gap] = []
    allows = said.allows if may_allow else frozenset()
    if said.disallows or allows:
        protocol = _PROTOCOLS[line.field]
        parts.append(Signal(protocol, said.disallows, allows, source, clip(line.verbatim), clip(line.pattern)))
    if said.flaw:
        parts.append(malformed(said.flaw, source))
    return _Preference(line, tuple(parts))


def _binding(preferences: list[_Preference], path: str) -> list[Signal | Gap]:
    """Return what the most specific preferences of each protocol say of a path.

    The longest pattern wins, as among rules; lines with patterns of one length all count.
    Source: draft-ietf-aipref-attach, section 4; Content Signals are read the same way.
    """
    found: list[Signal | Gap] = []
    for name in _PROTOCOLS:
        binding = [p for p in preferences if p.line.field == name and matches(p.line.pattern, path)]
        longest = max((len(p.line.pattern) for p in binding), default=0)
        for preference in binding:
            if len(preference.line.pattern) == longest:
                found += preference.says
    return found


def _unknown_path(source: str) -> Gap:
    return Gap(
        "unknown-path",
        "the address of the item is not known, so it cannot be told which lines of robots.txt bind it",
        source,
        "add a column with the full URL",
    )
