"""The fingerprints of one work, and those of all works as they are kept at home between two builds.

Reading and fingerprinting the works is nearly all that a build costs. What was made of a file is kept beside the
register, in `local/`, which never leaves the machine; the next build takes it from there as long as the file has the
same size and time of change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.fingerprint.audio import Peaks, stored_peaks
from askfirst.fingerprint.commons import free_grams
from askfirst.fingerprint.image import stored_codes
from askfirst.fingerprint.text import LONG, PARAMS, SHORT, SHORT_LETTERS, TextParams, fold, window_minima
from askfirst.fingerprint.video import FilmCodes, stored_frames
from askfirst.fingerprint.whole import WholeText, whole_of
from askfirst.io.embedding import Embedder
from askfirst.jobs.descriptor import STORED_VIEWS
from askfirst.jobs.media import Opened
from askfirst.model import Medium
from askfirst.register.format import ALGORITHMS

__all__ = ["PRINTS_NAME", "FileState", "Grams", "Print", "PrintStore", "print_of", "prints_table"]


class Grams(NamedTuple):
    """Stored grams of a text at one density: hashes u64[m], positions u32[m], and bool[m], which are of the commons."""

    hashes: NDArray[np.uint64] = np.empty(0, np.uint64)
    positions: NDArray[np.uint32] = np.empty(0, np.uint32)
    free: NDArray[np.bool_] = np.empty(0, np.bool_)

    @classmethod
    def of(cls, letters: bytes, params: TextParams) -> Self:
        """Return what is stored of a folded text."""
        hashes, positions = window_minima(letters, params)
        return cls(hashes, positions, free_grams(letters, positions))


@dataclass(frozen=True, slots=True)
class Print:
    """The fingerprints of one work: what leaves home.

    Args:
        medium: What the file is; None for a work known by its address only.
        digests: SHA-256 of the file, and of the words of a document.
        grams: For each density the fingerprints of a text.
        whole: Of a text of very few letters.
        codes: u64[c, 4], hashes of a picture.
        orientations: u8[c], how each was turned.
        described: u64[v, 8], what a model made of a picture and of parts of it.
        views: u8[v], which part each of them shows.
        peaks: Of a sound recording, or of a film's sound.
        frames: Hashes of a film's frames, with their times.
        problem: Why the file cannot be registered; empty if it can.
    """

    medium: Medium | None = None
    digests: tuple[bytes, ...] = ()
    grams: Mapping[str, Grams] = field(default_factory=dict)
    whole: WholeText | None = None
    codes: NDArray[np.uint64] = field(default_factory=lambda: np.empty((0, 4), np.uint64))
    orientations: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    described: NDArray[np.uint64] = field(default_factory=lambda: np.empty((0, 8), np.uint64))
    views: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    peaks: Peaks = field(default_factory=lambda: Peaks(np.empty(0, np.uint32), np.empty(0, np.uint16)))
    frames: FilmCodes = field(default_factory=lambda: stored_frames(()))
    problem: str = ""


def print_of(opened: Opened, embedder: Embedder | None = None) -> Print:
    """Return the fingerprints of a work that was read; those of a model too where there is one."""
    if opened.gaps and opened.film is None:  # a film whose sound cannot be heard has its pictures
        gap = opened.gaps[0]
        return Print(opened.medium, problem=f"{gap.cause}; {gap.advice}" if gap.advice else gap.cause)
    one = Print(opened.medium, (opened.digest,))
    if opened.text is not None:
        words = hashlib.sha256(opened.text.encode(errors="surrogatepass")).digest()
        letters = fold(opened.text)
        densities = (LONG, SHORT) if len(letters) < SHORT_LETTERS else (LONG,)
        grams = {params.name: Grams.of(letters, params) for params in densities}
        digests = tuple(dict.fromkeys([opened.digest, words]))
        one = replace(one, digests=digests, grams=grams, whole=whole_of(letters))
    if opened.grey is not None:
        codes, orientations = stored_codes(opened.grey)
        one = replace(one, codes=codes, orientations=orientations)
    if embedder and opened.rgb is not None:
        query = embedder.describe(opened.rgb, STORED_VIEWS["one"])
        one = replace(one, described=query.codes, views=query.views)
    if opened.sound is not None:
        one = replace(one, peaks=stored_peaks(opened.sound))
    if opened.film is not None:
        one = replace(one, frames=stored_frames(opened.film.frames))
    return one


PRINTS_NAME = "prints.arrow"
"""Where a register's folder `local` keeps them."""

_NUMBERS = {"u64": pa.uint64(), "u32": pa.uint32(), "u16": pa.uint16(), "u8": pa.uint8()}
_ARRAYS = {
    **{
        f"{name}.{part}": kind
        for name in PARAMS
        for part, kind in (("hash", "u64"), ("position", "u32"), ("free", "u8"))
    },
    "whole": "u64",
    "code": "u64",
    "orientation": "u8",
    "described": "u64",
    "view": "u8",
    "peak.frame": "u32",
    "peak.bin": "u16",
    "frame.code": "u64",
    "frame.orientation": "u8",
    "frame.time_ms": "u32",
}
"""Columns of lists: their names and the type of their numbers."""

_SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("changed_ns", pa.int64(), nullable=False),
        pa.field("medium", pa.string(), nullable=False),
        pa.field("digests", pa.list_(pa.binary(32)), nullable=False),
        *(pa.field(name, pa.large_list(_NUMBERS[kind]), nullable=False) for name, kind in _ARRAYS.items()),
    ],
)


def _schema(model: str) -> pa.Schema:
    return _SCHEMA.with_metadata({"algorithms": json.dumps({**ALGORITHMS, "model": model}, sort_keys=True)})


class FileState(NamedTuple):
    """What tells that a file is still the one that was read; taken before it is read."""

    path: str
    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, file: Path) -> Self:
        """Look at a file."""
        found = file.stat()
        return cls(str(file.resolve()), found.st_size, found.st_mtime_ns)


def prints_table(states: Iterable[FileState | None], prints: Iterable[Print], model: str) -> pa.Table:
    """Return the fingerprints of works that have a file, made with a model or none, to be kept at home."""
    rows = [_row(state, one) for state, one in zip(states, prints, strict=True) if state is not None and one.medium]
    return pa.Table.from_pylist(rows, _schema(model))


def _row(state: FileState, one: Print) -> dict[str, Any]:
    arrays: dict[str, NDArray[np.generic]] = {
        "whole": np.array(one.whole or (), np.uint64),
        "code": one.codes.reshape(-1),
        "orientation": one.orientations,
        "described": one.described.reshape(-1),
        "view": one.views,
        "peak.frame": one.peaks.frame,
        "peak.bin": one.peaks.bin,
        "frame.code": one.frames.codes.reshape(-1),
        "frame.orientation": one.frames.orientations,
        "frame.time_ms": one.frames.time_ms,
    }
    for name in PARAMS:
        hashes, positions, free = one.grams.get(name, Grams())
        arrays |= {f"{name}.hash": hashes, f"{name}.position": positions, f"{name}.free": free.view(np.uint8)}
    medium = one.medium.value if one.medium else ""
    return {**state._asdict(), "medium": medium, "digests": one.digests, **arrays}


@dataclass(frozen=True, slots=True)
class PrintStore:
    """Fingerprints that an earlier build made, by path, size and time of change of the file."""

    table: pa.Table
    rows: Mapping[FileState, int]

    @classmethod
    def open(cls, file: Path, model: str) -> Self:
        """Open what an earlier build kept; empty where there is none, or one of other algorithms or another model."""
        try:
            table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
        except (OSError, pa.ArrowInvalid):
            table = _SCHEMA.empty_table()
        if not table.schema.equals(_schema(model), check_metadata=True):
            table = _SCHEMA.empty_table()
        keys = zip(*(table[name].to_pylist() for name in FileState._fields), strict=True)
        return cls(table, {FileState(*key): row for row, key in enumerate(keys)})

    def find(self, state: FileState) -> Print | None:
        """Return what was made of a file, if it has not changed since."""
        row = self.rows.get(state)
        return None if row is None else self._print(row)

    def _print(self, row: int) -> Print:
        def array(name: str) -> NDArray[Any]:
            values: NDArray[Any] = self.table[name][row].values.to_numpy(zero_copy_only=False)
            return values

        grams = {
            name: Grams(array(f"{name}.hash"), array(f"{name}.position"), array(f"{name}.free").astype(bool))
            for name in PARAMS
        }
        return Print(
            Medium(self.table["medium"][row].as_py()),
            tuple(self.table["digests"][row].as_py()),
            {name: some for name, some in grams.items() if len(some.hashes)},
            WholeText(*array("whole").tolist()) if len(array("whole")) else None,
            array("code").reshape(-1, 4),
            array("orientation"),
            array("described").reshape(-1, 8),
            array("view"),
            Peaks(array("peak.frame"), array("peak.bin")),
            FilmCodes(array("frame.code").reshape(-1, 4), array("frame.orientation"), array("frame.time_ms")),
        )
