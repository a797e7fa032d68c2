"""Receipts: they hold for what was signed, fail for anything else, and show only what the holder wants to show."""

import base64
import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import (
    FIELDS,
    HOUR,
    LOG,
    OTHER_LOG,
    STATEMENT,
    WITNESSES,
    entries_of,
    fields_of,
    publish,
    receipt_of,
    salt_of,
    signing,
    witnessed,
)

from askfirst.errors import FormatError, InputError
from askfirst.proof.receipt import FIELDS as NAMES
from askfirst.proof.receipt import build_receipt, close_fields, commit, parse_receipt
from askfirst.proof.verify import parse_statement, verify_receipt
from askfirst.selftest import vectors
from askfirst.tlog import CosignatureVerifier, NoteVerifier, encode_proof, parse_proof
from askfirst.tlog.entries import Correct, encode_entry

SIZE = 300
INDEX = 7


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("receipts") / "log", entries_of(SIZE), WITNESSES[:2])


@pytest.fixture(scope="module")
def receipt(log):
    return receipt_of(log, INDEX)


def verify(text, witnesses=(), quorum=None, statement=None, log_key=LOG):
    return verify_receipt(text, [log_key.verifier], [w.verifier for w in witnesses], quorum, statement)


def why_not(finding):
    assert not finding.good
    assert [reason.good for reason in finding.reasons].count(False) == 1
    return finding.reasons[-1].text


def test_receipt_of_a_signature_is_good(receipt):
    finding = verify(receipt, WITNESSES[:2], statement=STATEMENT)
    assert [reason.text for reason in finding.reasons] == [
        "example.org/log signed that its log has 300 entries",
        "example.org/witness1 saw this log, unbroken, at 2026-11-22 04:00 UTC",
        "example.org/witness2 saw this log, unbroken, at 2026-11-22 04:00 UTC",
        "entry 7 of the log is a signature of version 1 of 'ask-first', in 'de', as a person, hour 2026-11-22T05Z",
        "it is the signature of exactly these details: email 'ana@example.org', name 'Ana Maker 7', role 'translator'",
        "the words signed are: Fragt zuerst.",
    ]
    assert finding.good
    assert finding.facts["shown"] == fields_of(INDEX)
    assert finding.facts["sentence"] == "Fragt zuerst."
    assert json.loads(json.dumps(finding.as_dict()))["good"] is True


def test_receipts_of_the_published_vectors_are_good():
    published = vectors("log_v1")
    log = NoteVerifier.parse(published["log"]["vkey"])
    witness = CosignatureVerifier.parse(published["witness"]["vkey"])
    for text in (published["receipt"], published["closed"]["receipt"], published["corrected"]):
        assert verify_receipt(text, [log], [witness], statement=published["statement"]).good
    assert close_fields(published["receipt"], published["closed"]["fields"]) == published["closed"]["receipt"]


def test_commitments_are_those_of_the_published_vectors():
    for case in vectors("log_v1")["commitments"]:
        assert commit(bytes.fromhex(case["salt"]), case["fields"]) == case["commitment"]


def test_finding_is_not_a_truth_value(receipt):
    with pytest.raises(TypeError, match="reasons"):
        bool(verify(receipt))


def test_receipt_without_the_logs_key_is_never_good(receipt):
    assert why_not(verify_receipt(receipt, [])).startswith("without the log's key nobody can say whose log this is")


def test_receipt_of_somebody_who_says_to_be_the_log_is_not_good(receipt):
    assert why_not(verify(receipt, log_key=OTHER_LOG)) == "none of the signatures is by a key that is known"


def test_receipt_signed_by_a_known_key_of_another_name_is_not_good(log, receipt):
    # The key of the witness's own log is trusted too, but it does not speak for this one.
    from askfirst.tlog import NoteSigner, sign_note

    proof = parse_proof(receipt)
    other = NoteSigner.generate("example.org/other")
    note = sign_note(proof.checkpoint_note.rpartition("\n\n")[0] + "\n", [other])
    text = encode_proof(proof.index, proof.hashes, note, proof.extra)
    assert why_not(verify(text, log_key=other)) == (
        "the log names itself example.org/log, and no known key of that name signed"
    )


def test_receipt_seen_by_fewer_witnesses_than_asked_for_is_not_good(receipt):
    assert why_not(verify(receipt, WITNESSES)) == "2 of the known witnesses signed, 3 must"
    assert verify(receipt, WITNESSES, quorum=2).good
    assert verify(receipt, WITNESSES[2:], quorum=0).good


def test_witness_named_twice_counts_once(receipt):
    again = [*WITNESSES[:1], *WITNESSES[:1]]
    assert verify(receipt, again).good
    assert why_not(verify(receipt, again, quorum=2)) == "1 of the known witnesses signed, 2 must"


def test_receipt_for_other_words_is_not_good(receipt):
    other_words = "other words were signed than the statement's file has in 'de'"
    other = json.loads(json.dumps(STATEMENT))
    other["texts"]["de"]["text"] = "Fragt nie."
    assert why_not(verify(receipt, statement=other)) == other_words
    other = json.loads(json.dumps(STATEMENT))
    other["texts"]["de"]["consent"] += " Und mehr."
    assert why_not(verify(receipt, statement=other)) == other_words
    del other["texts"]["de"]
    assert (
        why_not(verify(receipt, statement=other)) == "it was signed in 'de', which the statement's file does not hold"
    )
    assert why_not(verify(receipt, statement={**STATEMENT, "version": 2})) == (
        "version 1 of 'ask-first' was signed; the file holds version 2 of 'ask-first'"
    )


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_receipt_with_one_bit_changed_is_never_good(receipt, data):
    raw = bytearray(receipt.encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    text = raw.decode("utf-8", "surrogateescape")
    assert not verify(text, WITNESSES[:2], statement=STATEMENT).good


def test_receipt_with_one_byte_missing_or_doubled_is_never_good(receipt):
    for at in range(len(receipt)):
        for text in (receipt[:at] + receipt[at + 1 :], receipt[:at] + receipt[at] + receipt[at:]):
            assert not verify(text, WITNESSES[:2], statement=STATEMENT).good, at


def extra_of(text):
    return json.loads(parse_proof(text).extra)


def with_extra(text, extra):
    proof = parse_proof(text)
    data = json.dumps(extra, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return encode_proof(proof.index, proof.hashes, proof.checkpoint_note, data)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: e["fields"].update(name="Ana Maker 8"),
        lambda e: e["fields"].pop("email"),
        lambda e: e["fields"].update(affiliation="Guild"),
        lambda e: e["sign"].update(hour="2026-11-22T06Z"),
        lambda e: e["sign"].update(kind="organisation"),
        lambda e: e["sign"].update(lang="en"),
        lambda e: e["sign"].update(version=2),
        lambda e: e["sign"].update(version=True),
        lambda e: e["sign"].update(version=[1]),
        lambda e: e["sign"].update(statement="ask-last"),
        lambda e: e["sign"].update(statement={"a": "b"}),
        lambda e: e["sign"].pop("hour"),
        lambda e: e["sign"].update(commitment="A" * 43),
        lambda e: e.update(salt="A" * 43),
        lambda e: e.update(salt="A" * 42),
        lambda e: e.update(salt=7),
        lambda e: e.update(fields=[]),
        lambda e: e.update(fields={"name": ""}),
        lambda e: e.update(fields={"name": 7}),
        lambda e: e.update(fields={"shoe": "43"}),
        lambda e: e.update(fields={"name": "x" * 401}),
        lambda e: e.update(more=1),
        lambda e: e.pop("salt"),
        lambda e: e.update(correct={"of": 1, "hour": HOUR}),
        lambda e: e.update(correct={"of": 1}),
        lambda e: e.update(correct=None),
    ],
)
def test_receipt_that_says_something_else_is_not_good(receipt, spoil):
    extra = extra_of(receipt)
    spoil(extra)
    assert not verify(with_extra(receipt, extra)).good


@pytest.mark.parametrize("extra", [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"sign":{},"sign":{}}'])
def test_receipt_with_an_extra_line_that_is_nothing_is_not_good(receipt, extra):
    proof = parse_proof(receipt)
    assert not verify(encode_proof(proof.index, proof.hashes, proof.checkpoint_note, extra)).good


def test_receipt_without_an_extra_line_is_not_good(receipt):
    proof = parse_proof(receipt)
    text = encode_proof(proof.index, proof.hashes, proof.checkpoint_note)
    assert why_not(verify(text)) == "this receipt is damaged: a proof of a log without the line that says of what"


def test_closed_receipt_is_good_and_does_not_show_what_is_closed(receipt):
    closed = close_fields(receipt, ["email", "name"])
    finding = verify(closed, WITNESSES[:2], statement=STATEMENT)
    assert finding.good
    assert finding.facts["shown"] == {"role": "translator"}
    assert finding.facts["closed"] == ["email", "name"]
    readable = base64.b64decode(closed.split("\n")[1].removeprefix("extra ")).decode()
    for secret in (FIELDS["email"], FIELDS["name"], base64.urlsafe_b64encode(salt_of(INDEX)).decode()[:40]):
        assert secret not in readable
        assert secret in base64.b64decode(receipt.split("\n")[1].removeprefix("extra ")).decode()


def test_closed_receipt_can_be_closed_further_and_not_opened(receipt):
    once = close_fields(receipt, ["email"])
    twice = close_fields(once, ["name", "role"])
    assert twice == close_fields(receipt, ["email", "name", "role"])
    assert close_fields(twice, []) == twice
    nothing = close_fields(twice, NAMES)
    assert verify(nothing).good
    assert verify(nothing).facts["shown"] == {}


def test_closed_receipt_with_another_value_is_not_good(receipt):
    extra = extra_of(close_fields(receipt, ["email"]))
    extra["opened"]["name"]["value"] = "Somebody Else"
    assert why_not(verify(with_extra(receipt, extra))) == "the proof does not lead from entry 7 to the log's root"
    extra = extra_of(close_fields(receipt, ["email"]))
    del extra["closed"]["email"]
    assert why_not(verify(with_extra(receipt, extra))).startswith(
        "this receipt is damaged: it does not have every field"
    )


def test_closed_field_does_not_say_whether_it_is_empty(receipt):
    extra = extra_of(close_fields(receipt, ["email", "affiliation"]))
    assert {len(each) for each in extra["closed"].values()} == {43}


def test_close_of_a_field_that_is_none_is_refused(receipt):
    with pytest.raises(InputError, match="no field 'shoe'"):
        close_fields(receipt, ["shoe"])


@given(
    st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(codec="utf-8"), max_size=50)),
    st.binary(min_size=32, max_size=32),
)
def test_commitment_is_the_same_for_the_same_words_and_not_for_others(fields, salt):
    commitment = commit(salt, fields)
    assert len(commitment) == 43
    assert commit(salt, {name: unicodedata.normalize("NFD", value) for name, value in fields.items()}) == commitment
    assert commit(salt, {**dict.fromkeys(NAMES, ""), **fields}) == commitment
    assert commit(bytes([salt[0] ^ 1]) + salt[1:], fields) != commitment
    assert commit(salt, {**fields, "role": fields.get("role", "") + "x"}) != commitment


@pytest.mark.parametrize(
    ("salt", "fields"),
    [(bytes(31), {}), (bytes(33), {}), (bytes(32), {"shoe": "43"}), (bytes(32), {"name": "x" * 401})],
)
def test_commitment_to_what_is_no_signer_is_refused(salt, fields):
    with pytest.raises(InputError):
        commit(salt, fields)


def test_receipt_is_not_built_with_a_salt_that_does_not_open_the_entry(receipt):
    proof = parse_proof(receipt)
    with pytest.raises(InputError, match="do not open"):
        build_receipt(proof, signing(INDEX), salt_of(8), fields_of(INDEX))


def test_receipt_after_a_correction_proves_the_correction_and_says_what_it_does_not_prove(tmp_path):
    correction = Correct(2, commit(salt_of(99), fields_of(99)), HOUR)
    log = publish(tmp_path / "log", [*entries_of(4), encode_entry(correction)])
    text = receipt_of(log, 4, signing(2), 99, correction)
    finding = verify(text, WITNESSES[:1], statement=STATEMENT)
    assert finding.good
    assert [reason.text for reason in finding.reasons if reason.good is None] == [
        (
            "the receipt says that entry 2 signed version 1 of 'ask-first', in 'de', as a person, hour 2026-11-22T05Z; "
            "only the log itself proves that"
        )
    ]
    assert finding.facts["correct"] == {"of": 2, "hour": HOUR}
    assert verify(close_fields(text, ["email"]), WITNESSES[:1]).good
    extra = extra_of(text)
    extra["correct"]["of"] = 3
    assert not verify(with_extra(text, extra)).good


def test_receipt_is_small(log, receipt):
    # At a million entries the path has twenty hashes, here eight or nine: the others are added by hand.
    proof = parse_proof(receipt)
    note = witnessed(proof.checkpoint_note.partition("— example.org/witness1")[0], WITNESSES[:1])
    text = encode_proof(1_000_000, (*proof.hashes, *(bytes(32),) * (20 - len(proof.hashes))), note, proof.extra)
    assert len(text) < 2_000


def test_statement_is_read_as_it_is():
    assert parse_statement(json.loads(json.dumps(STATEMENT))) == STATEMENT


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {**STATEMENT, "more": 1},
        {**STATEMENT, "version": "1"},
        {**STATEMENT, "version": True},
        {**STATEMENT, "statement": 7},
        {**STATEMENT, "texts": []},
        {**STATEMENT, "texts": {"de": {"text": "x"}}},
        {**STATEMENT, "texts": {"de": {"text": "x", "consent": None, "translator": "", "reviewer": ""}}},
        {**STATEMENT, "texts": {"dé": STATEMENT["texts"]["de"]}},
    ],
)
def test_statement_that_is_none_is_refused(value):
    with pytest.raises(InputError, match="no statement's file"):
        parse_statement(value)


def test_receipt_that_is_no_text_of_a_proof_is_damaged():
    with pytest.raises(FormatError):
        parse_receipt("hello\n")
    assert not verify("hello\n").good
