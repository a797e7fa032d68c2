"""A front-page day: people read, sign and confirm at once, against real servers on loopback.

    python benchmarks/bench_site.py [--seconds 60] [--database sqlite postgres] [--signs 50] [--reads 1000]

The site runs as `askfirst site up` starts it: web server, sequencer, mailer. Codes are read from the mails it writes.
Requests start when they are due, and latencies count from then. At the end the number on the page, the log's size and
the rows of the database must be the same. Then the statement page alone, as fast as wrk can ask for it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import uvloop

from load import Client, Log, Run
from measure import machine, save

TESTS = Path(__file__).parents[1] / "tests" / "site"
CODE = re.compile(r"^ {4}([2-9A-HJ-NP-Z]{6})$", re.MULTILINE)
READS = ["/en/"] * 12 + ["/de/"] * 3 + ["/nl/"] * 2 + ["/count.json"] * 2 + ["/en/signatories"]
"""What twenty readers look at."""
WARM_UP_S = 5
SETUP = """
from datetime import UTC, datetime
from askfirst_site.statement import actions
from askfirst_site.statement.models import Statement
now = datetime.now(UTC)
one = Statement(slug="ask-first", organiser_name="Bench", organiser_email="bench@example.org")
one = actions.save_statement(actor=None, statement=one, is_primary=True, now=now)
version = one.versions.get()
for code in ("en", "de", "nl"):
    actions.save_text(actor=None, version=version, language=code, sentence="Ask first. " * 12, consent="Print my name.",
                      title="Ask first", translator="Bench", reviewer="Bench", now=now)
actions.freeze_version(actor=None, version=version, now=now)
"""


@contextlib.contextmanager
def site(folder: Path, database: str, workers: int | None) -> Iterator[tuple[int, dict[str, str], int]]:
    """Run the whole site; give its port, its environment and the id of its process."""
    port = free_port()
    environment = {
        **os.environ,
        "ASKFIRST_DATA": str(folder),
        "ASKFIRST_URL": f"http://127.0.0.1:{port}",
        "ASKFIRST_MAIL_RATE": "1000",
        "ASKFIRST_TRUSTED_PROXIES": "1",  # the visitors of the load come from many networks
    }
    if database == "postgres":
        sys.path.insert(0, str(TESTS))
        import databases

        environment["DATABASE_URL"] = f"{databases.postgres(fsync=True)}/{databases.make_empty()}"
    own = [sys.executable, "-m", "askfirst", "site"]
    chosen = ["--workers", str(workers)] if workers else []
    for command in (["migrate", "--verbosity", "0"], ["shell", "--no-imports", "--command", SETUP]):
        subprocess.run([*own, "manage", *command], env=environment, stdout=subprocess.DEVNULL, check=True)
    log = (folder / "up.log").open("w")
    process = subprocess.Popen(
        [*own, "up", "--no-input", "--port", str(port), *chosen],
        env=environment,
        stdout=log,
        stderr=log,
    )
    try:
        wait_until_well(port, process)
        yield port, environment, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()
        if database == "postgres":
            databases.stop_postgres()


def wait_until_well(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the site ended"
        with contextlib.suppress(OSError):
            if get_json(port, "/health"):
                return
        time.sleep(0.2)
    raise SystemExit("the site did not become well")


class Crowd:
    """Everybody who comes: they read, sign with names of their own, and type the code from the mail."""

    def __init__(self, port: int, folder: Path) -> None:
        self.readers, self.writers = Client(port, 64), Client(port, 64)
        self.mails = folder / "mail"
        self.run = Run()
        self.random = random.Random(20261122)
        self.cookies: dict[str, str] = {}
        self.seen: set[str] = set()
        self.confirmed = 0

    # Each of these is one thing that one visitor does.
    async def read(self, number: int) -> None:
        answer = await self.readers.ask("GET", READS[number % len(READS)], {"Accept-Encoding": "gzip"})
        assert answer.status == 200, f"{answer.status} for {READS[number % len(READS)]}"

    async def sign(self, number: int) -> None:
        email = f"p{number}@d{self.random.randrange(1 << 30):x}.example.org"
        form = {
            "kind": "person",
            "name": f"{self.random.choice(['Ada', 'Bo', 'Chloé', 'Dirk'])} {self.random.randrange(1 << 40):x}",
            "role": "weaver of baskets",
            "discipline": self.random.choice(["music", "literature", "film", "other", "supporter"]),
            "country": self.random.choice(["DE", "NL", "GB", "FR", ""]),
            "email": email,
            "display": self.random.choice(["full", "full", "initials", "counted"]),
            "consent": "on",
        }
        answer = await self.writers.ask("POST", "/en/sign", self.headers(), urlencode(form).encode())
        assert answer.status == 303, f"{answer.status} to a signature"
        self.cookies[email] = answer.cookies[0]

    async def confirm(self, email: str, code: str) -> None:
        headers = self.headers() | {"Cookie": self.cookies.pop(email)}
        answer = await self.writers.ask("POST", "/en/code", headers, urlencode({"code": code}).encode())
        assert answer.status == 303, f"{answer.status} to a code"
        self.confirmed += 1

    async def open_mail(self, until: float, expected: int) -> None:
        """Type each code as soon as its mail is there, until all have come."""
        opened = 0
        while opened < expected and time.monotonic() < until:
            await asyncio.sleep(0.1)
            for entry in os.scandir(self.mails):
                if entry.name in self.seen or entry.name.startswith("."):
                    continue
                self.seen.add(entry.name)
                text = await asyncio.to_thread(Path(entry.path).read_text)
                email = re.search(r"^To: (\S+)$", text, re.MULTILINE)[1]
                if email not in self.cookies:  # the mail was quicker than the answer to the form
                    self.seen.discard(entry.name)
                    continue
                opened += 1
                self.run.begin("confirm", time.perf_counter(), self.confirm(email, CODE.search(text)[1]))

    def headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": ".".join(str(self.random.randrange(1, 255)) for _ in range(4))}

    async def warm_up(self) -> None:
        """Look at each page for a while, as people did yesterday: templates and caches of all processes are filled."""
        await self.run.pace("read", 100, WARM_UP_S, self.read)
        await self.run.finish()
        self.readers.close()

    async def come(self, seconds: float, signs: float, reads: float) -> float:
        start = time.monotonic()
        expected = int(signs * seconds)
        await asyncio.gather(
            self.run.pace("read", reads, seconds, self.read),
            self.run.pace("sign", signs, seconds, self.sign),
            self.open_mail(start + seconds + 60, expected),
        )
        await self.run.finish()
        self.readers.close()
        self.writers.close()
        return time.monotonic() - start


def numbers_at_the_end(port: int, environment: dict[str, str], folder: Path, confirmed: int) -> dict[str, int]:
    """Wait until nothing waits, then return every number that must agree."""
    program = (
        "from askfirst_site.statement.models import Signature; from askfirst_site.transparency.models import Entry;"
        "print(Signature.objects.filter(state='confirmed').count(), Entry.objects.filter(kind='sign').count(),"
        " Entry.objects.filter(position__isnull=True).count(), Entry.objects.count())"
    )
    command = [sys.executable, "-m", "askfirst", "site", "manage", "shell", "--no-imports", "--command", program]
    for _ in range(30):
        rows, signs, waiting, entries = map(int, subprocess.check_output(command, env=environment).split())
        count = get_json(port, "/count.json")
        if not waiting and count["people"] == rows:
            break
        time.sleep(1)
    size = int((folder / "log" / "checkpoint").read_text().splitlines()[1])
    return {
        "acknowledged": confirmed,
        "rows": rows,
        "count": count["people"],
        "log_size": size,
        "log_signatures": signs,
        "log_others": entries - signs,
    }


def mixed(database: str, seconds: float, signs: float, reads: float, workers: int | None) -> dict[str, object]:
    with (
        tempfile.TemporaryDirectory(prefix="askfirst-bench-") as name,
        site(Path(name), database, workers) as (port, environment, pid),
    ):
        crowd = Crowd(port, Path(name))
        uvloop.run(Crowd(port, Path(name)).warm_up())
        before, servers = cpu_s(), tree_cpu_s(pid)
        took = uvloop.run(crowd.come(seconds, signs, reads))
        own_cpu = (cpu_s() - before) / took
        cores = {one: (used - servers.get(one, 0.0)) / took for one, used in tree_cpu_s(pid).items()}
        logs = crowd.run.logs
        for kind, log in logs.items():
            print(f"  {kind:8}{words(log, seconds)}")
            for error in sorted(set(log.errors))[:5]:
                print(f"    {log.errors.count(error)} x {error}")
        numbers = numbers_at_the_end(port, environment, Path(name), crowd.confirmed)
        same = {numbers["acknowledged"], numbers["rows"], numbers["count"], numbers["log_signatures"]}
        agree = len(same) == 1 and numbers["log_size"] == numbers["log_signatures"] + numbers["log_others"]
        print(f"  the end {numbers}: {'all agree' if agree else 'THEY DO NOT AGREE'}; {took:.0f} s in all")
        shares = ", ".join(f"{one} {used:.2f}" for one, used in cores.items())
        print(f"  processors in use: {shares}, the load itself {own_cpu:.2f}")
        page = page_rate(port)
        print(
            f"  the statement page alone, from the cache: {page:,.0f} requests/s" if page else "  wrk is not installed"
        )
        return {
            "figures": {kind: figures(log, seconds) for kind, log in logs.items()},
            "numbers": numbers,
            "agree": agree,
            "cached_page_per_s": page,
        }


def page_rate(port: int) -> float | None:
    """Return how many statement pages a second wrk gets, on one of the cores that the server has too."""
    if shutil.which("wrk") is None:
        return None
    command = ["wrk", "-t1", "-c32", "-d8s", "-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{port}/en/"]
    printed = subprocess.check_output(command, text=True)
    assert "Non-2xx" not in printed, printed
    return float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])


def figures(log: Log, seconds: float) -> dict[str, float]:
    return {
        "per_s": len(log.seconds) / seconds,
        "errors": len(log.errors),
        "p50_s": log.quantile(0.5),
        "p99_s": log.quantile(0.99),
        "max_s": max(log.seconds, default=float("nan")),
    }


def words(log: Log, seconds: float) -> str:
    f = figures(log, seconds)
    return (
        f"{f['per_s']:8,.1f} a second  {f['errors']} errors  p50 {f['p50_s'] * 1000:6.1f} ms"
        f"  p99 {f['p99_s'] * 1000:6.1f} ms  worst {f['max_s'] * 1000:6.0f} ms"
    )


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def tree_cpu_s(pid: int) -> dict[str, float]:
    """Return the processor time of a process and all below it, by what they are."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            for name, used in tree_cpu_s(int(child)).items():
                found[name] = found.get(name, 0.0) + used
    line = Path(f"/proc/{pid}/cmdline").read_bytes()
    name = next((word for word in (b"granian", b"sequencer", b"mailer") if word in line), b"supervisor").decode()
    times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    found[name] = found.get(name, 0.0) + (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return found


def get_json(port: int, path: str) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return json.load(response)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--signs", type=float, default=50)
    parser.add_argument("--reads", type=float, default=1000)
    parser.add_argument("--workers", type=int, help="Web server processes; by default as `site up` decides")
    parser.add_argument("--database", nargs="*", choices=["sqlite", "postgres"], default=["sqlite", "postgres"])
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with us
    results = {}
    for database in chosen.database:
        print(f"{database}, {chosen.seconds:g} s  ({machine()})", flush=True)
        results[database] = mixed(database, chosen.seconds, chosen.signs, chosen.reads, chosen.workers)
    save("site", results)
    if not all(result["agree"] for result in results.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
