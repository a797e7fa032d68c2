"""Write a register: all files into a folder beside the target, then one rename."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from askfirst.errors import InputError
from askfirst.model import MEDIA
from askfirst.register.format import (
    ALGORITHMS,
    MANIFEST_NAME,
    FileEntry,
    RegisterManifest,
    canonical_json,
    file_digest,
)
from askfirst.register.terms import Terms

__all__ = ["INDEX_NAMES", "WORKS_SCHEMA", "RegisterContents", "write_register"]

WORKS_SCHEMA = pa.schema(
    [
        pa.field("work_id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("creator", pa.string(), nullable=False),
        pa.field("medium", pa.string(), nullable=False),
        pa.field("identifiers", pa.string(), nullable=False),
        pa.field("addresses", pa.list_(pa.string()), nullable=False),
        pa.field("terms", pa.list_(pa.string()), nullable=False),
        pa.field("contested", pa.bool_(), nullable=False),
    ]
)
"""Columns of `works.parquet`; `docs/formats/register.md` has them in words."""

INDEX_NAMES = ("digest", "url", "text-k40w127", "text-k24w15", "text-whole", "image", "descriptor", "audio", "video")
"""Folders below `index/`; every register has all of them, empty ones too."""

_ROW_GROUP_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class RegisterContents:
    """Everything a register is made of.

    Args:
        works: Table of `WORKS_SCHEMA`; the row number is the index of the work everywhere else.
        terms: Terms by name; every name in the works' column `terms` is here.
        indexes: For every name in `INDEX_NAMES`: file stem to array, as that index's `build` returns it.
        origin: Who publishes the register.
        model: Id of the model that described the pictures; empty for none.
    """

    works: pa.Table
    terms: Mapping[str, Terms]
    indexes: Mapping[str, Mapping[str, NDArray[np.generic]]]
    origin: str = "local"
    model: str = ""


def write_register(
    out: Path, contents: RegisterContents, home: Mapping[str, pa.Table] | None = None, *, replace: bool = False
) -> RegisterManifest:
    """Write a register; the same contents give the same bytes.

    1. Write every file into a temporary folder beside `out`.
    2. Digest them into the manifest.
    3. Put the folder in its place.

    Args:
        out: The register's folder.
        contents: What it is made of.
        home: Arrow files for `local/`: what the machine that builds keeps for itself, never part of the register.
        replace: Replace a register that is there.

    Raises:
        InputError: `out` exists and `replace` is not given, or is not a register.
    """
    _check_target(out, replace=replace)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        _write_works(folder, contents)
        for name in INDEX_NAMES:
            _write_arrays(folder / "index" / name, contents.indexes[name])
        manifest = _manifest(folder, contents)
        (folder / MANIFEST_NAME).write_bytes(manifest.encode())
        if home:
            (folder / "local").mkdir()
        for name, table in (home or {}).items():
            _write_arrow(folder / "local" / name, table)
        folder.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        folder.replace(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _check_target(out: Path, *, replace: bool) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / MANIFEST_NAME).is_file():
        raise InputError(f"{out} exists and is not a register", advice="choose another folder for --out")
    if not replace:
        raise InputError(f"{out} already holds a register", advice="choose another folder, or add --replace")


def _write_works(folder: Path, contents: RegisterContents) -> None:
    works = contents.works.cast(WORKS_SCHEMA)
    pq.write_table(
        works,
        folder / "works.parquet",
        compression="zstd",
        row_group_size=_ROW_GROUP_ROWS,
        store_schema=False,
    )
    (folder / "terms.json").write_bytes(
        json.dumps({k: contents.terms[k].to_dict() for k in sorted(contents.terms)}, indent=1).encode() + b"\n"
    )
    sets = works["terms"].to_pylist()
    distinct = sorted({tuple(s) for s in sets})
    code = {s: i for i, s in enumerate(distinct)}
    holders = works["creator"].combine_chunks().dictionary_encode()
    names = holders.dictionary.to_pylist()
    rank = {name: i for i, name in enumerate(sorted(names))}
    medium = {m.value: i for i, m in enumerate(MEDIA)}
    index = folder / "index"
    _write_arrays(
        index / "works",
        {
            "terms_set": np.array([code[tuple(s)] for s in sets], np.uint32),
            "holder": np.array([rank[n] for n in names], np.uint32)[holders.indices.to_numpy()]
            if names
            else np.empty(0, np.uint32),
            "contested": works["contested"].to_numpy().astype(np.uint8),
            "medium": np.array([medium[m] for m in works["medium"].to_pylist()], np.uint8),
        },
    )
    (index / "terms_sets.json").write_bytes(canonical_json([list(s) for s in distinct]) + b"\n")
    _write_arrow(index / "works.arrow", works.select(["work_id", "title", "creator"]).combine_chunks())
    _write_arrow(index / "holders.arrow", pa.table({"creator": pa.array(sorted(names), pa.string())}))


def _write_arrays(folder: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    folder.mkdir(parents=True)
    for stem, array in arrays.items():
        np.save(folder / f"{stem}.npy", np.ascontiguousarray(array), allow_pickle=False)


def _write_arrow(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _manifest(folder: Path, contents: RegisterContents) -> RegisterManifest:
    counts = {m.value: 0 for m in MEDIA}
    for medium in contents.works["medium"].to_pylist():
        counts[medium] += 1
    files = tuple(
        FileEntry(path.relative_to(folder).as_posix(), path.stat().st_size, file_digest(path))
        for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix())
        if path.is_file()
    )
    return RegisterManifest(contents.origin, contents.works.num_rows, counts, contents.model, ALGORITHMS, files)
