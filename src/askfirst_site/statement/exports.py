"""Files for those who run the campaign: CSV that a spreadsheet cannot run, JSON, Parquet. Without e-mail addresses."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import pyarrow as pa
import pyarrow.parquet as pq
from defusedcsv import csv

from askfirst_site.statement.models import Statement
from askfirst_site.statement.queries import EXPORTED, export_rows

__all__ = ["COLUMNS", "csv_lines", "json_lines", "parquet_parts"]

COLUMNS = [*EXPORTED, "confirmed", "flags"]
BATCH = 2000
_SCHEMA = pa.schema(
    [
        (name, {"position": pa.int64(), "level": pa.int8(), "hidden": pa.bool_()}.get(name, pa.string()))
        for name in COLUMNS
    ]
)


def _batches(rows: Iterable[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch


def _cell(value: object) -> str:
    """Return a cell without control characters; a formula after a tab is still a formula."""
    text = "" if value is None else str(value)
    plain = "".join(char for char in text if unicodedata.category(char) != "Cc").strip()
    # defusedcsv leaves numbers below zero alone; no column of ours has any, so a minus is a formula's.
    return f"'{plain}" if plain.startswith("-") else plain


def csv_lines(statement: Statement) -> Iterator[str]:
    """Return the export as CSV, piece by piece; every cell that would be a formula begins with an apostrophe."""
    for batch in chain([None], _batches(export_rows(statement))):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        if batch is None:
            buffer.write("\ufeff")  # spreadsheets read UTF-8 only with it
            writer.writerow(COLUMNS)
        else:
            writer.writerows([[_cell(row[name]) for name in COLUMNS] for row in batch])
        yield buffer.getvalue()


def json_lines(statement: Statement) -> Iterator[str]:
    """Return the export as one JSON document, piece by piece."""
    yield json.dumps({"statement": statement.slug})[:-1] + ', "signatures": ['
    separator = "\n"
    for batch in _batches(export_rows(statement)):
        for row in batch:
            yield separator + json.dumps(row, ensure_ascii=False)
            separator = ",\n"
    yield "\n]}\n"


def parquet_parts(statement: Statement) -> Iterator[bytes]:
    """Return the export as Parquet, a row group at a time."""
    buffer = io.BytesIO()
    writer = pq.ParquetWriter(buffer, _SCHEMA, compression="zstd")
    for batch in _batches(export_rows(statement)):
        writer.write_table(pa.Table.from_pylist(batch, schema=_SCHEMA))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    writer.close()
    yield buffer.getvalue()
