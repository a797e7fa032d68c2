"""Frozen values written as JSON objects with exactly their fields, and read back exactly."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

from askfirst.errors import FormatError

__all__ = ["Record", "decode", "encode", "wrong"]


class Record:
    """A frozen value that is written as a JSON object with exactly its fields."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; bytes are base64."""
        plain: dict[str, Any] = encode(self)
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            FormatError: A key is missing or unknown, or a value is of the wrong type; `.path` says where.
        """
        value: Self = decode(cls, data, cls.__name__.lower())
        return value


def wrong(path: str, expected: str, found: object) -> FormatError:
    """Return the error that names a place, what belongs there and what stands there."""
    shown = repr(found)[:80]
    return FormatError(
        f"{path} should be {expected}, not {shown}",
        path=path,
        expected=expected,
        found=shown,
        advice="write the file again with `askfirst audit`",
    )


def encode(value: Any) -> Any:
    """Return a value as plain JSON: records and mappings as objects, tuples as lists, bytes as base64."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(part) for part in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.value if isinstance(value, StrEnum) else value


def decode(kind: Any, value: Any, path: str) -> Any:
    """Return a JSON value as a value of a type; the inverse of `encode`."""
    if kind is Any:
        return value
    if get_origin(kind) is UnionType:
        return None if value is None else decode(get_args(kind)[0], value, path)
    if get_origin(kind) is tuple:
        rows = _expect(value, list, "a list", path)
        return tuple(decode(get_args(kind)[0], row, f"{path}[{i}]") for i, row in enumerate(rows))
    if get_origin(kind) is dict:
        entries = _expect(value, dict, "an object", path)
        return {key: decode(get_args(kind)[1], part, f"{path}.{key}") for key, part in entries.items()}
    if is_dataclass(kind):
        return _decode_record(kind, _expect(value, dict, "an object", path), path)
    return _decode_plain(kind, value, path)


def _decode_plain(kind: Any, value: Any, path: str) -> Any:
    """Return a JSON string, number or truth value as a value of a type."""
    if kind is bytes:
        try:
            return base64.b64decode(_expect(value, str, "base64 text", path), validate=True)
        except ValueError as error:
            raise wrong(path, "base64 text", value) from error
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        names = [member.value for member in kind]
        if value not in names:
            raise wrong(path, " or ".join(names), value)
        return kind(value)
    if kind is float and type(value) is int:
        return float(value)
    return _expect(value, kind, {int: "a whole number", float: "a number", bool: "true or false"}.get(kind), path)


def _decode_record(kind: Any, data: Mapping[str, Any], path: str) -> Any:
    """Return a JSON object as a record: every field once, nothing else."""
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)]
    unknown = sorted(set(map(str, data)) - set(names))
    if unknown:
        raise wrong(f"{path}.{unknown[0]}", "absent", "present")
    missing = [name for name in names if name not in data]
    if missing:
        raise wrong(f"{path}.{missing[0]}", "present", "absent")
    return kind(**{name: decode(hints[name], data[name], f"{path}.{name}") for name in names})


def _expect(value: Any, kind: type, expected: str | None, path: str) -> Any:
    """Return a value of exactly one type (true is not a number here)."""
    if type(value) is not kind:
        raise wrong(path, expected or "text", value)
    return value
