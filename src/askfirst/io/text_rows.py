"""Rows of CSV and JSON lines as columns: cells are split, objects are fitted to the columns of the schema.

Trouble with a row costs that row: its columns are null, and a gap says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json
from numpy.typing import NDArray

from askfirst.errors import InputError
from askfirst.io.columns import (
    JSON_MARK,
    ROLES,
    UNPAIRED,
    ColumnChoice,
    dialect_of,
    find_roles,
    parse_object,
    read_schema,
)
from askfirst.io.files import Limits, Stream
from askfirst.io.records import OK, TOO_LONG, Dialect, Records, lines_of, read_records
from askfirst.io.rows import Rows, nulls, text_gap
from askfirst.io.sources import Unit
from askfirst.jit import kernel
from askfirst.model import Gap

__all__ = ["read_text_rows"]

_CELLS_MAX = 4_000_000  # of a CSV split at once: 36 MB of positions
_QUOTE = 34


def read_text_rows(unit: Unit, choice: ColumnChoice, limits: Limits) -> Iterator[tuple[Rows, dict[str, str]]]:
    """Yield the rows of a range of a text table; where a compressed one breaks off, the last is a gap.

    Args:
        unit: Of a CSV or of JSON lines.
        choice: Which columns hold what.
        limits: Sizes of batches, and of what is refused.

    Yields:
        Rows with all columns of the table, and which column has which role.

    Raises:
        InputError: The file is gone, or is no longer what it was when the plan was made.
    """
    with Stream(unit.path, unit.name) as stream:
        schema = read_schema(stream, unit.kind, choice, limits)
        roles = find_roles(schema, choice, unit.name)
        dialect = dialect_of(stream, unit.kind, choice)
        skip = 1 if unit.kind == "csv" and unit.start == 0 else 0  # the header
        step = min(limits.batch_rows, max(1, _CELLS_MAX // len(schema)))
        watched = set(roles.values()).union(*ROLES.values())
        first = unit.first_row
        try:
            for records in read_records(stream, max(unit.start, stream.start), unit.stop, dialect, limits):
                for start in range(skip, len(records), step):
                    part = records.part(start, start + step)
                    if unit.kind == "csv":
                        rows = _read_cells(part, first, schema, _Flaws(unit.name, dialect, limits))
                    else:
                        rows = _read_objects(part, first, schema, unit.name, watched)
                    yield rows, roles
                    first += len(part)
                skip = 0
        except InputError as error:
            gap = Gap(error.kind, error.message, unit.name, error.advice)
            yield Rows(first, nulls(_unmarked(schema), 1), {0: gap}), roles


@dataclass(frozen=True, slots=True)
class _Flaws:
    """Finds the rows of a CSV that cannot be read."""

    name: str
    dialect: Dialect
    limits: Limits

    def find(self, records: Records, cells: NDArray[np.int32], counts: NDArray[np.int64]) -> dict[int, Gap]:
        """Return gaps: of records that have no bytes, too many or few cells, too long ones, or no text."""
        gaps = _flagged(records, self.name)
        is_ok = records.flags == OK
        for row in np.flatnonzero(is_ok & (counts != cells.shape[1])).tolist():
            cause = f"the row has {counts[row]} cells, the header has {cells.shape[1]}"
            gaps[row] = Gap("wrong-cells", cause, self.name, "check its commas and quotes")
        longest = (cells[1] - cells[0]).max(axis=0)
        for row in np.flatnonzero(is_ok & (longest > self.limits.cell_bytes)).tolist():
            cause = f"a cell is larger than {self.limits.cell_bytes:,} bytes"
            gaps[row] = Gap("too-large", cause, self.name, "keep large texts in files")
        if not _is_clean(records.data):
            for row, line in enumerate(lines_of(records)):
                nul = Gap("nul", "the row holds a NUL byte", self.name, "export the table again") if 0 in line else None
                if gap := nul or text_gap(line, self.name, self.dialect.encoding):
                    gaps.setdefault(row, gap)
        return gaps


def _flagged(records: Records, name: str) -> dict[int, Gap]:
    """Return gaps of records that have no bytes."""
    quote = Gap("unbalanced-quote", "a quote in the row is never closed", name, 'write "" for a quote in a cell')
    large = Gap("too-large", "the row is too large to be held in memory", name, "keep large texts in files")
    rows = np.flatnonzero(records.flags != OK).tolist()
    return {row: large if records.flags[row] == TOO_LONG else quote for row in rows}


def _is_clean(data: NDArray[np.uint8]) -> bool:
    """Return whether bytes are UTF-8 without NUL."""
    ends = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, ends, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return bool(data.all())


def _read_cells(records: Records, first: int, schema: pa.Schema, flaws: _Flaws) -> Rows:
    """Return rows of a CSV as columns of text."""
    cells = np.zeros((3, len(schema), len(records)), np.int32)
    delimiter = ord(flaws.dialect.delimiter)
    counts = _split_cells(records.data, records.starts, records.stops, delimiter, cells)
    gaps = flaws.find(records, cells, counts)
    is_valid = np.ones(len(records), bool)
    is_valid[list(gaps)] = False
    cells[:, :, ~is_valid] = 0
    validity = pa.py_buffer(np.packbits(is_valid, bitorder="little")) if gaps else None
    columns = []
    for column in range(len(schema)):
        offsets = np.zeros(len(records) + 1, np.int32)
        out = np.empty(int((cells[1, column] - cells[0, column]).sum()), np.uint8)
        _gather(records.data, cells[:, column], offsets, out)
        buffers = pa.py_buffer(offsets), pa.py_buffer(out), validity
        columns.append(pa.StringArray.from_buffers(len(records), *buffers))
    return Rows(first, pa.RecordBatch.from_arrays(columns, schema=schema), gaps)


@kernel
def _split_cells(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    delimiter: int,
    cells: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Fill `cells`, i32[3, columns, rows], with start, stop, has-quotes-inside; return cells of each row.

    A quoted cell without quotes inside is what stands between its quotes. Others keep theirs for `_gather`.
    """
    counts = np.zeros(len(starts), np.int64)
    for row in range(len(starts)):
        i, end = starts[row], stops[row]
        while i <= end and end > 0:
            start, is_plain, closing = i, True, -1
            if i < end and data[i] == _QUOTE:
                i += 1
                while i < end and (data[i] != _QUOTE or (i + 1 < end and data[i + 1] == _QUOTE)):
                    if data[i] == _QUOTE:
                        is_plain = False
                        i += 1
                    i += 1
                closing = i
            while i < end and data[i] != delimiter:
                i += 1
            if counts[row] < cells.shape[1]:
                is_plain &= closing < 0 or closing == i - 1
                bare = is_plain and closing >= 0
                cells[0, counts[row], row] = start + 1 if bare else start
                cells[1, counts[row], row] = closing if bare else i
                cells[2, counts[row], row] = 0 if is_plain else 1
            counts[row] += 1
            i += 1
    return counts


@kernel
def _gather(
    data: NDArray[np.uint8], cells: NDArray[np.int32], offsets: NDArray[np.int32], out: NDArray[np.uint8]
) -> None:
    """Write the cells of a column one after another, without the quotes of those that have quotes inside."""
    at = 0
    for row in range(len(offsets) - 1):
        is_inside = cells[2, row] == 1
        i, end = cells[0, row] + is_inside, cells[1, row]
        while i < end:
            if is_inside and data[i] == _QUOTE:
                if i + 1 == end or data[i + 1] != _QUOTE:
                    is_inside = False  # what follows stands for itself
                    i += 1
                    continue
                i += 1
            out[at] = data[i]
            at += 1
            i += 1
        offsets[row + 1] = at


def _read_objects(records: Records, first: int, schema: pa.Schema, name: str, watched: Collection[str]) -> Rows:
    """Return rows of JSON lines; by Arrow where it reads exactly what the standard library reads."""
    columns = _read_by_arrow(records, schema)
    if columns is not None:
        return Rows(first, columns, {})
    return _read_one_by_one(records, first, schema, name, watched)


def _read_one_by_one(records: Records, first: int, schema: pa.Schema, name: str, watched: Collection[str]) -> Rows:
    """Return rows of JSON lines; a value that fits no column is kept in the last, and a gap if `watched`."""
    gaps = _flagged(records, name)
    keepers = [(f.name, _dump if f.metadata == JSON_MARK else _KEEPERS[f.type]) for f in schema][:-1]
    rows: list[list[Any]] = []
    for row, line in enumerate(lines_of(records)):
        kept: list[Any] = [None] * len(keepers)
        rest: dict[str, Any] = {}
        try:
            if row not in gaps:
                kept, rest = _fit(parse_object(line), keepers, has_escapes=b"\\u" in line)
        except InputError as error:
            gaps[row] = Gap(error.kind, error.message, name, error.advice)
        rows.append([*kept, _dump(rest) if rest else None])
        if lost := sorted(rest.keys() & watched):
            cause = f"the value of {lost[0]!r} does not fit its column"
            gaps[row] = Gap("wrong-type", cause, name, "give the column values of one type")
    schema = _unmarked(schema)
    arrays = [pa.array(column, f.type) for column, f in zip(zip(*rows, strict=True), schema, strict=True)]
    return Rows(first, pa.RecordBatch.from_arrays(arrays, schema=schema), gaps)


def _fit(
    given: dict[str, Any], keepers: list[tuple[str, Callable[[Any], Any]]], *, has_escapes: bool
) -> tuple[list[Any], dict[str, Any]]:
    """Return the values that fit their columns, and what is left of the object."""
    rest: dict[str, Any] = {}
    if has_escapes:  # only these can be half a character
        halves = [key for key, value in given.items() if isinstance(value, str) and UNPAIRED.search(value)]
        rest = {key: given.pop(key) for key in halves}
    kept = []
    for name, keep in keepers:
        value = given.pop(name, None)
        kept.append(None if value is None else keep(value))
        if kept[-1] is None and value is not None:
            rest[name] = value
    return kept, rest | given


def _as_double(value: Any) -> float | None:
    with suppress(OverflowError):
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    return None


def _as_integer(value: Any) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if fits else None


_KEEPERS: dict[pa.DataType, Callable[[Any], Any]] = {
    pa.string(): lambda value: value if isinstance(value, str) else None,
    pa.bool_(): lambda value: value if isinstance(value, bool) else None,
    pa.float64(): _as_double,
    pa.int64(): _as_integer,
}
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _dump(value: object) -> str:
    text = _ENCODER.encode(value)
    return json.dumps(value) if UNPAIRED.search(text) else text


def _unmarked(schema: pa.Schema) -> pa.Schema:
    return pa.schema([f.remove_metadata() for f in schema])


def _read_by_arrow(records: Records, schema: pa.Schema) -> pa.RecordBatch | None:
    """Return what Arrow's reader makes of records, or None where the standard library might see it otherwise.

    Arrow takes several objects on a line, objects over several lines, bytes that are not UTF-8 and numbers
    without end; a lone `null` is more than it can take.
    """
    plain = pa.schema(list(schema)[:-1])
    is_safe = not any(f.metadata for f in plain) and bool((records.flags == OK).all()) and _is_clean(records.data)
    if not is_safe or not _are_objects(records.data, records.starts, records.stops):
        return None
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(pa.py_buffer(records.data)),
            pyarrow.json.ReadOptions(use_threads=False, block_size=len(records.data) + 1),
            pyarrow.json.ParseOptions(explicit_schema=plain, unexpected_field_behavior="error"),
        )
    except pa.ArrowInvalid:
        return None
    numbers = [table.column(f.name) for f in plain if pa.types.is_floating(f.type)]
    if len(table) != len(records) or not all(map(_is_ordinary, numbers)):
        return None
    columns = [table.column(f.name).combine_chunks() for f in plain]
    return pa.RecordBatch.from_arrays([*columns, pa.nulls(len(table), pa.string())], schema=schema)


def _is_ordinary(column: pa.ChunkedArray) -> bool:
    """Return whether no number is infinite, none at all, or a zero with a sign."""
    values = column.fill_null(1.0).to_numpy()
    return bool(np.isfinite(values).all()) and not bool((np.signbit(values) & (values == 0)).any())


@kernel
def _are_objects(data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> bool:
    """Return whether every record is one pair of braces with everything else inside."""
    for row in range(len(starts)):
        depth, i, last = 0, starts[row], stops[row] - 1
        if data[i] != 123:
            return False
        while i <= last:
            char = data[i]
            if char == _QUOTE:
                i += 1
                while i <= last and data[i] != _QUOTE:
                    i += 2 if data[i] == 92 else 1  # a backslash takes the next character with it
            depth += (char in (123, 91)) - (char in (125, 93))
            if depth == 0 and i != last:
                return False
            i += 1
        if depth != 0 or i != last + 1:
            return False
    return True
