"""From the start of the command to the first verdict on disk: one text, one small register.

    python benchmarks/bench_start.py [--runs 9]

The limit is starting Python and importing what judges: the side `imports`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import askfirst, machine, save

TEXT = "the tide came in and the tide went out and nobody had asked the sea "


def first_verdict_s(folder: Path, number: int) -> float:
    """Return the seconds until the first part of the manifest is complete."""
    out = folder / f"out{number}"
    command = askfirst("audit", str(folder / "item.txt"), "--register", str(folder / "register"), "--out", str(out))
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(out.glob(".work/done/*.report")) and not (out / "summary.json").exists():
        time.sleep(0.002)
    seconds = time.monotonic() - start
    process.wait()
    return seconds


def imports_s() -> float:
    """Return the seconds to start Python and import everything."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", "import askfirst.jobs.unit"], check=True)
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "works").mkdir()
        (folder / "works" / "a.txt").write_text(TEXT * 40)
        (folder / "item.txt").write_text(TEXT[::-1] * 40)
        build = askfirst("register", "build", str(folder / "works"), "--out", str(folder / "register"))
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        first_verdict_s(folder, 0)
        verdict = statistics.median(first_verdict_s(folder, i) for i in range(1, runs + 1))
        imports = statistics.median(imports_s() for _ in range(runs))
    print(f"start to first verdict: {verdict:.2f} s; imports alone {imports:.2f} s  ({machine()})")
    save("start", {"first_verdict_s": verdict, "imports_s": imports})


if __name__ == "__main__":
    main()
