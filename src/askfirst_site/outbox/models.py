"""Mail on its way out. Address and text are encrypted while they wait, and wiped when they are sent."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

__all__ = ["Mail", "Suppression"]


class Mail(models.Model):
    """One message to one address."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"  # claimed by a mailer; after `CLAIM_S` another may claim it
        SENT = "sent"
        FAILED = "failed"  # given up after the last attempt
        SUPPRESSED = "suppressed"  # the address asked for no more mail, or bounced
        BOUNCED = "bounced"

    class Priority(models.IntegerChoices):
        CODE = 0
        REMINDER = 5
        UPDATE = 9

    kind = models.CharField(max_length=40)
    priority = models.SmallIntegerField(choices=Priority.choices)
    reference = models.CharField(max_length=60, blank=True, db_index=True)  # as in "signature:17"
    scope = models.CharField(max_length=60, blank=True)  # as in "statement:1": what its reader can stop getting
    language = models.CharField(max_length=10)
    to_encrypted = models.BinaryField()
    to_mac = models.BinaryField(max_length=32, db_index=True)
    message_encrypted = models.BinaryField()  # JSON: subject, text, headers; empty once it is sent or given up
    network_mac = models.BinaryField(max_length=32, null=True)  # the network that asked for it; for throttles
    created = models.DateTimeField()
    not_before = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.SmallIntegerField(default=0)
    claimed = models.DateTimeField(null=True)
    sent = models.DateTimeField(null=True)
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["priority", "not_before", "id"],
                name="outbox_mail_waiting",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class Suppression(models.Model):
    """An address that gets no more mail: it bounced, or its owner said so."""

    to_mac = models.BinaryField(max_length=32)
    scope = models.CharField(max_length=60)  # "all", or as in "statement:1"
    reason = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["to_mac", "scope"], name="outbox_suppression_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} ({self.reason})"
