"""Counting a log again: the numbers, and every way in which a log can be wrong, with the entry that is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import HOUR, announced, lines, signing

from askfirst.errors import ProofError
from askfirst.proof.recount import Recount, recount
from askfirst.selftest import vectors
from askfirst.tlog.entries import Batch, Correct, Invalidate, Withdraw, encode_entry

DIGEST = "A" * 43


def numbers(*entries):
    return {name: count.as_dict() for name, count in recount(lines(*entries)).items()}


def error_of(*entries):
    with pytest.raises(ProofError) as raised:
        recount(lines(*entries))
    assert raised.value.kind == "recount"
    return raised.value.message


def test_numbers_are_those_of_the_published_vectors():
    published = vectors("log_v1")
    counts = recount(line.encode() for line in published["entries"])
    assert {name: count.as_dict() for name, count in counts.items()} == published["counts"]


def test_people_and_organisations_are_signed_less_withdrawn_less_removed():
    found = numbers(
        announced(),
        *(signing(n) for n in range(5)),
        *(signing(n, "organisation") for n in range(3)),
        Withdraw(1, HOUR),
        Batch("b", "ask-first", "two of one network", 2, HOUR),
        Invalidate(2, "b", HOUR),
        Invalidate(6, "b", HOUR),
        Correct(3, DIGEST, HOUR),
    )
    count = found["ask-first"]
    assert (count["people"], count["organisations"]) == (3, 2)
    assert (count["signed"], count["withdrawn"], count["invalidated"]) == (8, 1, 2)
    assert count["unannounced"] == []


def test_statements_are_counted_apart():
    found = numbers(announced(), announced("other"), signing(), signing(1, statement="other"), signing(2))
    assert {name: count["people"] for name, count in found.items()} == {"ask-first": 2, "other": 1}


def test_empty_log_has_no_numbers():
    assert recount([]) == {}


def test_version_that_was_not_announced_is_noticed():
    assert numbers(signing(), announced())["ask-first"]["unannounced"] == [1]
    assert numbers(announced(), signing(version=2))["ask-first"]["unannounced"] == [2]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([announced(), announced()], "entry 1 cannot be counted: version 1 of ask-first is there already"),
        ([Withdraw(0, HOUR)], "entry 0 cannot be counted: it names entry 0, which is no signature before it"),
        (
            [signing(), Withdraw(2, HOUR), signing()],
            "entry 1 cannot be counted: it names entry 2, which is no signature before it",
        ),
        (
            [announced(), signing(), Withdraw(0, HOUR)],
            "entry 2 cannot be counted: it names entry 0, which is no signature before it",
        ),
        (
            [signing(), Withdraw(0, HOUR), Withdraw(0, HOUR)],
            "entry 2 cannot be counted: it names entry 0, which was withdrawn already",
        ),
        (
            [signing(), Withdraw(0, HOUR), Correct(0, DIGEST, HOUR)],
            "entry 2 cannot be counted: it names entry 0, which was withdrawn already",
        ),
        (
            [signing(), Batch("b", "ask-first", "x", 1, HOUR), Invalidate(0, "b", HOUR), Withdraw(0, HOUR)],
            "entry 3 cannot be counted: it names entry 0, which was removed already",
        ),
        (
            [signing(), Invalidate(0, "b", HOUR)],
            "entry 1 cannot be counted: no batch b was announced before",
        ),
        (
            [signing(), Batch("b", "other", "x", 1, HOUR), Invalidate(0, "b", HOUR)],
            "entry 2 cannot be counted: entry 0 did not sign other, of which batch b is",
        ),
        (
            [Batch("b", "s", "x", 1, HOUR), Batch("b", "s", "x", 1, HOUR)],
            "entry 1 cannot be counted: batch b is there already",
        ),
        (
            [
                signing(0),
                signing(1),
                Batch("b", "ask-first", "x", 1, HOUR),
                *(Invalidate(n, "b", HOUR) for n in (0, 1)),
            ],
            "entry 4 cannot be counted: batch b said that it removes 1, and did so before",
        ),
    ],
)
def test_log_that_cannot_be_names_the_entry(entries, message):
    assert error_of(*entries) == message


def test_batch_of_which_some_removals_are_still_to_come_is_told():
    counts = recount(lines(signing(), signing(1), Batch("b", "ask-first", "x", 2, HOUR), Invalidate(0, "b", HOUR)))
    assert (counts["ask-first"].people, counts["ask-first"].unfinished) == (1, {"b": (1, 2)})


def test_entry_that_is_none_is_named():
    with pytest.raises(ProofError, match="entry 1 cannot be counted: this is no entry"):
        recount([encode_entry(signing()), b"{}"])


def test_standing_of_a_signature_follows_what_happened_to_it():
    count = Recount()
    count.add(lines(signing(), signing(1), announced(), Withdraw(0, HOUR), Correct(1, DIGEST, HOUR)))
    assert [count.standing(index) for index in (0, 1, 2, 3, 9, -1)] == ["withdrawn", "counts", *["none"] * 4]
    assert count.corrections == {1: 4}


@given(st.lists(st.tuples(st.sampled_from("spwc"), st.integers(0, 30)), max_size=60))
@settings(deadline=None)
def test_numbers_agree_with_a_plain_count(moves):
    """Signatures come, and any that counts may be withdrawn or corrected: kept in a set, as slowly as can be."""
    entries, live = [], {}
    for move, number in moves:
        if move in "sp":
            live[len(entries)] = "person" if move == "p" else "organisation"
            entries.append(signing(number, live[len(entries)]))
        elif live:
            of = sorted(live)[number % len(live)]
            if move == "w":
                del live[of]
            entries.append(Withdraw(of, HOUR) if move == "w" else Correct(of, DIGEST, HOUR))
    found = recount(lines(*entries)).get("ask-first")
    plain = [list(live.values()).count(kind) for kind in ("person", "organisation")]
    assert ([found.people, found.organisations] if found else [0, 0]) == plain
