"""Sign, confirm, ask for the code again, and say that it was somebody else.

Whoever signs sees the same answer, whatever happened: the mailbox tells its owner the rest. What is odd is flagged and
looked at by a person. A link opened by a mail scanner confirms nothing, deletes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from askfirst_site import crypto
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import abuse, addresses, codes, log_entries, mails, watching
from askfirst_site.statement.actions.sign_form import SignForm, check_form
from askfirst_site.statement.consents import updates_text
from askfirst_site.statement.errors import NotOpenError, StatementError, WrongCodeError
from askfirst_site.statement.models import (
    Consent,
    Signature,
    SignatureState,
    Statement,
    Text,
    TextVersion,
)
from askfirst_site.statement.remembered import Remembered

__all__ = ["Confirmed", "Pending", "Visit", "confirm", "not_me", "resend_code", "sign"]

PENDING_AGE = timedelta(days=14)
CLOSING_GRACE = timedelta(days=1)
"""Who signed before the end may still type the code that long."""
CANDIDATES = 8
"""Waiting signatures of one browser or mailbox that a code is tried on, the newest ones."""
MAILS_MAX = 5
"""Mails with a code for one signature."""
RESEND_GAP = timedelta(seconds=60)
CONFIRMED_AGAIN = timedelta(hours=1)
"""A code that has confirmed gives the same answer again that long: people press a button twice."""

_OPEN_STATES = (SignatureState.CONFIRMED, SignatureState.HELD)
_Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Visit:
    """What came with the form.

    Args:
        browser: The cookie of an earlier signature, as bytes; empty for none.
        network: The visitor's address; never stored.
        honeypot: A field that people do not see.
        challenge: The puzzle, and
        solution: what solves it; both empty without JavaScript.
    """

    browser: bytes = b""
    network: str = ""
    honeypot: str = ""
    challenge: str = ""
    solution: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A signature that waits for its code, and the cookie its browser gets. It looks the same for everybody."""

    signature_id: int
    cookie: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A code was right.

    Args:
        signature: The one that counts (or is held: its state says so).
        already: Its mailbox had signed before; that signature stands.
    """

    signature: Signature
    already: bool = False


def sign(*, form: SignForm, visit: Visit, now: datetime, randomness: _Randomness = secrets.token_bytes) -> Pending:
    """Take a signature that waits for its code, and mail the code.

    1. Clean the form; find the text that is signed.
    2. Judge the visit: flags for a person to look at, whether a mail goes out.
    3. In one transaction: one row, and one mail: the code, or to a mailbox that has signed already a word that it has.

    Raises:
        FormError: A field cannot be used.
        NotOpenError: The statement cannot be signed now.
    """
    # Whatever can be looked up and made before is: all who write stand in one line.
    clean = check_form(form)
    text = _text_to_sign(clean, now)
    worked = abuse.check_work(visit.challenge, visit.solution, now)
    cookie = visit.browser.decode("ascii", "ignore") if _is_token(visit.browser) else randomness(18).hex()
    signature = build_row(clean, text, randomness(32), now)
    signature.network_mac = abuse.network_mac(visit.network, now)
    signature.browser_mac = codes.token_mac(cookie.encode())
    judgement = abuse.judge(signature, worked=worked, honeypot=bool(visit.honeypot), now=now)
    signature.flags, signature.suspect = judgement.flags, judgement.suspect
    with transaction.atomic():
        _insert(signature, visit.challenge if worked else None)
        if clean.updates:
            Consent.objects.create(signature=signature, text=updates_text(signature.mail_language), given=now)
        _mail_code(signature, text, now, to=clean.email, already=judgement.again, send=judgement.send)
    return Pending(signature.pk, cookie)


_NEWEST: Remembered[Text] = Remembered()
_SIGNED: Remembered[Text] = Remembered()


def _text_to_sign(form: SignForm, now: datetime) -> Text:
    statement = form.statement
    if (statement.opens and now < statement.opens) or (statement.closes and now >= statement.closes):
        raise NotOpenError
    return _NEWEST.get((statement.pk, form.language), partial(_newest_text, statement, form.language))


def _newest_text(statement: Statement, language: str) -> Text:
    newest = TextVersion.objects.filter(statement=statement, frozen_at__isnull=False).order_by("-number").values("pk")
    text = Text.objects.filter(version__in=newest[:1], language=language).select_related("version").first()
    if text is None:
        raise NotOpenError
    text.version.statement = statement
    return text


def _is_token(cookie: bytes) -> bool:
    return 16 <= len(cookie) <= 64 and cookie.isalnum()


def build_row(form: SignForm, text: Text, salt: bytes, now: datetime) -> Signature:
    """Return a waiting signature without what tells its network and its browser."""
    return Signature(
        statement=form.statement,
        version=text.version,
        language=text.language,
        mail_language=form.mail_language,
        kind=form.kind,
        name=form.name,
        role=form.role,
        affiliation=form.affiliation,
        website=form.website,
        discipline=form.discipline,
        country=form.country,
        display=form.display,
        email_encrypted=crypto.encrypt(form.email.encode()),
        email_mac=addresses.email_mac(form.email),
        email_domain=addresses.domain_of(form.email),
        code_mac=codes.code_mac(codes.make_code("confirm", salt)),
        salt=salt,
        created=now,
        source=form.source,
    )


def _insert(signature: Signature, challenge: str | None) -> None:
    """Insert a row; work that was spent on another signature already is no work."""
    if challenge is not None:
        signature.challenge = challenge
        try:
            with transaction.atomic():
                signature.save(force_insert=True)
        except IntegrityError:
            signature.challenge = None
            signature.flags = [*signature.flags, "work-used"]
        else:
            return
    signature.save(force_insert=True)


def _mail_code(signature: Signature, text: Text, now: datetime, *, to: str, already: bool, send: bool) -> None:
    code = mails.code_of(signature)
    url = addresses.page_url(signature.statement, mails.mail_language(signature), f"code?code={code}")
    mails.queue(
        template="already" if already else "code",
        signature=signature,
        text=text,
        priority=Mail.Priority.CODE,
        now=now,
        to=to,
        context={"code": code, "code_url": url},
        send=send,
    )


def confirm(
    *,
    code: str,
    email: str | None = None,
    browser: bytes | None = None,
    now: datetime,
    randomness: _Randomness = secrets.token_bytes,
) -> Confirmed:
    """Confirm a signature with the code from its mail, in the browser that signed or together with the address.

    1. Which signatures may this be? Those of the browser's cookie, or of the mailbox.
    2. Try the code on each; a wrong one costs each a try. Tries of strangers, who know an address only, count apart:
       they cannot use up those of the signing browser.
    3. Right: counted, or held if the name is watched. Its mailbox has signed before: that signature stands.

    Nothing is locked until the last moment; a row that changed meanwhile is looked at once more.

    Raises:
        WrongCodeError: For every reason the same.
        NotOpenError: The code was right, and too late.
    """
    column = "email_tries" if browser is None else "code_tries"
    for _attempt in range(2):
        candidates = [row for row in _candidates(email, browser, now) if getattr(row, column) < codes.TRIES]
        found = next((row for row in candidates if codes.is_code(code, bytes(row.code_mac))), None)
        if found is None:
            _count_tries(candidates, column)
            raise WrongCodeError
        if found.state != SignatureState.PENDING:
            return Confirmed(found)  # the same button, pressed twice
        confirmed = _confirm(found, now, randomness, unchanged=Q(salt=found.salt, **{f"{column}__lt": codes.TRIES}))
        if confirmed is not None:
            return confirmed
    raise WrongCodeError


_CANDIDATES = """
SELECT * FROM statement_signature WHERE {column} = %s AND created > %s AND NOT erased
AND (state = 'pending' OR (state IN ('confirmed', 'held') AND confirmed > %s)) ORDER BY id DESC LIMIT %s
"""


def _candidates(email: str | None, browser: bytes | None, now: datetime) -> list[Signature]:
    """Return the newest signatures that a code may be for: those that wait, and those that have just been confirmed."""
    if browser is not None and _is_token(browser):
        column, mac = "browser_mac", codes.token_mac(browser)
    elif email is not None:
        try:
            column, mac = "email_mac", addresses.email_mac(addresses.clean_email(email))
        except StatementError:
            return []
    else:
        return []
    moment = connection.ops.adapt_datetimefield_value
    asked = [mac, moment(now - PENDING_AGE), moment(now - CONFIRMED_AGAIN), CANDIDATES]
    return list(Signature.objects.raw(_CANDIDATES.format(column=column), asked))


def _count_tries(rows: list[Signature], column: str) -> None:
    if not rows:
        return
    with transaction.atomic():
        # Locked in the order of ids, as the sequencer does: two that wait for each other would wait for ever.
        locked = Signature.objects.filter(pk__in=[row.pk for row in rows]).select_for_update().order_by("pk")
        Signature.objects.filter(pk__in=list(locked.values_list("pk", flat=True))).update(**{column: F(column) + 1})


def _confirm(signature: Signature, now: datetime, randomness: _Randomness, *, unchanged: Q) -> Confirmed | None:
    """Count a waiting signature; None if it is not what it was any more."""
    text = _signed_text(signature)
    closes = text.version.statement.closes
    if closes and now >= closes + CLOSING_GRACE:
        raise NotOpenError
    signature.statement, signature.version = text.version.statement, text.version
    reasons = _examine(signature, now, randomness)
    try:
        with transaction.atomic():
            _enter(signature, text, reasons, now)
            waiting = Signature.objects.filter(unchanged, pk=signature.pk, state=SignatureState.PENDING, erased=False)
            is_counted = waiting.update(**{name: getattr(signature, name) for name in _SETTLED}) == 1
            transaction.set_rollback(not is_counted)
    except IntegrityError:  # its mailbox has signed before: the constraint knows, whoever was faster by a moment
        with transaction.atomic():
            Signature.objects.filter(unchanged, pk=signature.pk, state=SignatureState.PENDING).delete()
        earlier = Signature.objects.filter(
            statement=signature.statement_id, kind=signature.kind, email_mac=signature.email_mac, state__in=_OPEN_STATES
        ).first()
        return None if earlier is None else Confirmed(earlier, already=True)
    return Confirmed(signature) if is_counted else None


def _signed_text(signature: Signature) -> Text:
    """Return the text that a signature is under, with its version and statement; kept for a moment."""
    texts = Text.objects.select_related("version__statement")
    make = partial(texts.get, version=signature.version_id, language=signature.language)
    return _SIGNED.get((signature.version_id, signature.language), make)


_SETTLED = ("salt", "flags", "confirmed", "suspect", "not_me", "state", "entry")


def settle(signature: Signature, *, now: datetime, randomness: _Randomness) -> None:
    """Count a signature whose code was right, or hold it if its name is one that others borrow."""
    reasons = _examine(signature, now, randomness)
    _enter(signature, _signed_text(signature), reasons, now)
    signature.save(update_fields=_SETTLED)


def _examine(signature: Signature, now: datetime, randomness: _Randomness) -> list[str]:
    """Set what a right code changes; return why the signature is held."""
    reasons = watching.reasons_to_hold(signature)
    hints = [] if "watched" in reasons else watching.hints(signature)
    # Codes are made from the salt, and the log opens with it: each has its own.
    signature.salt = randomness(32)
    signature.flags = [*signature.flags, *reasons, *hints]
    signature.confirmed, signature.suspect, signature.not_me = now, False, None
    signature.state = SignatureState.HELD if reasons else SignatureState.CONFIRMED
    return reasons


def _enter(signature: Signature, text: Text, reasons: list[str], now: datetime) -> None:
    """Tell the log, or whoever signed that a person looks at it first."""
    if reasons:
        mails.queue(
            template="held",
            signature=signature,
            text=text,
            priority=Mail.Priority.REMINDER,
            now=now,
            context={"organisation": "organisation" in reasons},
        )
    else:
        signature.entry = log_entries.add_sign(signature, text, now)


def resend_code(*, email: str | None = None, browser: bytes | None = None, now: datetime) -> None:
    """Mail the code of the newest waiting signature again; a used-up code is replaced. Answers nothing, ever.

    At most five mails a signature, one a minute, none to a mailbox whose owner said no.
    """
    with transaction.atomic():
        waiting = [row.pk for row in _candidates(email, browser, now) if row.state == SignatureState.PENDING]
        rows = Signature.objects.filter(pk__in=waiting[:1], state=SignatureState.PENDING, erased=False)
        for row in rows.select_related("statement", "version").select_for_update(of=("self",)):
            last = Mail.objects.filter(reference=log_entries.subject_of(row)).order_by("-id").first()
            too_soon = last is not None and last.created > now - RESEND_GAP
            if too_soon or row.code_mails >= MAILS_MAX or row.not_me or row.suspect:
                continue
            if max(row.code_tries, row.email_tries) >= codes.TRIES:
                row.code_round += 1
                row.code_tries = row.email_tries = 0
                row.code_mac = codes.code_mac(mails.code_of(row))
            row.code_mails += 1
            row.save(update_fields=["code_round", "code_tries", "email_tries", "code_mac", "code_mails"])
            _mail_code(row, _signed_text(row), now, to=log_entries.email_of(row), already=has_signed(row), send=True)


def has_signed(row: Signature) -> bool:
    """Return whether a signature's mailbox has another one that counts, or is held."""
    return Signature.objects.filter(
        statement=row.statement_id, kind=row.kind, email_mac=row.email_mac, state__in=_OPEN_STATES
    ).exists()


def not_me(*, token: str, now: datetime) -> bool:
    """Stop all mail about a signature: its mailbox's owner says that it was somebody else.

    It deletes nothing and withdraws nothing: mail scanners open and post every link. A waiting signature gets no more
    mail and is erased after two days, unless its code is typed after all. A confirmed one is shown to moderators.

    Returns:
        Whether the link was one of ours.
    """
    number = mails.read_person_token(token, "not-me")
    if number is None:
        return False
    with transaction.atomic():
        Signature.objects.filter(pk=number, not_me__isnull=True).update(not_me=now)
        waiting = Mail.objects.filter(reference=f"signature:{number}", kind="reminder", state=Mail.State.QUEUED)
        waiting.update(state=Mail.State.SUPPRESSED, to_encrypted=b"", message_encrypted=b"")
    return True
