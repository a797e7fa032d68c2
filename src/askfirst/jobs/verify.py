"""`askfirst verify`: what is this file, and is it true?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from askfirst.errors import ConfigError, FormatError, InputError, ProofError
from askfirst.io.durable import replace_file
from askfirst.io.log_source import open_log
from askfirst.proof.finding import Finding, Trust, open_head
from askfirst.proof.log import verify_log
from askfirst.proof.receipt import Receipt, parse_receipt
from askfirst.proof.verify import parse_statement, verify_receipt
from askfirst.tlog.cosignature import CosignatureVerifier
from askfirst.tlog.note import NOTE_LIMIT_BYTES, NoteVerifier
from askfirst.tlog.proof_file import PROOF_HEADER, PROOF_LIMIT_BYTES

__all__ = ["make_trust", "verify_file", "verify_published"]

_KEYS_LIMIT_BYTES = 1 << 16
_STATEMENT_LIMIT_BYTES = 1 << 22


def verify_file(path: Path, trust: Trust, statement: Path | None = None) -> Finding:
    """Check a file by what it is; today that is the receipt of a signature.

    Args:
        path: The file.
        trust: Whose signatures count.
        statement: File with the statement's texts, to check the words that were signed.

    Raises:
        InputError: It cannot be read, or is nothing that can be checked.
    """
    text = _receipt_text(path)
    texts = _statement(statement) if statement else None
    return verify_receipt(text, trust.logs, trust.witnesses, trust.quorum, texts)


def verify_published(
    place: str, trust: Trust, since: Path | None = None, receipt: Path | None = None, statement: Path | None = None
) -> Finding:
    """Check a whole log, by reading all of it.

    Args:
        place: Its folder or its https address.
        trust: Whose signatures count.
        since: File with the checkpoint seen last time; replaced with the new one if the answer is yes, made if absent.
        receipt: A receipt that was found good, to be found in the log.
        statement: File with a statement's texts, to check that the log announced exactly these.

    Raises:
        InputError: Place or files cannot be read, or are not what they should be.
        FetchError: The log cannot be reached.
    """
    seen = _since(since, trust) if since else None
    proof = _receipt(receipt) if receipt else None
    texts = _statement(statement) if statement else None
    with closing(open_log(place)) as source:
        note = source.checkpoint()
        finding = verify_log(note, source.read_many, trust, seen, proof, texts)
    if finding.good and since and note:
        replace_file(since, note.encode())
    return finding


def make_trust(keys: Sequence[str], witnesses: Sequence[str] = (), quorum: int | None = None) -> Trust:
    """Return whose signatures count, from verifier keys or files with one a line.

    Raises:
        InputError: One of them is no verifier key.
        ConfigError: The quorum is larger than the number of witnesses.
    """
    trust = Trust(
        [NoteVerifier.parse(key) for each in keys for key in _keys(each)],
        [CosignatureVerifier.parse(key) for each in witnesses for key in _keys(each)],
        quorum,
    )
    known = len({each.public_key for each in trust.witnesses})
    if quorum is not None and not 0 <= quorum <= known:
        raise ConfigError(
            f"{quorum} witnesses cannot be asked for: {known} are known",
            key="quorum",
            advice="name more with --witness",
        )
    return trust


def _keys(text: str) -> list[str]:
    if "+" in text and not Path(text).is_file():
        return [text]
    lines = [line.strip() for line in _read_text(Path(text), _KEYS_LIMIT_BYTES).splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        raise InputError(f"{text} holds no verifier key", kind="bad-key", advice="one a line: NAME+HEX+BASE64")
    return keys


def _receipt_text(path: Path) -> str:
    text = _read_text(path, PROOF_LIMIT_BYTES)
    if text.partition("\n")[0] != PROOF_HEADER:
        raise InputError(
            f"{path} is nothing that can be checked",
            kind="unknown-kind",
            advice=f"a receipt starts with the line {PROOF_HEADER}",
        )
    return text


def _receipt(path: Path) -> Receipt:
    return parse_receipt(_receipt_text(path))


def _statement(path: Path) -> dict[str, Any]:
    try:
        return parse_statement(json.loads(_read_text(path, _STATEMENT_LIMIT_BYTES)))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON", kind="bad-statement", advice="give the statement's file") from error


def _since(path: Path, trust: Trust) -> str | None:
    if not path.exists() or not trust.logs:
        return None
    text = _read_text(path, NOTE_LIMIT_BYTES)
    try:
        open_head(text, Trust(trust.logs))
    except (FormatError, ProofError) as error:
        raise InputError(f"{path} holds no checkpoint of this log", advice="give the file of last time") from error
    return text


def _read_text(path: Path, limit_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", advice="give a file that is there") from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text", kind="unknown-kind") from error
    if len(data) > limit_bytes:
        raise InputError(f"{path} is longer than {limit_bytes:,} bytes", kind="too-large")
    return text
