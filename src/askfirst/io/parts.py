"""Parquet: parts of a result, written whole or not at all; and row groups, read a batch at a time.

The same batches in the same order give the same bytes. A folder of parts is one table: `unify_parts` rewrites
those whose columns differ, so that any program can open the folder.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from askfirst.errors import ConfigError, FormatError, InputError
from askfirst.io.files import LIMITS, Limits, file_error

__all__ = ["HUGGING_FACE", "PartWriter", "open_parquet", "read_groups", "unify_parts"]

HUGGING_FACE = b"huggingface"
"""Key of the schema metadata where `datasets` keeps the features of a table."""

_ROW_GROUP_ROWS = 65_536  # large enough to scan fast, small enough to skip well
_ROW_GROUP_BYTES = 64 << 20
_WRITE_BATCH_ROWS = 8_192  # between two looks at the size of a page
_READ_AHEAD_BYTES = 1 << 20  # of a column; without it a column of a whole row group is held in memory
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SUFFIX, _UNFINISHED = ".parquet", ".unfinished"


class PartWriter:
    """Write a Parquet file that appears under its name when all of it is on the disk, or never.

    Args:
        folder: An existing folder.
        name: Without `.parquet`.
        schema: Of every table written.
        repeating: Columns that are written as a dictionary, as Parquet names them; else all whose values repeat.

    Raises:
        ConfigError: The disk is full. As after any error, nothing is left behind.
    """

    def __init__(self, folder: str | Path, name: str, schema: pa.Schema, repeating: Sequence[str] = ()) -> None:
        self._path = Path(folder, name + _SUFFIX)
        self._unfinished = Path(folder, f".{name}.{uuid.uuid4().hex}{_UNFINISHED}")
        self._schema = schema
        self._dictionary = list(repeating) or True
        self._waiting: list[pa.Table] = []
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        """Open the file."""
        with self._cleaned_up():
            self._file = self._unfinished.open("xb")
            self._writer = pq.ParquetWriter(
                self._file,
                self._schema,
                use_dictionary=self._dictionary,
                compression="zstd",
                compression_level=1,
                write_page_checksum=True,
                write_batch_size=_WRITE_BATCH_ROWS,
            )
        return self

    def write(self, table: pa.Table) -> None:
        """Add rows, in memory until a row group is full.

        Raises:
            ConfigError: The disk is full.
        """
        self._waiting.append(table)
        rows = sum(len(waiting) for waiting in self._waiting)
        if sum(waiting.nbytes for waiting in self._waiting) >= _ROW_GROUP_BYTES:
            self._flush(rows)
        elif rows >= _ROW_GROUP_ROWS:
            self._flush(rows - rows % _ROW_GROUP_ROWS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file its name, or remove it after an error."""
        if kind is not None:
            self._abandon()
            return
        if self._waiting:
            self._flush(sum(len(waiting) for waiting in self._waiting))
        with self._cleaned_up():
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._unfinished.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._waiting)
        self._waiting = [table.slice(rows)] if rows < len(table) else []
        with self._cleaned_up():
            self._writer.write_table(table.slice(0, rows).combine_chunks(), row_group_size=_ROW_GROUP_ROWS)

    @contextmanager
    def _cleaned_up(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._abandon()
            if error.errno not in _FULL:
                raise file_error(error, self._path.name) from error
            raise ConfigError(
                f"disk full while writing {self._path.name}",
                key="out",
                value=str(self._path.parent),
                advice="free some space, or choose another folder",
            ) from error
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        for half_open in (self._writer, self._file):
            with suppress(OSError, ValueError, pa.ArrowException):  # what is left to write does not matter
                if half_open is not None:
                    half_open.close()
        self._unfinished.unlink(missing_ok=True)


def open_parquet(path: str, name: str) -> pq.ParquetFile:
    """Open a Parquet file and check its footer.

    Raises:
        InputError: It cannot be read, is cut off, or is no Parquet file; `name` is what the error calls it.
    """
    try:
        file = pq.ParquetFile(
            pa.OSFile(os.fsencode(path)),  # as bytes, because a name need not be UTF-8
            buffer_size=_READ_AHEAD_BYTES,
            pre_buffer=False,  # which would hold all columns of a row group, whatever the buffer
            page_checksum_verification=True,
        )
        footer = file.metadata
        rows = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
        if sum(rows) == footer.num_rows and min(rows, default=0) >= 0 and file.schema_arrow.names is not None:
            return file
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:
            raise file_error(error, name) from error
    with Path(path).open("rb") as raw:
        begins, size = raw.read(4) == b"PAR1", raw.seek(0, os.SEEK_END)
        raw.seek(max(0, size - 4))
        is_cut_off = begins and raw.read() != b"PAR1"
    kind, what = ("truncated", "is cut off") if is_cut_off else ("corrupt", "is not a readable Parquet file")
    raise InputError(f"{name} {what}", kind=kind, advice="get the file again")


def read_groups(
    file: pq.ParquetFile, groups: Sequence[int], columns: list[str] | None = None, limits: Limits = LIMITS
) -> Iterator[pa.RecordBatch | int]:
    """Yield the rows of row groups in bounded batches; where rows cannot be decoded, their number.

    What cannot be decoded costs the rest of its row group; the next row group is read again.

    Cost: that of `ParquetFile.iter_batches`.
    """
    for group in groups:
        footer = file.metadata.row_group(group)
        missing = footer.num_rows
        row_bytes = max(1, footer.total_byte_size // max(1, missing))
        size = max(1, min(limits.batch_rows, limits.batch_bytes // row_bytes))
        batches = file.iter_batches(size, row_groups=[group], columns=columns, use_threads=False)
        while missing > 0:
            try:
                batch = next(batches, None)
            except (OSError, ValueError, pa.ArrowException):
                batch = None
            if not batch:
                yield missing
                break
            yield from _sliced(batch.slice(0, missing), limits.batch_bytes)
            missing -= len(batch)


def _sliced(batch: pa.RecordBatch, limit_bytes: int) -> Iterator[pa.RecordBatch]:
    if len(batch) <= 1 or batch.nbytes <= limit_bytes:
        yield batch
        return
    half = len(batch) // 2
    yield from _sliced(batch.slice(0, half), limit_bytes)
    yield from _sliced(batch.slice(half), limit_bytes)


def unify_parts(folder: str | Path) -> None:
    """Give all parts of a folder the same columns: every column of any part, missing ones null.

    Numbers of different types become the wider one, or double; other types that differ become text, lists and
    structures as JSON. Parts that already have all columns are not touched. Features of Hugging Face are kept
    where all parts agree. Files that a killed writer left are removed.

    Raises:
        FormatError: A part is damaged.
        ConfigError: The disk is full; every part is still whole.
    """
    folder = Path(folder)
    for unfinished in folder.glob(f".*{_UNFINISHED}"):
        unfinished.unlink(missing_ok=True)
    parts = sorted(folder.glob(f"*{_SUFFIX}"))
    schemas = [pq.read_schema(part) for part in parts]
    features = [(schema.metadata or {}).get(HUGGING_FACE) for schema in schemas]
    if all(schema.equals(schemas[0]) for schema in schemas) and len(set(features)) <= 1:
        return
    types: dict[str, pa.DataType] = {}
    for field in (field for schema in schemas for field in schema):
        types[field.name] = _common_type(types.get(field.name, field.type), field.type)
    agreed = {HUGGING_FACE: features[0]} if len(set(features)) == 1 and features[0] else None
    whole = pa.schema(types.items(), metadata=agreed)
    for part, schema, feature in zip(parts, schemas, features, strict=True):
        if not schema.equals(whole) or feature != (agreed or {}).get(HUGGING_FACE):
            _rewrite(part, whole)


def _rewrite(part: Path, schema: pa.Schema) -> None:
    file = open_parquet(str(part), part.name)
    with PartWriter(part.parent, part.name.removesuffix(_SUFFIX), schema) as writer:
        for batch in read_groups(file, range(file.metadata.num_row_groups)):
            if isinstance(batch, int):
                raise FormatError("a part is damaged", path=part.name, advice="run the audit again")
            held = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns = [
                _as_type(held[field.name], field.type) if field.name in held else pa.nulls(len(batch), field.type)
                for field in schema
            ]
            writer.write(pa.Table.from_arrays(columns, schema=schema))


def _common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return a type that holds the values of both."""
    kinds = pa.types
    both = (one, other)
    if one == other or kinds.is_null(other):
        return one
    if kinds.is_null(one):
        return other
    if all(map(kinds.is_signed_integer, both)) or all(map(kinds.is_unsigned_integer, both)):
        return max(both, key=lambda kind: int(kind.bit_width))
    if all(map(kinds.is_integer, both)):
        return pa.string() if pa.uint64() in both else pa.int64()
    if all(kinds.is_integer(kind) or kinds.is_floating(kind) for kind in both):
        return pa.float64()
    return pa.string()


def _as_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if not pa.types.is_nested(column.type):
        with suppress(pa.ArrowException):
            return column.cast(kind, safe=kind != pa.float64())  # a long integer is rounded, text is checked
    return pa.array([None if value is None else _text(value) for value in column.to_pylist()], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value)
