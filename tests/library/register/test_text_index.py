"""The index of text fingerprints against a dictionary, and against damage."""

import time
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import SnapshotCorruptError
from askfirst.register import text_index
from askfirst.register.text_index import POSTINGS_MAX, STEMS, WORK_POSTINGS_MAX, TextIndex, build

OWNERS = np.array([0, 0, 1, 2, 1], np.uint32)

postings_strategy = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2**63, 2**64 - 1, 12345, 2**40, 2**40 + 1]),
        st.integers(0, 4),
        st.integers(0, 2**32 - 1),
    ),
    max_size=300,
)


def arrays_of(postings, owner=OWNERS):
    hashes = np.array([p[0] for p in postings], np.uint64)
    work = np.array([p[1] for p in postings], np.uint32)
    position = np.array([p[2] for p in postings], np.uint32)
    return build(hashes, work, position, owner)


def index_of(postings, owner=OWNERS):
    return TextIndex.from_arrays(arrays_of(postings, owner))


def found(index, hashes):
    columns = index.find(np.array(hashes, np.uint64))
    return list(zip(*(c.tolist() for c in columns), strict=True))


def expected(postings, hashes, owner=OWNERS):
    by_hash = defaultdict(list)
    for value, work, position in sorted(postings):
        by_hash[value].append((work, position))
    out = []
    for query, value in enumerate(hashes):
        common = len({owner[work] for work, _ in by_hash[value]}) > 1
        seen, kept = defaultdict(int), []
        for work, position in by_hash[value]:
            seen[work] += 1
            if seen[work] <= WORK_POSTINGS_MAX:
                kept.append((query, work, position, common))
        out += kept[:POSTINGS_MAX]
    return out


def random_postings(count, seed, works=5):
    rng = np.random.default_rng(seed)
    return [
        (int(value), int(work), i)
        for i, (value, work) in enumerate(
            zip(rng.integers(0, 2**64, count, np.uint64), rng.integers(0, works, count), strict=True)
        )
    ]


@settings(max_examples=60, deadline=None)  # the first example compiles
@given(postings_strategy, st.lists(st.sampled_from([0, 1, 2, 2**63, 2**64 - 1, 12345, 2**40]), max_size=20))
def test_find_agrees_with_a_dictionary(postings, hashes):
    assert found(index_of(postings), hashes) == expected(postings, hashes)


def test_find_many_hashes():
    postings = random_postings(20_000, 1)
    absent = [value for value, _, _ in random_postings(20_000, 2)]
    hashes = [value for value, _, _ in postings] + absent
    assert found(index_of(postings), hashes) == expected(postings, hashes)


def test_find_in_small_hashes_only():
    postings = [(value, 0, value) for value in range(5000)]
    assert found(index_of(postings), range(6000)) == [(v, 0, v, False) for v in range(5000)]


def test_find_in_an_empty_index():
    index = index_of([])
    assert len(index) == 0
    assert found(index, [0, 1, 2**64 - 1]) == []


def test_find_nothing():
    columns = index_of(random_postings(10, 3)).find(np.empty(0, np.uint64))
    assert [len(c) for c in columns] == [0, 0, 0, 0]
    assert [c.dtype for c in columns] == [np.int64, np.uint32, np.uint32, np.bool_]


def test_common_is_a_hash_of_two_owners():
    postings = [(7, 0, 1), (7, 1, 2), (8, 0, 3), (8, 2, 4), (9, 2, 5), (9, 4, 6)]
    flags = {(work, position): common for _, work, position, common in found(index_of(postings), [7, 8, 9])}
    assert flags == {(0, 1): False, (1, 2): False, (0, 3): True, (2, 4): True, (2, 5): False, (4, 6): False}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 3, 2**40]), st.integers(0, 4), st.integers(0, 60)), max_size=60),
    st.integers(1, 20),
)
def test_common_is_also_what_lies_within_a_window_of_it(postings, window):
    postings = sorted(set(postings), key=lambda p: p[1:])
    hashes, work, position = (np.array(c, np.uint64) for c in (zip(*postings, strict=True) if postings else ([],) * 3))
    columns = (hashes, work.astype(np.uint32), position.astype(np.uint32), OWNERS)
    index = TextIndex.from_arrays(build(*columns, window=window))
    shared = {p for p in postings if len({OWNERS[w] for h, w, _ in postings if h == p[0]}) > 1}
    expected = {
        (h, w, at): any(w == other and abs(at - place) <= window for _, other, place in shared) for h, w, at in postings
    }
    queries = [1, 2, 3, 2**40]
    for query, work_found, at, common in found(index, queries):
        assert common == expected[queries[query], work_found, at]


def test_free_are_the_postings_that_were_given_as_free():
    postings = [(7, 0, 1), (7, 1, 2), (8, 0, 3), (5, 2, 4), (9, 2, 5), (9, 4, 6)]
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(postings))
        hashes, work, position = (np.array(c) for c in zip(*(postings[i] for i in order), strict=True))
        free = np.array([postings[i][0] in (7, 9) for i in order])
        columns = (hashes.astype(np.uint64), work.astype(np.uint32), position.astype(np.uint32), OWNERS)
        index = TextIndex.from_arrays(build(*columns, free))
        located = index.locate(np.array([5, 7, 8, 9], np.uint64))
        which, posting = index.postings(located)
        assert list(zip(which.tolist(), index.is_free(posting).tolist(), strict=True)) == [
            (0, False),
            (1, True),
            (1, True),
            (2, False),
            (3, True),
            (3, True),
        ]


def test_build_keeps_64_postings_of_the_lowest_works():
    owner = np.zeros(200, np.uint32)
    postings = [(5, work, 10 * work) for work in reversed(range(200))]
    assert found(index_of(postings, owner), [5]) == [(0, w, 10 * w, False) for w in range(64)]


def test_build_counts_owners_before_it_leaves_postings_out():
    owner = np.append(np.zeros(199, np.uint32), np.uint32(1))
    postings = [(5, work, 0) for work in range(200)]
    assert {common for _, _, _, common in found(index_of(postings, owner), [5])} == {True}


def test_build_keeps_four_postings_of_a_hash_in_one_work():
    postings = [(5, 0, position) for position in range(100)] + [(5, 1, 3)]
    assert found(index_of(postings), [5]) == [(0, 0, p, False) for p in range(4)] + [(0, 1, 3, False)]


def test_build_gives_the_same_arrays_for_any_order():
    postings = [*random_postings(2000, 4), (5, 1, 2), (5, 0, 9), (5, 0, 3)]
    shuffled = [postings[i] for i in np.random.default_rng(5).permutation(len(postings))]
    first, second = arrays_of(postings), arrays_of(shuffled)
    in_order = arrays_of(sorted(postings, key=lambda p: (p[1], p[2])))
    for stem in STEMS:
        assert first[stem].tobytes() == second[stem].tobytes() == in_order[stem].tobytes()


def test_build_refuses_a_work_without_an_owner():
    with pytest.raises(ValueError, match="work 5 of 5"):
        arrays_of([(1, 5, 0)])


def test_arrays_have_the_described_types_and_sizes():
    arrays = arrays_of(random_postings(1001, 6))
    assert {stem: a.dtype.name for stem, a in arrays.items()} == {
        "prefix": "uint32",
        "remainder": "uint32",
        "work": "uint32",
        "position": "uint32",
        "common": "uint8",
        "free": "uint8",
        "bloom": "uint64",
    }
    assert {stem: len(a) for stem, a in arrays.items()} == {
        "prefix": 2**18 + 1,
        "remainder": 1001,
        "work": 1001,
        "position": 1001,
        "common": 126,
        "free": 126,
        "bloom": 8 * 24,
    }


def test_filter_lets_few_strangers_through():
    index = index_of(random_postings(100_000, 7))
    strangers = np.random.default_rng(8).integers(0, 2**64, 100_000, np.uint64)
    assert len(index.locate(strangers).query) == 0
    passed = np.empty(100_001, np.int64)
    assert text_index._pass_bloom(strangers, index.bloom, passed) < 800


def test_from_arrays_opens_memory_maps_without_copying(tmp_path):
    postings = random_postings(5000, 9)
    for stem, array in arrays_of(postings).items():
        np.save(tmp_path / f"{stem}.npy", array)
    maps = {stem: np.load(tmp_path / f"{stem}.npy", mmap_mode="r") for stem in STEMS}
    index = TextIndex.from_arrays(maps)
    assert all(np.shares_memory(getattr(index, stem), maps[stem]) for stem in STEMS)
    hashes = [value for value, _, _ in postings]
    assert found(index, hashes) == expected(postings, hashes)
    took_s = []
    for _ in range(5):
        start = time.perf_counter()
        TextIndex.from_arrays(maps)
        took_s.append(time.perf_counter() - start)
    assert min(took_s) < 0.001


def test_from_arrays_leaves_its_arrays_writable():
    arrays = arrays_of(random_postings(10, 10))
    TextIndex.from_arrays(arrays)
    assert all(array.flags.writeable for array in arrays.values())


@pytest.mark.parametrize(
    ("stem", "damage", "expected_text", "found_text"),
    [
        ("work", lambda a: None, "an array", "nothing"),
        ("work", lambda a: a.astype(np.int64), "uint32[n]", "int64[100]"),
        ("work", lambda a: a.astype(">u4"), "uint32[n]", ">u4[100]"),
        ("position", lambda a: a.reshape(10, 10), "uint32[n]", "uint32[10, 10]"),
        ("position", lambda a: a[:-1], "100 entries", "99"),
        ("remainder", lambda a: np.repeat(a, 2)[::2], "contiguous", "strided"),
        ("remainder", lambda a: a[:50], "100 entries", "50"),
        ("common", lambda a: a[:-1], "13 entries", "12"),
        ("free", lambda a: a[:-1], "13 entries", "12"),
        ("prefix", lambda a: a[1:], "2**18 to 2**31 entries and one", "262144"),
        ("prefix", lambda a: a[::262144].copy(), "2**18 to 2**31 entries and one", "2"),
        ("prefix", lambda a: a[:0], "2**18 to 2**31 entries and one", "0"),
        ("prefix", lambda a: a + np.uint32(1), "100 at the end", "101"),
        ("prefix", lambda a: a.astype(np.float64), "uint32 or uint64[n]", "float64[262145]"),
        ("bloom", lambda a: a[:-1], "a multiple of 8 entries", "23"),
        ("bloom", lambda a: a[:0], "a multiple of 8 entries", "0"),
    ],
)
def test_from_arrays_refuses_what_does_not_fit(stem, damage, expected_text, found_text):
    arrays = arrays_of(random_postings(100, 11))
    damaged = damage(arrays.pop(stem))
    if damaged is not None:
        arrays[stem] = damaged
    with pytest.raises(SnapshotCorruptError) as caught:
        TextIndex.from_arrays(arrays)
    assert (caught.value.path, caught.value.expected, caught.value.found) == (
        stem,
        expected_text,
        found_text,
    )


def test_from_arrays_takes_wide_offsets():
    postings = random_postings(500, 12)
    arrays = arrays_of(postings)
    arrays["prefix"] = arrays["prefix"].astype(np.uint64)
    hashes = [value for value, _, _ in postings]
    assert found(TextIndex.from_arrays(arrays), hashes) == expected(postings, hashes)


@pytest.mark.parametrize("seed", range(9))
def test_find_in_damaged_arrays_stays_inside_them(seed):
    rng = np.random.default_rng(seed)
    postings = random_postings(3000, 13)
    arrays = arrays_of(postings)
    for stem in STEMS:
        if seed < 7 and STEMS[seed] != stem:
            continue
        garbage = rng.integers(0, 256, arrays[stem].nbytes, np.uint8).view(arrays[stem].dtype)
        arrays[stem] = garbage
    arrays["prefix"][-1] = 3000
    if seed == 8:
        arrays["bloom"][:] = 2**64 - 1
        arrays["remainder"][:] = 0
    hashes = np.array([value for value, _, _ in postings], np.uint64)
    query, work, position, common = TextIndex.from_arrays(arrays).find(hashes)
    assert len(query) == len(work) == len(position) == len(common) <= 64 * len(hashes)
    assert set(work.tolist()) <= set(arrays["work"].tolist())
    assert set(position.tolist()) <= set(arrays["position"].tolist())
