"""What other rooms do when the log grows. They register in their `AppConfig.ready`; the sequencer calls.

The log knows nothing about signatures: what an entry's position means is decided by whoever added the entry.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from askfirst.io.log_files import LogFolder
from askfirst_site.transparency.models import Entry

__all__ = ["HOURLY", "NIGHTLY", "POSITIONS", "PUBLISHED", "on_hourly", "on_nightly", "on_positions", "on_published"]

Positions = Callable[[list[Entry], datetime], object]
Published = Callable[[int, int, LogFolder, str, datetime], object]
Timed = Callable[[datetime], object]

POSITIONS: list[Positions] = []
PUBLISHED: list[Published] = []
HOURLY: list[Timed] = []
NIGHTLY: list[Timed] = []

_Hook = TypeVar("_Hook")


def on_positions(hook: Positions) -> Positions:
    """Call `hook(entries, now)` in the transaction that gives entries their positions: tallies, the wall.

    It may add entries: they get their positions in the next batch. It may be called in several processes, once a
    process; the entries of one call are in the order of their positions, without gaps.
    """
    return _add(POSITIONS, hook)


def on_published(hook: Published) -> Published:
    """Call `hook(start, stop, log, note, now)` when the entries start..stop-1 stand under a published checkpoint.

    After a crash it may be called again for entries it has seen: it must not mind.
    """
    return _add(PUBLISHED, hook)


def on_hourly(hook: Timed) -> Timed:
    """Call `hook(now)` once an hour, outside any transaction, beside the sequencer: reminders, what expires."""
    return _add(HOURLY, hook)


def on_nightly(hook: Timed) -> Timed:
    """Call `hook(now)` once a night, outside any transaction, beside the sequencer: recounts, checks due yearly."""
    return _add(NIGHTLY, hook)


def _add(hooks: list[_Hook], hook: _Hook) -> _Hook:
    if hook not in hooks:  # Django may call `ready` more than once in tests
        hooks.append(hook)
    return hook
