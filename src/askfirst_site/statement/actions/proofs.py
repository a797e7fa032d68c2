"""The evidence ladder: a domain of one's own, an ORCID iD, a verified organisation that vouches, a moderator who asked.

Only how, what for, when and until when is kept. A level never rises silently, and lost evidence lowers it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from askfirst.errors import FetchError
from askfirst_site.accounts.actions import record
from askfirst_site.accounts.models import User
from askfirst_site.statement import addresses, log_entries, names
from askfirst_site.statement.actions.grants import Grant
from askfirst_site.statement.actions.review import count_again, locked_signature, queue_mail_about
from askfirst_site.statement.errors import FormError, RefusedError, StatementError, WrongCodeError
from askfirst_site.statement.evidence_fetch import Fetcher, Resolver, fetch_file, fetch_records
from askfirst_site.statement.models import Kind, Level, Proof, Signature, SignatureState, Vouch

__all__ = [
    "PROOF_PREFIX",
    "check_domain_proof",
    "prove_by_hand",
    "prove_orcid",
    "recheck_proofs",
    "revoke_vouch",
    "start_domain_proof",
    "vouch",
]

PROOF_PREFIX = "askfirst-proof="
"""What the line in DNS or in the well-known file begins with."""
PROOF_AGE = timedelta(days=365)
PROOFS_MAX = 10
_ORCID = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]")
_SHOWN = (SignatureState.CONFIRMED, SignatureState.HELD)
_TRUSTED = ("dns", "well-known", "orcid", "by-hand")


def _own(grant: Grant, action: str) -> Signature:
    if grant.action != action:
        raise RefusedError(_("This code is for something else."))
    row = Signature.objects.select_for_update(of=("self",)).select_related("statement", "version")
    signature = row.filter(pk=grant.signature.pk, erased=False, state__in=_SHOWN).first()
    if signature is None:
        raise WrongCodeError
    return signature


def start_domain_proof(
    *, grant: Grant, domain: str, now: datetime, randomness: Callable[[int], bytes] = secrets.token_bytes
) -> Proof:
    """Return what must stand in DNS or in a file to prove a domain: `askfirst-proof=TOKEN`. Asked again, the same.

    Raises:
        FormError: Not a domain of one's own; for an organisation, not the one it signed with.
    """
    try:
        host = addresses.clean_website(domain)
    except StatementError as error:
        raise FormError({"domain": error.user_text}) from error
    if not host:
        raise FormError({"domain": _("This is needed.")})
    with transaction.atomic():
        signature = _own(grant, "prove")
        if signature.kind == Kind.ORGANISATION and host != signature.website:
            raise FormError({"domain": _("An organisation proves the domain that it signed with.")})
        earlier = signature.proofs.filter(subject=host).exclude(token="").first()
        if earlier is not None:
            return earlier
        if signature.proofs.count() >= PROOFS_MAX:
            raise RefusedError(_("These are many domains. Please write to us."))
        token = randomness(16).hex()
        detail = {"domain": host}
        record(actor=None, verb="start_proof", subject=log_entries.subject_of(signature), detail=detail, now=now)
        return Proof.objects.create(signature=signature, method="domain", subject=host, token=token)


def check_domain_proof(
    *, proof: Proof, fetcher: Fetcher = fetch_file, resolver: Resolver = fetch_records, now: datetime
) -> Proof:
    """Look for a proof's line in DNS, then in the well-known file; write down what was found.

    A proven organisation that was held for that reason only counts from now on.

    Returns:
        The proof: `checked` is set, or `failure` says in words why not.
    """
    method, failure = _look(proof, fetcher, resolver)
    with transaction.atomic():
        signature = locked_signature(proof.signature)
        row = Proof.objects.select_for_update().get(pk=proof.pk)
        if method:
            row.method, row.checked, row.expires, row.failure = method, now, now + PROOF_AGE, ""
        else:
            row.checked, row.expires, row.failure = None, None, failure[:200]
        row.save()
        refresh_level(signature, now)
        reasons = {"organisation", "watched", "held-by-hand"} & set(signature.flags)
        if method and signature.state == SignatureState.HELD and reasons == {"organisation"}:
            count_again(signature, now, secrets.token_bytes)
            queue_mail_about(signature, "released", now)
    return row


def _look(proof: Proof, fetcher: Fetcher, resolver: Resolver) -> tuple[str, str]:
    """Return the method that proves, or an empty one and why none does. Nothing is locked while others answer."""
    line = f"{PROOF_PREFIX}{proof.token}"
    try:
        records = resolver(proof.subject)
    except FetchError:
        records = []
    if any(_is(line, record) for record in records):
        return "dns", ""
    try:
        text = fetcher(proof.subject)
    except FetchError as error:
        found = _("a TXT record that says something else") if records else _("no TXT record")
        return "", f"{found}; {error.message}"
    if any(_is(line, one) for one in text.splitlines()[:100]):
        return "well-known", ""
    return "", str(_("the file is there, and our line is not in it"))


def _is(line: str, found: str) -> bool:
    return hmac.compare_digest(line.encode(), found.strip().encode("utf-8", "replace"))


def prove_orcid(*, grant: Grant, orcid: str, now: datetime) -> Proof:
    """Record that a person has signed in at ORCID; proven again, the same proof holds for another year.

    Args:
        grant: Of a code that was mailed to prove something.
        orcid: The iD that ORCID itself named, such as `0000-0002-1825-0097`. Nothing else of the record is kept.
        now: The time.

    Raises:
        RefusedError: Not an iD, it proves another signature already, or an organisation signed.
    """
    if not is_orcid(orcid):
        raise RefusedError(_("This is not an ORCID iD."))
    with transaction.atomic():
        signature = _own(grant, "prove")
        if signature.kind != Kind.PERSON:
            raise RefusedError(_("An ORCID iD says who a person is. An organisation proves its domain."))
        same = Proof.objects.filter(method="orcid", subject=orcid, expires__gt=now, signature__state__in=_SHOWN)
        if same.filter(signature__statement=signature.statement_id).exclude(signature=signature).exists():
            raise RefusedError(_("This ORCID iD proves another signature already."))
        known = signature.proofs.filter(method="orcid", subject=orcid).exists()
        if not known and signature.proofs.count() >= PROOFS_MAX:
            raise RefusedError(_("These are many proofs. Please write to us."))
        proof, _is_new = Proof.objects.update_or_create(
            signature=signature, method="orcid", subject=orcid, defaults={"checked": now, "expires": now + PROOF_AGE}
        )
        refresh_level(signature, now)
        # Not which one: what staff did and what happened is kept for ever, a proof only as long as its signature.
        record(actor=None, verb="prove_orcid", subject=log_entries.subject_of(signature), detail={}, now=now)
    return proof


def is_orcid(text: str) -> bool:
    """Return whether a text is an ORCID iD, its check digit included.

    Source:
        ISO/IEC 7064, MOD 11-2; ORCID, "Structure of the ORCID Identifier".
    """
    if not _ORCID.fullmatch(text):
        return False
    digits = text.replace("-", "")
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return digits[-1] == "0123456789X"[(12 - total % 11) % 11]


def refresh_level(signature: Signature, now: datetime) -> None:
    """Set a locked signature's level to what its evidence says now, and those it vouches for."""
    proofs = signature.proofs.filter(checked__isnull=False, expires__gt=now, method__in=_TRUSTED)
    vouched = signature.vouches.filter(
        revoked__isnull=True,
        organisation__state=SignatureState.CONFIRMED,
        organisation__level__gte=Level.DOMAIN,
        organisation__erased=False,
    )
    level = Level.VOUCHED if vouched.exists() else Level.DOMAIN if proofs.exists() else Level.EMAIL
    if signature.level == level:
        return
    before, signature.level, signature.stale = signature.level, level, True
    signature.save(update_fields=["level", "stale"])
    detail = {"from": int(before), "to": int(level)}
    record(actor=None, verb="change_level", subject=log_entries.subject_of(signature), detail=detail, now=now)
    if signature.kind == Kind.ORGANISATION:
        given = Vouch.objects.filter(organisation=signature, revoked__isnull=True).exclude(signature=signature)
        for one in given.select_related("signature").order_by("signature_id"):
            row = locked_signature(one.signature)
            if row.kind == Kind.PERSON:
                refresh_level(row, now)


def vouch(*, grant: Grant, position: int, now: datetime) -> Vouch:
    """Let a verified organisation say that the person at a position of the log is who they say they are.

    Raises:
        RefusedError: The organisation's domain is not proven, or there is no such person.
    """
    with transaction.atomic():
        organisation, signer = _pair(grant, position)
        made, _is_new = Vouch.objects.update_or_create(
            organisation=organisation, signature=signer, defaults={"at": now, "revoked": None}
        )
        refresh_level(signer, now)
    return made


def revoke_vouch(*, grant: Grant, position: int, now: datetime) -> None:
    """Take a vouch back; the signer's level falls to what the rest of the evidence says."""
    with transaction.atomic():
        organisation, signer = _pair(grant, position)
        Vouch.objects.filter(organisation=organisation, signature=signer, revoked__isnull=True).update(revoked=now)
        refresh_level(signer, now)


def _pair(grant: Grant, position: int) -> tuple[Signature, Signature]:
    organisation = _own(grant, "vouch")
    if organisation.kind != Kind.ORGANISATION or organisation.level < Level.DOMAIN:
        raise RefusedError(_("Only an organisation whose domain is proven can vouch."))
    signer = Signature.objects.filter(
        statement=organisation.statement_id, position=position, kind=Kind.PERSON, state=SignatureState.CONFIRMED
    ).first()
    if signer is None:
        raise RefusedError(_("No person who counts has this number."))
    return organisation, locked_signature(signer)


def prove_by_hand(*, actor: User, signature: Signature, how: str, now: datetime) -> Proof:
    """Record that a moderator made sure, outside the site, that a signer is who they say they are.

    Raises:
        FormError: Nobody says how.
    """
    line = names.clean_text(how.strip())[:255]
    if not line:
        raise FormError({"how": _("Write down how you know that it is really them.")})
    with transaction.atomic():
        row = locked_signature(signature)
        proof = Proof.objects.create(
            signature=row, method="by-hand", subject=line, checked=now, checked_by=actor, expires=now + PROOF_AGE
        )
        refresh_level(row, now)
        record(actor=actor, verb="prove_by_hand", subject=log_entries.subject_of(row), detail={"how": line}, now=now)
    return proof


def recheck_proofs(
    *, fetcher: Fetcher = fetch_file, resolver: Resolver = fetch_records, limit: int = 200, now: datetime
) -> int:
    """Look again at domain proofs that are a year old; whose line is gone loses the mark, and gets a mail.

    Returns:
        How many were looked at.
    """
    due = Proof.objects.filter(
        checked__isnull=False, expires__lte=now, method__in=["dns", "well-known"], signature__erased=False
    )
    proofs = list(due.select_related("signature").order_by("expires")[:limit])
    for proof in proofs:
        after = check_domain_proof(proof=proof, fetcher=fetcher, resolver=resolver, now=now)
        if after.checked is None:
            with transaction.atomic():
                signature = locked_signature(proof.signature)
                if signature.state in _SHOWN:
                    queue_mail_about(signature, "proof_lost", now, {"domain": proof.subject})
    over = Proof.objects.filter(method__in=["by-hand", "orcid"], expires__lte=now)
    for proof in over.select_related("signature")[:limit]:
        with transaction.atomic():
            refresh_level(locked_signature(proof.signature), now)
    return len(proofs)
