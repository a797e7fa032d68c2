import re
import time
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.report.passages import SHARED_WORDS_MIN, mark_shared

TEXTS = st.lists(st.sampled_from(["a", "B", "c", "d", "e.", "’", "don’t", "\n", "—"]), max_size=30).map(" ".join)


def _marked(pieces):
    return [text for text, shared in pieces if shared]


def test_mark_shared_run():
    item, work = mark_shared("He said: the lamp had gone out!", "When THE LAMP, had gone out; nobody")
    assert item == [("He said: ", False), ("the lamp had gone out", True), ("!", False)]
    assert work == [("When ", False), ("THE LAMP, had gone out", True), ("; nobody", False)]


def test_mark_shared_needs_four_words():
    assert mark_shared("the lamp had gone", "the lamp had left") == (
        [("the lamp had gone", False)],
        [("the lamp had left", False)],
    )


def test_mark_shared_two_runs_side_by_side_are_two_pieces():
    item, _ = mark_shared("a b c d e f g h", "e f g h, a b c d")
    assert item == [("a b c d", True), (" ", False), ("e f g h", True)]


def test_mark_shared_repeated_run_is_marked_each_time():
    item, work = mark_shared("a b c d x a b c d", "a b c d")
    assert _marked(item) == ["a b c d", "a b c d"]
    assert _marked(work) == ["a b c d"]


def test_mark_shared_apostrophes_are_alike():
    assert _marked(mark_shared("I don't know it", "I don’t know it")[0]) == ["I don't know it"]


def test_mark_shared_without_spaces_between_words():
    assert _marked(mark_shared("彼女は百十二段を数えた", "しかし百十二段を昇る")[0]) == ["百十二段を"]


def test_mark_shared_right_to_left():
    assert _marked(mark_shared("כאן: היא ספרה את המדרגות!", "היא ספרה, את המדרגות")[0]) == ["היא ספרה את המדרגות"]


@pytest.mark.parametrize(("item", "work"), [("", ""), ("", "a b c d"), ("... — ...", "’ ’ ’ ’")])
def test_mark_shared_of_nothing(item, work):
    assert mark_shared(item, work) == ([(item, False)] if item else [], [(work, False)] if work else [])


@given(TEXTS, TEXTS)
def test_mark_shared_pieces_are_the_text_again(item, work):
    for text, pieces in zip((item, work), mark_shared(item, work), strict=True):
        assert "".join(piece for piece, _ in pieces) == text
        assert all(piece for piece, _ in pieces)


@given(TEXTS, TEXTS)
def test_mark_shared_marks_what_a_slow_search_marks(item, work):
    """A word is marked if and only if a run of four words or more around it is in the other text too."""
    for (own, other), pieces in zip(((item, work), (work, item)), mark_shared(item, work), strict=True):
        own_words, other_words = _words(own), _words(other)
        expected = [
            any(
                _contains(other_words, own_words[first:last])
                for first in range(i + 1)
                for last in range(max(i + 1, first + SHARED_WORDS_MIN), len(own_words) + 1)
            )
            for i in range(len(own_words))
        ]
        marked = [shared for text, shared in pieces for _ in _words(text)]
        assert marked == expected


def test_mark_shared_of_a_whole_book_takes_linear_time():
    book = " ".join(f"w{i % 977} a b c" for i in range(50_000))
    started = time.process_time()
    mark_shared(book, book)
    assert time.process_time() - started < 10


def _words(text):
    found = (word.casefold().replace("’", "'").strip("'.") for word in re.split(r"[\s—]+", text))
    return [word for word in found if word]


def _contains(words, run):
    return any(words[i : i + len(run)] == run for i in range(len(words) - len(run) + 1))


def test_mark_shared_neighbours_differ_in_their_mark_or_are_two_runs():
    item, _ = mark_shared("x a b c d y", "a b c d")
    assert [shared for shared, _ in groupby(item, key=lambda piece: piece[1])] == [False, True, False]
