"""Rows on their way from a table's file to a batch, and what stands in for those that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from askfirst.model import Gap

__all__ = ["Rows", "nulls", "text_gap"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table, with the number of the first within the file."""

    first: int
    columns: pa.RecordBatch
    gaps: dict[int, Gap]


def nulls(schema: pa.Schema, count: int) -> pa.RecordBatch:
    """Return `count` rows in which every column is null."""
    return pa.RecordBatch.from_arrays([pa.nulls(count, f.type) for f in schema], schema=schema)


def text_gap(value: bytes, name: str, encoding: str = "utf-8") -> Gap | None:
    """Return a gap for bytes that are no text; what could not be recoded is not UTF-8 either."""
    try:
        value.decode()
    except UnicodeDecodeError as error:
        cause = f"the byte 0x{value[error.start]:02X} is not {encoding}"
        return Gap(f"not-{encoding.replace('-', '')}", cause, name, "name the encoding with --encoding")
    return None
