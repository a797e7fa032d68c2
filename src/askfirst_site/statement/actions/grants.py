"""Codes that let the owner of a mailbox do one thing with their signature. There are no accounts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from askfirst_site.outbox.models import Mail
from askfirst_site.statement import addresses, codes, mails
from askfirst_site.statement.errors import FormError, StatementError, WrongCodeError
from askfirst_site.statement.models import MailedCode, Signature, SignatureState, Text

__all__ = ["ACTIONS", "COUNTED", "Grant", "mail_action_code", "open_grant", "redeem_code", "request_code", "seal_grant"]

CODE_AGE = timedelta(hours=1)
GRANT_AGE_S = 1800
MAILS_HOUR = 3
MAILS_DAY = 6
"""Codes for one signature: enough for the forgetful, too few to annoy anybody with."""
SIGNATURES_MAX = 4
"""Signatures of one mailbox that are mailed about at once: a person and an organisation, under two statements."""

ACTIONS = {
    "withdraw": _("somebody, probably you, wants to withdraw your signature. This is the code for it:"),
    "show": _(
        "somebody, probably you, wants to see your signature, or change how it is shown. This is the code for it:"
    ),
    "export": _("somebody, probably you, wants a copy of everything we have about you. This is the code for it:"),
    "erase": _("somebody, probably you, wants everything about you deleted here. This is the code for it:"),
    "prove": _("somebody, probably you, wants to add a proof to your signature. This is the code for it:"),
    "vouch": _("somebody, probably you, wants to vouch for another signer. This is the code for it:"),
}
"""What a mailed code can be asked for, and what its mail says."""

COUNTED = (SignatureState.CONFIRMED, SignatureState.HELD)


@dataclass(frozen=True, slots=True)
class Grant:
    """The owner of a mailbox may do one thing with one signature."""

    signature: Signature
    action: str


def request_code(
    *, email: str, action: str, now: datetime, randomness: Callable[[int], bytes] = secrets.token_bytes
) -> None:
    """Mail a code for each signature of a mailbox; says nothing about whether there is one.

    Raises:
        FormError: Not an address, or no such action.
    """
    if action not in ACTIONS:
        raise FormError({"action": _("Please choose one.")})
    try:
        address = addresses.clean_email(email)
    except StatementError as error:
        raise FormError({"email": error.user_text}) from error
    with transaction.atomic():
        mac = addresses.email_mac(address)
        rows = Signature.objects.filter(email_mac=mac, erased=False).select_related("statement")
        if action in {"withdraw", "prove", "vouch", "show"}:
            rows = rows.filter(state__in=COUNTED)
        for row in rows.order_by("-id")[:SIGNATURES_MAX]:
            mail_action_code(row, action, now=now, randomness=randomness)


def mail_action_code(
    signature: Signature, action: str, *, now: datetime, randomness: Callable[[int], bytes] = secrets.token_bytes
) -> None:
    """Mail a code for one action on one signature, unless its mailbox had enough of them."""
    recent = MailedCode.objects.filter(signature=signature, created__gt=now - timedelta(days=1))
    times = list(recent.values_list("created", flat=True))
    if len(times) >= MAILS_DAY or sum(when > now - timedelta(hours=1) for when in times) >= MAILS_HOUR:
        return
    code = codes.make_code(action, randomness(32))
    MailedCode.objects.create(signature=signature, action=action, code_mac=codes.code_mac(code), created=now)
    language = mails.mail_language(signature)
    with translation.override(language):
        purpose = str(ACTIONS[action])
    mails.queue(
        template="action",
        signature=signature,
        text=Text.objects.get(version=signature.version_id, language=signature.language),
        priority=Mail.Priority.CODE,
        now=now,
        context={
            "code": code,
            "purpose": purpose,
            "code_url": addresses.page_url(signature.statement, language, "mine/code"),
        },
    )


def redeem_code(*, email: str, code: str, now: datetime) -> Grant:
    """Return what a mailed code allows. It works once, for an hour, and after five wrong tries not at all.

    Raises:
        WrongCodeError: For every reason the same.
    """
    with transaction.atomic():
        grant = _redeem(email, code, now)
    if grant is None:
        raise WrongCodeError
    return grant


def _redeem(email: str, code: str, now: datetime) -> Grant | None:
    try:
        mac = addresses.email_mac(addresses.clean_email(email))
    except StatementError:
        return None
    waiting = MailedCode.objects.filter(
        signature__email_mac=mac, signature__erased=False, used__isnull=True, created__gt=now - CODE_AGE
    )
    rows = list(waiting.select_for_update(of=("self",)).select_related("signature__statement").order_by("-id")[:24])
    open_ones = [row for row in rows if row.tries < codes.TRIES]
    for row in open_ones:
        if codes.is_code(code, bytes(row.code_mac)):
            row.used = now
            row.save(update_fields=["used"])
            return Grant(row.signature, row.action)
    for row in open_ones:
        row.tries += 1
    MailedCode.objects.bulk_update(open_ones, ["tries"])
    return None


def seal_grant(grant: Grant) -> str:
    """Return a grant as text that a page can carry in a form for half an hour."""
    return signing.dumps([grant.signature.pk, grant.action], salt="askfirst.grant")


def open_grant(token: str) -> Grant:
    """Return the grant of a page's form.

    Raises:
        WrongCodeError: It is too old, not ours, or the signature is gone.
    """
    try:
        number, action = signing.loads(token, salt="askfirst.grant", max_age=GRANT_AGE_S)
    except (signing.BadSignature, ValueError) as error:
        raise WrongCodeError from error
    signature = Signature.objects.filter(pk=number, erased=False).select_related("statement", "version").first()
    if signature is None:
        raise WrongCodeError
    return Grant(signature, action)
