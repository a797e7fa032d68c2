"""What is known about the log: who saw it at what size, whether the sequencer lives, what alarms are open."""

from __future__ import annotations

from pathlib import Path

from django.db.models import QuerySet

from askfirst_site.transparency.models import Alarm, Checkpoint, Cosignature, Entry

__all__ = ["heartbeat_age_s", "last_checkpoint", "latest_cosignatures", "open_alarms", "waiting_entries"]


def last_checkpoint() -> Checkpoint | None:
    """Return the newest signed checkpoint."""
    return Checkpoint.objects.order_by("-size").first()


def latest_cosignatures() -> list[Cosignature]:
    """Return the newest cosignature of each witness, the largest size first."""
    newest: dict[str, Cosignature] = {}
    for one in Cosignature.objects.select_related("checkpoint").order_by("checkpoint__size", "at")[:10_000]:
        newest[one.witness] = one
    return sorted(newest.values(), key=lambda one: (-one.checkpoint.size, one.witness))


def open_alarms() -> QuerySet[Alarm]:
    """Return what a person must look at, the newest first."""
    return Alarm.objects.filter(cleared__isnull=True).order_by("-id")


def waiting_entries() -> int:
    """Return how many entries wait for a position."""
    return Entry.objects.filter(position__isnull=True).count()


def heartbeat_age_s(folder: Path, time_s: float) -> float | None:
    """Return how long ago the sequencer was last seen alive; None if it never was."""
    try:
        return time_s - (folder / "sequencer").stat().st_mtime
    except FileNotFoundError:
        return None
