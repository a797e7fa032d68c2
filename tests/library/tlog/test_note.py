"""Signed notes, cosignatures and checkpoints: what is accepted, and the long list of what is not."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import AskFirstError, FormatError, InputError, ProofError
from askfirst.selftest import vectors
from askfirst.tlog import (
    Checkpoint,
    CosignatureSigner,
    CosignatureVerifier,
    NoteSigner,
    NoteVerifier,
    add_cosignature,
    open_note,
    sign_note,
)


def key_of(phrase):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(phrase.encode()).digest())


LOG = NoteSigner("example.org/log", key_of("a log"))
OTHER = NoteSigner("example.org/other", key_of("another log"))
WITNESS = CosignatureSigner("example.org/witness", key_of("a witness"))
ROOT = hashlib.sha256(b"").digest()
BODY = Checkpoint("example.org/log", 0, ROOT).body()
NOTE = sign_note(BODY, [LOG])
LINE = WITNESS.cosign(BODY, 1_795_320_000)


def test_note_opens_with_the_key_that_signed_it():
    opened = open_note(NOTE, [LOG.verifier])
    assert opened.body == BODY
    assert opened.signatures == [("example.org/log", LOG.key_id)]
    assert opened.unknown == []


def test_note_of_the_published_vectors_is_signed_the_same():
    published = vectors("log_v1")
    log = NoteSigner("example.org/log", key_of(published["log"]["phrase"]))
    witness = CosignatureSigner("example.org/witness", key_of(published["witness"]["phrase"]))
    assert log.verifier.vkey == published["log"]["vkey"]
    assert witness.verifier.vkey == published["witness"]["vkey"]
    body = published["checkpoint"].rpartition("\n\n")[0] + "\n"
    line = witness.cosign(body, published["witness"]["time_s"])
    assert add_cosignature(sign_note(body, [log]), line, [witness.verifier]) == published["checkpoint"]


def test_note_by_unknown_keys_only_is_refused():
    with pytest.raises(ProofError, match="none of the signatures"):
        open_note(NOTE, [OTHER.verifier])
    with pytest.raises(ProofError, match="none of the signatures"):
        open_note(NOTE, [])


def test_note_with_unknown_signatures_opens_and_names_them():
    opened = open_note(sign_note(BODY, [OTHER, LOG]), [LOG.verifier])
    assert opened.unknown == [("example.org/other", OTHER.key_id)]


def test_note_with_one_bad_signature_by_a_known_key_is_refused_as_a_whole():
    bad = sign_note("another\n", [OTHER]).rpartition("\n\n")[2]
    with pytest.raises(ProofError, match=r"example\.org/other is bad"):
        open_note(NOTE + bad, [LOG.verifier, OTHER.verifier])
    assert open_note(NOTE + bad, [LOG.verifier]).body == BODY


def test_note_with_the_same_signature_twice_counts_it_once():
    assert open_note(NOTE + NOTE.rpartition("\n\n")[2], [LOG.verifier]).signatures == [("example.org/log", LOG.key_id)]


def test_note_with_sixteen_signatures_opens():
    signers = [NoteSigner(f"example.org/{number}", key_of(str(number))) for number in range(16)]
    assert len(open_note(sign_note(BODY, signers), [s.verifier for s in signers]).signatures) == 16


def test_note_text_ends_at_the_last_empty_line():
    body = "a verse\n\nand another\n"
    assert open_note(sign_note(body, [LOG]), [LOG.verifier]).body == body


SIGNATURE = NOTE.rpartition("\n\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n",
        BODY,
        BODY + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        BODY + "\n— " + SIGNATURE.split(" ")[2],
        BODY + "\n— a name " + SIGNATURE.split(" ")[2],
        BODY + "\n— a+name " + SIGNATURE.split(" ")[2],
        BODY + "\n— a\u00a0name " + SIGNATURE.split(" ")[2],
        NOTE[:-2] + "\n",
        NOTE[:-2] + "-\n",
        NOTE[:-1] + " \n",
        BODY + "\n— example.org/log AAAA\n",
        "a\x00\n\n" + SIGNATURE,
        "a\tb\n\n" + SIGNATURE,
        "a\ud800\n\n" + SIGNATURE,
        NOTE + SIGNATURE * 100,
        "a" * (1 << 18) + NOTE,
    ],
)
def test_note_that_is_malformed_is_refused(text):
    with pytest.raises(FormatError):
        open_note(text, [LOG.verifier])


def test_note_with_base64_in_another_spelling_is_refused():
    # The last letter of a signature holds bits that mean nothing: only one spelling of them is a note.
    last = SIGNATURE.rstrip("\n=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(last) ^ 1]
    at = NOTE.rindex(last)
    with pytest.raises(FormatError, match="canonical"):
        open_note(NOTE[:at] + other + NOTE[at + 1 :], [LOG.verifier])


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 127))
def test_note_with_one_letter_changed_never_opens_as_it_was(at, change):
    text = NOTE[:at] + chr(ord(NOTE[at]) ^ change) + NOTE[at + 1 :]
    with pytest.raises(AskFirstError):
        open_note(text, [LOG.verifier])


@given(st.text())
def test_note_of_any_text_is_refused_with_our_error(text):
    with pytest.raises(AskFirstError):
        open_note(text + "\n\n— a b\n", [LOG.verifier])


@pytest.mark.parametrize("body", ["", "no newline", "a\x07\n", "a\r\n"])
def test_note_is_not_signed_over_what_is_no_text(body):
    with pytest.raises(InputError):
        sign_note(body, [LOG])


@pytest.mark.parametrize("signer", [LOG, WITNESS], ids=["log", "witness"])
def test_keys_are_read_as_they_are_written(signer):
    again = type(signer).load(signer.dump() + "\n")
    assert again.dump() == signer.dump()
    assert type(signer.verifier).parse(signer.verifier.vkey) == signer.verifier
    assert signer.dump().split("+")[-1] not in repr(signer)


def vkey(kind, material, name="example.org/log"):
    digest = hashlib.sha256(name.encode() + b"\n" + kind + material).digest()[:4]
    return f"{name}+{digest.hex()}+{base64.b64encode(kind + material).decode()}"


WEAK = [
    (1).to_bytes(32, "little"),
    (0).to_bytes(32, "little"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19 + 1).to_bytes(32, "little"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    bytes.fromhex("0100000000000000000000000000000000000000000000000000000000000080"),
]


@pytest.mark.parametrize("point", WEAK, ids=lambda point: point.hex()[:8])
def test_key_for_which_one_signature_fits_everything_is_refused(point):
    with pytest.raises(InputError, match="weak"):
        NoteVerifier.parse(vkey(b"\x01", point))
    with pytest.raises(InputError, match="weak"):
        CosignatureVerifier.parse(vkey(b"\x04", point))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org/log",
        LOG.verifier.vkey.replace("+", " ", 1),
        LOG.verifier.vkey.replace("example.org/log", "example.org/lag"),
        LOG.verifier.vkey[:-4],
        WITNESS.verifier.vkey,
        "+" + LOG.verifier.vkey.partition("+")[2],
    ],
)
def test_verifier_key_that_is_none_is_refused(text):
    with pytest.raises(InputError) as raised:
        NoteVerifier.parse(text)
    assert raised.value.kind == "bad-key"


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-3], lambda t: t.replace("log+", "lag+"), lambda t: t[8:], lambda _: ""]
)
def test_signing_key_that_is_none_is_refused_without_showing_it(spoil):
    with pytest.raises(InputError) as raised:
        NoteSigner.load(spoil(LOG.dump()))
    assert LOG.dump()[-20:-8] not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "x" * 256])
def test_key_with_a_name_that_breaks_lines_is_not_made(name):
    with pytest.raises(InputError):
        NoteSigner.generate(name)


def test_cosignature_opens_with_its_time():
    opened = open_note(add_cosignature(NOTE, LINE, [WITNESS.verifier]), [LOG.verifier, WITNESS.verifier])
    assert opened.times == {("example.org/witness", WITNESS.verifier.key_id): 1_795_320_000}
    assert len(opened.signatures) == 2


def test_cosignature_over_another_checkpoint_or_time_is_bad():
    other = WITNESS.cosign("another\n", 1_795_320_000)
    with pytest.raises(ProofError, match=r"example\.org/witness is bad"):
        add_cosignature(NOTE, other, [WITNESS.verifier])
    data = bytearray(base64.b64decode(LINE.split(" ")[2]))
    data[11] ^= 1
    late = f"— example.org/witness {base64.b64encode(data).decode()}\n"
    with pytest.raises(ProofError, match=r"example\.org/witness is bad"):
        add_cosignature(NOTE, late, [WITNESS.verifier])
    data[4] = 0x80
    with pytest.raises(ProofError, match=r"example\.org/witness is bad"):
        add_cosignature(NOTE, f"— example.org/witness {base64.b64encode(data).decode()}\n", [WITNESS.verifier])


def test_cosignature_by_a_stranger_is_left_out():
    stranger = CosignatureSigner("example.org/stranger", key_of("a stranger")).cosign(BODY, 1)
    assert add_cosignature(NOTE, stranger + LINE, [WITNESS.verifier]) == NOTE + LINE
    with pytest.raises(FormatError, match="no cosignature by a witness"):
        add_cosignature(NOTE, stranger, [WITNESS.verifier])


def test_cosignature_that_is_there_already_is_not_added_again():
    once = add_cosignature(NOTE, LINE, [WITNESS.verifier])
    assert add_cosignature(once, LINE, [WITNESS.verifier]) == once


def test_checkpoint_is_read_as_it_is_written():
    checkpoint = Checkpoint("example.org/log", 2**62, hashlib.sha256(b"x").digest())
    assert Checkpoint.parse(checkpoint.body()) == checkpoint
    extended = Checkpoint("example.org/log", 7, ROOT, ("what this means", "nobody knows"))
    assert Checkpoint.parse(extended.body()) == extended


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n\n\n",
        "example.org/log\n7\n",
        BODY[:-1],
        BODY + "\n",
        BODY.replace("\n0\n", "\n00\n"),
        BODY.replace("\n0\n", "\n-1\n"),
        BODY.replace("\n0\n", "\n+1\n"),
        BODY.replace("\n0\n", "\n 1\n"),
        BODY.replace("\n0\n", "\n1_0\n"),
        BODY.replace("\n0\n", "\n1.0\n"),
        BODY.replace("\n0\n", "\n٣\n"),
        BODY.replace("\n0\n", f"\n{2**63}\n"),
        BODY.replace("\n0\n", "\n" + "9" * 5000 + "\n"),
        BODY.replace("=", ""),
        BODY.replace("47DE", "AAAA47DE"),
        BODY.replace("example.org/log", ""),
    ],
)
def test_checkpoint_that_is_malformed_is_refused(body):
    with pytest.raises(FormatError):
        Checkpoint.parse(body)
