"""Runs web server, sequencer and mailer as child processes: one that dies is started again, all end together."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import connection

from askfirst.errors import ConfigError
from askfirst_site.config.parents import end_with_parent

__all__ = ["one_at_a_time", "run"]

_STOP_LIMIT_S = 15.0
_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SETTLED_S = 60.0


@dataclass
class _Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    deaths: int = 0

    def start(self) -> None:
        """Start the process in a group of its own: Ctrl-C reaches only us, and we end the children in order."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  # our own program
            self.command,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, signal.SIGTERM),  # noqa: PLW1509  # no threads before the start
        )


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the data folder: two sites in one folder would both write its log.

    Raises:
        ConfigError: The site runs already.
    """
    path = settings.ASKFIRST.data / ".up.lock"
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"the site in {settings.ASKFIRST.data} runs already",
                key="ASKFIRST_DATA",
                value=str(settings.ASKFIRST.data),
                advice="stop it first, or name another folder",
            ) from error
        yield


def run(host: str, port: int, workers: int, say: Callable[[str], object]) -> int:
    """Run everything until somebody asks to stop; return 0, or 3 if the web server cannot start at all."""
    connection.close()  # children open their own
    own = [sys.executable, "-m", "askfirst", "site"]
    children = [
        _Child("web server", _web_server(host, port, workers)),
        _Child("sequencer", [*own, "sequencer"]),
        _Child("mailer", [*own, "mailer"]),
    ]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for child in children:
        child.start()
    site = settings.ASKFIRST
    say(f"The site: {site.url}/  (staff: {site.url}/staff/)")
    say(f"Mail: {'sent' if site.email_url else f'written into {site.mail_folder}'}.  Log: {site.log_folder}")
    try:
        while not stop.wait(0.2):
            for child in children:
                _watch(child, say)
    finally:
        _end(children)
    return 0


def _web_server(host: str, port: int, workers: int) -> list[str]:
    options = {
        "--interface": "rsgi",
        "--host": host,
        "--port": str(port),
        "--workers": str(workers),
        "--workers-kill-timeout": "10",
        "--respawn-interval": "0.5",
        # Idle connections too end by it: proxies close theirs earlier, or a form that is sent meanwhile is lost.
        "--http1-header-read-timeout": "60000",
        "--log-level": "warning",
    }
    arguments = [text for pair in options.items() for text in pair]
    flags = ["--no-ws", "--respawn-failed-workers", "--no-access-log"]
    return [sys.executable, "-m", "granian", *arguments, *flags, "askfirst_site.config.server:application"]


def _watch(child: _Child, say: Callable[[str], object]) -> None:
    """Start a child again that has died, later each time if it keeps dying."""
    now = time.monotonic()
    if child.process is None:
        if now >= child.start_at:
            child.start()
        return
    code = child.process.poll()
    if code is None:
        return
    child.deaths = 0 if now - child.started > _SETTLED_S else child.deaths + 1
    wait_s = _BACK_OFF_S[min(child.deaths, len(_BACK_OFF_S) - 1)]
    say(f"The {child.name} ended ({code}); it is started again in {wait_s:g} s.")
    child.process, child.start_at = None, now + wait_s


def _end(children: list[_Child]) -> None:
    """Ask everybody to end, the web server first: what it acknowledged is written already."""
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + _STOP_LIMIT_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
