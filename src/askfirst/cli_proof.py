"""The commands that check what others hand over: `verify`, and the witness that watches a log.

0: yes, or done. 1: no. 2 and 3 are errors, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from askfirst.errors import ConfigError

__all__ = ["verify_proof_command", "witness_group"]

YES, NO = range(2)

_MARKS = {True: "ok  ", False: "no  ", None: "note"}


@click.command("verify")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--log", "log", metavar="URL|DIR", help="Read this whole log, check it and count it again.")
@click.option("--key", "keys", multiple=True, metavar="VKEY|FILE", help="Key of the log that you trust.")
@click.option("--witness", "witnesses", multiple=True, metavar="VKEY|FILE", help="Key of a witness that you trust.")
@click.option("--quorum", type=click.IntRange(0, 100), help="How many witnesses must have signed; by default all.")
@click.option("--statement", type=click.Path(path_type=Path), help="The statement's file: checks the words.")
@click.option("--since", type=click.Path(path_type=Path), help="Checkpoint of last time; replaced with the new one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify_proof_command(file: Path | None, log: str | None, *, as_json: bool, **options: Any) -> int:
    """Check a receipt, a whole log, or that a receipt's signature is in a log and counts.

    Says yes or no, with reasons. A receipt alone is checked without a network.
    """
    from askfirst.jobs.verify import make_trust, verify_file, verify_published

    if file is None and log is None:
        raise ConfigError("there is nothing to check", key="verify", advice="give a receipt, or a log with --log")
    if options["since"] and log is None:
        raise ConfigError("--since needs a log", key="since", advice="give the log with --log")
    trust = make_trust(options["keys"], options["witnesses"], options["quorum"])
    findings = [verify_file(file, trust, options["statement"])] if file else []
    if log is not None and all(finding.good for finding in findings):
        findings.append(verify_published(log, trust, options["since"], file, options["statement"]))
    good = all(finding.good for finding in findings)
    if as_json:
        value = {"good": good, "findings": [finding.as_dict() for finding in findings]}
        click.echo(json.dumps(value, ensure_ascii=False))
        return YES if good else NO
    click.echo("yes" if good else "no")
    for reason in (reason for finding in findings for reason in finding.reasons):
        click.echo(f"  {_MARKS[reason.good]} {' '.join(reason.text.split())}")
    return YES if good else NO


@click.group("witness")
def witness_group() -> None:
    """Run a witness: it signs that a log never showed it two different lists."""


@witness_group.command("init")
@click.option("--name", required=True, help="Name of the witness, such as example.org/witness.")
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder of the witness: its secret key.")
def witness_init_command(name: str, state: Path) -> int:
    """Make a witness with a new key, and print the key that others need."""
    from askfirst.jobs.witness import make_witness

    click.echo(make_witness(name, state).verifier.vkey)
    return YES


@witness_group.command("serve")
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder of the witness.")
@click.option("--log", "logs", multiple=True, required=True, metavar="VKEY", help="Key of a log to watch.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=7380, show_default=True, help="Port; 0 for any free.")
def witness_serve_command(state: Path, logs: Sequence[str], host: str, port: int) -> int:
    """Answer logs over http until it is stopped; put a web server with https in front."""
    from askfirst.jobs.witness import serve_witness

    serve_witness(state, logs, host, port, lambda line: click.echo(line, err=True))
    return YES


@witness_group.command("log")
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder of the witness.")
def witness_log_command(state: Path) -> int:
    """Print the newest checkpoint that the witness signed of each log."""
    from askfirst.jobs.witness import seen_logs

    for note in seen_logs(state):
        click.echo(note)
    return YES
