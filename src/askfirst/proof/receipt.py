"""Receipts: a signer's proof that their signature is in the log, with everything or only some things shown.

The log holds a commitment: it hides who signed, and opens with one salt of 32 bytes that only the signer and the site
have. From the salt every field gets a salt of its own, so the holder can show one field and close another, and
what is shown still fits the log. Without the salts the entry says nothing about anybody.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from askfirst.canonical import canonical_json, parse_canonical
from askfirst.errors import FormatError, InputError
from askfirst.tlog.entries import Correct, Sign, encode_base64url, encode_entry
from askfirst.tlog.proof_file import TlogProof, encode_proof, parse_proof

__all__ = [
    "FIELDS",
    "SALT_BYTES",
    "Closed",
    "Opened",
    "Receipt",
    "build_receipt",
    "close_fields",
    "commit",
    "encode_receipt",
    "parse_receipt",
]

FIELDS = ("affiliation", "country", "discipline", "email", "name", "role")
"""What a signer may say about themselves; what they did not say is empty."""
SALT_BYTES = 32
VALUE_LIMIT = 400
"""Characters of one field: more than the site's form takes."""

_OF_SIGN = ("statement", "version", "lang", "signed", "kind", "hour")


@dataclass(frozen=True, slots=True)
class Opened:
    """A field that is shown, with its own salt."""

    salt: bytes
    value: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A field that is not shown: only its commitment."""

    commitment: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says; nothing of it is checked yet.

    Args:
        proof: The path from the entry to a signed checkpoint.
        sign: What was signed, as in the log's `sign` entry but for the commitment.
        fields: Every one of FIELDS, shown or closed.
        salt: The signature's salt, if the receipt opens everything.
        correct: For a signature that was corrected: position of its `sign` entry, and the hour of the correction.
    """

    proof: TlogProof
    sign: Mapping[str, Any]
    fields: Mapping[str, Opened | Closed]
    salt: bytes | None = None
    correct: Mapping[str, Any] | None = None

    @property
    def commitment(self) -> str:
        """The commitment in the log that these fields open."""
        return _commitment({name: _commitment_of(name, field) for name, field in self.fields.items()})

    @property
    def shown(self) -> dict[str, str]:
        """The values that are shown and not empty."""
        return {name: f.value for name, f in self.fields.items() if isinstance(f, Opened) and f.value}

    @property
    def closed(self) -> list[str]:
        """The fields that are not shown."""
        return [name for name, field in self.fields.items() if isinstance(field, Closed)]

    def leaf(self) -> bytes:
        """Return the entry of the log that this is the receipt of: the signature, or its correction.

        Raises:
            FormatError: What the receipt says is no entry.
        """
        sign = Sign(**self.sign, commitment=self.commitment)
        entry = encode_entry(sign)
        if self.correct is None:
            return entry
        return encode_entry(Correct(**self.correct, commitment=self.commitment))


def commit(salt: bytes, fields: Mapping[str, str]) -> str:
    """Return the commitment to a signer's fields, for the log.

    Args:
        salt: 32 random bytes, new for every signature.
        fields: Values by name, of FIELDS; those left out are empty.

    Returns:
        Base64url without padding, 43 characters.

    Raises:
        InputError: Another salt, a field that is none, or a value that is no text or too long.
    """
    return _commitment({name: _commitment_of(name, field) for name, field in _open(salt, fields).items()})


def build_receipt(
    proof: TlogProof,
    sign: Sign,
    salt: bytes,
    fields: Mapping[str, str],
    correct: Correct | None = None,
) -> str:
    """Return the receipt of a signature.

    Args:
        proof: Position, path and signed checkpoint of the entry; its `extra` is not used.
        sign: The signature's entry.
        salt: Its salt; after a correction the one of the correction.
        fields: What the signer says about themselves, after a correction what it says now.
        correct: The newest correction of the signature, whose position and path `proof` then has.

    Raises:
        InputError: Salt and fields do not open the entry's commitment.
    """
    receipt = Receipt(
        proof,
        {name: getattr(sign, name) for name in _OF_SIGN},
        _open(salt, fields),
        salt,
        {"of": correct.of, "hour": correct.hour} if correct else None,
    )
    if receipt.commitment != (correct or sign).commitment:
        raise InputError("salt and fields do not open the commitment in the log", kind="bad-salt")
    return encode_receipt(receipt)


def encode_receipt(receipt: Receipt) -> str:
    """Return a receipt as text: a proof of the log whose `extra` line holds what makes the entry again."""
    extra: dict[str, Any] = {"sign": dict(receipt.sign)}
    if receipt.correct is not None:
        extra["correct"] = dict(receipt.correct)
    if receipt.salt is not None:
        extra |= {"salt": encode_base64url(receipt.salt), "fields": receipt.shown}
    else:
        shown = {n: f for n, f in receipt.fields.items() if isinstance(f, Opened)}
        hidden = {n: f for n, f in receipt.fields.items() if isinstance(f, Closed)}
        extra["opened"] = {n: {"salt": encode_base64url(f.salt), "value": f.value} for n, f in shown.items()}
        extra["closed"] = {n: encode_base64url(f.commitment) for n, f in hidden.items()}
    proof = receipt.proof
    return encode_proof(proof.index, proof.hashes, proof.checkpoint_note, canonical_json(extra))


def parse_receipt(text: str) -> Receipt:
    """Read a receipt; what it says is not checked yet.

    Raises:
        FormatError: It is not one.
    """
    proof = parse_proof(text)
    if proof.extra is None:
        raise _malformed("a proof of a log without the line that says of what")
    try:
        extra = parse_canonical(proof.extra)
    except ValueError as error:
        raise _malformed(f"its extra line is not canonical JSON ({error})") from error
    keys = frozenset(extra) if isinstance(extra, dict) else frozenset()
    if not isinstance(extra, dict) or keys - {"correct"} not in _FORMS:
        raise _malformed("its extra line has other keys than a receipt's")
    sign = _object(extra["sign"], _OF_SIGN)
    correct = _object(extra["correct"], ("of", "hour")) if "correct" in extra else None
    bare = replace(proof, extra=None)
    if "salt" in extra:
        salt, values = _bytes(extra["salt"]), _object(extra["fields"])
        if not all(values.values()):
            raise _malformed("an empty field is written out")
        try:
            return Receipt(bare, sign, _open(salt, values), salt, correct)
        except InputError as error:
            raise _malformed(error.message) from error
    return Receipt(bare, sign, _fields(_object(extra["opened"]), _object(extra["closed"])), None, correct)


_FORMS = (frozenset({"sign", "salt", "fields"}), frozenset({"sign", "opened", "closed"}))


def close_fields(receipt: str, names: Iterable[str]) -> str:
    """Return a receipt that no longer shows some fields, and still fits the log.

    Args:
        receipt: The text of one, with all fields or with some closed already.
        names: Fields to close. A closed field does not even say whether it is empty.

    Raises:
        InputError: A name that no field has.
        FormatError: The text is no receipt.
    """
    parsed, closing = parse_receipt(receipt), frozenset(names)
    if unknown := sorted(closing - set(FIELDS)):
        raise InputError(f"a receipt has no field {unknown[0]!r}", advice=f"known: {', '.join(FIELDS)}")
    fields = {
        name: Closed(_commitment_of(name, field)) if name in closing else field for name, field in parsed.fields.items()
    }
    return encode_receipt(replace(parsed, salt=None, fields=fields))


def _open(salt: bytes, fields: Mapping[str, Any]) -> dict[str, Opened | Closed]:
    if len(salt) != SALT_BYTES:
        raise InputError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}", kind="bad-salt")
    if unknown := sorted(set(fields) - set(FIELDS)):
        raise InputError(f"a signer has no field {unknown[0]!r}", advice=f"known: {', '.join(FIELDS)}")
    return {
        name: Opened(hmac.digest(salt, b"askfirst/salt/v1\0" + name.encode(), sha256), _value(fields.get(name, "")))
        for name in FIELDS
    }


def _value(value: object) -> str:
    if not isinstance(value, str) or len(value) > VALUE_LIMIT:
        raise InputError(f"a signer's field is text of at most {VALUE_LIMIT} characters")
    return unicodedata.normalize("NFC", value)


def _commitment_of(name: str, field: Opened | Closed) -> bytes:
    if isinstance(field, Closed):
        return field.commitment
    message = f"askfirst/commit/v1\0{name}\0{field.value}".encode()
    return hmac.digest(field.salt, message, sha256)


def _commitment(parts: Mapping[str, bytes]) -> str:
    listed = canonical_json({name: encode_base64url(part) for name, part in parts.items()})
    return encode_base64url(sha256(b"askfirst/commitment/v1\0" + listed).digest())


def _fields(opened: Mapping[str, Any], closed: Mapping[str, Any]) -> dict[str, Opened | Closed]:
    if sorted([*opened, *closed]) != list(FIELDS):
        raise _malformed("it does not have every field once, shown or closed")
    fields: dict[str, Opened | Closed] = {name: Closed(_bytes(closed[name])) for name in closed}
    for name in opened:
        one = _object(opened[name], ("salt", "value"))
        try:
            fields[name] = Opened(_bytes(one["salt"]), _value(one["value"]))
        except InputError as error:
            raise _malformed(error.message) from error
    return {name: fields[name] for name in FIELDS}


def _object(value: object, keys: Sequence[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict) or (keys is not None and sorted(value) != sorted(keys)):
        raise _malformed(f"it lacks {', '.join(keys or ('an object',))}")
    return value


def _bytes(text: object) -> bytes:
    try:
        data = base64.urlsafe_b64decode(f"{text}=".encode())
    except (binascii.Error, ValueError) as error:
        raise _malformed("a salt or a commitment is not base64url") from error
    if len(data) != SALT_BYTES or encode_base64url(data) != text:
        raise _malformed("a salt or a commitment is not 32 bytes of base64url")
    return data


def _malformed(why: str) -> FormatError:
    return FormatError(f"this receipt is damaged: {why}", expected="a receipt")
