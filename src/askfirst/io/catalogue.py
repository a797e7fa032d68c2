"""Catalogues of works: a CSV, JSONL or Parquet table, or simply a folder of files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from askfirst.errors import BadCatalogueError, InputError

__all__ = ["COLUMNS", "CatalogueRow", "read_catalogue", "read_terms_file"]

COLUMNS = (
    "work_id",
    "title",
    "creator",
    "medium",
    "file",
    "url",
    "url_prefix",
    "identifiers",
    "terms",
    "refused_uses",
    "permitted_uses",
)
"""Columns of a catalogue; every one may be missing, but a row needs a file or an address."""

_CELL_LIMIT = 1 << 20
_TERMS_LIMIT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One row of a catalogue, as text; `number` counts from 1, without the header."""

    number: int
    cells: Mapping[str, str]
    file: Path | None

    def cell(self, column: str) -> str:
        """Return a cell without surrounding spaces; empty where the column is missing."""
        return self.cells.get(column, "").strip()


def read_catalogue(path: Path) -> Iterator[CatalogueRow]:
    """Read the rows of a catalogue, or one row for every file of a folder.

    Raises:
        InputError: There is nothing at `path`, or nothing in it.
        BadCatalogueError: A header or a row that cannot be used, with row and column.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist", kind="missing", advice="name a catalogue or a folder of works")
    if path.is_dir():
        yield from _folder_rows(path)
        return
    readers = {".csv": _csv_rows, ".tsv": _csv_rows, ".jsonl": _jsonl_rows, ".ndjson": _jsonl_rows}
    reader = readers.get(path.suffix.lower(), _parquet_rows if path.suffix.lower() == ".parquet" else None)
    if reader is None:
        raise InputError(
            f"{path.name} is not a catalogue",
            kind="not-a-catalogue",
            advice="give a .csv, .jsonl, .parquet or a folder",
        )
    number = 0
    for number, cells in enumerate(reader(path), start=1):
        name = cells.get("file", "").strip()
        yield CatalogueRow(number, cells, path.parent / name if name else None)
    if number == 0:
        raise InputError(f"{path.name} has no rows", kind="empty", advice="a catalogue needs a header and one work")


def read_terms_file(path: Path) -> dict[str, Any]:
    """Read a JSON object of terms by name.

    Raises:
        InputError: The file is missing, too large, or not a JSON object.
    """
    try:
        if path.stat().st_size > _TERMS_LIMIT_BYTES:
            raise InputError(f"{path.name} is larger than {_TERMS_LIMIT_BYTES >> 20} MiB", kind="too-large")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})", kind="missing") from error
    except ValueError as error:
        raise InputError(f"{path.name} is not JSON ({error})", advice='write {"name": {"permits": [...]}}') from error
    if not isinstance(value, dict):
        raise InputError(f"{path.name} is not a JSON object", advice='write {"name": {"permits": [...]}}')
    return value


def _folder_rows(folder: Path) -> Iterator[CatalogueRow]:
    files = sorted(
        (f for f in folder.rglob("*") if f.is_file() and not _hidden(f.relative_to(folder))),
        key=lambda f: f.relative_to(folder).as_posix(),
    )
    if not files:
        raise InputError(f"{folder} has no files", kind="empty", advice="put the works into it")
    for number, file in enumerate(files, start=1):
        yield CatalogueRow(number, {"title": file.stem, "file": file.relative_to(folder).as_posix()}, file)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _csv_rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_CELL_LIMIT)
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
            header = _header([cell.strip() for cell in next(reader, [])], path.name)
            for cells in reader:
                number += 1
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise BadCatalogueError(
                        f"{path.name} row {number} has {len(cells)} cells, the header has {len(header)}",
                        row=number,
                        advice="check its commas and quotes",
                    )
                yield dict(zip(header, cells, strict=True))
    except UnicodeDecodeError as error:
        raise BadCatalogueError(
            f"{path.name} is not UTF-8 (byte {error.object[error.start]:#04x} near row {number + 1})",
            row=number + 1,
            advice="save it as UTF-8",
        ) from error
    except csv.Error as error:
        raise BadCatalogueError(
            f"{path.name} row {number + 1} cannot be read ({error})", row=number + 1, advice="check its quotes"
        ) from error


def _jsonl_rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                raise BadCatalogueError(
                    f"{path.name} line {number} is not JSON ({error})", row=number, advice="one object a line"
                ) from error
            if not isinstance(value, dict):
                raise BadCatalogueError(
                    f"{path.name} line {number} is not an object", row=number, advice="one object a line"
                )
            yield _as_text(value, path.name)


def _parquet_rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        file = pq.ParquetFile(path)
        _header(file.schema_arrow.names, path.name)
        for batch in file.iter_batches():
            yield from (_as_text(row, path.name) for row in batch.to_pylist())
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name} is not a readable Parquet file ({error})", kind="corrupt") from error


def _as_text(row: Mapping[str, Any], name: str) -> dict[str, str]:
    _header(list(row), name)
    return {k: _cell(v) for k, v in row.items() if v is not None}


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable) and not isinstance(value, (Mapping, bytes)):
        return ";".join(str(one) for one in value)
    return json.dumps(value, default=str)


def _header(names: list[str], file: str) -> list[str]:
    known = [name for name in names if name in COLUMNS]
    if not {"file", "url", "url_prefix"} & set(known):
        raise BadCatalogueError(
            f"{file} has no column 'file', 'url' or 'url_prefix' (found: {', '.join(names)[:120] or 'nothing'})",
            row=0,
            advice=f"the header names {', '.join(COLUMNS)}",
        )
    if len(set(names)) != len(names):
        raise BadCatalogueError(f"{file} names a column twice", row=0, advice="every column once")
    return names
