"""A small log of a statement, with its keys: what the tests of receipts, logs and witnesses play in."""

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from askfirst.io.log_files import CheckpointSigner, LogFolder
from askfirst.proof.receipt import build_receipt, commit
from askfirst.tlog import CosignatureSigner, NoteSigner, TlogProof, add_cosignature, open_note
from askfirst.tlog.entries import Sign, StatementVersion, encode_entry, manifest_digest, signed_digest

ORIGIN = "example.org/log"
HOUR = "2026-11-22T05Z"
TIME_S = 1_795_320_000

STATEMENT = {
    "statement": "ask-first",
    "version": 1,
    "texts": {
        "de": {"text": "Fragt zuerst.", "consent": "Ich unterzeichne öffentlich.", "translator": "", "reviewer": ""},
        "en": {"text": "Ask first.", "consent": "I sign in public.", "translator": "", "reviewer": ""},
    },
}
FIELDS = {"name": "Ana Maker", "email": "ana@example.org", "role": "translator"}


def key_of(phrase):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(phrase.encode()).digest())


LOG = NoteSigner(ORIGIN, key_of("the log of the scene"))
OTHER_LOG = NoteSigner(ORIGIN, key_of("somebody who says to be the log"))
WITNESSES = [CosignatureSigner(f"example.org/witness{n}", key_of(f"witness {n}")) for n in (1, 2, 3)]


def salt_of(number):
    return hashlib.sha256(b"salt %d" % number).digest()


def fields_of(number):
    return {**FIELDS, "name": f"{FIELDS['name']} {number}"}


def signing(number=0, kind="person", lang="de", statement="ask-first", version=1):
    words = STATEMENT["texts"][lang]
    signed = signed_digest(words["text"], words["consent"], lang)
    return Sign(statement, version, lang, signed, kind, HOUR, commit(salt_of(number), fields_of(number)))


def announced(statement="ask-first", version=1):
    return StatementVersion(statement, version, manifest_digest(STATEMENT))


def lines(*entries):
    return [encode_entry(entry) for entry in entries]


def entries_of(count):
    """Return a log's entries: the statement, then signatures."""
    return lines(
        announced(), *(signing(number, "person" if number % 5 else "organisation") for number in range(1, count))
    )


def publish(folder: Path, entries, witnesses=WITNESSES[:1], signer=LOG):
    """Append entries to the log in a folder and publish its checkpoint."""
    with LogFolder(folder) as log:
        log.append(entries)
        note = CheckpointSigner(folder.with_name(folder.name + ".signer"), signer).sign(
            log.size, log.root, signer.name, log.prove_consistency
        )
        log.publish(witnessed(note, witnesses))
        return log


def witnessed(note, witnesses):
    body = open_note(note, [LOG.verifier, OTHER_LOG.verifier]).body
    for witness in witnesses:
        note = add_cosignature(note, witness.cosign(body, TIME_S), [witness.verifier])
    return note


def receipt_of(log, index, sign=None, number=None, correct=None):
    """Return the receipt of the signature at a position, whose signer is numbered like it."""
    number = index if number is None else number
    note = log.checkpoint()
    size = int(note.split("\n")[1])
    proof = TlogProof(index, tuple(log.prove_inclusion(index, size)), note)
    kind = "person" if index % 5 else "organisation"
    return build_receipt(proof, sign or signing(index, kind), salt_of(number), fields_of(number), correct)
