"""Cosignatures: a witness states when it saw a checkpoint that continues every one it saw before.

Signature type 0x04, Ed25519 over `cosignature/v1`, the time, and the note's body. Source: c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from askfirst.errors import FormatError, ProofError
from askfirst.tlog.keys import (
    check_name,
    dump_private,
    encode_base64,
    key_id_of,
    load_private,
    parse_vkey,
    verify_ed25519,
    vkey_of,
)
from askfirst.tlog.note import signature_lines, split_note

__all__ = ["CosignatureSigner", "CosignatureVerifier", "add_cosignature"]

COSIGNATURE = b"\x04"
_TIME_BYTES = 8
_TIME_LIMIT_S = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """A public key of a witness."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> int:
        """The 32 bits that tell keys of one name apart."""
        return key_id_of(self.name, COSIGNATURE, self.public_key)

    @property
    def vkey(self) -> str:
        """The key as one line of text."""
        return vkey_of(self.name, COSIGNATURE, self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a key from its line of text.

        Raises:
            InputError: It is not one, or one of another kind.
        """
        return cls(*parse_vkey(vkey, COSIGNATURE))

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


class CosignatureSigner:
    """A signing key of a witness. It never shows itself but in `dump`."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        check_name(name)
        self.name = name
        self._private_key = private_key

    @classmethod
    def generate(cls, name: str) -> Self:
        """Return a new key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, text: str) -> Self:
        """Read a signing key from its line of text.

        Raises:
            InputError: It is not one; the message does not show it.
        """
        return cls(*load_private(text, COSIGNATURE))

    def dump(self) -> str:
        """Return the key as one line of text: whoever has it can sign as the witness."""
        return dump_private(self.name, COSIGNATURE, self._private_key)

    @property
    def verifier(self) -> CosignatureVerifier:
        """The public key."""
        return CosignatureVerifier(self.name, self._private_key.public_key().public_bytes_raw())

    def cosign(self, body: str, time_s: int) -> str:
        """Return the signature line over a checkpoint's body.

        Args:
            body: The note's text, with its last newline.
            time_s: Now, in seconds since 1970.
        """
        stamp = time_s.to_bytes(_TIME_BYTES)
        signature = stamp + self._private_key.sign(_message(body, time_s))
        return f"— {self.name} {encode_base64(self.verifier.key_id.to_bytes(4) + signature)}\n"

    def __repr__(self) -> str:
        """Show the public key only."""
        return f"CosignatureSigner({self.verifier.vkey})"


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
