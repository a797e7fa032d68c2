"""Take many signatures out together: looked at first, for a reason everybody can read, with a batch in the log."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from askfirst_site.accounts.actions import record
from askfirst_site.accounts.models import User
from askfirst_site.statement import log_entries, names
from askfirst_site.statement.actions.review import count_again, locked_signature
from askfirst_site.statement.errors import FormError, RefusedError
from askfirst_site.statement.models import Invalidation, Level, Signature, SignatureState, Statement, WallWord

__all__ = ["Criteria", "Preview", "invalidate", "preview_invalidation", "restore_signature"]

SAMPLE = 50
CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which signatures are meant; every condition that is given must hold.

    Args:
        signature_ids: These.
        email_domain: With addresses at this domain.
        network_of: From the same network, on the same day, as this signature.
        created_from: Signed then or later, and
        created_to: before then.
        flag: With this flag, such as `burst`.
        name_contains: With this in their name, whatever its case.
    """

    signature_ids: tuple[int, ...] = ()
    email_domain: str = ""
    network_of: int | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    flag: str = ""
    name_contains: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an invalidation would do.

    Args:
        count: Signatures that would be taken out: counted, held and waiting ones.
        counted: Those of them that are in the public count now.
        sample: Some of them.
        spared: Signatures that fit, and stay: notable or proven ones. They are looked at one by one.
    """

    count: int
    counted: int
    sample: list[Signature]
    spared: list[Signature]


def _meant(statement: Statement, criteria: Criteria) -> QuerySet[Signature]:
    if criteria == Criteria():
        raise FormError({"criteria": _("Say which signatures are meant.")})
    rows = Signature.objects.filter(
        statement=statement,
        erased=False,
        state__in=[SignatureState.PENDING, SignatureState.CONFIRMED, SignatureState.HELD],
    )
    if criteria.signature_ids:
        rows = rows.filter(pk__in=criteria.signature_ids)
    if criteria.email_domain:
        rows = rows.filter(email_domain=criteria.email_domain.strip().lower())
    if criteria.network_of is not None:
        network = Signature.objects.filter(pk=criteria.network_of).values_list("network_mac", flat=True).first()
        rows = rows.filter(network_mac=network) if network else rows.none()
    if criteria.created_from:
        rows = rows.filter(created__gte=criteria.created_from)
    if criteria.created_to:
        rows = rows.filter(created__lt=criteria.created_to)
    if criteria.flag:
        rows = rows.filter(flags__icontains=f'"{criteria.flag}')
    if criteria.name_contains:
        rows = rows.filter(name__icontains=criteria.name_contains)
    return rows.order_by("pk")


def _is_spared() -> Q:
    return Q(notable__isnull=False) | Q(level__gt=Level.EMAIL)


def preview_invalidation(*, statement: Statement, criteria: Criteria) -> Preview:
    """Return what `invalidate` would take out, and what it would leave in.

    Raises:
        FormError: Nothing is said about which signatures are meant.
    """
    rows = _meant(statement, criteria)
    taken = rows.exclude(_is_spared())
    return Preview(
        count=taken.count(),
        counted=taken.filter(state=SignatureState.CONFIRMED).count(),
        sample=list(taken[:SAMPLE]),
        spared=list(rows.filter(_is_spared())[:SAMPLE]),
    )


def invalidate(  # keyword-only
    *,
    actor: User,
    statement: Statement,
    criteria: Criteria,
    reason: str,
    now: datetime,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> Invalidation:
    """Take signatures out. Everybody reads how many and why; one entry of the log for the batch, one for each.

    1. Lock what is meant, in the order of ids, notable and proven signatures left out.
    2. The batch: how many of those that counted, why.
    3. Each signature's end; where the log has no position yet, the sequencer adds it.

    Raises:
        FormError: No reason, or nothing is said about which signatures are meant.
        RefusedError: Nothing is left to take out.
    """
    line = names.clean_line(reason, longest=300)
    if not line:
        raise FormError({"reason": _("Everybody will read the reason: please give one.")})
    with transaction.atomic():
        meant = _meant(statement, criteria).exclude(_is_spared()).values_list("pk", flat=True)
        rows = list(
            Signature.objects.select_for_update(of=("self",))
            .filter(pk__in=meant.order_by())
            .only("pk", "state", "position", "confirmed")
            .order_by("pk")
        )
        counted = [row for row in rows if row.state == SignatureState.CONFIRMED]
        if not rows:
            raise RefusedError(_("No signature is left that fits."))
        batch = Invalidation.objects.create(
            statement=statement,
            criteria=_plain(criteria),
            reason=line,
            count=len(counted),
            by=actor,
            at=now,
            batch=randomness(8).hex(),
        )
        if counted:
            batch.entry = log_entries.add_batch(batch, len(counted), now)
            batch.save(update_fields=["entry"])
        _end_all(rows, counted, batch, now)
        record(
            actor=actor,
            verb="invalidate",
            subject=f"invalidation:{batch.pk}",
            detail={"rows": len(rows), "counted": len(counted), "reason": line},
            now=now,
        )
    return batch


def _end_all(rows: list[Signature], counted: list[Signature], batch: Invalidation, now: datetime) -> None:
    for row in counted:
        row.invalidation = batch
    log_entries.add_ends(counted, now)
    ids = [row.pk for row in rows]
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        WallWord.objects.filter(signature__in=some).delete()
        chunk = Signature.objects.filter(pk__in=some)
        chunk.filter(confirmed__isnull=True).update(confirmed=now)
        chunk.update(state=SignatureState.INVALIDATED, invalidation=batch, ended=now)


def _plain(criteria: Criteria) -> dict[str, object]:
    values = {name: value for name, value in asdict(criteria).items() if value not in {None, "", ()}}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def restore_signature(
    *,
    actor: User,
    signature: Signature,
    reason: str,
    now: datetime,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> Signature:
    """Count an invalidated signature again, with a new entry in the log.

    Raises:
        NotYetError: The log has not taken in its end yet.
        RefusedError: It was not invalidated, its code was never typed, or its mailbox has signed again since.
    """
    with transaction.atomic():
        row = locked_signature(signature)
        again = Signature.objects.filter(
            statement=row.statement_id,
            kind=row.kind,
            email_mac=row.email_mac,
            state__in=[SignatureState.CONFIRMED, SignatureState.HELD],
        )
        if row.state != SignatureState.INVALIDATED or row.erased or row.entry_id is None:
            raise RefusedError(_("This signature cannot be restored."))
        if again.exists():
            raise RefusedError(_("This mailbox has signed again since."))
        count_again(row, now, randomness)
        detail = {"reason": reason[:300]}
        record(actor=actor, verb="restore_signature", subject=log_entries.subject_of(row), detail=detail, now=now)
    return row
