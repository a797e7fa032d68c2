"""The demo: build a register of the example works and audit the example dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from askfirst.api import make_policy, usable_cores
from askfirst.demo.example import prepare
from askfirst.jobs.audit import AuditRequest, AuditResult, Progress, audit
from askfirst.jobs.build import build_register

__all__ = ["run_demo"]


def run_demo(folder: Path, language: str, say: Callable[[str], None], on_progress: Progress) -> AuditResult:
    """Prepare the example, build its register, audit its dataset.

    Args:
        folder: Where everything is written; a folder of an earlier demo is written anew.
        language: Of the report.
        say: Called with each step, as the command a person would type.
        on_progress: As in `jobs.audit`.

    Raises:
        ConfigError: The packages with the example works are not installed.
        InputError: The folder holds something else.
    """
    data = prepare(folder)
    party = data.expected["policy"]["party"]
    register, out = folder / "register", folder / "out"
    say("Example works and a dataset that hides some of them, from packages that ship them:")
    say(f"  works    {data.catalogue}")
    say(f"  dataset  {data.dataset}")
    say(f"\n$ askfirst register build {data.catalogue} --out {register}")
    manifest = build_register(data.catalogue, register, terms=data.terms, replace=True, workers=usable_cores())
    say(f"{manifest.size:,} works registered; the register holds their fingerprints, not the works")
    say(f'\n$ askfirst audit {data.dataset} --register {register} --as "{party}" --out {out}')
    request = AuditRequest(
        sources=[str(data.dataset)],
        register=register,
        out=out,
        policy=make_policy(party=party),
        workers=usable_cores(),
        replace=True,
        language=language,
    )
    return audit(request, on_progress)
