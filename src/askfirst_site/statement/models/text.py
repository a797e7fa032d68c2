"""What is signed: a statement, its versions, and each version's text in each language.

A version can be edited until it is frozen. From then on, and at the latest from its first signature, nothing of it
changes: a change is a new version. Triggers hold that in both databases.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

__all__ = ["ConsentText", "Statement", "Text", "TextVersion"]


class Statement(models.Model):
    """A campaign with one sentence at its heart."""

    slug = models.SlugField(_("short name in addresses"), max_length=60, unique=True)
    is_primary = models.BooleanField(_("stands on the front page"), default=False)
    opens = models.DateTimeField(_("opens"), null=True, blank=True)
    closes = models.DateTimeField(_("closes"), null=True, blank=True)
    canonical_language = models.CharField(_("language it was written in"), max_length=10, default="en")
    organiser_name = models.CharField(_("who runs it"), max_length=200)
    organiser_email = models.EmailField(_("their address"))
    organiser_url = models.URLField(_("their site"), blank=True)
    accent = models.CharField(_("accent colour"), max_length=7, default="#B3261E")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["is_primary"], condition=Q(is_primary=True), name="statement_one_primary"),
            models.CheckConstraint(
                condition=Q(opens__isnull=True) | Q(closes__isnull=True) | Q(closes__gt=models.F("opens")),
                name="statement_closes_after_it_opens",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class TextVersion(models.Model):
    """A version of a statement: all its texts together. `manifest_hash` is what the log holds of it."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    manifest_hash = models.CharField(max_length=43, blank=True)  # base64url SHA-256 of the canonical JSON
    entry = models.OneToOneField("transparency.Entry", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["statement", "-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["statement", "number"], name="statement_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} version {self.number}"


class Text(models.Model):
    """The sentence in one language, with the wording of the consent that is asked with it, and what explains it."""

    version = models.ForeignKey(TextVersion, on_delete=models.PROTECT, related_name="texts")
    language = models.CharField(_("language"), max_length=10)
    sentence = models.TextField(_("the sentence"), max_length=2000)
    consent = models.TextField(_("what a signer agrees to"), max_length=2000)
    signed_hash = models.CharField(max_length=43, blank=True)  # of {"consent", "lang", "text"}; set when frozen
    title = models.CharField(_("title for lists and mails"), max_length=120)
    context = models.TextField(_("why, in a few paragraphs (Markdown)"), blank=True)  # not part of what is signed
    translator = models.CharField(_("translated by"), max_length=200, blank=True)
    reviewer = models.CharField(_("translation read by"), max_length=200, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "language"], name="statement_text_once"),
        ]

    def __str__(self) -> str:
        return self.title


class ConsentText(models.Model):
    """The wording of a consent other than the signature's own, such as to get updates. Added, never changed."""

    kind = models.CharField(max_length=20)  # "updates"
    language = models.CharField(max_length=10)
    body = models.TextField()
    sha256 = models.CharField(max_length=43)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "language", "sha256"], name="statement_consent_text_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.language}"
