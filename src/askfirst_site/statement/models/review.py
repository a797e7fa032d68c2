"""What keeps the list honest: names that are watched, and signatures that were taken out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from askfirst_site.statement.models.text import Statement

__all__ = ["Invalidation", "WatchedName"]


class WatchedName(models.Model):
    """A name that others like to borrow: a signature under it is held until it is proven."""

    name = models.CharField(_("name"), max_length=200)
    folded = models.CharField(max_length=200, db_index=True)  # as `names.fold_name` gives it
    note = models.CharField(_("how to reach them, why watched"), max_length=400, blank=True)
    added = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Invalidation(models.Model):
    """Signatures taken out together, for a reason everybody can read. Its batch stands in the log."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="invalidations")
    criteria = models.JSONField()  # what was looked for, as shown in the preview
    reason = models.CharField(_("reason, as everybody will read it"), max_length=300)
    count = models.IntegerField()
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    batch = models.CharField(max_length=20, unique=True)
    entry = models.OneToOneField("transparency.Entry", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-at"]

    def __str__(self) -> str:
        return f"{self.count}: {self.reason}"
