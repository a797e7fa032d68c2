"""Works of very few letters: what is stored of them, and the runs of a text that may be one."""

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.fingerprint.fold import fold_column
from askfirst.fingerprint.text import SHORT, fold, gram_hashes, window_minima
from askfirst.fingerprint.whole import HEAD_LETTERS, WHOLE_LETTERS, marked_runs, span_hashes, whole_of

VECTORS = json.loads((files("askfirst") / "vectors" / "text_v0.json").read_text(encoding="utf-8"))
EVERY = np.full(2**9, 2**64 - 1, np.uint64)


def folded_of(*texts: str):
    raw = [text.encode() for text in texts]
    return fold_column(np.frombuffer(b"".join(raw), np.uint8), np.cumsum([0, *map(len, raw)]).astype(np.int64))


@pytest.mark.parametrize("case", VECTORS["whole"], ids=lambda case: case["name"])
def test_vectors_of_whole_works(case):
    found = whole_of(fold(case["text"]))
    assert (None if found is None else [f"{found.head:016x}", f"{found.whole:016x}", found.letters]) == case["stored"]


def test_whole_works_have_32_to_79_letters():
    assert [whole_of(b"x" * n) is not None for n in (0, 31, 32, 79, 80)] == [False, False, True, True, False]


def test_works_with_more_letters_have_three_grams_of_their_own():
    rng = np.random.default_rng(1)
    for _ in range(2000):
        letters = bytes(rng.integers(97, 123, WHOLE_LETTERS.stop, np.uint8))
        assert len(set(window_minima(letters, SHORT)[0].tolist())) >= 3


def test_head_is_a_gram_of_short_works():
    letters = fold("Anyone lived in a pretty how town, with up so many bells down")
    found = whole_of(letters)
    assert (HEAD_LETTERS, found.letters) == (SHORT.k, len(letters))
    assert found.head == gram_hashes(letters, SHORT)[0]


def test_whole_depends_on_every_letter():
    letters = bytearray(b"abcdefghijklmnopqrstuvwxyz0123456789" * 2)
    wholes = {whole_of(bytes(letters)).whole}
    for i in range(len(letters)):
        changed = letters.copy()
        changed[i] ^= 1
        wholes.add(whole_of(bytes(changed)).whole)
    assert len(wholes) == len(letters) + 1


@settings(max_examples=40, deadline=None)  # the first example compiles
@given(
    st.lists(st.text(st.sampled_from("ab é\n"), max_size=90), max_size=6),
    st.integers(1, 9),
    st.integers(0, 2**32 - 1),
)
def test_marked_runs_are_those_whose_bits_are_all_set(texts, bits, seed):
    marks = ~np.random.default_rng(seed).integers(0, 2**64, (3, 2**bits), np.uint64).prod(axis=0)
    runs = marked_runs(folded_of(*texts), marks)
    expected = []
    for row, text in enumerate(texts):
        for at, value in enumerate(gram_hashes(fold(text), SHORT).tolist()):
            word = int(marks[value >> (64 - bits)])
            if all(word >> (value >> 6 * probe & 63) & 1 for probe in range(5)):
                expected.append((row, at, value))
    assert list(zip(*(c.tolist() for c in runs), strict=True)) == expected


def test_marked_runs_over_several_blocks():
    letters = bytes(np.random.default_rng(2).integers(97, 123, 5000, np.uint8)).decode()
    for size in (23, 24, 25, 24 + 1023, 24 + 1024, 5000):
        runs = marked_runs(folded_of("x" * 9, letters[:size]), EVERY)
        assert runs.hash.tolist() == gram_hashes(letters[:size].encode(), SHORT).tolist()
        assert runs.position.tolist() == list(range(max(size - 23, 0)))
        assert set(runs.row.tolist()) <= {1}


def test_marked_runs_of_nothing():
    assert [len(c) for c in marked_runs(folded_of(), EVERY)] == [0, 0, 0]


def test_span_hashes_are_those_of_the_letters_wherever_they_stand():
    work = fold("The apparition of these faces in the crowd: petals on a wet, black bough.")
    data = np.frombuffer(b"some" + work + b"more", np.uint8)
    hashes = span_hashes(data, np.array([4], np.int64), np.array([4 + len(work)], np.int64))
    assert hashes.tolist() == [whole_of(work).whole]
