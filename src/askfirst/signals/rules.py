"""Rules of robots.txt matched against paths, by Protego."""

from __future__ import annotations

import re
from functools import lru_cache

from protego import Protego

from askfirst.model import Signal
from askfirst.signals.groups import Line, as_ascii, host_of, path_of
from askfirst.signals.reading import clip
from askfirst.signals.vocabulary import ALL_USES, USES_OF_TOKEN, WRITTEN_TOKEN

__all__ = ["RuleSet", "matches", "rooted"]

_WEB_ADDRESS = re.compile(r"https?:", re.IGNORECASE)


def rooted(line: Line) -> Line:
    """Return a ban whose pattern lacks its first slash as it was meant; as it is, it would match nothing."""
    if line.field == "allow" or line.pattern.startswith(("/", "*", "$")) or _WEB_ADDRESS.match(line.pattern):
        return line
    return Line(line.field, f"/{line.pattern}", "", line.verbatim)


class RuleSet:
    """The rules of one or several agents.

    Args:
        rules: In the order of the file.
        tokens: Agents they bind, in lower case.
        source: What the signals name as their source.
    """

    def __init__(self, rules: tuple[Line, ...], tokens: list[str], source: str) -> None:
        self._tokens = tokens
        self._source = source
        self._bans = sorted((r for r in rules if r.field == "disallow"), key=lambda r: -len(r.pattern))
        self._addressed = [r for r in self._bans if _WEB_ADDRESS.match(r.pattern)]
        self._signals: dict[Line, Signal] = {}
        body = "\n".join(f"{line.field}: {as_ascii(line.pattern)}" for line in rules)
        # One group with plain lines: nothing is left that Protego groups or splits in its own way.
        self._matcher = Protego.parse(f"user-agent: *\n{body}\n")

    def ban(self, path: str, url: str = "") -> Signal | None:
        """Return the signal of the rule that bans a path, or None.

        A rule with a whole address as its pattern matches nothing by the standard; here it bans what it names
        on its own host.
        """
        if self._matcher.can_fetch(_fetchable(path), "*"):
            rule = next((line for line in self._addressed if _names(line.pattern, path, url)), None)
            return self._kept(rule) if rule else None
        return self._kept(next((line for line in self._bans if matches(line.pattern, path)), self._bans[0]))

    def _kept(self, rule: Line) -> Signal:
        signal = self._signals.get(rule)
        if signal is None:
            signal = self._signals[rule] = self._signal(rule)
        return signal

    def _signal(self, rule: Line) -> Signal:
        names = [WRITTEN_TOKEN.get(token, token) for token in self._tokens]
        return Signal(
            "robots.txt",
            disallows=frozenset().union(*(USES_OF_TOKEN.get(token, ALL_USES) for token in self._tokens)),
            source=self._source,
            quote=clip("\n".join([*(f"User-agent: {name}" for name in names), rule.verbatim])),
            scope=clip(", ".join(names)),
        )


def _names(pattern: str, path: str, url: str) -> bool:
    """Tell whether a pattern that is an address names a path on the host of an address."""
    return host_of(pattern) == host_of(url) and matches(path_of(pattern) or "/", path)


def _fetchable(path: str) -> str:
    """Return an address for Protego, which takes the path `/robots.txt` for always allowed."""
    if path.startswith("/robots.txt"):
        path = f"/robots%2Etxt{path[11:]}"
    return f"http://h{path}"


@lru_cache(maxsize=4096)
def _pattern_matcher(pattern: str) -> Protego:
    return Protego.parse(f"user-agent: *\ndisallow: {as_ascii(pattern)}\n")


def matches(pattern: str, path: str) -> bool:
    """Tell whether a path pattern, alone, matches a path."""
    if pattern in {"", "/"}:
        return True
    if "*" not in pattern and "$" not in pattern and path.startswith(pattern):
        return True
    return not _pattern_matcher(pattern).can_fetch(_fetchable(path), "*")
