"""The loops of the two processes beside the web server: the sequencer and the mailer.

Each ends by itself on the first error it cannot explain: whoever started it starts it again, from a known state.
"""

from __future__ import annotations

import functools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections

from askfirst.errors import AskFirstError
from askfirst.io.log_files import LogFolder
from askfirst_site.outbox.mailer import Bucket, Mailer
from askfirst_site.transparency import hooks
from askfirst_site.transparency.actions import raise_alarm
from askfirst_site.transparency.sequencer import BATCH_LIMIT, Sequencer
from askfirst_site.transparency.witnessing import collect_cosignatures, read_witnesses

__all__ = ["run_mailer", "run_sequencer"]

STEP_S = 2.0
_MAIL_STEP_S = 0.5
_KEEP_S = 60.0
_NIGHT_HOUR = 2

_logger = logging.getLogger(__name__)


def run_sequencer() -> None:
    """Sequence every two seconds until somebody asks to stop."""
    site = settings.ASKFIRST
    stop = _stop_event()
    with Sequencer.of(site.log_folder, site.signer_state_file, site.log_key_file) as sequencer:
        keeper = threading.Thread(target=_keep, args=(sequencer, stop), name="keeper")
        keeper.start()
        try:
            _repeat(stop, STEP_S, site.heartbeat_folder / "sequencer", lambda: sequencer.step(_now()) == BATCH_LIMIT)
        finally:
            stop.set()
            keeper.join()


def run_mailer() -> None:
    """Send what waits until somebody asks to stop."""
    site = settings.ASKFIRST
    mailer = Mailer(Bucket(site.mail_rate))
    try:
        _repeat(_stop_event(), _MAIL_STEP_S, site.heartbeat_folder / "mailer", lambda: mailer.step(_now) > 0)
    finally:
        mailer.close()


def _repeat(stop: threading.Event, every_s: float, heartbeat: Path, step: Callable[[], bool]) -> None:
    """Step again and again: at once while there is more to do, else after a pause."""
    parent = os.getppid()
    while not stop.is_set() and os.getppid() == parent:
        began = time.monotonic()
        has_more = step()
        heartbeat.touch()
        if not has_more:
            stop.wait(max(0.0, every_s - (time.monotonic() - began)))


def _keep(sequencer: Sequencer, stop: threading.Event) -> None:
    """Do beside the sequencer what may take long: cosignatures, what is due hourly and nightly."""
    site = settings.ASKFIRST
    log = None
    try:
        while not stop.wait(_KEEP_S if log else 1.0):
            log = LogFolder(site.log_folder)
            now = _now()
            _apart("witnesses", now, functools.partial(_witness, sequencer, log))
            if _is_due(site.heartbeat_folder / "hourly", f"{now:%Y-%m-%dT%H}"):
                for hook in hooks.HOURLY:
                    _apart("hourly", now, hook)
            if now.hour >= _NIGHT_HOUR and _is_due(site.heartbeat_folder / "nightly", f"{now:%Y-%m-%d}"):
                for hook in hooks.NIGHTLY:
                    _apart("nightly", now, hook)
    finally:
        connections.close_all()


def _witness(sequencer: Sequencer, log: LogFolder, now: datetime) -> None:
    cosigned = collect_cosignatures(log, read_witnesses(settings.ASKFIRST.witnesses), now)
    if cosigned is not None:
        sequencer.publish_cosigned(*cosigned)


def _apart(kind: str, now: datetime, hook: Callable[[datetime], object]) -> None:
    """Run one of several things; that it fails is an alarm, not the end of the others."""
    try:
        hook(now)
    except (AskFirstError, DatabaseError, OSError) as error:
        _logger.exception("%s", kind)
        raise_alarm(kind=kind, detail=f"{type(error).__name__}: {error}"[:500], now=now)


def _is_due(file: Path, period: str) -> bool:
    """Tell whether a period is a new one, and remember it."""
    if file.is_file() and file.read_text() == period:
        return False
    file.write_text(period)
    return True


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _now() -> datetime:
    return datetime.now(UTC)
