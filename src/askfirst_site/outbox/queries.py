"""How far behind the mail is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.db.models import Count, Min

from askfirst_site.outbox.models import Mail

__all__ = ["delay_s", "heartbeat_age_s", "waiting_counts"]


def delay_s(now: datetime) -> int:
    """Return how long the oldest code that should have been sent has waited: what a page may promise honestly."""
    waiting = Mail.objects.filter(
        state__in=[Mail.State.QUEUED, Mail.State.SENDING], priority=Mail.Priority.CODE, not_before__lte=now, attempts=0
    )
    oldest = waiting.aggregate(oldest=Min("not_before"))["oldest"]
    return 0 if oldest is None else max(0, int((now - oldest).total_seconds()))


def waiting_counts() -> dict[str, int]:
    """Return how many mails are in each state."""
    return dict(Mail.objects.values_list("state").annotate(n=Count("id")).order_by())


def heartbeat_age_s(folder: Path, time_s: float) -> float | None:
    """Return how long ago the mailer was last seen alive; None if it never was."""
    try:
        return time_s - (folder / "mailer").stat().st_mtime
    except FileNotFoundError:
        return None
