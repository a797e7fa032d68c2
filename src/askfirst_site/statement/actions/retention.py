"""What is forgotten, and when: signatures that were never confirmed, networks, old mails and codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from askfirst_site.outbox.models import Mail
from askfirst_site.statement import addresses, log_entries, mails
from askfirst_site.statement.actions.proofs import recheck_proofs
from askfirst_site.statement.actions.signing import PENDING_AGE, has_signed
from askfirst_site.statement.models import MailedCode, Signature, SignatureState, Text

__all__ = ["Forgotten", "expire", "hourly", "nightly", "remind", "retention"]

NOT_ME_AGE = timedelta(days=2)
"""A waiting signature whose mailbox's owner said that it was somebody else."""
NETWORK_AGE = timedelta(days=7)
MAIL_AGE = timedelta(days=30)
CODE_AGE = timedelta(days=2)
REJECTED_AGE = timedelta(days=90)
"""Refused and invalidated signatures that never counted: long enough to complain."""
REMINDERS = (timedelta(hours=24), timedelta(hours=72))
BATCH = 500


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were taken away or cleared."""

    expired: int
    networks: int
    mails: int
    codes: int
    rejected: int


def hourly(now: datetime) -> None:
    """Do what is due every hour: remind."""
    while remind(now=now):
        pass


def nightly(now: datetime) -> None:
    """Do what is due every night: forget; and look at proofs, beside the count, because others may be slow."""
    retention(now=now)
    Thread(target=_recheck, args=(now,), name="recheck-proofs", daemon=True).start()


def _recheck(now: datetime) -> None:
    try:
        recheck_proofs(now=now)
    finally:
        connection.close()


def retention(*, now: datetime) -> Forgotten:
    """Forget what is not needed any more; see the constants above."""
    expired = expire(now=now)
    with transaction.atomic():
        networks = Signature.objects.filter(network_mac__isnull=False, created__lt=now - NETWORK_AGE)
        done = Mail.objects.exclude(state__in=[Mail.State.QUEUED, Mail.State.SENDING])
        old_mails, _by_model = done.filter(created__lt=now - MAIL_AGE).delete()
        old_codes, _by_model = MailedCode.objects.filter(created__lt=now - CODE_AGE).delete()
        cleared = networks.update(network_mac=None)
        Mail.objects.filter(network_mac__isnull=False, created__lt=now - NETWORK_AGE).update(network_mac=None)
        never = Signature.objects.filter(state=SignatureState.INVALIDATED, entry__isnull=True)
        rejected = _delete_with_mails(never.filter(ended__lt=now - REJECTED_AGE))
    return Forgotten(expired, cleared, old_mails, old_codes, rejected)


def expire(*, now: datetime) -> int:
    """Delete signatures whose code was never typed, and everything that was typed with them."""
    waiting = Q(state=SignatureState.PENDING)
    old = waiting & (Q(created__lt=now - PENDING_AGE) | Q(not_me__lt=now - NOT_ME_AGE))
    total = 0
    while True:
        with transaction.atomic():
            some = Signature.objects.filter(old).order_by("pk").values_list("pk", flat=True)[:BATCH]
            number = _delete_with_mails(Signature.objects.filter(old, pk__in=list(some)))
        total += number
        if not number:
            return total


def _delete_with_mails(rows: QuerySet[Signature]) -> int:
    # Locked, so that a code which is typed at this moment either comes first, or finds nothing.
    ids = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
    Mail.objects.filter(reference__in=[f"signature:{pk}" for pk in ids]).delete()
    Signature.objects.filter(pk__in=ids).delete()
    return len(ids)


def remind(*, now: datetime, limit: int = BATCH) -> int:
    """Mail codes again that were not typed after a day, and after three; two reminders, no more.

    Returns:
        How many reminders were queued; call it until it is 0.
    """
    sent = 0
    for number, age in enumerate(REMINDERS):
        due = Signature.objects.filter(
            state=SignatureState.PENDING,
            reminded=number,
            created__lt=now - age,
            created__gt=now - PENDING_AGE,
            suspect=False,
            not_me__isnull=True,
        )
        with transaction.atomic():
            rows = due.select_related("statement").select_for_update(of=("self",)).order_by("pk")[: limit - sent]
            for row in rows:
                row.reminded = number + 1
                row.save(update_fields=["reminded"])
                sent += _remind(row, now, last=row.reminded == len(REMINDERS))
    return sent


def _remind(row: Signature, now: datetime, *, last: bool) -> int:
    closed = row.statement.closes is not None and now >= row.statement.closes
    mailed = Mail.objects.filter(reference=log_entries.subject_of(row), kind="code").exists()
    if closed or not mailed or has_signed(row):
        return 0
    text = Text.objects.get(version=row.version_id, language=row.language)
    code = mails.code_of(row)
    url = addresses.page_url(row.statement, mails.mail_language(row), f"code?code={code}")
    mails.queue(
        template="reminder",
        signature=row,
        text=text,
        priority=Mail.Priority.REMINDER,
        now=now,
        context={"code": code, "code_url": url, "last": last},
    )
    return 1
