"""What signers do with their own signature by a mailed code: withdraw, correct, export, erase, prove, vouch."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from askfirst_site.outbox.actions import address_mac
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import log_entries, mails, names, watching
from askfirst_site.statement.actions.grants import COUNTED, Grant
from askfirst_site.statement.actions.sign_form import SignForm, check_form
from askfirst_site.statement.errors import FormError, NotYetError, RefusedError, WrongCodeError
from askfirst_site.statement.models import (
    Consent,
    Display,
    Signature,
    SignatureState,
    Text,
    WallWord,
)
from askfirst_site.transparency.models import Entry

__all__ = ["change_display", "correct", "end", "erase", "export", "stop_updates", "wipe", "withdraw"]


def _locked(grant: Grant, *actions: str) -> Signature:
    """Return the grant's signature, locked: its state and position are the last ones."""
    if grant.action not in actions:
        raise RefusedError(_("This code is for something else."))
    rows = Signature.objects.select_for_update(of=("self",)).select_related("statement", "version")
    signature = rows.filter(pk=grant.signature.pk, erased=False).first()
    if signature is None:
        raise WrongCodeError
    return signature


def withdraw(*, grant: Grant, now: datetime) -> Signature:
    """Take a signature back: off the wall at once, out of the count with the log's next entries. Twice is once."""
    with transaction.atomic():
        signature = _locked(grant, "withdraw", "erase", "show")
        if signature.state in COUNTED:
            end(signature, SignatureState.WITHDRAWN, now)
        elif signature.state == SignatureState.PENDING:
            signature.delete()
    return signature


def end(signature: Signature, state: str, now: datetime) -> None:
    """End a locked signature that counts or is held, and tell the log if it counted."""
    counted = signature.state == SignatureState.CONFIRMED
    signature.state, signature.ended = state, now
    signature.save()
    WallWord.objects.filter(signature=signature).delete()
    if counted:
        log_entries.add_end(signature, now)


def change_display(*, grant: Grant, display: str, now: datetime) -> Signature:
    """Change how a signer is shown. The log knows nothing about it."""
    with transaction.atomic():
        signature = _locked(grant, "show")
        _change(signature, {"display": display}, now)
    return signature


def correct(  # noqa: PLR0913  # keyword-only; each is a field
    *,
    grant: Grant,
    name: str,
    role: str,
    affiliation: str = "",
    discipline: str,
    country: str = "",
    display: str,
    now: datetime,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> Signature:
    """Change what a signer says about themselves: a new commitment stands in the log, with a new salt.

    A watched name is held first, as if it signed anew.

    Raises:
        FormError: A value cannot be used.
        NotYetError: The signature has no position in the log yet.
    """
    with transaction.atomic():
        signature = _locked(grant, "show")
        values = _checked(signature, name, role, affiliation, discipline, country, display)
        _change(signature, values, now, randomness)
    return signature


def _checked(  # noqa: PLR0913, PLR0917 - each is a field of the form
    signature: Signature, name: str, role: str, affiliation: str, discipline: str, country: str, display: str
) -> dict[str, str]:
    form = SignForm(
        statement=signature.statement,
        language=signature.language,
        mail_language=signature.mail_language,
        kind=signature.kind,
        name=name,
        email="somebody@example.org",
        role=role,
        affiliation=affiliation,
        website=signature.website or "example.org",
        discipline=discipline,
        country=country,
        display=display,
    )
    clean = check_form(form)
    return {key: getattr(clean, key) for key in ("name", "role", "affiliation", "discipline", "country", "display")}


def _change(
    signature: Signature,
    values: dict[str, str],
    now: datetime,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> None:
    if signature.state not in COUNTED:
        raise RefusedError(_("This signature does not count, so there is nothing to change."))
    if values["display"] not in Display.values:
        raise FormError({"display": _("Please choose one.")})
    before = log_entries.fields_of(signature)
    old_name = signature.name
    for field, value in values.items():
        setattr(signature, field, value)
    signature.stale = True
    if log_entries.fields_of(signature) != before:
        _commit_again(signature, old_name, now, randomness)
    signature.save()


def _commit_again(signature: Signature, old_name: str, now: datetime, randomness: Callable[[int], bytes]) -> None:
    if signature.state == SignatureState.HELD:
        return  # its entry is made when it is released
    if signature.position is None:
        raise NotYetError
    signature.salt = randomness(32)
    is_renamed = names.fold_name(old_name) != names.fold_name(signature.name)
    if is_renamed and "watched" in watching.reasons_to_hold(signature):
        signature.flags = [*signature.flags, "watched"]
        end(signature, SignatureState.HELD, now)
        return
    if is_renamed:
        signature.flags = [*signature.flags, "renamed", *watching.hints(signature)]
    signature.correct_entry = log_entries.add_correction(signature, now)


def export(*, grant: Grant) -> dict[str, object]:
    """Return everything that is known about a signature, in words of JSON."""
    with transaction.atomic():
        signature = _locked(grant, "export", "erase")
    plain = [
        "kind",
        "name",
        "role",
        "affiliation",
        "website",
        "discipline",
        "country",
        "display",
        "email_domain",
        "state",
        "flags",
        "level",
        "source",
        "language",
        "mail_language",
        "position",
        "hidden",
    ]
    moments = ["created", "confirmed", "ended", "not_me"]
    text = Text.objects.get(version=signature.version_id, language=signature.language)
    entries = Entry.objects.filter(subject=log_entries.subject_of(signature)).order_by("id")
    notable = getattr(signature, "notable", None)
    return {
        "statement": signature.statement.slug,
        "version": signature.version.number,
        "text": text.sentence,
        "agreed_to": text.consent,
        "email": log_entries.email_of(signature),
        **{name: getattr(signature, name) for name in plain},
        **{name: _moment(getattr(signature, name)) for name in moments},
        "salt": bytes(signature.salt).hex(),
        "log_entries": [json.loads(bytes(entry.payload)) | {"position": entry.position} for entry in entries],
        "consents": [
            {"text": one.text.body, "given": _moment(one.given), "withdrawn": _moment(one.withdrawn)}
            for one in signature.consents.select_related("text")
        ],
        "proofs": [
            {
                "method": one.method,
                "subject": one.subject,
                "checked": _moment(one.checked),
                "expires": _moment(one.expires),
            }
            for one in signature.proofs.all()
        ],
        "vouched_for_by": [one.organisation.name for one in signature.vouches.select_related("organisation")],
        "vouches_for": [one.signature.position for one in signature.vouches_given.select_related("signature")],
        "notable": None if notable is None else {"rank": notable.rank, "provenance": notable.provenance},
        "mails": list(
            Mail.objects.filter(reference=log_entries.subject_of(signature)).order_by("id").values_list("kind", "state")
        ),
    }


def _moment(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def erase(*, grant: Grant, now: datetime) -> None:
    """Delete everything personal about a signature, now: what it says, its salt, its mails, its proofs.

    What stays is an entry of the log that nothing opens any more. If the signature counted, a bare row waits until the
    log has taken in its end, and goes then.
    """
    with transaction.atomic():
        erase_row(_locked(grant, "erase"), now)


def erase_row(signature: Signature, now: datetime) -> None:
    """Erase a locked signature."""
    if signature.state in COUNTED:
        end(signature, SignatureState.WITHDRAWN, now)
    Mail.objects.filter(reference=log_entries.subject_of(signature)).delete()
    if signature.email_encrypted:
        Mail.objects.filter(to_mac=address_mac(log_entries.email_of(signature)), kind="update").delete()
    waits = signature.entry_id is not None and (signature.position is None or bool(signature.tallied))
    if not waits:
        signature.delete()
        return
    wipe(signature)
    signature.erased = True
    signature.save()
    for related in (signature.consents, signature.codes, signature.proofs, signature.vouches, signature.vouches_given):
        related.all().delete()
    if hasattr(signature, "notable"):
        signature.notable.delete()


def wipe(signature: Signature) -> None:
    """Clear what is personal in a row; what the tallies count it as stays until they no longer do."""
    for field in ("name", "role", "affiliation", "website", "email_domain"):
        setattr(signature, field, "")
    for field in ("email_encrypted", "email_mac", "browser_mac", "code_mac", "salt"):
        setattr(signature, field, b"")
    signature.network_mac, signature.challenge, signature.flags = None, None, []


def stop_updates(*, token: str, now: datetime) -> bool:
    """Send no more news to a signer: the link at the end of every one. Returns whether the link was ours."""
    number = mails.read_person_token(token, "updates")
    if number is None:
        return False
    with transaction.atomic():
        Consent.objects.filter(signature=number, withdrawn__isnull=True).update(withdrawn=now)
        waiting = Mail.objects.filter(reference=f"signature:{number}", kind="update", state=Mail.State.QUEUED)
        waiting.update(state=Mail.State.SUPPRESSED, to_encrypted=b"", message_encrypted=b"")
    return True
