"""Measure a command: wall time, processor time and memory of the whole tree of processes."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run cost."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def measure(command: Sequence[str]) -> Measured:
    """Run a command to its end and return what it and all its children cost.

    Memory is the proportional set size (shared pages are counted once), sampled; file pages of memory maps count
    while they are resident.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(command)
    peak = [0]
    done = threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, peak, done))
    sampler.start()
    code = process.wait()
    wall = time.monotonic() - start
    done.set()
    sampler.join()
    if code not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Measured(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak[0])


def medians(runs: Sequence[Measured]) -> Measured:
    """Return the medians of several runs, and the largest memory."""
    return Measured(
        statistics.median(r.wall_s for r in runs),
        statistics.median(r.cpu_s for r in runs),
        max(r.peak_bytes for r in runs),
    )


def report(name: str, sides: dict[str, Measured], amount: float, unit: str, ours: str = "askfirst") -> None:
    """Print what each side cost, and our speed as a ratio to each; write the same to benchmarks/results/NAME.json."""
    rows = []
    print(f"\n{name}  ({machine()})")
    print(f"{'side':28} {'wall s':>8} {'cpu s':>8} {'peak MB':>8} {unit + '/s':>14} {'ours is':>9}")
    for side, m in sides.items():
        ratio = m.wall_s / sides[ours].wall_s
        rows.append({"side": side, "wall_s": m.wall_s, "cpu_s": m.cpu_s, "peak_mb": m.peak_bytes / 1e6, "ratio": ratio})
        costs = f"{m.wall_s:8.2f} {m.cpu_s:8.2f} {m.peak_bytes / 1e6:8.0f} {amount / m.wall_s:14,.0f}"
        print(f"{side:28} {costs} {ratio:8.2f}x")
    save(name, {"unit": unit, "amount": amount, "sides": rows})


def save(name: str, value: dict[str, object]) -> None:
    """Write the figures of one benchmark to benchmarks/results/NAME.json."""
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **value}, indent=1)
    (folder / f"{name.split(':', maxsplit=1)[0].replace(' ', '-')}.json").write_text(text + "\n")


def machine() -> str:
    """Return what kind of machine this is, without its name."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    return f"{model}, {cores} cores, Python {platform.python_version()}, load {load:.1f}"


def askfirst(*arguments: str) -> list[str]:
    """Return the command line of this project's own program."""
    return [sys.executable, "-m", "askfirst", *arguments]


def _sample(pid: int, peak: list[int], done: threading.Event) -> None:
    while not done.wait(_SAMPLE_S):
        peak[0] = max(peak[0], sum(map(_pss_bytes, _tree(pid))))


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _tree(int(child)))]


def _pss_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0
