"""Receipts, made when somebody asks: everything in them stands in the log's folder, but for the salt and the fields."""

from __future__ import annotations

from django.conf import settings

from askfirst.io.log_files import LogFolder
from askfirst.proof.receipt import build_receipt
from askfirst.tlog.checkpoint import Checkpoint
from askfirst.tlog.entries import Correct, Sign, parse_entry
from askfirst.tlog.note import split_note
from askfirst.tlog.proof_file import TlogProof
from askfirst_site.statement import log_entries
from askfirst_site.statement.models import Signature
from askfirst_site.transparency.models import Checkpoint as SignedCheckpoint
from askfirst_site.transparency.models import Entry

__all__ = ["receipt_of"]


def receipt_of(signature: Signature) -> str | None:
    """Return the receipt of a signature as a `.tlog-proof`; None until a published checkpoint covers its entry.

    It stands on the newest checkpoint, with the cosignatures of those who watch the log. After a correction it is the
    receipt of the correction.
    """
    if signature.erased or signature.entry_id is None:
        return None
    entry = Entry.objects.get(pk=signature.entry_id)
    newest = signature.correct_entry or entry
    folder = LogFolder(settings.ASKFIRST.log_folder)
    note = folder.checkpoint()
    if note is None or newest.position is None:
        return None
    size = Checkpoint.parse(split_note(note)[0]).size
    if newest.position >= size:
        return None
    hashes = tuple(folder.prove_inclusion(newest.position, size))
    proof = TlogProof(newest.position, hashes, with_cosignatures(note, size))
    sign = parse_entry(bytes(entry.payload))
    correct = parse_entry(bytes(newest.payload)) if newest is not entry else None
    if not isinstance(sign, Sign) or not isinstance(correct, Correct | None):
        return None
    return build_receipt(proof, sign, bytes(signature.salt), log_entries.fields_of(signature), correct)


def with_cosignatures(note: str, size: int) -> str:
    """Return a checkpoint's note with the lines of the witnesses that have seen it, each once."""
    checkpoint = SignedCheckpoint.objects.filter(size=size).first()
    if checkpoint is None:
        return note
    lines = checkpoint.cosignatures.order_by("witness").values_list("line", flat=True)
    new = [line.strip() for line in lines if line.strip() and line.strip() not in note]
    return note + "".join(f"{line}\n" for line in new)
