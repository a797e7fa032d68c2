"""What the log of statements holds: one line of canonical JSON an entry, without a name in it.

    statement   a statement's version, and the digest of all its texts
    sign        somebody signed: which words, when, and a commitment to who
    correct     what the signer said about themselves was corrected: a new commitment
    withdraw    the signer took the signature back
    batch       signatures are about to be removed: how many, why
    invalidate  one of these

Every type has one grammar, so an entry has exactly one spelling. Fields are in `docs/formats/log.md`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from askfirst.canonical import canonical_json
from askfirst.errors import FormatError

__all__ = [
    "ENTRY_LIMIT_BYTES",
    "Batch",
    "Correct",
    "Entry",
    "Invalidate",
    "Sign",
    "StatementVersion",
    "Withdraw",
    "encode_base64url",
    "encode_entry",
    "manifest_digest",
    "parse_entry",
    "signed_digest",
]

ENTRY_LIMIT_BYTES = 4096

_DIGEST = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_HOUR = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3])Z"
_ID = "[A-Za-z0-9_-]{1,64}"
_INDEX = "0|[1-9][0-9]{0,14}"
_LANG = "[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}"
_VERSION = "[1-9][0-9]{0,8}"
_TEXT = r'(?:[^"\\\x00-\x1f]|\\["\\bfnrt]|\\u00[01][0-9a-f])*'


@dataclass(frozen=True, slots=True)
class StatementVersion:
    """A version of a statement: `manifest` is the digest of its texts in all languages."""

    statement: str
    version: int
    manifest: str


@dataclass(frozen=True, slots=True)
class Sign:
    """Somebody signed: `signed` is the digest of the words, `commitment` hides who; a person or an organisation."""

    statement: str
    version: int
    lang: str
    signed: str
    kind: str
    hour: str
    commitment: str


@dataclass(frozen=True, slots=True)
class Correct:
    """The signer of entry `of` has a new commitment."""

    of: int
    commitment: str
    hour: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The signature of entry `of` was taken back by its signer."""

    of: int
    hour: str


@dataclass(frozen=True, slots=True)
class Batch:
    """`count` signatures of a statement are going to be removed, with the reason."""

    batch: str
    statement: str
    reason: str
    count: int
    hour: str


@dataclass(frozen=True, slots=True)
class Invalidate:
    """The signature of entry `of` is removed, as one of a batch."""

    of: int
    batch: str
    hour: str


Entry = StatementVersion | Sign | Correct | Withdraw | Batch | Invalidate

_TYPES: dict[str, type[Entry]] = {
    "batch": Batch,
    "correct": Correct,
    "invalidate": Invalidate,
    "sign": Sign,
    "statement": StatementVersion,
    "withdraw": Withdraw,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}
_NUMBERS = frozenset({"of", "version", "count"})
_GRAMMAR = {
    "batch": _ID,
    "commitment": _DIGEST,
    "count": _VERSION,
    "hour": _HOUR,
    "kind": "person|organisation",
    "lang": _LANG,
    "manifest": _DIGEST,
    "of": _INDEX,
    "reason": _TEXT,
    "signed": _DIGEST,
    "statement": _ID,
    "version": _VERSION,
}


def _pattern(name: str, kind: type[Entry]) -> re.Pattern[bytes]:
    """Return the one spelling of a type: its fields in the order of their names, as canonical JSON has them."""
    fields = {field: f"(?P<{field}>{_GRAMMAR[field]})" for field in kind.__dataclass_fields__}
    fields = {field: group if field in _NUMBERS else f'"{group}"' for field, group in fields.items()}
    fields |= {"type": f'"{name}"', "v": "1"}
    inner = ",".join(f'"{field}":{fields[field]}' for field in sorted(fields))
    return re.compile((r"\{" + inner + r"\}").encode())


PATTERNS = {kind: _pattern(name, kind) for name, kind in _TYPES.items()}


def encode_entry(entry: Entry) -> bytes:
    """Return an entry as the log holds it.

    Raises:
        FormatError: A field has a value that an entry cannot have.
    """
    fields = {name: getattr(entry, name) for name in type(entry).__dataclass_fields__}
    try:
        data = canonical_json({"v": 1, "type": _NAMES[type(entry)], **fields})
    except ValueError as error:
        raise _malformed(str(error)) from error
    if parse_entry(data) != entry:
        raise _malformed("its own spelling is another entry")
    return data


def parse_entry(data: bytes) -> Entry:
    """Read an entry.

    Raises:
        FormatError: It is not one, or not in its one spelling.
    """
    if len(data) > ENTRY_LIMIT_BYTES:
        raise _malformed(f"it has {len(data)} bytes, more than {ENTRY_LIMIT_BYTES}")
    for kind, pattern in PATTERNS.items():
        if found := pattern.fullmatch(data):
            fields: dict[str, Any] = {name: _value(name, text) for name, text in found.groupdict().items()}
            return kind(**fields)
    raise _malformed(f"it starts with {data[:60]!r}")


def manifest_digest(manifest: Mapping[str, object]) -> str:
    """Return the digest of a statement's version: its slug, its number, and its texts by language.

    Args:
        manifest: `{"statement", "version", "texts": {LANG: {"text", "consent", "translator", "reviewer"}}}`.

    Raises:
        ValueError: It holds something that has no canonical spelling.
    """
    return encode_base64url(sha256(canonical_json(manifest)).digest())


def signed_digest(text: str, consent: str, lang: str) -> str:
    """Return the digest of what a signer had before their eyes.

    Args:
        text: The sentence.
        consent: The wording of the consent that was asked with it.
        lang: The language of both.
    """
    return encode_base64url(sha256(canonical_json({"consent": consent, "lang": lang, "text": text})).digest())


def encode_base64url(data: bytes) -> str:
    """Return base64url without padding: 43 characters for 32 bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _value(name: str, text: bytes) -> str | int:
    if name in _NUMBERS:
        return int(text)
    if name != "reason":
        return text.decode()
    quoted = b'"' + text + b'"'
    try:
        value = str(json.loads(quoted))
        if canonical_json(value) != quoted:
            raise _malformed("its reason is not in canonical JSON")
    except ValueError as error:
        raise _malformed("its reason is not text") from error
    return value


def _malformed(why: str) -> FormatError:
    return FormatError(f"this is no entry of a log of statements: {why}", expected="canonical JSON of a known type")
