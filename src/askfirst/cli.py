"""The command line. Each command is a thin cover over a documented function; exit codes are part of the contract.

0: done, and everything is permitted, or: yes. 1: done, something is not, or: no. 2: bad input. 3: could not finish.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from askfirst.cli_model import model_group
from askfirst.cli_proof import verify_proof_command, witness_group
from askfirst.engines.lean import do_without
from askfirst.errors import AskFirstError, ConfigError, FormatError, InputError, InterruptedRunError
from askfirst.version import __version__

if TYPE_CHECKING:
    from askfirst.engines import Workers
    from askfirst.jobs.audit import AuditResult
    from askfirst.jobs.tally import Tally

__all__ = ["main"]

DONE, NOT_ALL_PERMITTED, BAD_INPUT, UNFINISHED = range(4)

_USES = ("train-generative", "train-other", "ai-input", "search", "mine")
_LINE_EVERY_S = 10.0

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_register = click.option("--register", type=click.Path(path_type=Path), required=True, help="Folder of the register.")
_workers = click.option("--workers", type=click.IntRange(1, 256), help="Worker processes; by default all cores.")
_model = click.option("--model", type=click.Path(path_type=Path), help="Folder of a model that describes pictures.")
_mode = click.option(
    "--mode",
    type=click.Choice(["fast", "standard", "deep"]),
    help="How closely to look at pictures; by default standard with a model, else fast.",
)
_language = click.option(
    "--language",
    type=click.Choice(["en", "de", "nl"]),
    default="en",
    show_default=True,
    help="Language of the report.",
)


class _Commands(click.Group):
    """Our commands, and those of packages that know us: entry points of the group `askfirst.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names."""
        return sorted({*super().list_commands(ctx), *(one.name for one in entry_points(group="askfirst.commands"))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return our command, else load that of another package."""
        if own := super().get_command(ctx, cmd_name):
            return own
        for one in entry_points(group="askfirst.commands", name=cmd_name):
            loaded: click.Command = one.load()
            return loaded
        return None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="askfirst")
def app() -> None:
    """Which items of this dataset may be trained on? Silence is not consent."""


@app.command("audit")
@click.argument("source", nargs=-1, required=True)
@_register
@click.option(
    "--use",
    type=click.Choice(_USES),
    default="train-generative",
    show_default=True,
    help="The use asked about.",
)
@click.option(
    "--regime",
    type=click.Choice(["opt-in", "opt-out"]),
    default="opt-in",
    show_default=True,
    help="Who said yes, or who did not say no.",
)
@click.option("--as", "party", default="", help="Who wants to use the items, as named in agreements.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day consent is asked for; by default today.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Folder of the results.",
)
@click.option("--column", "columns", multiple=True, metavar="ROLE=COLUMN", help="For example text=body or url=link.")
@click.option("--encoding", help="Of CSV files that are not UTF-8.")
@click.option("--engine", type=click.Choice(["local"]), default="local", show_default=True, help="Where the work runs.")
@_model
@_mode
@_workers
@click.option("--resume", is_flag=True, help="Go on with an audit that was stopped.")
@click.option("--replace", is_flag=True, help="Remove an earlier audit in the folder of results first.")
@_language
@_json
def audit_command(source: Sequence[str], register: Path, out: Path, *, as_json: bool, **options: Any) -> int:
    """Audit a dataset: a folder, tables (CSV, JSONL, Parquet), or glob patterns.

    Writes OUT/manifest, OUT/permitted, OUT/summary.json and OUT/report.html.
    """
    from askfirst.engines import Workers
    from askfirst.jobs.prepare import PREPARE

    with Workers(PREPARE) as crew:  # they get ready while this process loads what it needs itself
        result = _audit(source, register, out, crew, options)
    if as_json:
        _print_json(result.summary.to_dict())
    else:
        _print_summary(result.summary, out, options["language"])
    if result.lost:
        names = ", ".join(result.lost[:5])
        click.echo(f"askfirst: {len(result.lost)} parts not finished: {names}; see the report's notes", err=True)
        return UNFINISHED
    return DONE if result.outcomes["permitted"] == result.summary.items else NOT_ALL_PERMITTED


def _audit(source: Sequence[str], register: Path, out: Path, crew: Workers, options: Mapping[str, Any]) -> AuditResult:
    from askfirst.api import make_policy, usable_cores
    from askfirst.io.columns import ColumnChoice
    from askfirst.jobs.audit import AuditRequest, audit

    request = AuditRequest(
        sources=source,
        register=register,
        out=out,
        policy=make_policy(options["use"], options["regime"], options["party"], _day(options["on"])),
        columns=ColumnChoice.of(_pairs(options["columns"]), encoding=options["encoding"]),
        workers=options["workers"] or usable_cores(),
        resume=options["resume"],
        replace=options["replace"],
        language=options["language"],
        model=options["model"],
        mode=options["mode"],
    )
    with _Progress("auditing") as progress:
        return audit(request, progress.units, crew)


@app.command("explain")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("item_id")
@click.option("--register", type=click.Path(path_type=Path), help="Register of the audit, to name the works.")
@_language
@_json
def explain_command(folder: Path, item_id: str, register: Path | None, language: str, *, as_json: bool) -> int:
    """Say in words why an item of an audit has its verdict."""
    from askfirst.jobs.look import find_item, works_of
    from askfirst.report.explain import explain

    row = find_item(folder, item_id)
    if as_json:
        _print_json(row)
    else:
        click.echo(explain(row, works_of(folder, row, register), language))
    return DONE


@app.command("match")
@click.argument("file", nargs=-1, required=True, type=click.Path(path_type=Path))
@_register
@_model
@_mode
@_json
def match_command(file: Sequence[Path], register: Path, model: Path | None, mode: str | None, *, as_json: bool) -> int:
    """Find registered works in files."""
    from askfirst.api import make_policy
    from askfirst.jobs.describer import Describer, check_mode
    from askfirst.jobs.look import match_file
    from askfirst.register import Register

    opened, policy = Register.open(register), make_policy()
    describer = Describer.of(model, check_mode(model, mode), opened)
    results = [match_file(one, opened, policy, describer) for one in file]
    if as_json:
        _print_json(results)
    for one in () if as_json else results:
        click.echo(f"{one['file']}: {_match_words(one)}")
    return BAD_INPUT if any(one["error"] for one in results) else DONE


@app.command("fingerprint")
@click.argument("file", nargs=-1, required=True, type=click.Path(path_type=Path))
@_json
def fingerprint_command(file: Sequence[Path], *, as_json: bool) -> int:
    """Print the fingerprints of files: what a register holds of a work, and all that leaves home."""
    from askfirst.jobs.look import fingerprint_file

    results = [fingerprint_file(one) for one in file]
    if as_json:
        _print_json(results)
    for one in () if as_json else results:
        grams = ", ".join(f"{len(v['hashes'])} passages ({k})" for k, v in one["text"].items())
        codes = f"{len(one['image'])} picture hashes" if one["image"] else ""
        peaks = f"{len(one['audio']['frames'])} peaks of sound" if one["audio"]["frames"] else ""
        frames = f"{len(one['video']['codes'])} frame hashes" if one["video"]["codes"] else ""
        digest = one["digests"][0][:16] + "…" if one["digests"] else ""
        words = "; ".join(
            filter(
                None, (one["medium"], f"sha256 {digest}" if digest else "", grams, codes, peaks, frames, one["error"])
            )
        )
        click.echo(f"{one['file']}: {words}")
    return BAD_INPUT if any(one["error"] for one in results) else DONE


@app.group("register")
def register_group() -> None:
    """Build and check registers of works."""


@register_group.command("build")
@click.argument("works", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the register.")
@click.option("--terms", type=click.Path(path_type=Path), help="JSON file of terms by name.")
@click.option("--origin", default="local", show_default=True, help="Who publishes the register.")
@click.option("--replace", is_flag=True, help="Replace a register that is there.")
@_model
@_workers
@_json
def build_command(works: Path, out: Path, *, as_json: bool, **options: Any) -> int:
    """Build a register from a catalogue (CSV, JSONL, Parquet) or a folder of works.

    The works stay where they are; the register holds fingerprints.
    """
    from askfirst.api import usable_cores
    from askfirst.jobs.build import build_register

    options["workers"] = options["workers"] or usable_cores()
    with _Progress("fingerprinting") as progress:
        manifest = build_register(works, out, on_work=progress.works, **options)
    if as_json:
        _print_json({"origin": manifest.origin, "size": manifest.size, "root": manifest.root, "media": manifest.media})
    else:
        click.echo(f"{manifest.size:,} works registered in {out} ({_media_words(manifest.media)})")
        click.echo(f"root {manifest.root}")
    return DONE


@register_group.command("info")
@click.argument("register", type=click.Path(path_type=Path))
@_json
def info_command(register: Path, *, as_json: bool) -> int:
    """Say what is in a register."""
    from askfirst.register import Register

    manifest = Register.open(register).manifest
    size_bytes = sum(f.size_bytes for f in manifest.files)
    if as_json:
        _print_json(
            {
                "origin": manifest.origin,
                "size": manifest.size,
                "root": manifest.root,
                "media": manifest.media,
                "algorithms": manifest.algorithms,
                "size_bytes": size_bytes,
            }
        )
        return DONE
    click.echo(f"origin   {manifest.origin}")
    click.echo(f"works    {manifest.size:,} ({_media_words(manifest.media)})")
    click.echo(f"size     {size_bytes:,} bytes in {len(manifest.files)} files")
    click.echo(f"root     {manifest.root}")
    return DONE


@register_group.command("verify")
@click.argument("register", type=click.Path(path_type=Path))
@_json
def verify_command(register: Path, *, as_json: bool) -> int:
    """Check every byte of a register against its manifest."""
    from askfirst.register import Register, verify_register

    checked = list(verify_register(register))
    manifest = Register.open(register).manifest
    if as_json:
        _print_json({"valid": True, "files": len(checked), "root": manifest.root})
    else:
        click.echo(f"{register}: {len(checked)} files are as the manifest says; root {manifest.root}")
    return DONE


@app.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder to work in.",
)
@_language
def demo_command(out: Path, language: str) -> int:
    """Build a register of example works and audit a real dataset in which some of them are hidden."""
    from askfirst.demo.run import run_demo

    with _Progress("auditing") as progress:
        result = run_demo(out, language, click.echo, progress.units)
    _print_summary(result.summary, result.out, language)
    return UNFINISHED if result.lost else DONE


app.add_command(verify_proof_command)
app.add_command(witness_group)
app.add_command(model_group)


@app.command("selftest")
def selftest_command() -> int:
    """Prove this installation: published vectors, and one small audit from end to end."""
    from askfirst.selftest import checks

    good = True
    for name, problem in checks():
        click.echo(f"{'ok  ' if not problem else 'FAIL'} {name}{': ' + problem if problem else ''}")
        good = good and not problem
    return DONE if good else UNFINISHED


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. The only place that exits, and one of three that catch everything."""
    do_without("pandas", "scipy")
    try:
        code = app.main(arguments, prog_name="askfirst", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = BAD_INPUT
    except (InputError, FormatError, ConfigError) as error:
        code = _say(error, BAD_INPUT)
    except AskFirstError as error:
        code = _say(error, UNFINISHED)
    except (KeyboardInterrupt, click.Abort):
        code = _say(InterruptedRunError("stopped"), UNFINISHED)
    except BrokenPipeError:
        code = UNFINISHED
    except Exception as error:  # noqa: BLE001  # one line instead of a trace: the reader is not a programmer
        advice = "this is a fault of Ask First; please report it"
        code = _say(AskFirstError(f"{type(error).__name__}: {error}", advice=advice), UNFINISHED)
    sys.exit(code if isinstance(code, int) else DONE)


def _say(error: AskFirstError, code: int) -> int:
    line = " ".join(str(error).split())
    click.echo(f"askfirst: {line}", err=True)
    return code


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def _print_summary(summary: Any, out: Path, language: str) -> None:
    from rich.console import Console

    from askfirst.report.terminal import print_summary

    print_summary(summary, Console(), str(out), language)


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


def _pairs(values: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for value in values:
        role, _, column = value.partition("=")
        if not role or not column:
            raise ConfigError(f"--column {value!r} is not ROLE=COLUMN", key="column", advice="for example text=body")
        pairs[role] = column
    return pairs


def _media_words(media: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {medium}" for medium, count in media.items() if count) or "none"


def _match_words(one: Mapping[str, Any]) -> str:
    if one["error"]:
        return str(one["error"])
    words = [f"{m['work_id']} ({m['kind']}, score {m['score']:.2f}, {m['cover']:.0%} of it)" for m in one["matches"]]
    return "; ".join(words) or "no registered work found"


class _Progress:
    """A bar on a terminal, a quiet line now and then elsewhere; always on stderr."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.bar: Any = None
        self.task: Any = None
        self.said = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[words]}"),
                TimeElapsedColumn(),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task(self.what, total=None, words="")
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def units(self, done: int, total: int, tally: Tally) -> None:
        """Show how many units of a dataset are done."""
        self._show(done, total, f"{tally.items:,} items")

    def works(self, done: int) -> None:
        """Show how many works are done."""
        self._show(done, None, f"{done:,} works")

    def _show(self, done: int, total: int | None, words: str) -> None:
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=total, words=words)
        elif time.monotonic() - self.said >= _LINE_EVERY_S:
            self.said = time.monotonic()
            click.echo(f"{self.what}: {words}{f', {done} of {total} parts' if total else ''}", err=True)
