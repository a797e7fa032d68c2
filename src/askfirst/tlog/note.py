"""Signed notes: text with signatures below it, in the form `— NAME BASE64`. Ed25519, signature type 0x01.

Source: c2sp.org/signed-note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from askfirst.errors import FormatError, InputError, ProofError
from askfirst.tlog.keys import (
    PrivateKey,
    PublicKey,
    decode_base64,
    encode_base64,
    verify_ed25519,
)

__all__ = [
    "NOTE_LIMIT_BYTES",
    "SIGNATURES_LIMIT",
    "NoteSigner",
    "NoteVerifier",
    "OpenedNote",
    "Signer",
    "Verifier",
    "open_note",
    "sign_note",
    "signature_line",
    "signature_lines",
    "split_note",
]

NOTE_LIMIT_BYTES = 1 << 18
"""Fifty signatures of the largest kind (post-quantum, 5 kB) fit."""
SIGNATURES_LIMIT = 100
ED25519 = b"\x01"

_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")


class Verifier(Protocol):
    """Whoever can check one kind of signature line by one key."""

    @property
    def name(self) -> str:
        """Name of the key."""

    @property
    def key_id(self) -> int:
        """The 32 bits that tell keys of one name apart."""

    def verify(self, body: str, signature: bytes) -> int | None:
        """Check a signature and return the time it states, if it states one; raise ProofError if it is bad."""


class Signer(Protocol):
    """Whoever can make one kind of signature line."""

    @property
    def name(self) -> str:
        """Name of the key."""

    @property
    def key_id(self) -> int:
        """The 32 bits that tell keys of one name apart."""

    def signature(self, body: str) -> bytes:
        """Return the signature over a note's body."""


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note whose signatures by known keys are good, of which there is at least one.

    Args:
        body: The text that was signed, with its last newline.
        signatures: Name and key id of the known keys, each once, in the order of the note.
        unknown: Name and key id of the others, unchecked.
        times: For a known key whose signatures state a time: seconds since 1970.
    """

    body: str
    signatures: list[tuple[str, int]]
    unknown: list[tuple[str, int]]
    times: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoteVerifier(PublicKey):
    """A public key of a log."""

    KIND = ED25519

    def verify(self, body: str, signature: bytes) -> None:
        """Check a signature over a note's body.

        Raises:
            ProofError: It is not by this key over this text.
        """
        verify_ed25519(self.name, self.public_key, signature, body.encode())


class NoteSigner(PrivateKey):
    """A signing key of a log. It never shows itself but in `dump`."""

    KIND = ED25519

    @property
    def verifier(self) -> NoteVerifier:
        """The public key."""
        return NoteVerifier(self.name, self.public_key)

    @property
    def key_id(self) -> int:
        """The 32 bits that tell keys of one name apart."""
        return self.verifier.key_id

    def signature(self, body: str) -> bytes:
        """Return the signature over a note's body."""
        return self._private_key.sign(body.encode())


def sign_note(body: str, signers: Sequence[Signer]) -> str:
    """Return a note: a text and its signatures.

    Raises:
        InputError: The text does not end in a newline, or holds control characters.
    """
    if not body.endswith("\n") or _CONTROL.search(body):
        raise InputError("a note is text without control characters that ends in a newline")
    return body + "\n" + "".join(signature_line(signer, signer.signature(body)) for signer in signers)


def open_note(text: str, verifiers: Sequence[Verifier]) -> OpenedNote:
    """Check a note's signatures.

    Args:
        text: The note.
        verifiers: The keys that are known. Signatures by others are not looked at.

    Returns:
        The text and who signed it, at least one known key.

    Raises:
        FormatError: It is not a note.
        ProofError: A signature by a known key is bad, or there is none by any.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    body, signatures = split_note(text)
    opened = OpenedNote(body, [], [])
    for name, key_id, signature in signatures:
        key = (name, key_id)
        if key not in known:
            opened.unknown.append(key)
            continue
        time = known[key].verify(body, signature)
        if key not in opened.signatures:
            opened.signatures.append(key)
        if time is not None:
            opened.times[key] = max(time, opened.times.get(key, 0))
    if not opened.signatures:
        raise ProofError("none of the signatures is by a key that is known", kind="signature")
    return opened


def split_note(text: str) -> tuple[str, list[tuple[str, int, bytes]]]:
    """Return a note's text and its signatures as (name, key id, signature), none of them checked.

    Raises:
        FormatError: It is not a note.
    """
    if len(text) > NOTE_LIMIT_BYTES or _CONTROL.search(text):
        raise FormatError("a note is too long, or holds control characters", expected="a signed note")
    at = text.rfind("\n\n")
    if at <= 0:
        raise FormatError("a note has no empty line before its signatures", expected="a signed note")
    return text[: at + 1], signature_lines(text[at + 2 :])


def signature_lines(text: str) -> list[tuple[str, int, bytes]]:
    """Read lines of signatures as (name, key id, signature).

    Raises:
        FormatError: There are none, too many, or one is malformed.
    """
    if not text.endswith("\n"):
        raise FormatError("the last signature of a note does not end in a newline", expected="a signed note")
    lines = text[:-1].split("\n")
    if len(lines) > SIGNATURES_LIMIT:
        raise FormatError(f"a note has {len(lines)} signatures", expected=f"at most {SIGNATURES_LIMIT}")
    signatures = []
    for line in lines:
        found = _SIGNATURE_LINE.fullmatch(line)
        data = decode_base64(found[2]) if found else b""
        if not found or len(data) < 5:
            raise FormatError("a signature of a note is malformed", expected="— NAME BASE64", found=line[:80])
        signatures.append((found[1], int.from_bytes(data[:4]), data[4:]))
    return signatures


def signature_line(signer: Signer, signature: bytes) -> str:
    """Return the line of a signature."""
    return f"— {signer.name} {encode_base64(signer.key_id.to_bytes(4) + signature)}\n"
