"""The whole site as processes, for tests: what `askfirst site up` starts, in a folder of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from askfirst_site.config.parents import end_with_parent

SITE = [sys.executable, "-m", "askfirst", "site"]


def environment(folder, **more):
    """Return an environment in which nothing of ours is set but the folder."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ASKFIRST_", "DATABASE", "DJANGO"))
    }
    path = os.pathsep.join([str(Path(__file__).parents[2] / "src"), kept.get("PYTHONPATH", "")])
    return {**kept, "PYTHONPATH": path, "ASKFIRST_DATA": str(folder), **more}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path, **headers):
    """Return status and body of a page."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def wait_for(condition, what, limit_s=60):
    """Wait until something is so."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            if condition():
                return
        time.sleep(0.1)
    raise AssertionError(f"{what}, not within {limit_s} s")


@contextlib.contextmanager
def up(env, *arguments, port=None):
    """Run the site until the block ends; gives its port and its process."""
    port = port or free_port()
    log = Path(env["ASKFIRST_DATA"]).with_suffix(".up.log")
    with log.open("a") as stream:
        process = subprocess.Popen(
            [*SITE, "up", "--no-input", "--port", str(port), *arguments],
            env=env,
            stdout=stream,
            stderr=stream,
            preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509  # no threads run yet
        )
        try:
            wait_for(lambda: get(port, "/health")[0] == 200 or process.poll() is not None, "the site is well")
            assert process.poll() is None, log.read_text()
            yield port, process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def children(process):
    """Return the processes that `site up` runs, by their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == process.pid:
                found[(entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()] = int(entry.name)
    return found


def is_alive(pid):
    """Tell whether a process runs; one that has ended and was not asked how does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def child(process, word):
    """Return the id of the child whose command line has a word in it."""
    (pid,) = [pid for line, pid in children(process).items() if word in line]
    return pid


def run(env, *arguments):
    """Run one command of the site."""
    return subprocess.run([*SITE, *arguments], env=env, capture_output=True, text=True, check=False, timeout=120)


def checkpoint_size(folder):
    return int((Path(folder) / "log" / "checkpoint").read_text().splitlines()[1])


def health(port):
    status, body = get(port, "/health")
    return status, json.loads(body)
