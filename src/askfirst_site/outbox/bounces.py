"""What a mail service tells about mail it could not deliver."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from askfirst_site.outbox.actions import ALL, address_mac, mark_bounced, suppress

__all__ = ["receive"]

_PERMANENT = {"bounced", "invalid", "blocked"}


def receive(sender: object, event: Any, esp_name: str, **_more: object) -> None:  # noqa: ARG001  # anymail's signature
    """Take one event of anymail: bounces and complaints stop the mail to an address."""
    now = datetime.now(UTC)
    if event.event_type in {"bounced", "rejected", "failed"}:
        permanent = event.reject_reason in _PERMANENT
        mark_bounced(message_id=event.message_id or "", reason=str(event.reject_reason), permanent=permanent, now=now)
    elif event.event_type in {"complained", "unsubscribed"} and event.recipient:
        suppress(to_mac=address_mac(event.recipient), scope=ALL, reason=event.event_type, now=now)
