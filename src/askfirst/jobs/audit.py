"""Audit a dataset: every item gets a verdict, with evidence, in a manifest anybody can read.

    SOURCE... --plan--> units --workers--> parts in OUT/.work --all done--> OUT/manifest, OUT/permitted, summary, report

Nothing stands in OUT under its final name before everything is complete and the register and the input have
been digested. A run that is stopped is taken up again with `resume`: finished units are not done twice.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow.parquet as pq

from askfirst.engines import Died, Workers, run
from askfirst.errors import InputError, InterruptedRunError
from askfirst.fingerprint.url import normalise
from askfirst.io.columns import ColumnChoice
from askfirst.io.parts import unify_parts
from askfirst.io.sources import Plan, plan
from askfirst.jobs.describer import Describer, check_mode
from askfirst.jobs.example import first_examples, gather_examples
from askfirst.jobs.look import read_manifest
from askfirst.jobs.prepare import PREPARE
from askfirst.jobs.tally import Tally, digest_of
from askfirst.jobs.unit import (
    Settings,
    Task,
    UnitReport,
    culprit,
    is_done,
    part_name,
    process_unit,
    read_report,
)
from askfirst.model import Outcome
from askfirst.policy import Policy
from askfirst.register import Register, verify_register
from askfirst.register.format import file_digest
from askfirst.report.summary import RegisterHead, Summary
from askfirst.version import __version__

__all__ = ["AuditRequest", "AuditResult", "audit"]

WORK_FOLDER = ".work"
_PUBLISHED = ("manifest", "permitted", "register.json", "report.html", "summary.json")
_RESCUES = 100
"""Items of one unit that may each end a worker; after that the unit is given up."""


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What is to be audited, and how.

    Args:
        sources: Folders, files or glob patterns.
        register: Folder of the register.
        out: Folder of the results.
        policy: What is asked.
        columns: Which columns hold what, where the convention does not fit.
        workers: Worker processes.
        resume: Go on with a run that was stopped.
        replace: Remove an earlier audit in `out` first.
        language: Of the report: `en`, `de` or `nl`.
        model: Folder of the model that described the register's pictures.
        mode: How closely pictures are looked at, as in `describer.MODES`; by default as closely as the model allows.
    """

    sources: Sequence[str]
    register: Path
    out: Path
    policy: Policy
    columns: ColumnChoice = field(default_factory=ColumnChoice)
    workers: int = 2
    resume: bool = False
    replace: bool = False
    language: str = "en"
    model: Path | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit came to.

    Args:
        out: Folder of the results.
        summary: The numbers.
        lost: Names of units that could not be finished; empty when everything is complete.
    """

    out: Path
    summary: Summary
    lost: tuple[str, ...] = ()

    @property
    def outcomes(self) -> dict[str, int]:
        """Items by outcome."""
        return self.summary.outcomes

    def items(self, outcome: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the manifest's rows, all or those of one outcome, in the order of the input."""
        return read_manifest(self.out, outcome)


Progress = Callable[[int, int, Tally], None]


def audit(
    request: AuditRequest,
    on_progress: Progress = lambda _done, _all, _tally: None,
    source: Workers | None = None,
) -> AuditResult:
    """Audit a dataset.

    1. Open the register, plan the units, and make or take up the folder of results.
    2. Digest the register and the input in the background; load what the report needs.
    3. Judge the units in worker processes; add up what they counted, in their order.
    4. Wait for the digests: a damaged register ends the run with nothing published.
    5. Move the parts to their places, write the summary and the report.

    Args:
        request: What is to be audited.
        on_progress: Called with units done, units in all, and what was counted.
        source: Where workers come from, if somebody started preparing them already.

    Raises:
        InputError: A source, a setting or the folder of results cannot be used.
        SnapshotCorruptError: The register is damaged.
        InterruptedRunError: Stopped; what is finished is kept for `resume`.
    """
    with source or Workers(PREPARE) as workers:
        finished = _finished(request.out) if request.resume else None
        return finished or _audit(request, on_progress, workers)


def _audit(request: AuditRequest, on_progress: Progress, source: Workers) -> AuditResult:
    started = time.monotonic()
    register = Register.open(request.register)
    planned = plan(request.sources, request.columns)
    settings = _settings(request)
    describer = Describer.of(settings.model, settings.mode, register)  # says at once what does not fit
    _open_out(request, settings, planned, register, describer)
    stop = Event()
    with ThreadPoolExecutor(2) as background:
        checked = background.submit(_check, request.register, stop)
        tables = background.submit(_digest_tables, planned, stop)
        background.submit(_load_report)
        try:
            totals = _judge(request, planned, settings, on_progress, checked, source)
            checked.result()
            input_digest = digest_of([*tables.result(), *totals.digests])
        except KeyboardInterrupt as interrupt:
            raise InterruptedRunError(
                "stopped; nothing was published and finished work is kept", advice="go on with --resume"
            ) from interrupt
        finally:
            stop.set()
    summary = _summary(request, register, planned, totals)
    summary = replace(summary, input_digest=input_digest, seconds=round(time.monotonic() - started, 3))
    _publish(request, register, summary, totals.examples)
    return AuditResult(request.out, summary, tuple(totals.lost))


@dataclass(slots=True)
class _Totals:
    """The sum of all units, added up in the order of the input."""

    tally: Tally = field(default_factory=Tally)
    digests: list[str] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def add(self, report: UnitReport) -> None:
        self.tally.merge(report.tally)
        self.digests += [report.digest] if report.digest else []
        self.examples = first_examples([*self.examples, *report.examples])


def _finished(out: Path) -> AuditResult | None:
    """Return the result of an audit that is complete, or None."""
    file = out / "summary.json"
    if not file.is_file() or (out / WORK_FOLDER).exists():
        return None
    return AuditResult(out, Summary.from_dict(json.loads(file.read_bytes())))


def _settings(request: AuditRequest) -> Settings:
    work = request.out.resolve() / WORK_FOLDER
    mode = check_mode(request.model, request.mode)
    model = request.model.resolve() if request.model and mode != "fast" else None
    return Settings(request.register.resolve(), work, request.policy, request.columns, model, mode)


def _open_out(
    request: AuditRequest, settings: Settings, planned: Plan, register: Register, describer: Describer | None
) -> None:
    """Make the folder of results, or take up the one that is there.

    Raises:
        InputError: It holds something else, or an audit of other input or with other settings.
    """
    out, work = request.out, settings.work
    identity = digest_of(
        [
            f"askfirst {__version__}",
            register.manifest.root,
            repr(sorted(request.policy.as_dict().items())),
            repr(request.columns),
            f"{settings.mode} {describer.embedder.model_id if describer else ''}",
            *(repr(unit) for unit in planned.units),
        ]
    )
    if request.replace:
        for name in (*_PUBLISHED, WORK_FOLDER):
            _remove(out / name)
    if (out / "summary.json").exists() and not request.resume:
        raise InputError(f"{out} holds a finished audit", advice="choose another --out, or add --replace")
    if work.exists():
        known = (work / "identity").read_text() if (work / "identity").is_file() else ""
        if not request.resume:
            raise InputError(f"{out} holds an unfinished audit", advice="add --resume to go on, or --replace")
        if known != identity:
            raise InputError(
                f"{out} holds an audit of other input, or with other settings",
                advice="give the same sources and options as before, or add --replace",
            )
        _remove_unfinished(work)
    elif out.exists() and any(p.name not in _PUBLISHED for p in out.iterdir()):
        raise InputError(f"{out} is not empty", advice="choose a new folder for --out")
    try:
        for name in ("manifest", "permitted", "done", "at"):
            (work / name).mkdir(parents=True, exist_ok=True)
        (work / "identity").write_text(identity)
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror})", advice="choose another --out") from error


def _remove_unfinished(work: Path) -> None:
    """Remove what writers that were killed left behind."""
    for name in ("manifest", "permitted", "done"):
        for file in (work / name).iterdir() if (work / name).is_dir() else ():
            if file.suffix not in {".parquet", ".report"}:
                file.unlink()


def _judge(
    request: AuditRequest,
    planned: Plan,
    settings: Settings,
    on_progress: Progress,
    checked: Future[None],
    source: Workers,
) -> _Totals:
    """Return the sum of all units: those that are done already, and those that workers do now."""
    done = {unit.index for unit in planned.units if is_done(settings.work, unit)}
    todo = [Task(unit) for unit in planned.units if unit.index not in done]
    results = run(
        partial(process_unit, settings),
        todo,
        workers=max(1, min(request.workers, len(todo))),
        rescue=partial(_rescue, settings),
        source=source,
    )
    totals = _Totals()
    with closing(results):
        for count, unit in enumerate(planned.units):
            on_progress(count, len(planned.units), totals.tally)
            result = None if unit.index in done else next(results)
            if checked.done():
                checked.result()  # a damaged register ends the run at once
            if isinstance(result, Died):
                totals.lost.append(f"{unit.name} ({part_name(unit)})")
            else:
                totals.add(read_report(settings.work, unit))
    on_progress(len(planned.units), len(planned.units), totals.tally)
    return totals


def _rescue(settings: Settings, task: Task) -> Task | None:
    return culprit(settings.work, task) if len(task.skip) < _RESCUES else None


def _load_report() -> None:
    from askfirst.report.html import load_template  # noqa: PLC0415  # while the workers begin, not before

    load_template()


def _check(register: Path, stop: Event) -> None:
    for _path, _size in verify_register(register):
        if stop.is_set():
            return


def _digest_tables(planned: Plan, stop: Event) -> list[str]:
    """Return one line for every table: its digest and its name."""
    tables = {unit.name: unit.path for unit in planned.units if unit.kind != "files"}
    return [f"{file_digest(Path(path))} {name}" for name, path in sorted(tables.items()) if not stop.is_set()]


def _summary(request: AuditRequest, register: Register, planned: Plan, totals: _Totals) -> Summary:
    tally = totals.tally
    rightsholders, other_rightsholders = tally.by_rightsholder(register)
    top_hosts, other_hosts = tally.by_host(partial(_host_of, _settings(request).work))
    outcomes = tally.outcomes()
    manifest = register.manifest
    return Summary(
        items=tally.items,
        outcomes=outcomes,
        opt_out_difference=outcomes[Outcome.UNASKED],
        use=request.policy.use,
        regime=request.policy.regime,
        register=RegisterHead(manifest.origin, manifest.size, manifest.root),
        input_digest="",
        tool=f"askfirst {__version__}",
        seconds=0.0,
        policy=request.policy.as_dict(),
        sources=tuple(planned.sources),
        by_medium=tally.by_medium(),
        by_rightsholder=rightsholders,
        other_rightsholders=other_rightsholders,
        by_host=top_hosts,
        other_hosts=other_hosts,
        rules=dict(sorted(tally.rules.items())),
        bases=dict(sorted(tally.bases.items())),
        gaps=tally.gap_groups(),
        notes=(
            *planned.notes,
            *_mode_notes(request, register),
            *(f"not finished, its reader kept failing: {name}" for name in totals.lost),
        ),
    )


def _mode_notes(request: AuditRequest, register: Register) -> list[str]:
    """Return what should be known of how pictures were compared."""
    mode, model = check_mode(request.model, request.mode), register.manifest.model
    if mode != "fast":
        return [f"pictures were compared in the mode {mode}, with the model {model[:12]}"]
    if model:
        return [f"pictures were compared by their hashes only; the register has descriptors of the model {model[:12]}"]
    return []


def _host_of(work: Path, unit: int, row: int) -> str:
    """Return the host of an item, from the manifest: the first of the unit's row groups that reaches the row."""
    file = pq.ParquetFile(work / "manifest" / f"part-{unit:06d}.parquet")
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if row < rows:
            return normalise(file.read_row_group(group, columns=["url"])["url"][row].as_py()).host
        row -= rows
    raise IndexError(row)


def _publish(
    request: AuditRequest, register: Register, summary: Summary, examples: Sequence[Mapping[str, Any]]
) -> None:
    """Move the parts to their places and write the summary and the report, the summary last."""
    out, work = request.out, _settings(request).work
    unify_parts(work / "permitted")
    from askfirst.report.html import render  # noqa: PLC0415  # loaded by `_load_report`

    page = render(summary, gather_examples(examples, register), request.language)
    where = {"path": os.path.relpath(register.path.resolve(), out.resolve()), "root": register.manifest.root}
    try:
        (work / "report.html").write_text(page, encoding="utf-8")
        (work / "register.json").write_text(json.dumps(where) + "\n", encoding="utf-8")
        text = json.dumps(summary.to_dict(), indent=1, ensure_ascii=False)
        (work / "summary.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        advice = "make room, and go on with --resume"
        raise InterruptedRunError(f"{out} cannot be written ({error.strerror})", advice=advice) from error
    for name in _PUBLISHED:
        _remove(out / name)
        (work / name).rename(out / name)
    shutil.rmtree(work)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
