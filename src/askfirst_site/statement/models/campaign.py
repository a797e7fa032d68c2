"""What stands around the signatures: those in front, those who are asked, and what happened."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from askfirst_site.statement.models.signature import Signature
from askfirst_site.statement.models.text import Statement

__all__ = ["Addressee", "Answer", "ImportedCount", "Notable", "Update"]


class Notable(models.Model):
    """A signature that stands in the first band of the wall, and how it is known to be real."""

    signature = models.OneToOneField(Signature, on_delete=models.CASCADE, related_name="notable")
    rank = models.PositiveIntegerField(_("place"), default=1000)
    provenance = models.CharField(_("how do we know"), max_length=400)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["rank", "signature__position"]

    def __str__(self) -> str:
        return f"{self.rank}"


class AnswerStatus(models.TextChoices):
    """What an addressee did."""

    NONE = "none", _("no answer")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    REPLIED = "replied", _("replied")
    COMMITTED = "committed", _("committed")
    LICENSED = "licensed", _("licensed")


class Addressee(models.Model):
    """A company, a parliament or somebody else who is asked for something, since a day."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="addressees")
    name = models.CharField(_("who is asked"), max_length=200)
    asked_on = models.DateField(_("asked on"))
    request = models.CharField(_("what for"), max_length=300)
    document_url = models.URLField(_("the letter"), blank=True)
    status = models.CharField(_("status"), max_length=12, choices=AnswerStatus.choices, default=AnswerStatus.NONE)

    Status = AnswerStatus

    class Meta:
        ordering: ClassVar[list[str]] = ["asked_on", "id"]

    def __str__(self) -> str:
        return self.name


class Answer(models.Model):
    """One thing that an addressee said or did."""

    addressee = models.ForeignKey(Addressee, on_delete=models.CASCADE, related_name="answers")
    on = models.DateField(_("on"))
    status = models.CharField(_("status"), max_length=12, choices=AnswerStatus.choices)
    summary = models.CharField(_("in one sentence"), max_length=300)
    document_url = models.URLField(_("document"), blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["on", "id"]

    def __str__(self) -> str:
        return self.summary


class ImportedCount(models.Model):
    """Signatures that others collected elsewhere: always a line of its own, never in the log, never in the count."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="imports")
    source = models.CharField(_("collected by"), max_length=200)
    n = models.PositiveIntegerField(_("how many"))
    evidence_url = models.URLField(_("evidence"), blank=True)
    as_of = models.DateField(_("as of"))

    class Meta:
        ordering: ClassVar[list[str]] = ["-n", "id"]

    def __str__(self) -> str:
        return f"{self.n} {self.source}"


class Update(models.Model):
    """News for those who signed: on the page, and by mail to those who asked for it."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="updates")
    language = models.CharField(_("language"), max_length=10)
    title = models.CharField(_("title"), max_length=150)
    body = models.TextField(_("text (Markdown)"))
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    published = models.DateTimeField(null=True)
    mail = models.BooleanField(_("also by mail, to those who asked for news"), default=False)
    mailed_through = models.BigIntegerField(default=0)  # id of the last signature that it was queued for: resumable
    mailed = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-published", "-id"]

    def __str__(self) -> str:
        return self.title
