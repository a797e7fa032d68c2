"""One unit of an audit: read it, judge it, write its parts, count. Runs in a worker; may be killed at any time.

A unit's parts and its report appear under their final names by renaming, the report last: a unit whose report
is there is done. The same unit gives the same bytes, so doing it twice does no harm.
"""

from __future__ import annotations

import json
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.audit import MANIFEST_SCHEMA, Auditor, Verdicts
from askfirst.audit.manifest import OUTCOMES, REPEATING
from askfirst.io.columns import ColumnChoice
from askfirst.io.parts import PartWriter
from askfirst.io.sources import Unit
from askfirst.io.tables import RowBatch, read_unit
from askfirst.jobs.counts import KeyedCounts
from askfirst.jobs.describer import Describer
from askfirst.jobs.example import collect
from askfirst.jobs.items import prepare
from askfirst.jobs.tally import Tally, digest_of
from askfirst.model import Gap, Outcome
from askfirst.policy import Policy
from askfirst.register import Register

__all__ = [
    "Settings",
    "Task",
    "UnitReport",
    "culprit",
    "is_done",
    "part_name",
    "process_unit",
    "read_report",
]

_PERMITTED = OUTCOMES.index(Outcome.PERMITTED)
_MARK = struct.Struct("<q")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a worker needs to know; picklable."""

    register: Path
    work: Path
    policy: Policy
    columns: ColumnChoice
    model: Path | None = None
    mode: str = "fast"


@dataclass(frozen=True, slots=True)
class Task:
    """A unit, and the rows of it that must not be opened because they ended a worker before."""

    unit: Unit
    skip: Mapping[int, Gap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnitReport:
    """What a unit came to.

    Args:
        tally: Its counts.
        digest: SHA-256 over the items' digests, for files of a folder; empty for tables, which are digested whole.
        examples: A few matches, as `jobs.example` keeps them.
    """

    tally: Tally
    digest: str = ""
    examples: tuple[dict[str, Any], ...] = ()

    def write(self, file: Path) -> None:
        """Write the report: a line of JSON, then the counts."""
        temporary = file.with_suffix(".tmp")
        with temporary.open("wb") as stream:
            stream.write(json.dumps({"digest": self.digest, "examples": self.examples}).encode() + b"\n")
            self.tally.write(stream)
        temporary.replace(file)

    @classmethod
    def read(cls, file: Path) -> UnitReport:
        """Read what `write` wrote."""
        with file.open("rb") as stream:
            value = json.loads(stream.readline())
            return cls(Tally.read(stream), value["digest"], tuple(value["examples"]))


def part_name(unit: Unit) -> str:
    """Return the name of a unit's parts: they sort in the order of the input."""
    return f"part-{unit.index:06d}"


def process_unit(settings: Settings, task: Task) -> None:
    """Audit one unit.

    1. Read it batch by batch; open files, decode, collect signals.
    2. Judge each batch.
    3. Write the manifest's rows, and the rows that are permitted.
    4. Count, and keep a few matches for the report: `read_report` returns them.
    """
    register = _register(settings.register)
    describer = Describer.of(settings.model, settings.mode, register)
    auditor = _auditor(register, settings.policy, describer.level if describer else 0)
    name, tally, lines = part_name(task.unit), Tally(), []
    examples: list[dict[str, Any]] = []
    hosts, first = _Hosts(), 0
    with _parts(settings.work, name) as write, _mark(settings.work, name) as mark:
        for rows in read_unit(task.unit, settings.columns):
            prepared = prepare(rows, first, task.skip, mark, describer)
            mark(-1)
            verdicts = auditor.decide(prepared.batch)
            write(verdicts.table, _permitted(rows, verdicts))
            tally.add(prepared.batch, verdicts, auditor.register)
            hosts.add(verdicts)
            examples += collect(prepared, verdicts, Counter(e["kind"] for e in examples))
            lines += _digest_lines(rows, verdicts)
            first += len(prepared.batch)
    tally.hosts = hosts.counted(task.unit.index)
    report = UnitReport(tally, digest_of(lines) if lines else "", tuple(examples))
    report.write(_report_file(settings.work, name))


@dataclass(slots=True)
class _Hosts:
    """Hosts of a unit's items: collected batch by batch, counted once."""

    keys: list[NDArray[np.uint64]] = field(default_factory=list)
    outcomes: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, verdicts: Verdicts) -> None:
        key = verdicts.found.host_key
        self.keys.append(key if key is not None else np.zeros(len(verdicts.ruling.outcome), np.uint64))
        self.outcomes.append(verdicts.ruling.outcome)

    def counted(self, unit: int) -> KeyedCounts:
        key = np.concatenate([np.empty(0, np.uint64), *self.keys])
        row = np.flatnonzero(key)
        outcome = np.concatenate([np.empty(0, np.uint8), *self.outcomes])
        return KeyedCounts.of(key[row], outcome[row], row, unit)


def is_done(work: Path, unit: Unit) -> bool:
    """Return whether a unit's report and part are there."""
    name = part_name(unit)
    return _report_file(work, name).is_file() and (work / "manifest" / f"{name}.parquet").is_file()


def read_report(work: Path, unit: Unit) -> UnitReport:
    """Return the report of a unit that is done."""
    return UnitReport.read(_report_file(work, part_name(unit)))


def culprit(work: Path, task: Task) -> Task | None:
    """Return the task without the row that was being opened when its worker ended, or None if none was."""
    file = work / "at" / part_name(task.unit)
    data = file.read_bytes() if file.is_file() else b""
    row = _MARK.unpack(data)[0] if len(data) == _MARK.size else -1
    if row < 0 or row in task.skip:
        return None
    gap = Gap(
        "reader-died",
        "opening this item ended the reader, or took too long",
        "",
        "take it out, or look at it with a program you trust",
    )
    return Task(task.unit, {**task.skip, row: gap})


@lru_cache(maxsize=1)
def _register(folder: Path) -> Register:
    return Register.open(folder)


@lru_cache(maxsize=1)
def _auditor(register: Register, policy: Policy, level: int) -> Auditor:
    return Auditor(register, policy, level)


@contextmanager
def _parts(work: Path, name: str) -> Iterator[Callable[[pa.Table, pa.Table], None]]:
    """Yield a function that writes rows to both parts of a unit; both appear at the end, or neither."""
    permitted: list[PartWriter] = []
    with PartWriter(work / "manifest", name, MANIFEST_SCHEMA, REPEATING) as manifest:

        def write(rows: pa.Table, kept: pa.Table) -> None:
            manifest.write(rows)
            if not permitted:
                permitted.append(PartWriter(work / "permitted", name, kept.schema).__enter__())
            permitted[0].write(kept)

        try:
            yield write
        except BaseException as error:
            for writer in permitted:
                writer.__exit__(type(error), error, error.__traceback__)
            raise
        for writer in permitted:
            writer.__exit__(None, None, None)


@contextmanager
def _mark(work: Path, name: str) -> Iterator[Callable[[int], None]]:
    """Yield a function that notes on disk which row is being opened: what is left when a worker is killed."""
    file = os.open(work / "at" / name, os.O_CREAT | os.O_WRONLY, 0o644)
    try:
        yield lambda row: _write_mark(file, row)
    finally:
        os.close(file)


def _write_mark(file: int, row: int) -> None:
    os.pwrite(file, _MARK.pack(row), 0)


def _permitted(rows: RowBatch, verdicts: Verdicts) -> pa.Table:
    """Return the rows that may be used, with all the columns they came with."""
    manifest = verdicts.table
    if rows.table is None:
        kept = manifest.select(["item_id", "medium", "digest", "basis", "work_id"])
        kept = kept.add_column(1, "path", pa.array([e.name for e in rows.files or ()], pa.string()))
    else:
        kept = rows.table
        for name in ("item_id", "basis", "work_id"):
            kept = kept.append_column(_free_name(kept, f"askfirst_{name}"), manifest[name])
    return kept.filter(pa.array(verdicts.ruling.outcome == _PERMITTED))


def _free_name(table: pa.Table, name: str) -> str:
    while name in table.column_names:
        name += "_"
    return name


def _digest_lines(rows: RowBatch, verdicts: Verdicts) -> list[str]:
    """Return one line for every file: its item and its digest."""
    if rows.files is None:
        return []
    table = verdicts.table
    pairs = zip(table["item_id"].to_pylist(), table["digest"].to_pylist(), strict=True)
    return [f"{digest or '-'} {item}" for item, digest in pairs]


def _report_file(work: Path, name: str) -> Path:
    return work / "done" / f"{name}.report"
