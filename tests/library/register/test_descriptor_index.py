"""The descriptor index finds every code within the radius and no other, and the nearest in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import SnapshotCorruptError
from askfirst.register.descriptor_index import ARRAYS, DescriptorIndex, build


def random_codes(count, seed):
    return np.random.default_rng(seed).integers(0, 2**64, (count, 8), np.uint64, endpoint=False)


def flipped(codes, bits, seed):
    """The codes with so many bits changed in each; `bits` is one number or one for each code."""
    dice = np.random.default_rng(seed)
    codes = codes.copy()
    for row, count in enumerate(np.broadcast_to(bits, len(codes))):
        for bit in dice.choice(512, count, replace=False).tolist():
            codes[row, bit // 64] ^= np.uint64(1 << bit % 64)
    return codes


def index_of(codes):
    return DescriptorIndex.from_arrays(build(codes, np.arange(len(codes), dtype=np.uint32)))


def distances(codes, queries):
    """Every distance, by Python's integers: a list of a list for each query."""
    numbers = [int.from_bytes(code.tobytes(), "big") for code in codes]
    wanted = [int.from_bytes(query.tobytes(), "big") for query in queries]
    return [[(a ^ b).bit_count() for b in numbers] for a in wanted]


def within(codes, queries, radius):
    rows = distances(codes, queries)
    return [(q, e, bits) for q, row in enumerate(rows) for e, bits in enumerate(row) if bits <= radius]


def found(index, queries, radius):
    query, entry, distance = index.search(queries, radius)
    return list(zip(query.tolist(), entry.tolist(), distance.tolist(), strict=True))


def clustered(count, seed):
    """Codes in clusters, some of them equal."""
    dice = np.random.default_rng(seed)
    centres = random_codes(max(count // 20, 1), seed + 1)
    return flipped(centres[dice.integers(0, len(centres), count)], dice.integers(0, 120, count), seed + 2)


@pytest.mark.parametrize("radius", [0, 60, 140, 148, 149, 170, 200, 255])
def test_search_equals_brute_force(radius):
    codes = clustered(1500, 10)
    queries = np.concatenate([flipped(codes[::50], np.arange(30) * 5, 11), random_codes(3, 12)])
    expected = within(codes, queries, radius)
    assert found(index_of(codes), queries, radius) == expected
    assert len(expected) > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(1, 5), st.integers(0, 2**30), st.integers(0, 255), st.integers(0, 9))
def test_search_and_top_equal_brute_force_for_any_register(count, queries, seed, radius, nearest):
    codes = clustered(count, seed)
    asked = np.concatenate([flipped(codes[:queries], radius, seed % 1000), random_codes(1, seed % 999)])
    index = index_of(codes)
    assert found(index, asked, radius) == within(codes, asked, radius)
    entries, bits = index.top(asked, nearest)
    expected = [sorted((d, e) for e, d in enumerate(row))[:nearest] for row in distances(codes, asked)]
    assert [list(zip(*row, strict=True)) for row in zip(bits.tolist(), entries.tolist(), strict=True)] == expected


def test_every_planted_neighbour_is_found_among_many():
    codes = random_codes(50_000, 40)
    dice = np.random.default_rng(41)
    planted, flips = dice.integers(0, len(codes), 600), dice.integers(0, 141, 600)
    index, queries = index_of(codes), flipped(codes[planted], flips, 42)
    assert found(index, queries, 140) == list(zip(range(600), planted.tolist(), flips.tolist(), strict=True))
    entries, bits = index.top(queries, 1)
    assert (entries[:, 0].tolist(), bits[:, 0].tolist()) == (planted.tolist(), flips.tolist())


def test_neighbour_one_bit_too_far_is_not_found():
    codes = random_codes(500, 50)
    assert found(index_of(codes), flipped(codes[:20], 141, 51), 140) == []
    assert found(index_of(codes), flipped(codes[:20], 140, 51), 140) == [(k, k, 140) for k in range(20)]


def test_bits_in_the_last_words_alone_are_counted():
    """The first six words say nothing of the last two."""
    code = random_codes(1, 52)
    near = code.copy()
    near[0, 6:] ^= np.uint64(2**64 - 1)
    assert found(index_of(code), near, 127) == []
    assert found(index_of(code), near, 128) == [(0, 0, 128)]


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128])
def test_lanes_after_the_last_code_are_no_codes(count):
    index = index_of(np.full((count, 8), 2**64 - 1, np.uint64))
    nothing = np.zeros((1, 8), np.uint64)
    assert found(index, nothing, 255) == []
    assert index.top(nothing, 200)[0].tolist() == [list(range(count))]


def test_thousands_of_equal_codes_are_all_found_once():
    codes = np.repeat(random_codes(1, 70), 5_000, axis=0)
    assert found(index_of(codes), codes[:2], 140) == [(q, e, 0) for q in range(2) for e in range(5_000)]


def test_empty_index_has_nothing():
    index = index_of(np.empty((0, 8), np.uint64))
    assert (len(index), found(index, random_codes(2, 1), 140)) == (0, [])
    assert [part.shape for part in index.top(random_codes(2, 1), 3)] == [(2, 0), (2, 0)]


def test_no_query_finds_nothing():
    index = index_of(random_codes(70, 2))
    assert found(index, np.empty((0, 8), np.uint64), 140) == []
    assert index.top(np.empty((0, 8), np.uint64), 1)[0].shape == (0, 1)


def test_codes_come_back_as_they_were():
    codes = random_codes(130, 3)
    arrays = build(codes, np.arange(130, dtype=np.uint32)[::-1], np.full(130, 4, np.uint8))
    index = DescriptorIndex.from_arrays(arrays)
    assert index.codes().tolist() == codes.tolist()
    assert (index.work[0], index.view[129]) == (129, 4)
    assert {name: (array.dtype.str, array.ndim) for name, array in arrays.items()} == dict(ARRAYS)
    assert arrays["blocks"][2, 5, 1] == codes[129, 5]


def test_index_is_searched_where_it_lies_in_a_file(tmp_path):
    codes = random_codes(200, 4)
    arrays = build(codes, np.arange(200, dtype=np.uint32))
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in arrays}
    assert found(DescriptorIndex.from_arrays(mapped), codes[:2], 0) == [(0, 0, 0), (1, 1, 0)]


@pytest.mark.parametrize("radius", [-1, 256])
def test_radius_out_of_range_is_refused(radius):
    with pytest.raises(ValueError, match="outside 0 to 255"):
        index_of(random_codes(2, 1)).search(random_codes(1, 2), radius)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="no index for 3 codes, 2 works, 3 views"):
        build(random_codes(3, 1), np.zeros(2, np.uint32))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("blocks", lambda a: a[:-1]),
        ("blocks", lambda a: a.astype("<i8")),
        ("blocks", lambda a: a.reshape(-1, 8)),
        ("work", lambda a: a[:60]),
        ("work", lambda _: None),
        ("view", lambda a: a[1:]),
    ],
)
def test_damaged_array_is_refused(name, change):
    arrays = build(random_codes(130, 5), np.zeros(130, np.uint32))
    with pytest.raises(SnapshotCorruptError) as error:
        DescriptorIndex.from_arrays({**arrays, name: change(arrays[name])})
    assert error.value.advice == "fetch or build the register again"
