"""Cosignatures: a witness states when it saw a checkpoint that continues every one it saw before.

Signature type 0x04, Ed25519 over `cosignature/v1`, the time, and the note's body. Source: c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from askfirst.errors import FormatError, ProofError
from askfirst.tlog.keys import (
    PrivateKey,
    PublicKey,
    encode_base64,
    verify_ed25519,
)
from askfirst.tlog.note import signature_lines, split_note

__all__ = ["CosignatureSigner", "CosignatureVerifier", "add_cosignature"]

COSIGNATURE = b"\x04"
_TIME_BYTES = 8
_TIME_LIMIT_S = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CosignatureVerifier(PublicKey):
    """A public key of a witness."""

    KIND = COSIGNATURE

    def verify(self, body: str, signature: bytes) -> int:
        """Check a cosignature over a checkpoint's body and return its time, in seconds since 1970.

        Raises:
            ProofError: It is not by this key over this text.
        """
        time_s = int.from_bytes(signature[:_TIME_BYTES])
        if time_s > _TIME_LIMIT_S:
            raise ProofError(f"the signature by {self.name} is bad", kind="signature")
        verify_ed25519(self.name, self.public_key, signature[_TIME_BYTES:], _message(body, time_s))
        return time_s


class CosignatureSigner(PrivateKey):
    """A signing key of a witness. It never shows itself but in `dump`."""

    KIND = COSIGNATURE

    @property
    def verifier(self) -> CosignatureVerifier:
        """The public key."""
        return CosignatureVerifier(self.name, self.public_key)

    def cosign(self, body: str, time_s: int) -> str:
        """Return the signature line over a checkpoint's body.

        Args:
            body: The note's text, with its last newline.
            time_s: Now, in seconds since 1970.
        """
        stamp = time_s.to_bytes(_TIME_BYTES)
        signature = stamp + self._private_key.sign(_message(body, time_s))
        return f"— {self.name} {encode_base64(self.verifier.key_id.to_bytes(4) + signature)}\n"


def add_cosignature(note: str, lines: str, verifiers: Sequence[CosignatureVerifier]) -> str:
    """Return a note with the good cosignatures from a witness's answer added below its signatures.

    Args:
        note: The checkpoint, signed by the log.
        lines: What a witness answered: signature lines.
        verifiers: The witnesses that are known. Lines by others are left out.

    Raises:
        FormatError: The answer is no signature lines, or none of them is by a known witness.
        ProofError: A line by a known witness is bad.
    """
    body, present = split_note(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    added = []
    for line, (name, key_id, signature) in zip(lines.split("\n"), signature_lines(lines), strict=False):
        if verifier := known.get((name, key_id)):
            verifier.verify(body, signature)
            if (name, key_id, signature) not in present:
                added.append(line + "\n")
    if not added and not any((name, key_id) in known for name, key_id, _ in present):
        raise FormatError("the answer holds no cosignature by a witness that is known", expected="— NAME BASE64")
    return note + "".join(added)


def _message(body: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{body}".encode()
