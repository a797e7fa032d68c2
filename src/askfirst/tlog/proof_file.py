"""Proofs as files: an entry's position, its path to the root, and the signed checkpoint that has this root.

Source: c2sp.org/tlog-proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from askfirst.errors import FormatError
from askfirst.tlog.checkpoint import parse_decimal
from askfirst.tlog.keys import decode_base64, encode_base64
from askfirst.tlog.tree import HASH_BYTES

__all__ = ["PROOF_HEADER", "PROOF_LIMIT_BYTES", "TlogProof", "encode_proof", "parse_proof"]

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
PROOF_LIMIT_BYTES = 1 << 19
_HASHES_LIMIT = 63


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That an entry is in a log.

    Args:
        index: Position of the entry.
        hashes: From the leaf's sibling up to the root's child, 32 bytes each.
        checkpoint_note: The signed checkpoint, word for word.
        extra: Whatever else is needed to make the leaf again; nothing vouches for it.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint_note: str
    extra: bytes | None = None


def encode_proof(index: int, hashes: Sequence[bytes], checkpoint_note: str, extra: bytes | None = None) -> str:
    """Return a proof as text.

    Args:
        index: Position of the entry.
        hashes: As from `prove_inclusion`.
        checkpoint_note: The signed checkpoint.
        extra: Whatever else is needed to make the leaf again.
    """
    lines = [PROOF_HEADER]
    if extra is not None:
        lines.append(f"extra {encode_base64(extra)}")
    lines += [f"index {index}", *map(encode_base64, hashes), "", checkpoint_note]
    return "\n".join(lines)


def parse_proof(text: str) -> TlogProof:
    """Read a proof; what it says is not checked yet.

    Raises:
        FormatError: It is not one.
    """
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(text) > PROOF_LIMIT_BYTES or lines.pop(0) != PROOF_HEADER:
        raise FormatError("this is not a proof of a log", expected=PROOF_HEADER, found=text[:40])
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise FormatError("a proof has no line with an index", expected="index NUMBER")
    index = parse_decimal(lines.pop(0).removeprefix("index "))
    hashes = tuple(decode_base64(line) for line in lines)
    if len(hashes) > _HASHES_LIMIT or any(len(each) != HASH_BYTES for each in hashes):
        raise FormatError("a proof has a line that is no hash", expected=f"up to {_HASHES_LIMIT} lines of 32 bytes")
    return TlogProof(index, hashes, note, extra)
