"""Keys of logs and witnesses: Ed25519 under a name, written as one line of text.

A verifier key is `NAME+HEX+BASE64`, a signing key `PRIVATE+KEY+NAME+HEX+BASE64` as written by
golang.org/x/mod/sumdb/note. Source: c2sp.org/signed-note.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from askfirst.errors import FormatError, InputError, ProofError

__all__ = [
    "PrivateKey",
    "PublicKey",
    "check_name",
    "decode_base64",
    "dump_private",
    "encode_base64",
    "key_id_of",
    "load_private",
    "parse_vkey",
    "verify_ed25519",
    "vkey_of",
]

_PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[^\s+\x00-\x20\x7f\ud800-\udfff]{1,255}")
_FIELD_PRIME = 2**255 - 19
_ORDER_EIGHT_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
"""The points of small order have y = 0, 1, -1 and plus or minus this; a key there signs every message at once."""
_SMALL_ORDER_Y = frozenset({0, 1, _FIELD_PRIME - 1, _ORDER_EIGHT_Y, _FIELD_PRIME - _ORDER_EIGHT_Y})


def key_id_of(name: str, kind: bytes, public_key: bytes) -> int:
    """Return the 32 bits that tell keys of one name apart."""
    return int.from_bytes(sha256(name.encode() + b"\n" + kind + public_key).digest()[:4])


def vkey_of(name: str, kind: bytes, public_key: bytes) -> str:
    """Return a public key as one line of text."""
    return f"{name}+{key_id_of(name, kind, public_key):08x}+{encode_base64(kind + public_key)}"


def parse_vkey(vkey: str, kind: bytes) -> tuple[str, bytes]:
    """Return name and public key of a verifier key.

    Args:
        vkey: One line of text.
        kind: The signature type, one byte.

    Raises:
        InputError: It is not one, of another type, or a weak point of the curve.
    """
    name, _, rest = vkey.strip().partition("+")
    digits, _, encoded = rest.partition("+")
    try:
        material = decode_base64(encoded)
        check_name(name)
    except (FormatError, InputError) as error:
        raise _bad_key("a verifier key", "it has three parts joined by +: name, eight digits, base64") from error
    if material[:1] != kind or len(material) != 33:
        raise _bad_key("a verifier key of the right type", f"it is of type {material[:1].hex()}, not {kind.hex()}")
    public_key = material[1:]
    if digits != f"{key_id_of(name, kind, public_key):08x}":
        raise _bad_key("a verifier key", "its parts do not belong together; copy it again")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= _FIELD_PRIME or y in _SMALL_ORDER_Y:
        raise _bad_key("a verifier key", "it is a weak point, for which one signature fits every message")
    return name, public_key


def dump_private(name: str, kind: bytes, key: Ed25519PrivateKey) -> str:
    """Return a signing key as one line of text."""
    key_id = key_id_of(name, kind, key.public_key().public_bytes_raw())
    return f"{_PRIVATE}{name}+{key_id:08x}+{encode_base64(kind + key.private_bytes_raw())}"


def load_private(text: str, kind: bytes) -> tuple[str, Ed25519PrivateKey]:
    """Return name and key from the line of a signing key.

    Raises:
        InputError: It is not one; the message does not show it.
    """
    line = text.strip()
    name, _, rest = line.removeprefix(_PRIVATE).partition("+")
    try:
        material = decode_base64(rest.partition("+")[2])
        check_name(name)
    except (FormatError, InputError):
        material = b""
    if not line.startswith(_PRIVATE) or material[:1] != kind or len(material) != 33:
        # Nothing is chained to this error: what it came from would show a part of the key.
        raise _bad_key("a signing key", f"it starts with {_PRIVATE} and is of type {kind.hex()}")
    key = Ed25519PrivateKey.from_private_bytes(material[1:])
    if line != dump_private(name, kind, key):
        raise _bad_key("a signing key", "its parts do not belong together; copy it again")
    return name, key


def verify_ed25519(name: str, public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check one Ed25519 signature.

    Raises:
        ProofError: It is bad.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise ProofError(f"the signature by {name} is bad", kind="signature") from error


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key under a name; `KIND` is the type of the signatures that it verifies, one byte."""

    KIND: ClassVar[bytes]

    name: str
    public_key: bytes

    @property
    def key_id(self) -> int:
        """The 32 bits that tell keys of one name apart."""
        return key_id_of(self.name, self.KIND, self.public_key)

    @property
    def vkey(self) -> str:
        """The key as one line of text."""
        return vkey_of(self.name, self.KIND, self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a key from its line of text.

        Raises:
            InputError: It is not one, or one of another kind.
        """
        return cls(*parse_vkey(vkey, cls.KIND))


class PrivateKey:
    """A signing key under a name. It never shows itself but in `dump`."""

    KIND: ClassVar[bytes]

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
        return cls(*load_private(text, cls.KIND))

    def dump(self) -> str:
        """Return the key as one line of text: whoever has it can sign as its owner."""
        return dump_private(self.name, self.KIND, self._private_key)

    @property
    def public_key(self) -> bytes:
        """The public key, 32 bytes."""
        return self._private_key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        """Show the public key only."""
        return f"{type(self).__name__}({vkey_of(self.name, self.KIND, self.public_key)})"


def check_name(name: str) -> None:
    """Check that a key can have this name.

    Raises:
        InputError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a key", advice="take a name like example.org/log: no spaces, no +")


def encode_base64(data: bytes) -> str:
    """Return standard base64."""
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """Decode standard base64, of which only the one canonical spelling is accepted.

    Raises:
        FormatError: Another spelling, or none.
    """
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise FormatError("base64 is malformed", expected="base64") from error
    if encode_base64(data) != text:
        raise FormatError("base64 is not in its canonical spelling", expected="base64")
    return data


def _bad_key(what: str, why: str) -> InputError:
    return InputError(f"this is not {what}", kind="bad-key", advice=why)
