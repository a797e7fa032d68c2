"""What the log holds, and what was signed about it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

__all__ = ["Alarm", "Checkpoint", "Cosignature", "Entry"]


class Entry(models.Model):
    """One entry of the log. It waits without a position; only the sequencer gives positions, without gaps.

    The payload is public: canonical JSON without names. It never changes, nor does a position once given: triggers
    hold that in both databases.
    """

    payload = models.BinaryField(max_length=4096)
    kind = models.CharField(max_length=12)  # the payload's type: sign, withdraw ...
    subject = models.CharField(max_length=60, db_index=True)  # as in "signature:17"
    created = models.DateTimeField()
    position = models.BigIntegerField(null=True, unique=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], name="transparency_entry_waiting", condition=Q(position__isnull=True)),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(position__isnull=True) | Q(position__gte=0), name="transparency_entry_position"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.position}"


class Checkpoint(models.Model):
    """A signed note: the log had this size and this root."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    signed = models.DateTimeField()
    announced = models.BooleanField(default=False)  # the hooks were told: receipts up to this size are made

    class Meta:
        ordering: ClassVar[list[str]] = ["-size"]

    def __str__(self) -> str:
        return f"size {self.size}"


class Cosignature(models.Model):
    """A witness saw a checkpoint that continues every one it saw before."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.CASCADE, related_name="cosignatures")
    witness = models.CharField(max_length=200)
    line = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["checkpoint", "witness"], name="transparency_cosignature_once"),
        ]

    def __str__(self) -> str:
        return f"{self.witness} at {self.checkpoint_id}"


class Alarm(models.Model):
    """Something that must be looked at by a person: a recount that differs, a tree that does not continue."""

    kind = models.CharField(max_length=40)
    detail = models.TextField()
    raised = models.DateTimeField()
    cleared = models.DateTimeField(null=True)
    cleared_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return self.kind
