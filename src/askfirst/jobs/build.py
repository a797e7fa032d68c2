"""Build a register from a catalogue or a folder of works. The works stay where they are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.engines import Died, Workers, run
from askfirst.errors import BadCatalogueError, InputError
from askfirst.fingerprint.text import LONG, SHORT
from askfirst.fingerprint.url import Entry, parse_entry
from askfirst.io.catalogue import CatalogueRow, read_catalogue, read_terms_file
from askfirst.io.embedding import Embedder
from askfirst.io.files import read_path
from askfirst.jobs.describer import open_embedder
from askfirst.jobs.descriptor import COLOUR_PX, Depth
from askfirst.jobs.media import open_bytes
from askfirst.jobs.prepare import PREPARE
from askfirst.jobs.prints import PRINTS_NAME, FileState, Grams, Print, PrintStore, print_of, prints_table
from askfirst.match.hits import KINDS
from askfirst.model import MatchKind, Medium
from askfirst.register import (
    RegisterContents,
    RegisterManifest,
    Terms,
    audio_index,
    descriptor_index,
    digest_index,
    image_index,
    parse_terms,
    text_index,
    url_index,
    video_index,
    whole_index,
    write_register,
)
from askfirst.register.terms import parse_uses

__all__ = ["build_register"]

_ROWS_PER_TASK = 16
_SEPARATOR = re.compile(r"[;,\s]+")
_MEDIA = {m.value: m for m in Medium}
_PROBLEMS_SHOWN = 5

S = TypeVar("S", bound=np.generic)
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Row:
    """One work of the catalogue, read and checked."""

    work_id: str
    row: CatalogueRow
    medium: str
    addresses: tuple[Entry, ...]
    terms: tuple[Terms, ...]


def build_register(  # noqa: PLR0913  # the options of one command, by name
    works: str | Path,
    out: str | Path,
    *,
    terms: str | Path | None = None,
    origin: str = "local",
    replace: bool = False,
    model: Path | None = None,
    workers: int = 2,
    on_work: Progress = lambda _count: None,
) -> RegisterManifest:
    """Build a register.

    1. Read and check every row of the catalogue; nothing is written while one is wrong.
    2. Fingerprint the works' files in worker processes; what an earlier register in `out` knows, and has not changed
       since, is not read again.
    3. Put the fingerprints into their indexes, and mark works that two makers claim.
    4. Write the register.

    Args:
        works: A .csv, .tsv, .jsonl or .parquet catalogue, or a folder whose every file is a work.
        out: Folder of the register.
        terms: A JSON file of terms by name; by default `terms.json` beside the catalogue.
        origin: Who publishes the register.
        replace: Replace a register that is already there.
        model: Folder of a model that describes the works' pictures, as `jobs.model.fit_model` makes it.
        workers: Worker processes.
        on_work: Called with the number of works done.

    Raises:
        InputError: The catalogue, a row of it, or a work cannot be used.
    """
    path = Path(works)
    named = _named_terms(path, terms)
    rows = _checked(read_catalogue(path), named)
    model_id = open_embedder(model).model_id if model else ""
    known = PrintStore.open(Path(out) / "local" / PRINTS_NAME, model_id)
    states = [FileState.of(r.row.file) if r.row.file else None for r in rows]
    prints = _prints(
        [r.row for r in rows], states, known, partial(_fingerprint, model=model, workers=workers, on_work=on_work)
    )
    contents = _contents(rows, prints, origin, model_id)
    home = {"paths.arrow": _paths(rows), PRINTS_NAME: prints_table(states, prints, model_id)}
    return write_register(Path(out), contents, home, replace=replace)


def _prints(
    rows: Sequence[CatalogueRow],
    states: Sequence[FileState | None],
    known: PrintStore,
    fingerprint: Callable[..., Iterator[Print]],
) -> list[Print]:
    """Return the fingerprints of all works: those that are known, and those of files that are new or have changed."""
    prints = [known.find(state) if state else Print() for state in states]
    new = [i for i, one in enumerate(prints) if one is None]
    for i, one in zip(new, fingerprint([rows[i] for i in new], done=len(rows) - len(new)), strict=True):
        prints[i] = one
    return [one for one in prints if one is not None]


def _print_files(model: Path | None, files: Sequence[Path | None]) -> list[Print]:
    """Fingerprint a few works; runs in a worker."""
    embedder = open_embedder(model) if model else None
    return [_print_file(file, embedder) if file else Print() for file in files]


def _print_file(file: Path, embedder: Embedder | None) -> Print:
    colour_px = COLOUR_PX[Depth.DEEP] if embedder else 0
    try:
        return print_of(open_bytes(read_path(file), file.name, dense=True, colour_px=colour_px), embedder)
    except InputError as error:
        return Print(problem=str(error))


def _fingerprint(
    rows: Sequence[CatalogueRow], *, model: Path | None, workers: int, on_work: Progress, done: int
) -> Iterator[Print]:
    """Yield the fingerprints of works' files, in order; `done` works are done already."""
    on_work(done)
    tasks = iter(partial(lambda i: [r.file for r in islice(i, _ROWS_PER_TASK)], iter(rows)), [])
    if not rows:
        return
    first = done
    for result in run(
        partial(_print_files, model), tasks, workers=workers, rescue=lambda _task: None, source=Workers(PREPARE)
    ):
        if isinstance(result, Died):
            names = ", ".join(file.name for file in result.task if file)
            raise InputError(f"reading one of these works ended the reader: {names[:300]}", advice="take it out")
        for one in result:
            done += 1
            if one.problem:
                row = rows[done - first - 1]
                raise BadCatalogueError(
                    f"row {row.number}: {row.cell('file')} cannot be registered ({one.problem})",
                    row=row.number,
                    column="file",
                )
            yield one
        on_work(done)


def _named_terms(works: Path, terms: str | Path | None) -> dict[str, Terms]:
    beside = works.parent / "terms.json"
    file = Path(terms) if terms is not None else beside if works.is_file() and beside.is_file() else None
    return {} if file is None else {k: parse_terms(k, v) for k, v in read_terms_file(file).items()}


def _checked(rows: Iterator[CatalogueRow], named: Mapping[str, Terms]) -> list[_Row]:
    """Return every row, checked; report the first few problems together.

    Raises:
        BadCatalogueError: At least one row cannot be used.
    """
    good: list[_Row] = []
    bad: list[BadCatalogueError] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            one = _row(row, named)
        except BadCatalogueError as error:
            bad.append(error)
            continue
        except InputError as error:
            bad.append(BadCatalogueError(f"row {row.number}: {error}", row=row.number))
            continue
        if one.work_id in seen:
            bad.append(_bad(row, "work_id", f"the work_id {one.work_id!r} is that of row {seen[one.work_id]}"))
        seen[one.work_id] = row.number
        good.append(one)
    if bad:
        lines = "; ".join(str(error) for error in bad[:_PROBLEMS_SHOWN])
        more = f"; and {len(bad) - _PROBLEMS_SHOWN:,} more" if len(bad) > _PROBLEMS_SHOWN else ""
        raise BadCatalogueError(f"{len(bad):,} of the catalogue's rows cannot be used: {lines}{more}", row=bad[0].row)
    return good


def _row(row: CatalogueRow, named: Mapping[str, Terms]) -> _Row:
    addresses = [parse_entry(url, MatchKind.URL) for url in row.cell("url").split()]
    for prefix in row.cell("url_prefix").split():
        bare = "/" not in prefix.removeprefix("https://").removeprefix("http://").rstrip("/")
        addresses.append(parse_entry(prefix, MatchKind.DOMAIN if bare else MatchKind.URL_PREFIX))
    if row.file is None and not addresses:
        raise _bad(row, "file", "there is neither a file nor an address", "fill in file, url or url_prefix")
    if row.file is not None and not row.file.is_file():
        name = row.cell("file")
        raise _bad(row, "file", f"the file {name!r} does not exist", "paths are relative to the catalogue")
    medium = row.cell("medium").lower()
    if medium and medium not in _MEDIA:
        raise _bad(row, "medium", f"the medium is {medium!r}", f"use {', '.join(_MEDIA)}")
    return _Row(row.cell("work_id") or _made_id(row), row, medium, tuple(addresses), _terms(row, named))


def _made_id(row: CatalogueRow) -> str:
    """Return an identifier that is the same for the same row, wherever it stands."""
    text = json.dumps({k: v for k, v in sorted(row.cells.items()) if v}, ensure_ascii=False)
    return "w-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _terms(row: CatalogueRow, named: Mapping[str, Terms]) -> tuple[Terms, ...]:
    cell, found = row.cell("terms"), []
    if cell.startswith("{"):
        try:
            value = json.loads(cell)
        except ValueError as error:
            raise _bad(row, "terms", f"the terms are not JSON ({error})") from error
        found.append(parse_terms(_inline_id(cell), value))
    else:
        for name in filter(None, _SEPARATOR.split(cell)):
            if name not in named:
                raise _bad(row, "terms", f"no terms are called {name!r}", "add them to terms.json, or give --terms")
            found.append(named[name])
    refused, permitted = row.cell("refused_uses"), row.cell("permitted_uses")
    if refused or permitted:
        where = f"row {row.number}"
        found.append(
            Terms(
                _inline_id(f"{refused}|{permitted}"),
                permits=parse_uses([u for u in _SEPARATOR.split(permitted) if u], where),
                refuses=parse_uses([u for u in _SEPARATOR.split(refused) if u], where),
            )
        )
    return tuple(found)


def _inline_id(text: str) -> str:
    return "inline-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def _bad(row: CatalogueRow, column: str, message: str, advice: str = "") -> BadCatalogueError:
    return BadCatalogueError(f"row {row.number}: {message}", row=row.number, column=column, advice=advice)


def _contents(rows: Sequence[_Row], prints: Sequence[Print], origin: str, model: str) -> RegisterContents:
    works = pa.table(
        {
            "work_id": [r.work_id for r in rows],
            "title": [r.row.cell("title") or (r.row.file.stem if r.row.file else "") for r in rows],
            "creator": [r.row.cell("creator") for r in rows],
            "medium": [r.medium or (p.medium or Medium.OTHER).value for r, p in zip(rows, prints, strict=True)],
            "identifiers": [r.row.cell("identifiers") for r in rows],
            "addresses": pa.array([[e.text for e in r.addresses] for r in rows], pa.list_(pa.string())),
            "terms": pa.array([[t.terms_id for t in r.terms] for r in rows], pa.list_(pa.string())),
            "contested": _contested(rows, prints),
        }
    )
    return RegisterContents(
        works=works,
        terms={t.terms_id: t for r in rows for t in r.terms},
        indexes=_indexes(rows, prints),
        origin=origin,
        model=model,
    )


def _paths(rows: Sequence[_Row]) -> pa.Table:
    paths = [str(r.row.file.resolve()) if r.row.file else None for r in rows]
    return pa.table({"path": pa.array(paths, pa.string())})


def _contested(rows: Sequence[_Row], prints: Sequence[Print]) -> list[bool]:
    """Return which works share a file with a work of another maker: until that is settled, nobody may say yes."""
    makers: dict[bytes, set[str]] = {}
    for row, one in zip(rows, prints, strict=True):
        for digest in one.digests:
            makers.setdefault(digest, set()).add(row.row.cell("creator"))
    return [any(len(makers[digest]) > 1 for digest in one.digests) for one in prints]


def _indexes(rows: Sequence[_Row], prints: Sequence[Print]) -> dict[str, dict[str, NDArray[np.generic]]]:
    holders = {name: i for i, name in enumerate(sorted({r.row.cell("creator") for r in rows}))}
    owner = np.array([holders[r.row.cell("creator")] for r in rows], np.uint32)
    digests = [(d, i) for i, one in enumerate(prints) for d in one.digests]
    entries = [(e, i) for i, row in enumerate(rows) for e in row.addresses]
    indexes = {
        "digest": digest_index.build(
            np.frombuffer(b"".join(d for d, _ in digests), np.uint8).reshape(-1, 32),
            _u32(i for _, i in digests),
        ),
        "url": url_index.build(
            np.array([KINDS.index(e.kind) for e, _ in entries], np.uint8),
            [e.text for e, _ in entries],
            _u32(i for _, i in entries),
        ),
        "image": image_index.build(
            _joined(np.empty((0, 4), np.uint64), [one.codes for one in prints]),
            _owners([one.codes for one in prints]),
            _joined(np.empty(0, np.uint8), [one.orientations for one in prints]),
        ),
        "descriptor": descriptor_index.build(
            _joined(np.empty((0, 8), np.uint64), [one.described for one in prints]),
            _owners([one.described for one in prints]),
            _joined(np.empty(0, np.uint8), [one.views for one in prints]),
        ),
        "audio": audio_index.build(
            _owners([one.peaks.frame for one in prints]),
            _joined(np.empty(0, np.uint32), [one.peaks.frame for one in prints]),
            _joined(np.empty(0, np.uint16), [one.peaks.bin for one in prints]),
        ),
        "video": video_index.build(
            _joined(np.empty((0, 4), np.uint64), [one.frames.codes for one in prints]),
            _owners([one.frames.codes for one in prints]),
            _joined(np.empty(0, np.uint8), [one.frames.orientations for one in prints]),
            _joined(np.empty(0, np.uint32), [one.frames.time_ms for one in prints]),
        ),
    }
    wholes = [(one.whole, work) for work, one in enumerate(prints) if one.whole]
    indexes["text-whole"] = whole_index.build(
        np.array([text.head for text, _ in wholes], np.uint64),
        np.array([text.whole for text, _ in wholes], np.uint64),
        np.array([text.letters for text, _ in wholes], np.uint8),
        _u32(work for _, work in wholes),
    )
    for params in (LONG, SHORT):
        grams = [one.grams.get(params.name, Grams()) for one in prints]
        indexes[f"text-{params.name}"] = text_index.build(
            _joined(np.empty(0, np.uint64), [some.hashes for some in grams]),
            _owners([some.hashes for some in grams]),
            _joined(np.empty(0, np.uint32), [some.positions for some in grams]),
            owner,
            _joined(np.empty(0, np.bool_), [some.free for some in grams]),
            params.window,
        )
    return indexes


def _joined(nothing: NDArray[S], parts: Sequence[NDArray[S]]) -> NDArray[S]:
    return np.concatenate([nothing, *parts])


def _owners(parts: Sequence[NDArray[np.generic]]) -> NDArray[np.uint32]:
    """Return the number of the work of each row of the parts."""
    return np.repeat(np.arange(len(parts), dtype=np.uint32), [len(part) for part in parts])


def _u32(values: Iterator[int]) -> NDArray[np.uint32]:
    return np.fromiter(chain(values), np.uint32)
