"""Columns of a table: what they are called, what type they have, and which of them are the items.

    a text table --read_schema--> columns --find_roles--> text, address, media, path

A Parquet file brings its schema along; that of a text table comes from its header or its first objects.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Self

import pyarrow as pa

from askfirst.errors import ConfigError, InputError
from askfirst.io.files import LIMITS, Limits, Stream
from askfirst.io.names import free_name, printable, unique_names
from askfirst.io.records import LINES, OK, Dialect, Records, lines_of, read_records

__all__ = [
    "ENCODINGS",
    "JSON_MARK",
    "ROLES",
    "UNPAIRED",
    "ColumnChoice",
    "dialect_of",
    "find_roles",
    "not_utf8",
    "parse_object",
    "plain_type",
    "read_schema",
]

ROLES = {
    "text": ("text", "content"),
    "url": ("url", "URL", "uri", "image_url"),
    "media": ("image", "audio", "video", "bytes"),
    "path": ("path", "file_name", "file"),
    "robots": ("robots_txt",),
    "headers": ("headers",),
}  # names by which a column has a role, the first that fits
_ITEM_ROLES = ("text", "url", "media", "path")
_HEAD_OBJECTS = 1000  # that decide on the columns of JSON lines
_HEAD_LINES = 10_000  # among which they must be found
_COLUMNS_MAX = 1000  # of JSON lines; objects used as dictionaries would give millions
JSON_MARK = {b"askfirst": b"json"}  # marks fields whose values are kept as JSON
_COLUMN_ADVICE = "name it with --column text=..., url=..., path=... or media=...; a CSV must begin with column names"

ENCODINGS = ("utf-8", "latin-1", "cp1252")


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Which columns hold what, where the convention does not fit; empty for the convention.

    Args:
        text: Column of texts.
        url: Column of addresses.
        media: Column of the bytes of images, sounds or films.
        path: Column of paths of files, relative to the table's folder.
        robots: Column with the robots.txt of each address.
        headers: Column with the HTTP headers of each address.
        encoding: Of CSV files without a byte-order mark: `utf-8`, `latin-1` or `cp1252`.

    Raises:
        ConfigError: The encoding is not known.
    """

    text: str = ""
    url: str = ""
    media: str = ""
    path: str = ""
    robots: str = ""
    headers: str = ""
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Refuse encodings that cannot be cut at line ends."""
        if self.encoding not in ENCODINGS:
            raise ConfigError(
                f"encoding {self.encoding!r} is not known",
                key="encoding",
                value=self.encoding,
                advice=f"use {', '.join(ENCODINGS)}; UTF-16 is recognised by itself",
            )

    @classmethod
    def of(cls, columns: Mapping[str, str], *, encoding: str | None = None) -> Self:
        """Return a choice from pairs as in `--column text=body`.

        Raises:
            ConfigError: A role or the encoding is not known.
        """
        roles = [field.name for field in fields(cls) if field.name != "encoding"]
        if unknown := sorted(set(columns) - set(roles)):
            raise ConfigError(f"no column can be {unknown[0]!r}", key="column", advice=f"use {', '.join(roles)}")
        return cls(**columns, encoding=encoding or "utf-8")


def dialect_of(stream: Stream, kind: str, choice: ColumnChoice) -> Dialect:
    """Return how records of a text table are told apart."""
    if kind == "jsonl":
        return LINES
    return Dialect("\t" if stream.is_tabbed else ",", "utf-8" if stream.has_mark else choice.encoding)


def read_schema(stream: Stream, kind: str, choice: ColumnChoice, limits: Limits = LIMITS) -> pa.Schema:
    """Return the columns of a text table: those of its header, or of its first thousand objects.

    A column of objects is string, int64, double or bool where all their values are; else it keeps JSON. What
    does not fit later, and keys that come later, go to a last column.

    Raises:
        InputError: There is no header, or there are no objects.
    """
    dialect = dialect_of(stream, kind, choice)
    records = read_records(stream, stream.start, sys.maxsize, dialect, limits)
    if kind == "csv":
        names = _header(next(records, None), stream.name, dialect.delimiter)
        return pa.schema([(name, pa.string()) for name in names])
    kinds: dict[str, set[str]] = {}
    problem = InputError(f"{stream.name} has no rows", kind="empty", advice="get the file again")
    objects = 0
    for line in islice(_readable_lines(records), _HEAD_LINES):
        try:
            row = parse_object(line)
        except InputError as error:
            advice = "write one JSON object a line"
            problem = InputError(f"{stream.name} is not JSON lines: {error.message}", kind=error.kind, advice=advice)
            continue
        for key, value in row.items():
            if key in kinds or (len(kinds) < _COLUMNS_MAX and not UNPAIRED.search(key)):
                kinds.setdefault(key, set()).add(_json_kind(value))
        objects += 1
        if objects == _HEAD_OBJECTS:
            break
    if not objects:
        raise problem
    rest = pa.field(free_name("_unparsed", kinds), pa.string())
    return pa.schema([*(_json_field(key, kind - {"null"}) for key, kind in kinds.items()), rest])


UNPAIRED = re.compile("[\ud800-\udfff]")  # half of a character, which JSON can escape and UTF-8 cannot hold


def _header(records: Records | None, name: str, delimiter: str) -> list[str]:
    """Return the names of a CSV's columns, made different where they are not."""
    if records is None:
        raise InputError(f"{name} has no rows", kind="empty", advice="get the file again")
    try:
        text = next(lines_of(records)).decode()
        cells = next(csv.reader([text], delimiter=delimiter)) if records.flags[0] == OK else []
    except (csv.Error, UnicodeDecodeError):
        cells = []
    if not cells:
        advice = "check its quotes and its encoding (--encoding)"
        raise InputError(f"the first line of {name} cannot be read", kind="bad-header", advice=advice)
    return unique_names([cell or f"column_{number}" for number, cell in enumerate(cells)])


def _readable_lines(all_records: Iterator[Records]) -> Iterator[bytes]:
    """Yield lines up to where a compressed file breaks off, unless that is at once."""
    records = next(all_records, None)
    try:
        while records is not None:
            yield from lines_of(records)
            records = next(all_records, None)
    except InputError:  # the rows before it can be read, and the reader says where they end
        return


def parse_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object on a line.

    Raises:
        InputError: There is none; `kind` says why.
    """
    advice = "write one JSON object a line"
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise InputError(not_utf8(error), kind="not-utf8", advice="save the file as UTF-8") from error
    except RecursionError as error:
        raise InputError("the line is nested too deeply", kind="not-json", advice=advice) from error
    except ValueError as error:
        raise InputError("the line is not JSON", kind="not-json", advice=advice) from error
    if not isinstance(value, dict):
        raise InputError("the line is not a JSON object", kind="not-an-object", advice=advice)
    return value


def not_utf8(error: UnicodeDecodeError) -> str:
    """Return which byte is at fault."""
    return f"the byte 0x{error.object[error.start]:02X} is not UTF-8"


def _json_kind(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if -(2**63) <= value < 2**63 else "json"
    return {type(None): "null", bool: "bool", str: "str", float: "float"}.get(type(value), "json")


def _json_field(name: str, kinds: set[str]) -> pa.Field:
    if kinds <= {"str"}:
        return pa.field(name, pa.string())
    if kinds <= {"int", "float"}:
        return pa.field(name, pa.float64() if "float" in kinds else pa.int64())
    return pa.field(name, pa.bool_()) if kinds == {"bool"} else pa.field(name, pa.string(), metadata=JSON_MARK)


def find_roles(schema: pa.Schema, choice: ColumnChoice, name: str) -> dict[str, str]:
    """Return which column has which role, in a table called `name`.

    Raises:
        InputError: No column can be an item, or one that should has a type that cannot be.
    """
    roles: dict[str, str] = {}
    is_chosen = any(getattr(choice, role) for role in _ITEM_ROLES)
    for role, candidates in ROLES.items():
        wanted = getattr(choice, role)
        if wanted and wanted not in schema.names:
            raise _no_column(f"{name} has no column {wanted!r}", schema)
        for column in (wanted,) if wanted else candidates:
            if column not in schema.names:
                continue
            field = schema.field(schema.names.index(column))
            if _can_be(field, role):
                roles[role] = column
                break
            is_other = field.metadata == JSON_MARK or pa.types.is_nested(field.type) or role == "media"
            if wanted or not (is_other or (is_chosen and role in _ITEM_ROLES)):
                what = "bytes" if role == "media" else "text"
                raise InputError(
                    f"column {column!r} of {name} is {field.type}, not {what}",
                    kind="wrong-type",
                    advice=_COLUMN_ADVICE,
                )
    if not any(role in roles for role in _ITEM_ROLES):
        raise _no_column(f"{name} has no column of texts, addresses, paths or media", schema)
    return roles


def _no_column(message: str, schema: pa.Schema) -> InputError:
    shown = [f"{printable(field.name)[:40]} ({field.type})"[:60] for field in schema][:20]
    more = f" and {len(schema) - 20} more" if len(schema) > 20 else ""
    return InputError(f"{message}; it has {', '.join(shown)}{more}", kind="no-column", advice=_COLUMN_ADVICE)


def _can_be(field: pa.Field, role: str) -> bool:
    kinds, kind = pa.types, plain_type(field.type)
    if role == "media" and kinds.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _can_be(kind.field("bytes"), role)
    is_bytes = kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind)
    is_text = kinds.is_string(kind) or kinds.is_large_string(kind)
    return field.metadata != JSON_MARK and (is_bytes or kinds.is_null(kind) or (is_text and role != "media"))


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values themselves: not of dictionaries, extensions or views of them."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    return {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(kind, kind)
