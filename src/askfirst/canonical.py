"""One spelling for one value: canonical JSON (RFC 8785), for what is hashed and signed."""

from __future__ import annotations

import json

__all__ = ["canonical_json", "parse_canonical"]

_INTEGER_LIMIT = 2**53 - 1
"""Beyond it other languages read a JSON number as a float and lose digits (RFC 8785, 3.2.2.3)."""


def canonical_json(value: object) -> bytes:
    """Return the one spelling of a value in JSON, as UTF-8.

    Args:
        value: Text, integers within 2^53, true, false, null, lists, and dictionaries with keys in ASCII.

    Raises:
        ValueError: Anything else: floats, text that is not Unicode, other keys.

    Source:
        RFC 8785. With keys in ASCII the order of UTF-16 units and of code points is the same.
    """
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_canonical(data: bytes) -> object:
    """Read canonical JSON, and nothing else: another spelling, or a key that comes twice, is an error.

    Raises:
        ValueError: Not JSON, or not its canonical spelling.
    """
    try:
        value = json.loads(data.decode())
        canonical = canonical_json(value)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if canonical != data:
        raise ValueError("JSON that is not in its canonical spelling")
    return value


def _check(value: object) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError(f"the key {key!r} is not ASCII text")
            _check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner)
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > _INTEGER_LIMIT:
            raise ValueError(f"{value} is beyond 2^53")
    elif value is not None and not isinstance(value, str | bool):
        raise ValueError(f"{type(value).__name__} has no canonical spelling")
