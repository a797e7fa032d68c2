"""Ask First from Python: the same jobs as on the command line, with the same defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from askfirst.errors import ConfigError
from askfirst.io.columns import ColumnChoice
from askfirst.jobs import audit, build, look
from askfirst.model import Regime, Use
from askfirst.policy import Policy
from askfirst.register import Register, RegisterManifest

__all__ = ["audit_dataset", "build_register", "make_policy", "match_file", "usable_cores"]


def audit_dataset(
    source: str | Path | Sequence[str | Path],
    *,
    register: str | Path,
    out: str | Path,
    use: str = "train-generative",
    **options: Any,
) -> audit.AuditResult:
    """Audit a dataset and write the manifest, the permitted rows, the summary and the report.

    Args:
        source: A folder, a file, a glob pattern, or several of them.
        register: Folder of the register.
        out: Folder for the results; it must be new, unless `resume` or `replace` is given.
        use: The use that is asked about.
        options: `regime` ("opt-in"), `party` (""), `on` (today), `columns` ({role: column}), `encoding`,
            `workers` (all cores), `resume`, `replace` (False), `language` ("en"; "de", "nl"),
            `model` (None: the folder of a model), `mode` ("fast"; "standard", "deep" with a model).

    Returns:
        The outcomes and the summary; `items()` yields the manifest's rows.

    Raises:
        AskFirstError: With one clear line, and advice.
    """
    known = {
        "regime",
        "party",
        "on",
        "columns",
        "encoding",
        "workers",
        "resume",
        "replace",
        "language",
        "model",
        "mode",
    }
    if unknown := sorted(set(options) - known):
        raise ConfigError(
            f"audit_dataset has no option {unknown[0]!r}", key=unknown[0], advice=f"known: {', '.join(sorted(known))}"
        )
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    request = audit.AuditRequest(
        sources=[str(s) for s in sources],
        register=Path(register),
        out=Path(out),
        policy=make_policy(use, options.get("regime", "opt-in"), options.get("party", ""), options.get("on")),
        columns=ColumnChoice.of(options.get("columns") or {}, encoding=options.get("encoding")),
        workers=options.get("workers") or usable_cores(),
        resume=options.get("resume", False),
        replace=options.get("replace", False),
        language=options.get("language", "en"),
        model=Path(options["model"]) if options.get("model") else None,
        mode=options.get("mode"),
    )
    return audit.audit(request)


def build_register(works: str | Path, *, out: str | Path, **options: Any) -> RegisterManifest:
    """Build a register from a catalogue or a folder of works; see `askfirst.jobs.build.build_register`."""
    return build.build_register(works, out, **{"workers": usable_cores(), **options})


def match_file(file: str | Path, *, register: str | Path) -> Mapping[str, Any]:
    """Return the registered works that one file is, or holds a part of."""
    return look.match_file(Path(file), Register.open(register), make_policy())


def make_policy(
    use: str = "train-generative", regime: str = "opt-in", party: str = "", on: date | None = None
) -> Policy:
    """Return the policy of an audit from words.

    Raises:
        ConfigError: A use or a regime that is none.
    """
    if use not in set(Use):
        raise ConfigError(f"no use is called {use!r}", key="use", value=use, advice=f"known: {', '.join(Use)}")
    if regime not in set(Regime):
        raise ConfigError(f"no regime is called {regime!r}", key="regime", value=regime, advice="opt-in or opt-out")
    return Policy(Use(use), on or datetime.now(UTC).date(), Regime(regime), party)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
