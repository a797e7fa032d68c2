"""Who signed, as what, proven how; and the numbers made of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from askfirst_site.statement.models.text import ConsentText, Statement, TextVersion

__all__ = [
    "Consent",
    "Discipline",
    "Display",
    "Kind",
    "Level",
    "MailedCode",
    "Proof",
    "PublishedCount",
    "Signature",
    "SignatureState",
    "Tally",
    "Vouch",
    "WallWord",
]


class Kind(models.TextChoices):
    """Who signs."""

    PERSON = "person", _("Person")
    ORGANISATION = "organisation", _("Organisation")


class Display(models.TextChoices):
    """How a signer wants to be shown."""

    FULL = "full", _("name and role")
    INITIALS = "initials", _("initials and discipline")
    COUNTED = "counted", _("counted, not shown")


class Discipline(models.TextChoices):
    """What a signer makes."""

    MUSIC = "music", _("Music")
    LITERATURE = "literature", _("Literature")
    FILM = "film", _("Film")
    THEATRE = "theatre", _("Theatre")
    TELEVISION = "television", _("Television")
    VISUAL_ART = "visual-art", _("Visual art")
    PHOTOGRAPHY = "photography", _("Photography")
    JOURNALISM = "journalism", _("Journalism")
    TRANSLATION = "translation", _("Translation")
    GAMES = "games", _("Games")
    OTHER = "other", _("Another field")
    SUPPORTER = "supporter", _("I support creators")


class Level(models.IntegerChoices):
    """How much of a signer is proven: the evidence ladder."""

    EMAIL = 0, _("e-mail confirmed")
    DOMAIN = 1, _("own domain or account proven")
    VOUCHED = 2, _("vouched for by a verified organisation")


class SignatureState(models.TextChoices):
    """Where a signature stands. It counts while it is `confirmed` and its entry has a position."""

    PENDING = "pending"  # waits for its code; erased after `PENDING_DAYS`
    HELD = "held"  # code typed, but a watched or notable name: waits for proof outside the site
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    INVALIDATED = "invalidated"


class Signature(models.Model):
    """One signature under one version of a statement, in one language.

    `email_encrypted` opens with the site's key; `email_mac` finds the same mailbox again (canonical address, keyed).
    `salt` opens the log entry's commitment: erasing deletes the row, and with it the salt.
    """

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="signatures")
    version = models.ForeignKey(TextVersion, on_delete=models.PROTECT, related_name="signatures")
    language = models.CharField(max_length=10)  # of the text that was signed
    mail_language = models.CharField(max_length=10)  # of the page: mails are written in it
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.PERSON)
    name = models.CharField(_("Name"), max_length=200)
    role = models.CharField(_("What you do"), max_length=200, blank=True)
    affiliation = models.CharField(max_length=200, blank=True)  # an organisation: who signs for it
    website = models.CharField(max_length=200, blank=True)  # an organisation: its domain, such as example.org
    discipline = models.CharField(_("Discipline"), max_length=12, choices=Discipline.choices)
    country = models.CharField(_("Country"), max_length=2, blank=True)
    display = models.CharField(max_length=10, choices=Display.choices, default=Display.FULL)
    email_encrypted = models.BinaryField()
    email_mac = models.BinaryField(max_length=32, db_index=True)
    email_domain = models.CharField(max_length=255)
    network_mac = models.BinaryField(max_length=32, null=True)  # keyed, the key changes daily: no address is stored
    challenge = models.CharField(max_length=64, null=True, unique=True)  # the proof of work that was spent on it
    browser_mac = models.BinaryField(max_length=32)  # of the signing browser's cookie
    code_mac = models.BinaryField(max_length=32)
    code_round = models.SmallIntegerField(default=0)  # counts up when a code is used up and another one is mailed
    code_tries = models.SmallIntegerField(default=0)  # wrong codes from the signing browser
    email_tries = models.SmallIntegerField(default=0)  # wrong codes typed with the address: strangers may do that
    code_mails = models.SmallIntegerField(default=1)
    state = models.CharField(max_length=12, choices=SignatureState.choices, default=SignatureState.PENDING)
    flags = models.JSONField(default=list)  # for review: "burst", "no-work", "look-alike:17" ...
    suspect = models.BooleanField(default=False)  # gets no mail until somebody has looked
    not_me = models.DateTimeField(null=True)  # the mailbox's owner said so: no more mails to it
    level = models.SmallIntegerField(choices=Level.choices, default=Level.EMAIL)
    salt = models.BinaryField(max_length=32)
    created = models.DateTimeField()
    confirmed = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    reminded = models.SmallIntegerField(default=0)
    entry = models.OneToOneField("transparency.Entry", on_delete=models.PROTECT, null=True, related_name="+")
    position = models.BigIntegerField(null=True)  # of its `sign` entry: set by the sequencer, with the tallies
    correct_entry = models.OneToOneField(
        "transparency.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )  # the newest correction: what `salt` opens then
    tallied = models.CharField(max_length=40, blank=True)  # what the tallies count it as: discipline|country|level
    stale = models.BooleanField(default=False)  # tallies and words of the wall are to be brought up to date
    erased = models.BooleanField(default=False)  # nothing personal is left; the row goes when its entry has a position
    hidden = models.BooleanField(default=False)  # an organiser may take a line off the wall, never put one there
    invalidation = models.ForeignKey("statement.Invalidation", on_delete=models.PROTECT, null=True, related_name="+")
    source = models.CharField(max_length=40, default="page")  # page, api, paper

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["statement", "kind", "email_mac"],
                condition=Q(state__in=["confirmed", "held"]),
                name="statement_signature_once_a_mailbox",
            ),
            models.CheckConstraint(
                condition=Q(state="pending") | Q(confirmed__isnull=False), name="statement_signature_confirmed_when"
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(entry__isnull=False), name="statement_signature_has_entry"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["statement", "-position"],
                name="statement_wall",
                condition=Q(state="confirmed", hidden=False, position__isnull=False) & ~Q(display="counted"),
            ),
            models.Index(
                fields=["statement", "discipline", "-position"],
                name="statement_wall_discipline",
                condition=Q(state="confirmed", hidden=False, position__isnull=False) & ~Q(display="counted"),
            ),
            models.Index(
                fields=["statement", "country", "-position"],
                name="statement_wall_country",
                condition=Q(state="confirmed", hidden=False, position__isnull=False) & ~Q(display="counted"),
            ),
            models.Index(
                fields=["statement", "discipline", "country", "-position"],
                name="statement_wall_both",
                condition=Q(state="confirmed", hidden=False, position__isnull=False) & ~Q(display="counted"),
            ),
            models.Index(fields=["id"], name="statement_signature_stale", condition=Q(stale=True)),
            models.Index(
                fields=["statement", "level", "position"],
                name="statement_organisations",
                condition=Q(state="confirmed", kind="organisation"),
            ),
            models.Index(fields=["position"], name="statement_signature_position"),
            models.Index(fields=["browser_mac"], name="statement_signature_browser"),
            models.Index(fields=["state", "created"], name="statement_signature_age"),
            models.Index(fields=["network_mac", "created"], name="statement_signature_network"),
            models.Index(fields=["email_domain", "created"], name="statement_signature_domain"),
        ]

    def __str__(self) -> str:
        return f"signature {self.pk}"


class Consent(models.Model):
    """A consent beside the signature's own: to get updates."""

    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+")
    given = models.DateTimeField()
    withdrawn = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.text_id} by {self.signature_id}"


class MailedCode(models.Model):
    """A code that lets the owner of a mailbox act on their signature: withdraw, show, export, erase, prove."""

    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="codes")
    action = models.CharField(max_length=10)
    code_mac = models.BinaryField(max_length=32)
    tries = models.SmallIntegerField(default=0)
    created = models.DateTimeField()
    used = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.action} for {self.signature_id}"


class Proof(models.Model):
    """Evidence about a signer. What was shown is not kept: only how, what for, when, and until when it holds."""

    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="proofs")
    method = models.CharField(max_length=20)  # dns, well-known, orcid, vouched, by-hand
    subject = models.CharField(max_length=255)  # the domain, the ORCID, the organisation's name
    token = models.CharField(max_length=64, blank=True)  # what must stand in DNS or in the well-known file
    checked = models.DateTimeField(null=True)
    checked_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    expires = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, blank=True)  # why the last check said no, in words

    def __str__(self) -> str:
        return f"{self.method} {self.subject}"


class Vouch(models.Model):
    """A verified organisation says that a signer is who they say they are."""

    organisation = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="vouches_given")
    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="vouches")
    at = models.DateTimeField()
    revoked = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["organisation", "signature"], name="statement_vouch_once"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} for {self.signature_id}"


class Tally(models.Model):
    """A number on the page. Written by the sequencer only; `recount` makes it anew and must agree.

    Dimensions: `kind` (the public count; the log alone proves it), `discipline`, `country`, `language`, `level`, `day`.
    """

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="tallies")
    dimension = models.CharField(max_length=12)
    key = models.CharField(max_length=20)
    n = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["statement", "dimension", "key"], name="statement_tally_once"),
            models.CheckConstraint(condition=Q(n__gte=0), name="statement_tally_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.key}: {self.n}"


class PublishedCount(models.Model):
    """The public count as of the newest checkpoint: written after it is published, so number and log always agree."""

    statement = models.OneToOneField(Statement, on_delete=models.CASCADE, related_name="published_count")
    people = models.BigIntegerField(default=0)
    organisations = models.BigIntegerField(default=0)
    log_size = models.BigIntegerField(default=0)
    as_of = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.people} + {self.organisations} at {self.log_size}"


class WallWord(models.Model):
    """A folded word of a line on the wall, for searching by how words begin."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="+")
    word = models.CharField(max_length=40)
    position = models.BigIntegerField()
    signature = models.ForeignKey(Signature, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["statement", "word", "-position"], name="statement_wall_word"),
        ]

    def __str__(self) -> str:
        return self.word
