"""What is kept secret at rest: values are encrypted under the site's field key, found again by keyed hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from askfirst.errors import ProofError

__all__ = ["decrypt", "encrypt", "mac"]

_FORMAT = b"\x01"
_NONCE_BYTES = 12


def encrypt(value: bytes) -> bytes:
    """Return a value encrypted with AES-256-GCM: format byte, random nonce, ciphertext with tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(settings.ASKFIRST.field_key).encrypt(nonce, value, _FORMAT)


def decrypt(value: bytes) -> bytes:
    """Return what `encrypt` was given.

    Raises:
        ProofError: It was encrypted under another key, or is damaged.
    """
    value = bytes(value)
    nonce, sealed = value[1 : 1 + _NONCE_BYTES], value[1 + _NONCE_BYTES :]
    if value[:1] == _FORMAT and len(nonce) == _NONCE_BYTES:
        try:
            return AESGCM(settings.ASKFIRST.field_key).decrypt(nonce, sealed, _FORMAT)
        except InvalidTag:
            pass
    raise ProofError(
        "an encrypted value does not open with this site's key",
        kind="decryption",
        advice="restore keys/field.key from the same back-up as the database",
    )


def mac(purpose: str, value: str | bytes) -> bytes:
    """Return the keyed hash of a value: 32 bytes, HMAC-SHA256. Equal values of one purpose have equal hashes."""
    data = value.encode() if isinstance(value, str) else value
    return hmac.digest(settings.ASKFIRST.mac_key, purpose.encode() + b"\0" + data, hashlib.sha256)
