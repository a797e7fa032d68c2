"""What the log is told about statements and signatures: entries without names, in the transaction of what happened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from askfirst.proof.receipt import FIELDS, commit
from askfirst.tlog.entries import (
    Batch,
    Correct,
    Invalidate,
    Sign,
    StatementVersion,
    Withdraw,
    encode_entry,
    manifest_digest,
    signed_digest,
)
from askfirst_site import crypto
from askfirst_site.statement.models import Invalidation, Signature, Text, TextVersion
from askfirst_site.transparency.actions import add_entry
from askfirst_site.transparency.models import Entry

__all__ = [
    "add_batch",
    "add_correction",
    "add_end",
    "add_ends",
    "add_sign",
    "add_version",
    "email_of",
    "fields_of",
    "hour_of",
    "manifest_hash",
    "manifest_of",
    "signature_id",
    "subject_of",
    "text_digest",
]


def hour_of(moment: datetime) -> str:
    """Return the hour of a moment as the log has it, such as `2026-11-22T05Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%HZ}"


def subject_of(signature: Signature) -> str:
    """Return how entries and mails name a signature."""
    return f"signature:{signature.pk}"


def signature_id(subject: str) -> int | None:
    """Return the id in a subject, if it names a signature."""
    kind, _colon, number = subject.partition(":")
    return int(number) if kind == "signature" else None


def email_of(signature: Signature) -> str:
    """Return a signer's address; empty once it is erased."""
    return crypto.decrypt(bytes(signature.email_encrypted)).decode() if signature.email_encrypted else ""


def fields_of(signature: Signature) -> dict[str, str]:
    """Return what a signature's commitment is made of."""
    values = {name: "" if name == "email" else getattr(signature, name) for name in FIELDS}
    return values | {"email": email_of(signature)}


def text_digest(text: Text) -> str:
    """Return the digest of a sentence and the consent asked with it, in one language."""
    return signed_digest(text.sentence, text.consent, text.language)


def manifest_of(version: TextVersion, texts: Sequence[Text]) -> dict[str, object]:
    """Return what binds a version's texts in all languages."""
    inner = {
        text.language: {
            "text": text.sentence,
            "consent": text.consent,
            "translator": text.translator,
            "reviewer": text.reviewer,
        }
        for text in texts
    }
    return {"statement": version.statement.slug, "version": version.number, "texts": inner}


def manifest_hash(version: TextVersion, texts: Sequence[Text]) -> str:
    """Return the digest of a version's texts in all languages."""
    return manifest_digest(manifest_of(version, texts))


def _add(
    entry: StatementVersion | Sign | Correct | Withdraw | Batch | Invalidate, subject: str, now: datetime
) -> Entry:
    return add_entry(payload=json.loads(encode_entry(entry)), subject=subject, now=now)


def add_version(version: TextVersion, texts: Sequence[Text], now: datetime) -> Entry:
    """Tell the log that a version of a statement can be signed."""
    digest = manifest_hash(version, texts)
    return _add(StatementVersion(version.statement.slug, version.number, digest), f"version:{version.pk}", now)


def add_sign(signature: Signature, text: Text, now: datetime) -> Entry:
    """Tell the log that somebody signed. Its salt must be new for every entry."""
    entry = Sign(
        statement=signature.statement.slug,
        version=signature.version.number,
        lang=text.language,
        signed=text.signed_hash,
        kind=signature.kind,
        hour=hour_of(now),
        commitment=commit(bytes(signature.salt), fields_of(signature)),
    )
    return _add(entry, subject_of(signature), now)


def add_correction(signature: Signature, now: datetime) -> Entry:
    """Tell the log that a signer corrected what they say about themselves; the signature has a new salt by now."""
    commitment = commit(bytes(signature.salt), fields_of(signature))
    return _add(Correct(int(signature.position or 0), commitment, hour_of(now)), subject_of(signature), now)


def add_end(signature: Signature, now: datetime) -> Entry | None:
    """Tell the log that a signature no longer counts.

    Returns:
        The entry; None where the `sign` entry has no position yet. The sequencer then adds the end, as soon as it gives
        the position.
    """
    if signature.position is None:
        return None
    return _add(_end_of(signature, now), subject_of(signature), now)


def _end_of(signature: Signature, now: datetime) -> Withdraw | Invalidate:
    position = int(signature.position or 0)
    if signature.invalidation is not None:
        return Invalidate(position, signature.invalidation.batch, hour_of(now))
    return Withdraw(position, hour_of(now))


def add_ends(signatures: Iterable[Signature], now: datetime) -> None:
    """Tell the log about many ends at once; those without a position are left to the sequencer."""
    entries = []
    for signature in signatures:
        if signature.position is not None:
            end = _end_of(signature, now)
            kind = "invalidate" if isinstance(end, Invalidate) else "withdraw"
            entries.append(Entry(payload=encode_entry(end), kind=kind, subject=subject_of(signature), created=now))
    Entry.objects.bulk_create(entries, batch_size=1000)


def add_batch(invalidation: Invalidation, count: int, now: datetime) -> Entry:
    """Tell the log how many signatures are about to be removed, and why."""
    entry = Batch(invalidation.batch, invalidation.statement.slug, invalidation.reason, count, hour_of(now))
    return _add(entry, f"invalidation:{invalidation.pk}", now)
