"""Check a receipt: whose log, who saw it, what was signed, and that it is in there. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from askfirst.errors import InputError, ProofError
from askfirst.proof.finding import Finding, Reason, Trust, find, head_reasons, open_head
from askfirst.proof.receipt import Receipt, parse_receipt
from askfirst.tlog.cosignature import CosignatureVerifier
from askfirst.tlog.entries import manifest_digest, signed_digest
from askfirst.tlog.note import NoteVerifier
from askfirst.tlog.tree import check_inclusion, leaf_hash

__all__ = ["check_statement", "parse_statement", "receipt_steps", "verify_receipt"]

_TEXT_KEYS = frozenset({"text", "consent", "translator", "reviewer"})


def verify_receipt(
    text: str,
    logs: Sequence[NoteVerifier],
    witnesses: Sequence[CosignatureVerifier] = (),
    quorum: int | None = None,
    statement: Mapping[str, Any] | None = None,
) -> Finding:
    """Check a receipt.

    Args:
        text: The receipt.
        logs: Keys of the logs that are trusted; without one the answer is no.
        witnesses: Keys of witnesses that are trusted.
        quorum: How many of them must have signed; by default all.
        statement: The statement's texts, as from `parse_statement`: then the words that were signed are checked too.

    Returns:
        Yes or no, with reasons; facts say what was signed, by what is shown of whom, and when.
    """
    return find("receipt", receipt_steps(text, Trust(logs, witnesses, quorum), statement))


def receipt_steps(
    text: str, trust: Trust, statement: Mapping[str, Any] | None = None
) -> Callable[[list[Reason], dict[str, Any]], None]:
    """Return the check of a receipt as steps for `find`."""

    def steps(reasons: list[Reason], facts: dict[str, Any]) -> None:
        # 1. What it says.
        receipt = parse_receipt(text)
        facts |= _facts(receipt)
        leaf = leaf_hash(receipt.leaf())
        # 2. Whose log it is from, and who else saw that log.
        head = open_head(receipt.proof.checkpoint_note, trust)
        reasons += head_reasons(head, trust)
        facts |= {"log": head.checkpoint.origin, "size": head.checkpoint.size, "witnesses": dict(head.witnessed)}
        # 3. That the entry made from what it says is in that log.
        proof = receipt.proof
        check_inclusion(leaf, proof.index, head.checkpoint.size, proof.hashes, head.checkpoint.root)
        reasons += _entry_reasons(receipt)
        # 4. That the words are the statement's.
        if statement is not None:
            check_statement(receipt.sign, statement)
            words = statement["texts"][receipt.sign["lang"]]
            facts |= {"sentence": words["text"], "consent": words["consent"]}
            reasons.append(Reason(True, f"the words signed are: {words['text']}"))

    return steps


def check_statement(sign: Mapping[str, Any], statement: Mapping[str, Any]) -> None:
    """Check that what was signed is exactly a statement's text in one language, with its wording of consent.

    Raises:
        ProofError: It is not.
    """
    name, version, lang = sign["statement"], sign["version"], sign["lang"]
    if (statement["statement"], statement["version"]) != (name, version):
        which = f"version {version} of {name!r}"
        raise ProofError(
            f"{which} was signed; the file holds version {statement['version']} of {statement['statement']!r}",
            kind="statement",
        )
    words = statement["texts"].get(lang)
    if words is None:
        raise ProofError(f"it was signed in {lang!r}, which the statement's file does not hold", kind="statement")
    if signed_digest(words["text"], words["consent"], lang) != sign["signed"]:
        raise ProofError(f"other words were signed than the statement's file has in {lang!r}", kind="statement")


def parse_statement(value: object) -> dict[str, Any]:
    """Return a statement's texts, checked to be what `docs/formats/log.md` calls a statement's file.

    Raises:
        InputError: They are not.
    """
    bad = InputError(
        "this is no statement's file",
        kind="bad-statement",
        advice='it holds {"statement", "version", "texts": {LANGUAGE: {"text", "consent", "translator", "reviewer"}}}',
    )
    if not isinstance(value, dict) or set(value) != {"statement", "version", "texts"}:
        raise bad
    texts = value["texts"]
    good = isinstance(value["statement"], str) and type(value["version"]) is int and isinstance(texts, dict)
    if not good or not all(_is_text(words) for words in texts.values()):
        raise bad
    try:
        manifest_digest(value)
    except ValueError as error:
        raise bad from error
    return value


def _is_text(words: object) -> bool:
    return isinstance(words, dict) and set(words) == _TEXT_KEYS and all(isinstance(w, str) for w in words.values())


def _entry_reasons(receipt: Receipt) -> list[Reason]:
    sign, index, shown = receipt.sign, receipt.proof.index, receipt.shown
    who = ", ".join(f"{name} {value!r}" for name, value in shown.items()) or "nothing about the signer"
    what = f"version {sign['version']} of {sign['statement']!r}, in {sign['lang']!r}, as {_KINDS[sign['kind']]}"
    what += f", hour {sign['hour']}"
    if receipt.correct is None:
        reasons = [Reason(True, f"entry {index} of the log is a signature of {what}")]
    else:
        of, hour = receipt.correct["of"], receipt.correct["hour"]
        text = f"entry {index} of the log corrects what the signer of entry {of} said about themselves, hour {hour}"
        reasons = [
            Reason(True, text),
            Reason(None, f"the receipt says that entry {of} signed {what}; only the log itself proves that"),
        ]
    reasons.append(Reason(True, f"it is the signature of exactly these details: {who}"))
    if receipt.closed:
        reasons.append(Reason(None, f"the holder did not show: {', '.join(receipt.closed)}"))
    return reasons


_KINDS = {"person": "a person", "organisation": "an organisation"}


def _facts(receipt: Receipt) -> dict[str, Any]:
    return {
        "index": receipt.proof.index,
        "sign": dict(receipt.sign),
        "correct": dict(receipt.correct) if receipt.correct else None,
        "shown": receipt.shown,
        "closed": receipt.closed,
    }
