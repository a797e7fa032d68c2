"""The lines of a robots.txt: groups of agents, their rules and preferences, as readers group them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

__all__ = [
    "EVERYBODY",
    "Block",
    "Field",
    "Line",
    "as_ascii",
    "blocks_of",
    "fields_of",
    "host_of",
    "path_of",
    "possible_names",
    "product_token",
]

EVERYBODY = "*"
"""The token of all agents that no group names."""

_FIELDS = {
    **dict.fromkeys(("user-agent", "useragent", "user agent", "user_agent"), "agent"),
    **dict.fromkeys(
        # Misspellings that crawlers accept. Source: Google's robots.txt parser and Protego.
        ("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"),
        "disallow",
    ),
    "allow": "allow",
    "content-usage": "usage",
    **dict.fromkeys(("content-signal", "content-signals"), "signal"),
    **dict.fromkeys(("sitemap", "sitemaps", "site-map", "host"), "site"),
}
"""Names of lines that mean something here, in lower case."""

_NAME = re.compile(r"[A-Za-z][\w -]{0,60}\Z")
_LINE_END = re.compile(r"\r\n|\r|\n")  # not str.splitlines: a form feed does not end a line
_WORD = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_PRODUCT = re.compile(r"[A-Za-z0-9_.-]+")
_PATTERN_THEN_VALUE = re.compile(r"([/*]\S*)\s+(.*)", re.DOTALL)


Field = tuple[str, str, str]
"""A line: what it means (a value of `_FIELDS`, or `other`), its value, and its words without comment."""


@dataclass(frozen=True, slots=True)
class Line:
    """A rule or a preference.

    Args:
        field: `allow`, `disallow`, `usage` or `signal`.
        pattern: The path pattern it binds; empty for a preference about everything.
        value: What a preference says.
        verbatim: The line as written, without comment.
    """

    field: str
    pattern: str
    value: str
    verbatim: str


@dataclass(slots=True)
class Block:
    """Agents and the lines that follow them.

    Args:
        agents: Values of the `User-agent` lines; none for lines before the first of them.
        lines: Rules and preferences in order.
    """

    agents: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def blocks_of(fields: list[Field], *, others_close: bool) -> list[Block]:
    """Group the lines of a robots.txt.

    Args:
        fields: As `fields_of` gives them.
        others_close: Whether a line that is no rule ends the list of agents. The standard says it does not
            (RFC 9309, section 2.2.1); some readers end it.

    Returns:
        The groups in order; the first holds the lines before any agent.
    """
    blocks = [Block()]
    agents_end = True
    for name, value, verbatim in fields:
        if name == "agent":
            if agents_end:
                blocks.append(Block())
            blocks[-1].agents.append(value)
            agents_end = False
        elif name in {"allow", "disallow"}:
            agents_end = True
            if value:
                blocks[-1].lines.append(Line(name, value, "", verbatim))
        elif name in {"usage", "signal"}:
            agents_end = agents_end or others_close
            scoped = _PATTERN_THEN_VALUE.match(value)
            pattern, said = scoped.groups() if scoped else ("", value)
            blocks[-1].lines.append(Line(name, pattern, said, verbatim))
        elif name == "other":
            agents_end = agents_end or others_close
    return blocks


def fields_of(text: str) -> Iterator[Field]:
    """Yield every line of a file that can be read as one."""
    for raw in _LINE_END.split(text):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        before, colon, after = line.partition(":")
        name = before.strip().lower()
        if colon and name in _FIELDS:
            yield _FIELDS[name], after.strip(), line
            continue
        first, *rest = line.split(None, 1)
        if rest and first.lower() in _FIELDS:  # "Disallow /private": the colon is missing
            yield _FIELDS[first.lower()], rest[0].strip(), line
        elif colon and _NAME.match(before.strip()):
            yield "other", after.strip(), line


def product_token(value: str) -> str:
    """Return the token that the standard takes from a `User-agent` line, in lower case; `*` for everybody.

    Source: RFC 9309, section 2.2.1; figures are allowed because crawlers are named with them.
    """
    if value == EVERYBODY or value[:2] in {"* ", "*\t"}:
        return EVERYBODY
    token = _PRODUCT.match(value)
    return token[0].lower() if token else ""


def whole_name(value: str) -> str:
    """Return a `User-agent` line without version, in lower case, as readers take it that allow spaces in names."""
    return value.partition("/")[0].strip().lower()


AGENT_SIZE_MAX = 2_000
"""Characters of a `User-agent` line that are searched for more than one name."""


def possible_names(value: str) -> set[str]:
    """Return every name, in lower case, that a `User-agent` line can be meant for.

    Several agents in one line and whole user-agent strings were seen there; each of their words is a name.
    """
    parts = [part.strip() for part in value[:AGENT_SIZE_MAX].lower().split(",")]
    everybody = {EVERYBODY} if any(EVERYBODY in part.split() for part in parts) else set()
    return everybody.union(parts, *(_WORD.findall(part) for part in parts))


# --- addresses

PATH_SIZE_MAX = 16_384
"""Characters of a path. Browsers and servers stop at 8,000."""

_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//([^/?#\\]+)([^#]*)")
_BARE_ADDRESS = re.compile(r"[^\s/?#:@]+\.[^\s/?#:@.]+(?::\d+)?(/[^#]*)")


def path_of(url: str) -> str | None:
    """Return path and query of an address, with `.` and `..` resolved.

    Args:
        url: An absolute URL, one without a scheme (`example.com/a`), or a path that begins with a slash.

    Returns:
        What rules are matched against; None where it cannot be told or is longer than any server takes.
    """
    url = url.strip()
    found = _ADDRESS.match(url)
    if found:
        path = found[2]
    elif url.startswith("/"):
        path = url.partition("#")[0]
    elif bare := _BARE_ADDRESS.match(url):
        path = bare[1]
    else:
        return None
    if len(path) > PATH_SIZE_MAX:
        return None
    if not path.startswith("/"):
        path = f"/{path}"
    if "/." in path:
        path = _without_dots(path)
    return path if path.isascii() else as_ascii(path)


def host_of(url: str) -> str:
    """Return the host of an absolute URL in lower case, without user and `www.`; empty if it has none."""
    found = _ADDRESS.match(url.strip())
    host = found[1].rpartition("@")[2].partition(":")[0].lower() if found else ""
    return host.removeprefix("www.")


def _without_dots(path: str) -> str:
    """Resolve dot segments: no crawler asks for them. Source: RFC 3986, section 5.2.4."""
    plain, mark, query = path.partition("?")
    folder = "/" if plain.endswith(("/", "/.", "/..")) else ""
    resolved = "/" + posixpath.normpath(plain).lstrip("/")
    return resolved.rstrip("/") + folder + mark + query if resolved != "/" else f"/{mark}{query}"


def as_ascii(text: str) -> str:
    """Escape what is no printable ASCII, halves of surrogate pairs included."""
    return quote(text.encode("utf-8", "replace"), safe="".join(map(chr, range(33, 127))))
