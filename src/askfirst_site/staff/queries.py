"""What the staff pages read beyond what the public pages do. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.fields import TextField
from django.db.models.functions import Cast

from askfirst_site.accounts.models import StaffAction, User
from askfirst_site.outbox.models import Mail
from askfirst_site.statement.models import (
    Proof,
    Signature,
    SignatureState,
    Statement,
    Tally,
    Update,
)
from askfirst_site.transparency.models import Alarm

__all__ = [
    "LANES",
    "Hour",
    "alarms",
    "alike",
    "days",
    "deeds",
    "found",
    "hour",
    "lane",
    "lane_sizes",
    "mail_progress",
    "mail_states",
    "organisations",
    "primary_statement",
    "proofs",
    "readers",
    "staff",
    "waiting_in_queue",
]

PAGE = 50


def primary_statement() -> Statement | None:
    """Return the statement of the front page, or the newest."""
    return Statement.objects.order_by("-is_primary", "-id").first()


def alarms() -> QuerySet[Alarm]:
    """Return the alarms, the open ones first."""
    return Alarm.objects.select_related("cleared_by").order_by(F("cleared").desc(nulls_first=True), "-raised")[:50]


LANES = ("held", "suspect", "alike", "reported")


def lane(statement: Statement, name: str) -> QuerySet[Signature]:
    """Return the signatures in one lane of the queue, the oldest first.

    Args:
        statement: Whose queue.
        name: `held` (waits for proof), `suspect` (no mail until somebody has looked), `alike` (confirmed, but like
            another), `reported` (the mailbox's owner said it was not them, after it was confirmed).
    """
    rows = Signature.objects.filter(statement=statement, erased=False)
    if name == "held":
        rows = rows.filter(state=SignatureState.HELD)
    elif name == "suspect":
        rows = rows.filter(state=SignatureState.PENDING, suspect=True)
    elif name == "reported":
        rows = rows.filter(state__in=[SignatureState.CONFIRMED, SignatureState.HELD], not_me__isnull=False)
    else:
        said = Q(words__contains='"look-alike') | Q(words__contains='"duplicate')
        rows = (
            rows.filter(state=SignatureState.CONFIRMED)
            .exclude(flags=[])
            .alias(words=Cast("flags", TextField()))
            .filter(said)
        )
    return rows.order_by("id")


def lane_sizes(statement: Statement) -> dict[str, int]:
    """Return how many signatures stand in each lane."""
    return {name: lane(statement, name).count() for name in LANES}


def waiting_in_queue(statement: Statement) -> int:
    """Return how many signatures wait for a person: held and suspect ones."""
    waiting = Q(state=SignatureState.HELD) | Q(state=SignatureState.PENDING, suspect=True)
    return Signature.objects.filter(waiting, statement=statement, erased=False).count()


def alike(rows: Iterable[Signature]) -> dict[int, Signature]:
    """Return the signatures that the flags of others point to, by id: one query for all."""
    wanted = set()
    for row in rows:
        for flag in row.flags:
            _kind, _colon, other = flag.partition(":")
            if other.isdigit():
                wanted.add(int(other))
    return Signature.objects.in_bulk(wanted)


@dataclass(frozen=True, slots=True)
class Hour:
    """The last hour of a statement: what was confirmed, and what still waits for its code."""

    confirmed: int
    waiting: int


def hour(statement: Statement, now: datetime) -> Hour:
    """Return what happened in the last hour."""
    since = now - timedelta(hours=1)
    states = dict(
        Signature.objects.filter(statement=statement, created__gte=since)
        .values_list("state")
        .annotate(n=Count("id"))
        .order_by()
    )
    return Hour(
        confirmed=states.get(SignatureState.CONFIRMED, 0) + states.get(SignatureState.HELD, 0),
        waiting=states.get(SignatureState.PENDING, 0),
    )


def days(statement: Statement, limit: int = 14) -> list[tuple[str, int]]:
    """Return the signatures of each of the last days, the oldest first."""
    rows = Tally.objects.filter(statement=statement, dimension="day").order_by("-key").values_list("key", "n")[:limit]
    return list(rows)[::-1]


def mail_states(now: datetime) -> dict[str, int]:
    """Return how many mails wait, and how many went out, failed and bounced in the last day."""
    since = now - timedelta(days=1)
    waiting = Q(state__in=[Mail.State.QUEUED, Mail.State.SENDING])
    counts: dict[str, int] = Mail.objects.aggregate(
        codes=Count("id", filter=waiting & Q(priority=Mail.Priority.CODE)),
        others=Count("id", filter=waiting & ~Q(priority=Mail.Priority.CODE)),
        sent=Count("id", filter=Q(state=Mail.State.SENT, sent__gte=since)),
        failed=Count("id", filter=Q(state=Mail.State.FAILED, created__gte=since)),
        bounced=Count("id", filter=Q(state=Mail.State.BOUNCED, created__gte=since)),
    )
    return counts


def found(statement: Statement, criteria: dict[str, Any], before: int | None = None) -> list[Signature]:
    """Return one page of signatures that fit, the newest first.

    Args:
        statement: Whose signatures.
        criteria: `name` (a part of it), `state`, `kind`, `email_mac` (found by mailbox); empty values are left out.
        before: Only ids below this.
    """
    rows = Signature.objects.filter(statement=statement, erased=False)
    if name := criteria.get("name"):
        rows = rows.filter(Q(name__icontains=name) | Q(affiliation__icontains=name) | Q(role__icontains=name))
    for key in ("state", "kind", "email_mac"):
        if criteria.get(key):
            rows = rows.filter(**{key: criteria[key]})
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.select_related("notable").order_by("-id")[: PAGE + 1])


def organisations(statement: Statement) -> list[Signature]:
    """Return the organisations that signed, those without a proof first, with their proofs."""
    rows = Signature.objects.filter(
        statement=statement, kind="organisation", state__in=[SignatureState.CONFIRMED, SignatureState.HELD]
    )
    return list(rows.order_by("level", "name", "id").prefetch_related("proofs")[:500])


def proofs(signature: Signature) -> list[Proof]:
    """Return the proofs of one signer."""
    return list(signature.proofs.select_related("checked_by").order_by("id"))


def deeds(before: int | None = None) -> list[StaffAction]:
    """Return one page of what staff did, the newest first."""
    rows = StaffAction.objects.select_related("actor")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.order_by("-id")[: PAGE + 1])


def staff() -> list[User]:
    """Return everybody with access, those whose account is closed last."""
    return list(User.objects.filter(is_staff=True).order_by("-is_active", "-is_superuser", "email"))


def _asked_for_news(statement: Statement, language: str) -> QuerySet[Signature]:
    """Return the signatures whose owners asked for news, in the language of their page."""
    return Signature.objects.filter(
        statement=statement,
        state=SignatureState.CONFIRMED,
        mail_language=language,
        erased=False,
        not_me__isnull=True,
        consents__text__kind="updates",
        consents__withdrawn__isnull=True,
    )


def readers(statement: Statement, language: str) -> int:
    """Return how many asked for news in a language."""
    return _asked_for_news(statement, language).count()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the mails of an update are queued."""

    done: int
    total: int


def mail_progress(update: Update) -> Progress:
    """Return how many of those who asked for news are behind the point up to which mails are queued."""
    asked = _asked_for_news(update.statement, update.language)
    total = asked.count()
    return Progress(total if update.mailed else asked.filter(id__lte=update.mailed_through).count(), total)
