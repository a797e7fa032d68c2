"""The decision about hits, against a slow reading of its rules."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.fingerprint.text import QueryGrams
from askfirst.match.passages import COLUMNS, Candidates, judge

K, WINDOW = 4, 10
ITEM_LETTERS = 2000

hits_strategy = st.lists(
    st.tuples(
        st.integers(0, 1),  # row
        st.integers(0, 2),  # work
        st.integers(0, 1200),  # place in the item
        st.integers(0, 1200),  # place in the work
        st.integers(0, 6),  # hash
    ),
    max_size=60,
)
common_strategy = st.sets(st.integers(0, 6))
compiled = settings(max_examples=200, deadline=None)  # the first example compiles


def table_of(hits, common, need, free=frozenset()):
    rows = sorted(hits, key=lambda h: (h[0], h[1], h[2] - h[3], h[2]))
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    row, work, item, at, number = (np.ascontiguousarray(c) for c in columns)
    flags = np.array([n in common for n in number.tolist()], np.bool_)
    nobodys = np.array([n in free for n in number.tolist()], np.bool_)
    _, number = np.unique(number, return_inverse=True)
    candidates = Candidates(row, work.astype(np.uint32), item, at, number, flags, nobodys)
    grams = QueryGrams(np.zeros(3, np.int64), np.empty(0, np.uint32), np.empty(0, np.uint64))
    table = judge(candidates, grams, (K, WINDOW, need), np.full(2, ITEM_LETTERS, np.int64))
    return [dict(zip(COLUMNS, line, strict=True)) for line in table.tolist()]


def groups_of(hits):
    groups = defaultdict(list)
    for row, work, item, at, number in hits:
        groups[row, work].append((item - at, item, at, number))
    return groups


def does(band, common, need, free=frozenset()):
    different = {number for _, _, _, number in band} - free
    return len(different) >= need and (not different <= common or len(different) >= 5)


@compiled
@given(hits_strategy, common_strategy, st.integers(1, 6), common_strategy)
def test_judge_accepts_where_one_band_of_256_diagonals_does(hits, common, need, free):
    expected = [
        pair
        for pair, group in sorted(groups_of(hits).items())
        if any(does([h for h in group if 0 <= h[0] - d < 256], common, need, free) for d, _, _, _ in group)
    ]
    assert [(line["row"], line["work"]) for line in table_of(hits, common, need, free)] == expected


@compiled
@given(hits_strategy, common_strategy, st.integers(1, 6))
def test_judge_counts_no_letter_without_a_hit_nearby(hits, common, need):
    groups = groups_of(hits)
    for line in table_of(hits, common, need):
        places = sorted({item for _, item, _, _ in groups[line["row"], line["work"]]})
        letters = set()
        for place in places:
            letters.update(range(place, place + K))
        for left, right in pairwise(places):
            if right - left <= 2 * WINDOW:
                letters.update(range(left, right))
        assert K <= line["letters"] <= len(letters)
        assert line["item_end"] - line["item_start"] <= line["letters"]
        assert {line["item_start"], line["item_end"] - K} <= set(places)
        assert line["hits"] >= need


def test_judge_splits_a_band_where_two_windows_pass_without_a_hit():
    hits = [(0, 0, 100 + i, 100 + i, n) for n, i in enumerate((0, 20, 41, 61))]
    (line,) = table_of(hits, set(), 2)
    assert (line["passages"], line["letters"], line["stretch"], line["hits"]) == (2, 24 + 24, 40, 4)
    assert (line["item_start"], line["item_end"]) == (100, 124)


def test_judge_takes_bands_on_either_side_of_the_best():
    left = [(0, 0, 600 + i, 600, n) for n, i in enumerate((0, 10))]
    best = [(0, 0, 1100 + i, 800 + i, n) for n, i in enumerate((0, 5, 10, 15, 20))]
    (line,) = table_of([*left, *best], set(), 2)
    assert (line["hits"], line["item_start"], line["item_end"]) == (7, 1100, 1124)
    assert line["letters"] == 14 + 24


def test_judge_needs_as_many_different_hashes_not_hits():
    same = [(0, 0, 100 + i, 100 + i, 3) for i in range(50)]
    assert table_of(same, set(), 2) == []
    assert len(table_of([*same, (0, 0, 120, 120, 4)], set(), 2)) == 1


def test_judge_lets_free_hits_show_how_far_a_passage_reaches():
    hits = [(0, 0, 100 + i, 100 + i, n) for n, i in enumerate((0, 15, 30, 45, 60))]
    assert table_of(hits, set(), 1, free={0, 1, 2, 3, 4}) == []
    (line,) = table_of(hits, set(), 2, free={0, 3, 4})
    assert (line["hits"], line["item_start"], line["item_end"]) == (2, 100, 164)
