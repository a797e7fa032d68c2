"""Rows of Parquet, CSV and JSON lines as batches of columns; and files as batches of files.

Trouble with a row costs that row: it keeps its number, its columns are null, and a gap says why. Memory is
bounded by the limits, whatever the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from askfirst.io.columns import ColumnChoice, find_roles
from askfirst.io.files import LIMITS, Limits
from askfirst.io.names import unique_names
from askfirst.io.parts import HUGGING_FACE, open_parquet, read_groups
from askfirst.io.rows import Rows, nulls, text_gap
from askfirst.io.sources import FileEntry, Unit
from askfirst.io.text_rows import read_text_rows
from askfirst.jit import kernel
from askfirst.model import Gap, Medium

__all__ = ["RowBatch", "read_unit"]

_MEDIA = {"image": Medium.IMAGE, "audio": Medium.AUDIO, "video": Medium.VIDEO, "image_url": Medium.IMAGE}


@dataclass(frozen=True, slots=True)
class RowBatch:
    """n items of one source, in order. A role that no column has is None.

    Args:
        item_ids: string[n], `<name>#<row within the file>` of rows, `<source>/<path>` of files.
        source: Name of the source.
        root: The folder that paths are relative to and may not leave.
        table: The n rows as they came, for tables; null where there is a gap.
        url: string[n], addresses.
        text: large_string[n], texts; where there are texts, they are the items.
        media: large_binary[n], bytes of images, sounds or films.
        path: string[n], paths of files, where there are no bytes.
        robots: string[n], the robots.txt of each address.
        headers: string[n], the HTTP headers of each address.
        medium_hint: What the items are, as far as the columns tell.
        files: n files, for files.
        gaps: Why a row cannot be read, by its number within the batch.
    """

    item_ids: pa.StringArray
    source: str
    root: str
    table: pa.Table | None = None
    url: pa.StringArray | None = None
    text: pa.LargeStringArray | None = None
    media: pa.LargeBinaryArray | None = None
    path: pa.StringArray | None = None
    robots: pa.StringArray | None = None
    headers: pa.StringArray | None = None
    medium_hint: Medium | None = None
    files: tuple[FileEntry, ...] | None = None
    gaps: dict[int, Gap] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.item_ids)


def read_unit(
    unit: Unit, choice: ColumnChoice, *, keep_columns: bool = True, limits: Limits = LIMITS
) -> Iterator[RowBatch]:
    """Read a unit of the plan, a batch at a time.

    Args:
        unit: Of a plan made with the same choice and limits.
        choice: Which columns hold what.
        keep_columns: Whether `table` is wanted; without it, only columns with a role are decoded.
        limits: Sizes of batches, and of what is refused.

    Raises:
        InputError: The file is gone, or is no longer what it was when the plan was made.

    Cost: for Parquet, that of decoding the columns and 40 ns a row.
    """
    if unit.kind == "files":
        yield _file_batch(unit)
        return
    is_parquet = unit.kind == "parquet"
    found = _parquet_rows(unit, choice, keep_columns, limits) if is_parquet else read_text_rows(unit, choice, limits)
    for rows, roles in found:
        yield _with_roles(unit, rows, roles, keep_columns)


def _file_batch(unit: Unit) -> RowBatch:
    gaps = {row: file.gap for row, file in enumerate(unit.files) if file.gap is not None}
    ids = pa.array([file.item_id for file in unit.files], pa.string())
    return RowBatch(ids, unit.name, unit.path, files=unit.files, gaps=gaps)


def _with_roles(unit: Unit, rows: Rows, roles: dict[str, str], keep_columns: bool) -> RowBatch:
    """Return a batch whose columns have their roles.

    1. Take the columns that have a role, as text or bytes.
    2. Find texts that are not UTF-8: their rows are gaps.
    3. Where there are new gaps, begin again with null in their rows.
    """
    found = {role: _as_role(rows.columns.column(name), role) for role, name in roles.items()}  # step 1
    media = rows.columns.column(roles["media"]) if "media" in roles else None
    if media is not None and "path" not in roles and _has_paths(media.type):
        path = _as_role(pc.struct_field(media, "path"), "path")
        found["path"] = pc.if_else(found["media"].is_valid(), pa.scalar(None, pa.string()), path)
    bad: dict[int, Gap] = {}
    for role in (role for role in found if role != "media"):
        bad |= _not_utf8(found[role], unit.name)  # step 2
    if bad:
        keep = pa.array([None if row in bad else row for row in range(len(rows.columns))], pa.int64())
        return _with_roles(unit, Rows(rows.first, rows.columns.take(keep), rows.gaps | bad), roles, keep_columns)
    hint = Medium.TEXT if "text" in roles else _MEDIA.get(roles.get("media", roles.get("url", "")))
    return RowBatch(
        item_ids=_row_ids(unit.name, rows.first, len(rows.columns)),
        source=unit.name.split("/", 1)[0],
        root=str(Path(unit.path).parent),
        table=pa.Table.from_batches([rows.columns]) if keep_columns else None,
        medium_hint=hint,
        gaps=rows.gaps,
        **found,
    )


def _has_paths(kind: pa.DataType) -> bool:
    """Return whether a media column is Hugging Face's pair of bytes and path."""
    has_paths = pa.types.is_struct(kind) and kind.get_field_index("path") >= 0
    return has_paths and kind.field("path").type in (pa.string(), pa.large_string())


def _row_ids(name: str, first: int, count: int) -> pa.StringArray:
    """Return `name#row` for `count` rows."""
    head = np.frombuffer(f"{name}#{first}".encode(), np.uint8)
    offsets = np.zeros(count + 1, np.int32)
    out = np.empty(count * len(f"{name}#{first + count}".encode()) + len(head), np.uint8)
    out[: len(head)], offsets[1:] = head, len(head)
    _count_on(offsets, out)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]]))


@kernel
def _count_on(offsets: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    """Write each id behind the one before it, as the one before plus one; the first is there."""
    for row in range(1, len(offsets) - 1):
        here, there = offsets[row - 1], offsets[row]
        end = there + (there - here)
        for i in range(there, end):
            out[i] = out[i - there + here]
        i = end - 1
        while out[i] == 57:  # 9 becomes 0, and the digit before it grows
            out[i] = 48
            i -= 1
        if out[i] == 35:  # there is none: after the # comes a 1
            out[i + 1], out[end] = 49, 48
            end += 1
        else:
            out[i] += 1
        offsets[row + 1] = end


def _as_role(column: pa.Array, role: str) -> pa.Array:
    """Return a column as text or, for media, as bytes; a list of bytes and paths gives its bytes."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_struct(column.type):
        column = pc.struct_field(column, "bytes")
    if role == "media":
        return column.cast(pa.large_binary())
    wanted, as_bytes = (pa.large_string(), pa.large_binary()) if role == "text" else (pa.string(), pa.binary())
    if pa.types.is_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
        return column.cast(as_bytes).view(wanted)  # not a cast, which would fail at the first flaw
    return column.cast(wanted)


def _not_utf8(column: pa.Array, name: str) -> dict[int, Gap]:
    """Return gaps for the rows that are not UTF-8; Parquet files may say of any bytes that they are text."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        values = column.cast(pa.large_binary()).to_pylist()
        return {row: gap for row, value in enumerate(values) if value and (gap := text_gap(value, name))}
    return {}


def _parquet_rows(
    unit: Unit, choice: ColumnChoice, keep_columns: bool, limits: Limits
) -> Iterator[tuple[Rows, dict[str, str]]]:
    """Yield the rows of row groups; those that cannot be decoded are gaps."""
    file = open_parquet(unit.path, unit.name)
    roles = find_roles(file.schema_arrow, choice, unit.name)
    wanted = None if keep_columns else list(dict.fromkeys(roles.values()))
    fields = [f for f in file.schema_arrow if wanted is None or f.name in wanted]
    features = (file.schema_arrow.metadata or {}).get(HUGGING_FACE)
    schema = pa.schema(
        [(name, _stored(f.type)) for name, f in zip(unique_names(f.name for f in fields), fields, strict=True)],
        metadata={HUGGING_FACE: features} if features and keep_columns else None,
    )
    gap = Gap("corrupt", "this part of the file cannot be decoded", unit.name, "get the file again")
    first = unit.first_row
    for batch in read_groups(file, range(unit.start, unit.stop), wanted, limits):
        if isinstance(batch, int):
            for start in range(0, batch, limits.batch_rows):
                count = min(batch - start, limits.batch_rows)
                yield Rows(first + start, nulls(schema, count), dict.fromkeys(range(count), gap)), roles
            first += batch
            continue
        columns = [
            column if column.type == f.type else column.cast(f.type)
            for column, f in zip(batch.columns, schema, strict=True)
        ]
        yield Rows(first, pa.RecordBatch.from_arrays(columns, schema=schema), {}), roles
        first += len(batch)


def _stored(kind: pa.DataType) -> pa.DataType:
    """Return a type without views, which cannot be filtered."""
    if pa.types.is_struct(kind):
        return pa.struct([f.with_type(_stored(f.type)) for f in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_stored(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_stored(kind.value_type)))
    return {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}.get(kind, kind)
