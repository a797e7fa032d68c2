"""Queue mail, and stop it. Whoever queues does it in the transaction of what the mail is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from askfirst_site.crypto import decrypt, encrypt, mac
from askfirst_site.outbox.models import Mail, Suppression

__all__ = ["ALL", "Message", "address_mac", "mark_bounced", "open_message", "queue_mail", "suppress"]

ALL = "all"
"""The scope of a suppression that holds for every mail."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is written and to whom: opened only to be sent."""

    to: str
    subject: str
    text: str
    headers: Mapping[str, str]


def address_mac(address: str) -> bytes:
    """Return the keyed hash under which an address is suppressed and its mails are found."""
    return mac("outbox-address", address.strip().lower())


def queue_mail(  # noqa: PLR0913  # keyword-only; each is a column
    *,
    to: str,
    subject: str,
    text: str,
    kind: str,
    priority: int,
    reference: str = "",
    scope: str = "",
    language: str,
    now: datetime,
    not_before: datetime | None = None,
    network_mac: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Mail:
    """Put a mail into the outbox.

    Args:
        to: The address.
        subject: One line.
        text: Plain text.
        kind: What it is: `code`, `reminder`, `update` ...
        priority: A `Mail.Priority`: codes go before everything else.
        reference: What it is about, as in `signature:17`.
        scope: What its reader can stop getting, as in `statement:1`; without one only `all` stops it.
        language: Code of its language.
        now: The time.
        not_before: When it may be sent; at once by default.
        network_mac: Keyed hash of the network that asked for it, for throttles.
        headers: More headers, such as List-Unsubscribe.

    Returns:
        The row; it is sent after the caller's transaction is committed.
    """
    message = {"subject": " ".join(subject.split()), "text": text, "headers": dict(headers or {})}
    return Mail.objects.create(
        kind=kind,
        priority=priority,
        reference=reference,
        scope=scope,
        language=language,
        to_encrypted=encrypt(to.encode()),
        to_mac=address_mac(to),
        message_encrypted=encrypt(json.dumps(message, ensure_ascii=False).encode()),
        network_mac=network_mac,
        created=now,
        not_before=not_before or now,
    )


def open_message(mail: Mail) -> Message:
    """Return what a waiting mail says, and to whom.

    Raises:
        ProofError: It was encrypted under another key.
    """
    parts = json.loads(decrypt(bytes(mail.message_encrypted)))
    return Message(decrypt(bytes(mail.to_encrypted)).decode(), parts["subject"], parts["text"], parts["headers"])


def suppress(*, to_mac: bytes, scope: str, reason: str, now: datetime) -> Suppression:
    """Send no more mail to an address: none at all (`all`), or none whose scope or reference is this one.

    It holds for mail that waits already: the mailer looks before it sends.
    """
    with transaction.atomic():
        made, _ = Suppression.objects.get_or_create(to_mac=to_mac, scope=scope, defaults={"reason": reason, "at": now})
    return made


def mark_bounced(*, message_id: str, reason: str, permanent: bool, now: datetime) -> Mail | None:
    """Record that a mail came back; an address that does not exist gets no more.

    Returns:
        The mail, or None where no mail has that id.
    """
    with transaction.atomic():
        mail = Mail.objects.filter(message_id=message_id).first() if message_id else None
        if mail is None:
            return None
        mail.state = Mail.State.BOUNCED
        mail.error = reason[:200]
        mail.save(update_fields=["state", "error"])
        if permanent:
            suppress(to_mac=bytes(mail.to_mac), scope=ALL, reason="bounced", now=now)
    return mail
