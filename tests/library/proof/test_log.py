"""Checking a whole log: the numbers of an honest one, and a no with a reason for every way to cheat."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import (
    HOUR,
    LOG,
    OTHER_LOG,
    STATEMENT,
    WITNESSES,
    announced,
    entries_of,
    fields_of,
    lines,
    publish,
    receipt_of,
    salt_of,
    signing,
    witnessed,
)

from askfirst.errors import FormatError
from askfirst.io.log_source import FolderSource
from askfirst.proof.finding import Trust
from askfirst.proof.log import verify_log
from askfirst.proof.receipt import commit, parse_receipt
from askfirst.tlog import Checkpoint, leaf_hash, sign_note
from askfirst.tlog.entries import Correct, Withdraw, encode_entry


def verify(folder, since=None, receipt=None, trust=None, statement=None):
    source = FolderSource(folder)
    trust = trust or Trust([LOG.verifier], [WITNESSES[0].verifier])
    parsed = parse_receipt(receipt) if receipt else None
    return verify_log(source.checkpoint(), source.read_many, trust, since, parsed, statement)


def why_not(finding):
    assert not finding.good
    assert [reason.good for reason in finding.reasons].count(False) == 1
    return finding.reasons[-1].text


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("honest") / "log", entries_of(600))


@pytest.fixture
def folder(honest, tmp_path):
    return shutil.copytree(honest.path, tmp_path / "log")


def test_honest_log_is_counted(honest):
    finding = verify(honest.path)
    assert [reason.text for reason in finding.reasons] == [
        "example.org/log signed that its log has 600 entries",
        "example.org/witness1 saw this log, unbroken, at 2026-11-22 04:00 UTC",
        "all 600 entries and all tiles give exactly the root that was signed",
        "ask-first: 480 people and 119 organisations have signed",
    ]
    assert finding.good
    assert finding.facts["statements"]["ask-first"]["people"] == 480


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513])
def test_honest_log_of_any_size_is_good(tmp_path, size):
    publish(tmp_path / "log", entries_of(size))
    assert verify(tmp_path / "log").good


def test_log_of_66000_entries_is_good_over_three_levels_of_tiles(tmp_path):
    log = publish(tmp_path / "log", [*lines(announced()), *lines(signing()) * 65_999])
    finding = verify(log.path)
    assert finding.good
    assert finding.facts["statements"]["ask-first"]["people"] == 65_999
    (log.path / "tile/2/000.p/1").write_bytes(bytes(32))
    assert why_not(verify(log.path)) == "tile/2/000.p/1 does not fit the entries below it"


def test_log_without_entries_is_good(tmp_path):
    publish(tmp_path / "log", [])
    assert verify(tmp_path / "log").good


def test_log_without_a_checkpoint_or_a_key_is_not_good(tmp_path, honest):
    assert why_not(verify(tmp_path)) == "this log has published no checkpoint"
    assert why_not(verify(honest.path, trust=Trust([]))).startswith("without the log's key")
    assert not verify(honest.path, trust=Trust([OTHER_LOG.verifier])).good


def test_log_that_dropped_unfinished_tiles_is_good(folder, honest):
    # A reader of 600 entries comes when there are 768: what was unfinished is full now, or dropped.
    note = (folder / "checkpoint").read_text()
    publish(folder, entries_of(800)[600:])
    finding = verify_log(note, FolderSource(folder).read_many, Trust([LOG.verifier], [WITNESSES[0].verifier]))
    assert not (folder / "tile/0/002.p/88").exists()
    assert finding.good
    assert finding.facts["size"] == 600


def test_log_that_continues_the_last_checkpoint_is_good(folder, honest):
    since = honest.checkpoint()
    publish(folder, entries_of(800)[600:])
    finding = verify(folder, since)
    assert finding.good
    assert "the checkpoint of last time, of 600 entries, is the beginning of this log" in [
        reason.text for reason in finding.reasons
    ]


def test_log_that_was_forked_is_not_good(tmp_path, honest):
    entries = entries_of(800)
    entries[7] = encode_entry(signing(7777))
    publish(tmp_path / "fork", entries)
    assert verify(tmp_path / "fork").good
    assert why_not(verify(tmp_path / "fork", honest.checkpoint())) == (
        "forked: the checkpoint of last time had other entries than this log among the first 600"
    )


def test_log_that_shows_another_list_of_the_same_size_is_not_good(tmp_path, honest):
    publish(tmp_path / "fork", [*entries_of(599), encode_entry(signing(7777))])
    assert why_not(verify(tmp_path / "fork", honest.checkpoint())).startswith("forked:")


def test_log_that_was_rolled_back_is_not_good(tmp_path, honest):
    publish(tmp_path / "short", entries_of(500))
    assert why_not(verify(tmp_path / "short", honest.checkpoint())) == (
        "rolled back: this log has 500 entries, the checkpoint of last time has 600"
    )


def test_log_that_signed_a_root_it_does_not_have_is_not_good(folder):
    body = Checkpoint("example.org/log", 600, leaf_hash(b"?")).body()
    (folder / "checkpoint").write_text(witnessed(sign_note(body, [LOG]), WITNESSES[:1]))
    assert why_not(verify(folder)) == "the entries of this log do not give the root that it signed"


@pytest.mark.parametrize("size", [601, 10_000, 2**40, 2**62])
def test_log_that_claims_more_than_it_has_is_not_good(folder, size):
    body = Checkpoint("example.org/log", size, leaf_hash(b"?")).body()
    (folder / "checkpoint").write_text(witnessed(sign_note(body, [LOG]), WITNESSES[:1]))
    assert why_not(verify(folder)).startswith("the log lacks tile/")


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/000"])
def test_log_with_a_file_changed_shortened_or_lengthened_is_not_good(folder, name):
    path = folder / name
    data = path.read_bytes()
    spoiled = [data[:-1], data + b"\0", b"", data[:-32], data + data, bytes(len(data)), data[:-1] + b"?"]
    for bad in spoiled:
        path.write_bytes(bad)
        assert not verify(folder).good
    path.unlink()
    assert why_not(verify(folder)) == f"the log lacks {name}"


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_log_with_one_bit_changed_anywhere_is_not_good(honest, data):
    names = [
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    name = data.draw(st.sampled_from(names))
    raw = bytearray((honest.path / name).read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))

    def read_many(files):
        for path, limit_bytes in files:
            (found,) = FolderSource(honest.path).read_many([(path, limit_bytes)])
            yield bytes(raw) if path == name else found

    assert not verify_log(honest.checkpoint(), read_many, Trust([LOG.verifier])).good


def test_log_with_an_entry_that_cannot_be_is_not_good(tmp_path):
    publish(tmp_path / "log", [*entries_of(5), b"hello"])
    assert why_not(verify(tmp_path / "log")).startswith("entry 5 cannot be counted")


def test_log_announced_the_statements_words_or_others(honest):
    finding = verify(honest.path, statement=STATEMENT)
    assert finding.good
    assert finding.reasons[-1].text == "the log announced exactly these words for version 1 of 'ask-first'"
    other = {**STATEMENT, "texts": {"en": STATEMENT["texts"]["en"]}}
    assert why_not(verify(honest.path, statement=other)) == "the log announced other words for version 1 of 'ask-first'"
    for absent in ({**STATEMENT, "version": 2}, {**STATEMENT, "statement": "other"}):
        assert why_not(verify(honest.path, statement=absent)).startswith("the log never announced version")


def test_receipt_is_found_in_its_log_when_that_has_grown(honest, folder):
    receipt = receipt_of(honest, 7)
    publish(folder, entries_of(800)[600:])
    finding = verify(folder, receipt=receipt)
    assert finding.good
    assert finding.reasons[-1].text == "the signature of entry 7 is in this log and counts"


def test_receipt_of_a_signature_that_was_withdrawn_is_not_good(honest, folder):
    receipt = receipt_of(honest, 7)
    publish(folder, lines(Withdraw(7, HOUR)))
    assert why_not(verify(folder, receipt=receipt)) == "the signature of entry 7 was withdrawn since"


def test_receipt_from_a_log_that_was_forked_since_is_not_good(honest, tmp_path):
    entries = entries_of(800)
    entries[300] = encode_entry(signing(7777))
    publish(tmp_path / "fork", entries)
    assert why_not(verify(tmp_path / "fork", receipt=receipt_of(honest, 7))).startswith(
        "forked: the receipt's checkpoint"
    )


def test_receipt_of_more_entries_than_the_log_has_is_not_good(honest, tmp_path):
    publish(tmp_path / "short", entries_of(500))
    assert why_not(verify(tmp_path / "short", receipt=receipt_of(honest, 7))).startswith("rolled back:")


def corrected(tmp_path, of=7):
    correction = Correct(of, commit(salt_of(99), fields_of(99)), HOUR)
    log = publish(tmp_path / "log", [*entries_of(20), encode_entry(correction)])
    return log, correction


def test_receipt_of_a_correction_is_proved_by_the_log(tmp_path):
    log, correction = corrected(tmp_path)
    receipt = receipt_of(log, 20, signing(7), 99, correction)
    finding = verify(log.path, receipt=receipt)
    assert finding.good
    assert [reason.text for reason in finding.reasons[-2:]] == [
        "entry 7 signed what the receipt says",
        "the signature of entry 7 is in this log and counts",
    ]


def test_receipt_of_a_correction_that_lies_about_what_was_signed_is_not_good(tmp_path):
    log, correction = corrected(tmp_path)
    for lie in (signing(7, lang="en"), signing(7, "organisation"), signing(7, version=2)):
        receipt = receipt_of(log, 20, lie, 99, correction)
        assert why_not(verify(log.path, receipt=receipt)) == "entry 7 did not sign what the receipt says"


def test_receipt_from_before_a_correction_says_so(tmp_path):
    log, _ = corrected(tmp_path)
    finding = verify(log.path, receipt=receipt_of(log, 7))
    assert finding.good
    assert finding.reasons[-1].text == "the details about its signer were corrected since, in entry 20"


def test_folder_source_reads_no_more_than_the_limit(tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"x" * (1 << 19))
    with pytest.raises(FormatError, match="longer than"):
        FolderSource(tmp_path).checkpoint()
