"""What moderators do with single signatures, and with names that are watched."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from askfirst_site.accounts.actions import record
from askfirst_site.accounts.models import User
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import addresses, log_entries, mails, names
from askfirst_site.statement.actions.own import end
from askfirst_site.statement.errors import NotYetError, RefusedError
from askfirst_site.statement.models import Signature, SignatureState, Text, WallWord, WatchedName

__all__ = ["hide_line", "hold", "reject_held", "release", "show_line", "unwatch_name", "watch_name"]


def locked_signature(signature: Signature) -> Signature:
    """Return a signature, locked: its state and position are the last ones."""
    rows = Signature.objects.select_for_update(of=("self",)).select_related("statement", "version")
    return rows.get(pk=signature.pk)


def hold(*, actor: User, signature: Signature, reason: str, now: datetime) -> Signature:
    """Take a signature out of count and wall until it is proven; it can be released again.

    Raises:
        RefusedError: It does not count.
    """
    with transaction.atomic():
        row = locked_signature(signature)
        if row.state != SignatureState.CONFIRMED:
            raise RefusedError(_("Only a signature that counts can be held."))
        row.flags = [*row.flags, "held-by-hand"]
        end(row, SignatureState.HELD, now)
        _record(actor, "hold", row, now, reason)
    return row


def release(
    *,
    actor: User | None,
    signature: Signature,
    reason: str = "",
    now: datetime,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> Signature:
    """Count a held signature; or mail its code to a suspect one, that waits for somebody to look.

    Raises:
        NotYetError: The log has not taken in yet that it was held.
        RefusedError: It is neither.
    """
    with transaction.atomic():
        row = locked_signature(signature)
        if row.state == SignatureState.PENDING and row.suspect:
            _mail_first_code(row, now)
        elif row.state == SignatureState.HELD and not row.erased:
            count_again(row, now, randomness)
            queue_mail_about(row, "released", now)
        else:
            raise RefusedError(_("This signature does not wait for anybody."))
        _record(actor, "release", row, now, reason)
    return row


def count_again(row: Signature, now: datetime, randomness: Callable[[int], bytes]) -> None:
    """Give a locked signature that does not count a new entry in the log."""
    if row.entry_id is not None and (row.position is None or row.tallied):
        raise NotYetError
    text = Text.objects.get(version=row.version_id, language=row.language)
    row.salt, row.position, row.correct_entry, row.invalidation = randomness(32), None, None, None
    row.confirmed, row.ended = now, None
    row.entry = log_entries.add_sign(row, text, now)
    row.state = SignatureState.CONFIRMED
    row.save()


def _mail_first_code(row: Signature, now: datetime) -> None:
    row.suspect = False
    row.created = max(row.created, now)  # the code is good for fourteen days from its mail on
    row.save(update_fields=["suspect", "created"])
    text = Text.objects.get(version=row.version_id, language=row.language)
    code = mails.code_of(row)
    url = addresses.page_url(row.statement, mails.mail_language(row), f"code?code={code}")
    context = {"code": code, "code_url": url}
    mails.queue(template="code", signature=row, text=text, priority=Mail.Priority.CODE, now=now, context=context)


def queue_mail_about(row: Signature, template: str, now: datetime, context: dict[str, object] | None = None) -> None:
    """Mail a signer that something happened to their signature."""
    text = Text.objects.get(version=row.version_id, language=row.language)
    mails.queue(template=template, signature=row, text=text, priority=Mail.Priority.REMINDER, now=now, context=context)


def reject_held(*, actor: User, signature: Signature, reason: str, now: datetime) -> Signature:
    """Refuse a signature that is held or suspect; a held one's mailbox is told, kindly.

    Raises:
        RefusedError: It is neither.
    """
    with transaction.atomic():
        row = locked_signature(signature)
        is_held = row.state == SignatureState.HELD
        if not is_held and not (row.state == SignatureState.PENDING and row.suspect):
            raise RefusedError(_("This signature does not wait for anybody."))
        if is_held:
            queue_mail_about(row, "rejected", now)
        row.state, row.ended, row.confirmed = SignatureState.INVALIDATED, now, row.confirmed or now
        row.save()
        _record(actor, "reject_held", row, now, reason)
    return row


def hide_line(*, actor: User, signature: Signature, reason: str, now: datetime) -> Signature:
    """Take a line off the wall; the signature counts as before."""
    with transaction.atomic():
        row = locked_signature(signature)
        row.hidden = True
        row.save(update_fields=["hidden"])
        WallWord.objects.filter(signature=row).delete()
        _record(actor, "hide_line", row, now, reason)
    return row


def show_line(*, actor: User, signature: Signature, reason: str = "", now: datetime) -> Signature:
    """Undo `hide_line`: the line stands as its signer wants it."""
    with transaction.atomic():
        row = locked_signature(signature)
        row.hidden, row.stale = False, True
        row.save(update_fields=["hidden", "stale"])
        _record(actor, "show_line", row, now, reason)
    return row


def watch_name(*, actor: User, name: str, note: str = "", now: datetime) -> WatchedName:
    """Hold signatures under a name from now on until they are proven.

    Raises:
        BadNameError: Not a name.
    """
    clean = names.clean_name(name)
    with transaction.atomic():
        watched, is_new = WatchedName.objects.get_or_create(
            folded=names.fold_name(clean), defaults={"name": clean, "note": note[:400], "added": now}
        )
        if is_new:
            record(
                actor=actor, verb="watch_name", subject=f"watched-name:{watched.pk}", detail={"name": clean}, now=now
            )
    return watched


def unwatch_name(*, actor: User, watched: WatchedName, now: datetime) -> None:
    """Watch a name no longer; what is held stays held."""
    with transaction.atomic():
        subject = f"watched-name:{watched.pk}"
        record(actor=actor, verb="unwatch_name", subject=subject, detail={"name": watched.name}, now=now)
        watched.delete()


def _record(actor: User | None, verb: str, row: Signature, now: datetime, reason: str) -> None:
    record(actor=actor, verb=verb, subject=log_entries.subject_of(row), detail={"reason": reason[:300]}, now=now)
