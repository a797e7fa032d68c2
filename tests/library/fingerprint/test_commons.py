"""Commons: which grams of a work are nobody's, against a slow reading of the rules."""

import hashlib
import json
import string
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.fingerprint.commons import Commons, free_grams, gather_commons, pack_commons, shipped_commons
from askfirst.fingerprint.text import LONG, PARAMS, SHORT, fold, gram_hashes, window_minima

VECTORS = json.loads((files("askfirst") / "vectors" / "text_v0.json").read_text(encoding="utf-8"))
APACHE = (Path(__file__).parents[3] / "LICENSE").read_text(encoding="utf-8")
GENESIS = (
    "In the beginning God created the heaven and the earth. And the earth was without form, and void; and darkness "
    "was upon the face of the deep. And the Spirit of God moved upon the face of the waters. And God said, Let there "
    "be light: and there was light. And God saw the light, that it was good: and God divided the light from the "
    "darkness. And God called the light Day, and the darkness he called Night. And the evening and the morning were "
    "the first day. And God said, Let there be a firmament in the midst of the waters, and let it divide the waters "
    "from the waters."
)
SIZE_MAX_BYTES = 300_000


def prose(words: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    vocabulary = ["".join(rng.choice(list(string.ascii_lowercase), n)) for n in rng.integers(1, 11, 3000)]
    return " ".join(rng.choice(vocabulary, words))


def free_of(work: str, params=LONG, lists=None) -> list[tuple[int, bool]]:
    letters = fold(work)
    _, positions = window_minima(letters, params)
    return list(zip(positions.tolist(), free_grams(letters, positions, lists).tolist(), strict=True))


def test_shipped_list_is_the_published_one():
    shipped = shipped_commons()
    assert hashlib.sha256(shipped.values.astype("<u8").tobytes()).hexdigest() == VECTORS["commons"]["sha256"]
    assert len(shipped.values) == VECTORS["commons"]["size"]
    assert (np.diff(shipped.values.astype(np.int64)) > 0).all()


def test_shipped_list_is_small_and_holds_no_text():
    file = files("askfirst.fingerprint") / "commons_v0.npz"
    assert len(file.read_bytes()) <= SIZE_MAX_BYTES
    assert shipped_commons().values.max() < 1 << 32


@pytest.mark.parametrize("case", VECTORS["commons"]["cases"], ids=lambda case: f"{case['params']}-{case['name']}")
def test_vectors_of_the_commons(case):
    found = free_of(case["text"], PARAMS[case["params"]])
    assert [position for position, free in found if free] == case["free"]
    assert len(found) == case["stored"]


@pytest.mark.parametrize("params", [LONG, SHORT], ids=lambda p: p.name)
@pytest.mark.parametrize("quotation", [GENESIS, APACHE], ids=["genesis", "licence"])
def test_free_is_every_stored_gram_of_a_quotation(quotation, params):
    before, after = prose(4000, 1), prose(4000, 2)
    start = len(fold(before))
    end = start + len(fold(quotation)) - params.k
    for position, free in free_of(f"{before} {quotation} {after}", params):
        inside = start <= position <= end
        far = position < start - LONG.window or position > end + LONG.window
        assert free or not inside
        assert not (free and far)


def test_free_is_next_to_nothing_of_works_without_quotations():
    """32 bits of a hash agree by accident once in 30,000 grams, and four stored grams or so are within a window."""
    free = [free for seed in range(5) for _, free in free_of(prose(20_000, seed))]
    assert sum(free) <= len(free) / 300


def test_free_is_nothing_of_an_edition_of_the_commons():
    assert not any(free for _, free in free_of(f"Edited, with notes. {APACHE} {prose(200, 3)}"))
    assert any(free for _, free in free_of(f"{APACHE} {prose(4000, 3)}"))


def test_free_of_too_few_letters():
    for text in ("", "In the beginning", GENESIS[:50]):
        assert [free for _, free in free_of(text)] == [False] * len(free_of(text))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=6), st.sampled_from([LONG, SHORT]))
def test_free_follows_the_description(places, params):
    letters = fold(prose(900, 4))
    hashes = gram_hashes(letters, LONG)
    low = np.flatnonzero(hashes < 1 << 60).tolist()
    listed = sorted({low[place % len(low)] for place in places})
    commons = Commons(np.unique(hashes[listed]), np.uint64(2**64 - 1))
    _, positions = window_minima(letters, params)
    quoted = LONG.k if listed else 0
    for one, other in pairwise(listed):
        quoted += other - one if other - one <= LONG.window else LONG.k
    expected = []
    for at in positions.tolist():
        near = any(abs(at - one) <= LONG.window for one in listed)
        pairs = pairwise(listed)
        between = any(one <= at <= other and other - one <= 4 * LONG.window for one, other in pairs)
        expected.append((near or between) and 2 * quoted <= len(letters))
    assert free_grams(letters, positions, (commons,)).tolist() == expected


def test_gathered_list_has_every_gram_that_may_be_stored_of_a_quotation():
    psalm = prose(300, 5)
    commons = gather_commons(text for text in (prose(10, 6), psalm))
    hashes = gram_hashes(fold(psalm), LONG)
    assert commons.has(hashes[hashes < 1 << 60]).all()
    work = f"{prose(2000, 7)} {psalm} {prose(2000, 8)}"
    assert any(free for _, free in free_of(work, lists=(commons,)))
    assert not any(free for _, free in free_of(work))
    assert free_of(work, lists=(shipped_commons(), commons)) == free_of(work, lists=(commons,))


def test_gathered_list_of_nothing():
    commons = gather_commons([])
    assert not commons.has(np.array([0, 5], np.uint64)).any()


def test_packed_list_is_read_back():
    hashes = np.random.default_rng(9).integers(0, 2**60, 5000, np.uint64)
    planes = pack_commons(hashes)
    assert (planes.shape, planes.dtype) == ((4, 5000), np.uint8)
    steps = sum(planes[i].astype(np.uint64) << np.uint64(8 * i) for i in range(4))
    assert np.cumsum(steps).tolist() == np.unique(hashes & np.uint64(2**32 - 1)).tolist()
