"""Names of sources and columns: what can be printed, and what is not taken yet."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import count

__all__ = ["free_name", "printable", "unique_names"]


def printable(path: str) -> str:
    """Return a path as printable text; two paths stay two."""
    return _UNPRINTABLE.sub(lambda found: _escape(ord(found[0])), path)


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")


def _escape(code: int) -> str:
    if code >= 0xD800:  # a byte that is not UTF-8, as Python keeps it in file names
        return f"\\x{code & 0xFF:02x}"
    return "\\\\" if code == ord("\\") else f"\\u{code:04x}"


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name, with `~2` or the next number that is free where it is taken."""
    name = name or "root"
    names = (name if number == 1 else f"{name}~{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def unique_names(names: Iterable[str]) -> list[str]:
    """Return names with `~2` where one comes again: few programs can tell two columns of one name apart."""
    taken: dict[str, str] = {}
    for name in names:
        taken[free_name(name, taken)] = name
    return list(taken)
