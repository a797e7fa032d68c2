"""Whether the site is well, for whoever watches it: 200, or 503 with the reason."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from askfirst_site.outbox import queries as outbox
from askfirst_site.transparency import queries as transparency

__all__ = ["health"]

_SEQUENCER_LIMIT_S = 30.0
_MAILER_LIMIT_S = 60.0
_DELAY_LIMIT_S = 15 * 60


@require_safe
def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  # a view
    """Answer `ok` or what is wrong, for the database, the sequencer and the outbox."""
    parts = {"database": _database(), "sequencer": "ok", "outbox": "ok"}
    if parts["database"] == "ok":
        parts["sequencer"] = _sequencer()
        parts["outbox"] = _outbox()
    is_well = set(parts.values()) == {"ok"}
    response = JsonResponse(parts, status=200 if is_well else 503)
    response["Cache-Control"] = "no-store"
    return response


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "the database does not answer"
    return "ok"


def _sequencer() -> str:
    age_s = transparency.heartbeat_age_s(settings.ASKFIRST.heartbeat_folder, time.time())
    if age_s is None:
        return "the sequencer has not run yet"
    return "ok" if age_s < _SEQUENCER_LIMIT_S else f"the sequencer last ran {age_s:.0f} s ago"


def _outbox() -> str:
    age_s = outbox.heartbeat_age_s(settings.ASKFIRST.heartbeat_folder, time.time())
    if age_s is None:
        return "the mailer has not run yet"
    if age_s >= _MAILER_LIMIT_S:
        return f"the mailer last ran {age_s:.0f} s ago"
    delay_s = outbox.delay_s(datetime.now(UTC))
    return "ok" if delay_s < _DELAY_LIMIT_S else f"mail is {delay_s // 60} minutes behind"
