"""The index of works of very few letters against a dictionary, and against damage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import SnapshotCorruptError
from askfirst.register.whole_index import STEMS, WholeIndex, build

entries_strategy = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2**63, 2**64 - 1]), st.sampled_from([5, 6]), st.integers(32, 79), st.integers(0, 9)
    ),
    max_size=60,
)
TYPES = (np.uint64, np.uint64, np.uint8, np.uint32)


def arrays_of(entries):
    columns = zip(*entries, strict=True) if entries else ((),) * 4
    return build(*(np.array(c, t) for c, t in zip(columns, TYPES, strict=True)))


def random_entries(count, seed):
    rng = np.random.default_rng(seed)
    return [(int(h), int(h) ^ 7, int(n), i) for i, (h, n) in enumerate(
        zip(rng.integers(0, 2**64, count, np.uint64), rng.integers(32, 80, count), strict=True)
    )]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(entries_strategy, st.lists(st.sampled_from([0, 1, 2, 2**63, 2**64 - 1]), max_size=9))
def test_find_agrees_with_a_dictionary(entries, heads):
    index = WholeIndex.from_arrays(arrays_of(entries))
    which, entry = index.find(np.array(heads, np.uint64))
    got = sorted(zip(which.tolist(), index.whole[entry].tolist(), index.work[entry].tolist(), strict=True))
    assert got == sorted((i, e[1], e[3]) for i, head in enumerate(heads) for e in entries if e[0] == head)
    assert which.tolist() == sorted(which.tolist())


def test_marks_are_those_of_every_head_and_few_others():
    index = WholeIndex.from_arrays(arrays_of(random_entries(20_000, 1)))
    words = index.marks.tolist()
    shift = 64 - (len(words).bit_length() - 1)

    def marked(value):
        return all(words[value >> shift] >> (value >> 6 * probe & 63) & 1 for probe in range(5))

    assert all(marked(value) for value in index.head.tolist())
    assert sum(marked(v) for v in np.random.default_rng(2).integers(0, 2**64, 20_000, np.uint64).tolist()) < 200


def test_build_gives_every_work_16_bits_of_marks():
    for count in (0, 1, 1023, 1024, 50_000):
        words = len(arrays_of(random_entries(count, 1))["marks"])
        assert max(2**9, count / 4) <= words <= max(2**9, count / 2)
        assert words & (words - 1) == 0


def test_build_keeps_64_works_of_the_same_letters():
    entries = [(5, 6, 40, work) for work in reversed(range(200))] + [(5, 7, 40, 300)]
    index = WholeIndex.from_arrays(arrays_of(entries))
    assert index.work.tolist() == [*range(64), 300]


def test_build_gives_the_same_arrays_for_any_order():
    entries = random_entries(500, 3)
    first, second = arrays_of(entries), arrays_of(entries[::-1])
    assert all(first[stem].tobytes() == second[stem].tobytes() for stem in STEMS)


def test_an_empty_index_finds_nothing():
    index = WholeIndex.from_arrays(arrays_of([]))
    assert (len(index), [len(c) for c in index.find(np.array([0, 5], np.uint64))]) == (0, [0, 0])


@pytest.mark.parametrize(
    ("stem", "damage", "expected", "found"),
    [
        ("head", lambda a: None, "an array", "nothing"),
        ("whole", lambda a: a[:-1], "100 entries", "99"),
        ("letters", lambda a: a.astype(np.uint16), "uint8[n]", "uint16[100]"),
        ("work", lambda a: a.astype(np.int64), "uint32[n]", "int64[100]"),
        ("head", lambda a: np.repeat(a, 2)[::2], "contiguous", "strided"),
        ("marks", lambda a: a[:-1], "2**9 to 2**28 entries", "511"),
        ("marks", lambda a: a[:0], "2**9 to 2**28 entries", "0"),
    ],
)
def test_from_arrays_refuses_what_does_not_fit(stem, damage, expected, found):
    arrays = arrays_of(random_entries(100, 4))
    damaged = damage(arrays.pop(stem))
    if damaged is not None:
        arrays[stem] = damaged
    with pytest.raises(SnapshotCorruptError) as caught:
        WholeIndex.from_arrays(arrays)
    assert (caught.value.path, caught.value.expected, caught.value.found) == (stem, expected, found)


@pytest.mark.parametrize("stem", STEMS)
def test_find_in_damaged_arrays_stays_inside_them(stem):
    arrays = arrays_of(random_entries(1000, 5))
    rng = np.random.default_rng(6)
    arrays[stem] = rng.integers(0, 256, arrays[stem].nbytes, np.uint8).view(arrays[stem].dtype)
    index = WholeIndex.from_arrays(arrays)
    which, entry = index.find(rng.integers(0, 2**64, 5000, np.uint64))
    assert len(which) == len(entry)
    assert set(entry.tolist()) <= set(range(1000))
