"""Entries: one spelling for each, everything else refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.canonical import canonical_json, parse_canonical
from askfirst.errors import FormatError
from askfirst.selftest import vectors
from askfirst.tlog.entries import (
    Batch,
    Correct,
    Invalidate,
    Sign,
    StatementVersion,
    Withdraw,
    encode_entry,
    manifest_digest,
    parse_entry,
    signed_digest,
)

DIGEST = "A" * 43
HOUR = "2026-11-22T05Z"
SIGN = Sign("ask-first", 1, "de", DIGEST, "person", HOUR, DIGEST)
ONE_OF_EACH = [
    StatementVersion("ask-first", 1, DIGEST),
    SIGN,
    Correct(1, DIGEST, HOUR),
    Withdraw(1, HOUR),
    Batch("b-1", "ask-first", "one network", 3, HOUR),
    Invalidate(1, "b-1", HOUR),
]


@pytest.mark.parametrize("entry", ONE_OF_EACH, ids=lambda entry: type(entry).__name__)
def test_entry_is_read_as_it_is_written(entry):
    assert parse_entry(encode_entry(entry)) == entry


def test_entry_is_canonical_json_with_its_type_and_version():
    assert encode_entry(Withdraw(7, HOUR)) == b'{"hour":"2026-11-22T05Z","of":7,"type":"withdraw","v":1}'


def test_entries_of_the_published_vectors_are_read_and_written_the_same():
    for line in vectors("log_v1")["entries"]:
        assert encode_entry(parse_entry(line.encode())).decode() == line


def test_digests_of_a_statement_are_those_of_the_published_vectors():
    published = vectors("log_v1")
    statement, first = published["statement"], parse_entry(published["entries"][0].encode())
    assert manifest_digest(statement) == first.manifest
    words = statement["texts"]["de"]
    assert signed_digest(words["text"], words["consent"], "de") == parse_entry(published["entries"][1].encode()).signed


@given(st.text(max_size=300))
def test_reason_of_a_batch_may_be_any_text(reason):
    batch = Batch("b", "s", reason, 1, HOUR)
    try:
        data = encode_entry(batch)
    except FormatError:
        assert any(0xD800 <= ord(letter) < 0xE000 for letter in reason)
    else:
        assert parse_entry(data) == batch
        assert json.loads(data)["reason"] == reason


GOOD = encode_entry(SIGN)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        GOOD + b"\n",
        b" " + GOOD,
        GOOD[:-1],
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"v":1', b'"v":1.0'),
        GOOD.replace(b'"v":1', b'"v":true'),
        GOOD.replace(b'"type":"sign"', b'"type":"resign"'),
        GOOD.replace(b'"lang":"de",', b""),
        GOOD.replace(b'"lang":"de"', b'"lang":"de","lang":"en"'),
        GOOD.replace(b'"lang":"de"', b'"lang":"de","name":"Ana"'),
        GOOD.replace(b'"lang":"de"', b'"lang": "de"'),
        GOOD.replace(b'"lang":"de"', b'"lang":"d\\u0065"'),
        GOOD.replace(b'"lang":"de"', b'"lang":"Deutsch"'),
        GOOD.replace(b'"person"', b'"robot"'),
        GOOD.replace(b"A" * 43, b"A" * 42),
        GOOD.replace(b"A" * 43, b"A" * 42 + b"B"),
        GOOD.replace(b"A" * 43, b"A" * 42 + b"="),
        GOOD.replace(b"05Z", b"24Z"),
        GOOD.replace(b"2026-11", b"2026-13"),
        GOOD.replace(b"05Z", b"05:30Z"),
        GOOD.replace(b'"version":1', b'"version":0'),
        GOOD.replace(b'"version":1', b'"version":01'),
        GOOD.replace(b'"version":1', b'"version":"1"'),
        GOOD.replace(b"ask-first", b"ask first"),
        GOOD.replace(b"ask-first", b"x" * 65),
        GOOD.replace(b"ask-first", "größe".encode()),
        b'{"hour":"2026-11-22T05Z","of":-1,"type":"withdraw","v":1}',
        b'{"hour":"2026-11-22T05Z","of":1e3,"type":"withdraw","v":1}',
        b'{"batch":"b","count":1,"hour":"2026-11-22T05Z","reason":"\\u0041","statement":"s","type":"batch","v":1}',
        b'{"batch":"b","count":1,"hour":"2026-11-22T05Z","reason":"\xff","statement":"s","type":"batch","v":1}',
        b'{"batch":"b","count":1,"hour":"2026-11-22T05Z","reason":"\\u000a","statement":"s","type":"batch","v":1}',
        encode_entry(Batch("b", "s", "x" * 3900, 1, HOUR)).replace(b"xx", b"x" * 200, 1),
    ],
)
def test_entry_in_any_other_spelling_is_refused(data):
    with pytest.raises(FormatError, match="no entry"):
        parse_entry(data)


@pytest.mark.parametrize(
    "entry",
    [
        Sign("ask-first", 1, "de", DIGEST, "person", HOUR, "short"),
        Sign("ask-first", 1.0, "de", DIGEST, "person", HOUR, DIGEST),
        Sign("ask-first", True, "de", DIGEST, "person", HOUR, DIGEST),
        Withdraw(-1, HOUR),
        Withdraw(2**60, HOUR),
        Batch("b", "s", "x" * 5000, 1, HOUR),
        Batch("b", "s", "x", 0, HOUR),
    ],
)
def test_entry_with_a_value_it_cannot_have_is_not_written(entry):
    with pytest.raises(FormatError):
        encode_entry(entry)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner),
    )
)
def test_canonical_json_is_read_as_it_is_written_and_says_the_same(value):
    data = canonical_json(value)
    assert parse_canonical(data) == value
    assert json.loads(data) == value


@pytest.mark.parametrize("value", [1.0, 2**53, -(2**53), {"ä": 1}, {1: 2}, "\ud800", {1, 2}, b"x", [float("nan")]])
def test_canonical_json_of_what_has_no_one_spelling_is_refused(value):
    with pytest.raises(ValueError, match=r"canonical|ASCII|beyond|surrogates"):
        canonical_json(value)


@pytest.mark.parametrize(
    "data", [b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{"a": 1}', b"1.0", b"NaN", b"1e2", b"\xff", b"[" * 100_000, b'"\\/"']
)
def test_json_that_is_not_canonical_is_refused(data):
    with pytest.raises(ValueError, match=r"canonical|deeply|utf-8"):
        parse_canonical(data)
