"""What organisers do around the signatures: dates, those in front, those who are asked, counts from elsewhere, news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from askfirst_site.accounts.actions import record
from askfirst_site.accounts.models import User
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import addresses, log_entries, mails, names
from askfirst_site.statement.actions.review import locked_signature
from askfirst_site.statement.errors import FormError, RefusedError
from askfirst_site.statement.models import (
    Addressee,
    Answer,
    Display,
    ImportedCount,
    Notable,
    Signature,
    SignatureState,
    Statement,
    Text,
    Update,
    WatchedName,
)

__all__ = [
    "add_addressee",
    "change_addressee",
    "delete_import",
    "import_count",
    "mark_notable",
    "publish_update",
    "queue_update_mails",
    "rank_notables",
    "record_answer",
    "set_dates",
    "unmark_notable",
]


def set_dates(
    *, actor: User, statement: Statement, opens: datetime | None, closes: datetime | None, now: datetime
) -> Statement:
    """Say from when and until when a statement can be signed.

    Raises:
        FormError: It would close before it opens.
    """
    if opens and closes and closes <= opens:
        raise FormError({"closes": _("It closes after it opens.")})
    with transaction.atomic():
        Statement.objects.filter(pk=statement.pk).update(opens=opens, closes=closes)
        record(actor=actor, verb="set_dates", subject=f"statement:{statement.pk}", now=now)
    statement.refresh_from_db()
    return statement


def mark_notable(*, actor: User, signature: Signature, rank: int = 1000, provenance: str, now: datetime) -> Notable:
    """Put a signature into the first band of the wall; its name is watched from now on.

    Args:
        actor: Who.
        signature: One that counts and is shown by name.
        rank: Its place; equal places are in the order of the log.
        provenance: How it is known that it is really them.
        now: The time.

    Raises:
        RefusedError: It does not count, or its signer does not want the name shown.
        FormError: Nobody says how it is known.
    """
    how = names.clean_text(provenance.strip())[:400]
    if not how:
        raise FormError({"provenance": _("Write down how you know that it is really them.")})
    with transaction.atomic():
        row = locked_signature(signature)
        if row.state != SignatureState.CONFIRMED or row.display != Display.FULL or row.hidden:
            raise RefusedError(_("Only a signature that counts and is shown by name can stand in front."))
        notable, _is_new = Notable.objects.update_or_create(
            signature=row, defaults={"rank": rank, "provenance": how, "by": actor, "at": now}
        )
        folded = names.fold_name(row.name)
        WatchedName.objects.get_or_create(folded=folded, defaults={"name": row.name, "note": how, "added": now})
        record(actor=actor, verb="mark_notable", subject=log_entries.subject_of(row), detail={"rank": rank}, now=now)
    return notable


def unmark_notable(*, actor: User, signature: Signature, now: datetime) -> None:
    """Take a signature out of the first band; it stands among all others."""
    with transaction.atomic():
        Notable.objects.filter(signature=signature).delete()
        record(actor=actor, verb="unmark_notable", subject=log_entries.subject_of(signature), now=now)


def rank_notables(*, actor: User, statement: Statement, signatures: Sequence[int], now: datetime) -> None:
    """Put the first band into an order; those not named come after it."""
    with transaction.atomic():
        rows = {row.signature_id: row for row in Notable.objects.filter(signature__statement=statement)}
        named = [rows[number] for number in dict.fromkeys(signatures) if number in rows]
        for place, row in enumerate(named):
            row.rank = 10 * (place + 1)
        Notable.objects.bulk_update(named, ["rank"])
        Notable.objects.filter(signature__statement=statement).exclude(pk__in=[row.pk for row in named]).update(
            rank=10 * (len(named) + 1)
        )
        record(actor=actor, verb="rank_notables", subject=f"statement:{statement.pk}", now=now)


def add_addressee(  # noqa: PLR0913  # keyword-only; each is a field
    *,
    actor: User | None,
    statement: Statement,
    name: str,
    asked_on: date,
    request: str,
    document_url: str = "",
    now: datetime,
) -> Addressee:
    """Add somebody who is asked for something, since a day."""
    with transaction.atomic():
        addressee = Addressee.objects.create(
            statement=statement,
            name=names.clean_line(name),
            asked_on=asked_on,
            request=names.clean_text(request.strip())[:300],
            document_url=document_url,
        )
        record(actor=actor, verb="add_addressee", subject=f"addressee:{addressee.pk}", now=now)
    return addressee


def change_addressee(  # noqa: PLR0913  # keyword-only; each is a field
    *,
    actor: User,
    addressee: Addressee,
    name: str,
    asked_on: date,
    request: str,
    document_url: str = "",
    now: datetime,
) -> Addressee:
    """Change who is asked, for what and since when; the status follows from the answers."""
    addressee.name, addressee.asked_on, addressee.document_url = names.clean_line(name), asked_on, document_url
    addressee.request = names.clean_text(request.strip())[:300]
    with transaction.atomic():
        addressee.save(update_fields=["name", "asked_on", "request", "document_url"])
        record(actor=actor, verb="change_addressee", subject=f"addressee:{addressee.pk}", now=now)
    return addressee


def record_answer(  # noqa: PLR0913  # keyword-only; each is a field
    *,
    actor: User | None,
    addressee: Addressee,
    on: date,
    status: str,
    summary: str,
    document_url: str = "",
    now: datetime,
) -> Answer:
    """Write down what an addressee said or did; the ledger shows the status of the newest answer.

    Raises:
        FormError: No such status, or no summary.
    """
    line = names.clean_text(" ".join(summary.split()))[:300]
    if status not in Addressee.Status.values or status == Addressee.Status.NONE:
        raise FormError({"status": _("Please choose one.")})
    if not line:
        raise FormError({"summary": _("This is needed.")})
    with transaction.atomic():
        answer = Answer.objects.create(
            addressee=addressee, on=on, status=status, summary=line, document_url=document_url
        )
        newest = addressee.answers.order_by("-on", "-id").first() or answer
        Addressee.objects.filter(pk=addressee.pk).update(status=newest.status)
        record(
            actor=actor, verb="record_answer", subject=f"addressee:{addressee.pk}", detail={"status": status}, now=now
        )
    addressee.refresh_from_db()
    return answer


def import_count(  # noqa: PLR0913  # keyword-only; each is a field
    *, actor: User | None, statement: Statement, source: str, n: int, evidence_url: str = "", as_of: date, now: datetime
) -> ImportedCount:
    """Show signatures that others collected: always as a line of its own. The same source again replaces its number.

    Raises:
        FormError: No source, or not a number.
    """
    line = names.clean_line(source)
    if not line:
        raise FormError({"source": _("This is needed.")})
    if not 0 < n <= 1_000_000_000:
        raise FormError({"n": _("Please give a number.")})
    with transaction.atomic():
        imported, _is_new = ImportedCount.objects.update_or_create(
            statement=statement, source=line, defaults={"n": n, "evidence_url": evidence_url, "as_of": as_of}
        )
        detail = {"source": line, "n": n}
        record(actor=actor, verb="import_count", subject=f"statement:{statement.pk}", detail=detail, now=now)
    return imported


def delete_import(*, actor: User, imported: ImportedCount, now: datetime) -> None:
    """Take a count from elsewhere off the page."""
    with transaction.atomic():
        detail = {"source": imported.source, "n": imported.n}
        subject = f"statement:{imported.statement_id}"
        record(actor=actor, verb="delete_import", subject=subject, detail=detail, now=now)
        imported.delete()


def publish_update(*, actor: User, update: Update, now: datetime) -> Update:
    """Put news on the page; once published it is mailed if its `mail` says so, by `queue_update_mails`.

    Raises:
        FormError: Title or text is missing.
    """
    update.title = names.clean_line(update.title)
    if not update.title or not update.body.strip():
        raise FormError({"title": _("News needs a title and a text.")})
    with transaction.atomic():
        update.published = update.published or now
        update.save()
        record(actor=actor, verb="publish_update", subject=f"update:{update.pk}", detail={"mail": update.mail}, now=now)
    return update


def queue_update_mails(*, update: Update, limit: int = 500, now: datetime) -> int:
    """Queue the next mails of an update; it goes on where it stopped, and mails nobody twice.

    Only to signers who asked for news, whose signature counts, in the language of the update; to those whose pages
    are in a language without this update nothing is sent.

    Returns:
        How many signatures were looked at; 0 when it is done.
    """
    with transaction.atomic():
        locked = Update.objects.select_for_update(of=("self",)).select_related("statement").get(pk=update.pk)
        if locked.published is None or not locked.mail or locked.mailed is not None:
            return 0
        wanted = Signature.objects.filter(
            statement=locked.statement_id,
            state=SignatureState.CONFIRMED,
            erased=False,
            not_me__isnull=True,
            mail_language=locked.language,
            pk__gt=locked.mailed_through,
            confirmed__lte=locked.published,
            consents__withdrawn__isnull=True,
            consents__text__kind="updates",
        )
        rows = list(wanted.select_related("statement").distinct().order_by("pk")[:limit])
        texts = {
            (text.version_id, text.language): text
            for text in Text.objects.filter(version__statement=locked.statement_id, language=locked.language)
        }
        for row in rows:
            _queue_update(locked, row, texts, now)
        locked.mailed_through = rows[-1].pk if rows else locked.mailed_through
        locked.mailed = None if len(rows) == limit else now
        locked.save(update_fields=["mailed_through", "mailed"])
    update.refresh_from_db()
    return len(rows)


def _queue_update(update: Update, row: Signature, texts: dict[tuple[int, str], Text], now: datetime) -> None:
    text = texts.get((row.version_id, row.language))
    if text is None:  # signed in another language than the page's
        text = Text.objects.get(version=row.version_id, language=row.language)
        texts[row.version_id, row.language] = text
    token = mails.person_token(row.pk, "updates")
    stop = addresses.page_url(update.statement, mails.mail_language(row), f"updates/stop/{token}")
    mails.queue(
        template="update",
        signature=row,
        text=text,
        priority=Mail.Priority.UPDATE,
        now=now,
        context={"update_title": update.title, "update_body": update.body.strip(), "stop_url": stop},
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )
