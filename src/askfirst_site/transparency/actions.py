"""Add to the log, and say that something is wrong. Requests only add rows; the sequencer gives them their positions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from askfirst.canonical import canonical_json
from askfirst.errors import InputError
from askfirst_site.accounts.models import User
from askfirst_site.transparency.models import Alarm, Entry

__all__ = ["add_entry", "clear_alarm", "raise_alarm"]

PAYLOAD_LIMIT_BYTES = 4096

_logger = logging.getLogger(__name__)


def add_entry(*, payload: Mapping[str, object], subject: str, now: datetime) -> Entry:
    """Add an entry that waits for its position. One insert: no row is shared, nobody waits for anybody.

    Args:
        payload: What everybody will read, for ever: no names, no addresses. `type` is its kind.
        subject: What it is about, as in `signature:17`; stays in the database.
        now: The time.

    Raises:
        InputError: The payload is too large or is not plain JSON.
    """
    try:
        data = canonical_json(dict(payload))
    except ValueError as error:
        raise InputError(f"an entry of the log cannot hold this: {error}", kind="bad-entry") from error
    if len(data) > PAYLOAD_LIMIT_BYTES:
        raise InputError(f"an entry of {len(data)} bytes is too large for the log", kind="bad-entry")
    return Entry.objects.create(payload=data, kind=str(payload["type"]), subject=subject, created=now)


def raise_alarm(*, kind: str, detail: str, now: datetime) -> Alarm:
    """Record that a person must look at something; the same open alarm is raised once."""
    with transaction.atomic():
        alarm, is_new = Alarm.objects.get_or_create(kind=kind, detail=detail, cleared=None, defaults={"raised": now})
    if is_new:
        _logger.error("%s: %s", kind, detail)
    return alarm


def clear_alarm(*, actor: User, alarm: Alarm, now: datetime) -> Alarm:
    """Record that a person looked at an alarm."""
    with transaction.atomic():
        locked = Alarm.objects.select_for_update().get(pk=alarm.pk)
        if locked.cleared is None:
            locked.cleared, locked.cleared_by = now, actor
            locked.save(update_fields=["cleared", "cleared_by"])
    return locked
