"""The image index finds every code within the radius and no other, however it is cut into slots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import SnapshotCorruptError
from askfirst.register.image_index import ARRAYS, RADIUS_MAX, ImageIndex, build


def random_codes(count, seed):
    return np.random.default_rng(seed).integers(0, 2**64, (count, 4), np.uint64, endpoint=False)


def flipped(codes, bits, seed):
    """The codes with so many bits changed in each; `bits` is one number or one for each code."""
    dice = np.random.default_rng(seed)
    codes = codes.copy()
    for row, count in enumerate(np.broadcast_to(bits, len(codes))):
        for bit in dice.choice(256, count, replace=False).tolist():
            codes[row, bit // 64] ^= np.uint64(1 << bit % 64)
    return codes


def index_of(codes, slot_count=None):
    count = len(codes)
    marks = np.zeros(count, np.uint8)
    return ImageIndex.from_arrays(build(codes, np.arange(count, dtype=np.uint32), marks, slot_count=slot_count))


def brute_force(codes, queries, radius):
    """Every pair within the radius, by Python's integers."""
    numbers = [int.from_bytes(code.tobytes(), "big") for code in codes]
    wanted = [int.from_bytes(query.tobytes(), "big") for query in queries]
    return [
        (q, e, (a ^ b).bit_count())
        for q, a in enumerate(wanted)
        for e, b in enumerate(numbers)
        if (a ^ b).bit_count() <= radius
    ]


def found(index, queries, radius):
    query, entry, distance = index.search(queries, radius)
    return list(zip(query.tolist(), entry.tolist(), distance.tolist(), strict=True))


def clustered(count, seed):
    """Codes in clusters of all sizes, some of them equal: what works by one maker look like."""
    dice = np.random.default_rng(seed)
    centres = random_codes(max(count // 20, 1), seed + 1)
    codes = centres[dice.integers(0, len(centres), count)]
    return flipped(codes, dice.integers(0, 60, count), seed + 2)


@pytest.mark.parametrize("slot_count", [0, 11, 12, 13, 14, 16, None])
@pytest.mark.parametrize("radius", [0, 1, 7, 15, 31])
def test_search_equals_brute_force(slot_count, radius):
    codes = clustered(1500, 10)
    queries = np.concatenate([flipped(codes[::50], np.arange(30) + radius // 3, 11), random_codes(3, 12)])
    expected = brute_force(codes, queries, radius)
    assert found(index_of(codes, slot_count), queries, radius) == expected
    assert len(expected) > (radius > 5)


@pytest.mark.parametrize("radius", [40, 50, 63])
@pytest.mark.parametrize("slot_count", [12, 16])
def test_wide_search_equals_brute_force(slot_count, radius, monkeypatch):
    monkeypatch.setattr("askfirst.register.image_index._SCAN_COST", 1e9)  # tables, although comparing is faster
    codes = clustered(1200, 20)
    queries = flipped(codes[:5], 40, 21)
    index = index_of(codes, slot_count)
    assert index._plan(radius) is not None
    assert found(index, queries, radius) == brute_force(codes, queries, radius)


def test_every_code_is_compared_where_that_is_faster():
    assert index_of(random_codes(2000, 30), 12)._plan(63) is None
    assert index_of(random_codes(1000, 30))._plan(1) is None
    assert index_of(random_codes(2000, 31))._plan(31) is not None


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(0, 2**32),
    st.integers(0, RADIUS_MAX),
    st.sampled_from([0, 14, 16]),
)
def test_search_equals_brute_force_for_any_register(count, seed, radius, slot_count):
    codes = clustered(count, seed % 2**30)
    queries = np.concatenate([flipped(codes[:3], radius, seed % 1000), random_codes(1, seed % 999)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("askfirst.register.image_index._SCAN_COST", 1e9)
        assert found(index_of(codes, slot_count), queries, radius) == brute_force(codes, queries, radius)


def test_every_planted_neighbour_is_found_among_many():
    codes = random_codes(150_000, 40)
    dice = np.random.default_rng(41)
    planted = dice.integers(0, len(codes), 1024)
    flips = dice.integers(0, 32, 1024)
    index = index_of(codes)
    assert index._plan(31) is not None
    query, entry, distance = index.search(flipped(codes[planted], flips, 42), 31)
    assert (query.tolist(), entry.tolist(), distance.tolist()) == (
        list(range(1024)),
        planted.tolist(),
        flips.tolist(),
    )


def test_neighbour_one_bit_too_far_is_not_found():
    codes = random_codes(2000, 50)
    index = index_of(codes, 12)
    assert found(index, flipped(codes[:20], 32, 51), 31) == []
    assert found(index, flipped(codes[:20], 31, 51), 31) == [(k, k, 31) for k in range(20)]


def test_flips_in_one_slot_and_flips_spread_evenly_are_found():
    """The two ways in which the pigeonhole can be tight; a slot is made of every 155th bit."""
    codes = random_codes(1500, 60)
    index = index_of(codes, 12)
    for start in range(0, 225, 5):
        for step in (1, 155):
            near = codes[:1].copy()
            for bit in (place * step % 256 for place in range(start, start + 31)):
                near[0, bit // 64] ^= np.uint64(1 << bit % 64)
            assert found(index, near, 31) == [(0, 0, 31)]
    for step in range(1, 9):
        near = codes[1:2].copy()
        for bit in {k * step % 256 for k in range(31)}:
            near[0, bit // 64] ^= np.uint64(1 << bit % 64)
        assert [entry for _, entry, _ in found(index, near, 31)] == [1]


def test_every_155th_bit_of_a_code_is_stored_next_to_one_another():
    codes = random_codes(3, 65)
    stored = build(codes, np.arange(3, dtype=np.uint32), np.zeros(3, np.uint8))["spread"]
    for code, spread in zip(codes, stored, strict=True):
        number, bits = int.from_bytes(code.tobytes(), "little"), int.from_bytes(spread.tobytes(), "little")
        assert [bits >> b & 1 for b in range(256)] == [number >> (155 * b % 256) & 1 for b in range(256)]


def test_thousands_of_equal_codes_are_all_found_once():
    codes = np.repeat(random_codes(1, 70), 20_000, axis=0)
    index = index_of(np.concatenate([random_codes(3000, 71), codes]), 12)
    assert found(index, flipped(codes[:1], 20, 72), 31) == [(0, 3000 + k, 20) for k in range(20_000)]


def test_index_without_codes_finds_nothing():
    index = index_of(np.empty((0, 4), np.uint64))
    assert (len(index), found(index, random_codes(3, 80), 31)) == (0, [])


def test_search_without_queries_finds_nothing():
    assert found(index_of(random_codes(5, 81)), np.empty((0, 4), np.uint64), 31) == []
    assert found(index_of(random_codes(1500, 82), 12), np.empty((0, 4), np.uint64), 31) == []


@pytest.mark.parametrize("radius", [-1, 64])
def test_radius_outside_its_range_is_refused(radius):
    with pytest.raises(ValueError, match="outside 0 to 63"):
        index_of(random_codes(3, 83)).search(random_codes(1, 84), radius)


def test_arrays_are_the_same_for_the_same_codes_and_have_their_types():
    codes = clustered(3000, 90)
    work, marks = np.arange(3000, dtype=np.uint32), np.zeros(3000, np.uint8)
    first, second = build(codes, work, marks), build(codes, work, marks)
    assert list(first) == list(ARRAYS)
    assert {name: (array.dtype.str, array.ndim) for name, array in first.items()} == dict(ARRAYS)
    assert all(first[name].tobytes() == second[name].tobytes() for name in ARRAYS)


@pytest.mark.parametrize(("count", "bytes_max"), [(0, 100), (10, 500), (1024, 40_000), (10_000, 2_000_000)])
def test_small_register_has_small_tables(count, bytes_max):
    arrays = build(random_codes(count, 91), np.zeros(count, np.uint32), np.zeros(count, np.uint8))
    assert sum(array.nbytes for array in arrays.values()) <= bytes_max


def test_arrays_may_come_mapped_from_files_and_read_only(tmp_path):
    codes = clustered(3000, 92)
    for name, array in build(codes, np.arange(3000, dtype=np.uint32), np.zeros(3000, np.uint8)).items():
        np.save(tmp_path / f"{name}.npy", array)
    index = ImageIndex.from_arrays({name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ARRAYS})
    queries = flipped(codes[:9], 9, 93)
    assert found(index, queries, 31) == brute_force(codes, queries, 31)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="no index for 3 codes, 2 works, 3 orientations"):
        build(random_codes(3, 94), np.zeros(2, np.uint32), np.zeros(3, np.uint8))


@pytest.mark.parametrize(("count", "slot_count"), [(3, 9), (3, 17), (3, -1), (0, 12)])
def test_slots_too_few_or_too_many_are_refused(count, slot_count):
    with pytest.raises(ValueError, match=f"no index of {slot_count} slots for {count} codes"):
        index_of(random_codes(count, 94), slot_count)


@pytest.mark.parametrize("name", ARRAYS)
def test_missing_table_is_named(name):
    arrays = build(random_codes(1500, 95), np.zeros(1500, np.uint32), np.zeros(1500, np.uint8))
    del arrays[name]
    with pytest.raises(SnapshotCorruptError) as error:
        ImageIndex.from_arrays(arrays)
    assert (error.value.path, error.value.found) == (name, "nothing")


@pytest.mark.parametrize("name", ["spread", "work", "orientation", "bitmap", "rank", "slot_bits"])
def test_table_of_another_length_is_refused(name):
    arrays = build(random_codes(1500, 96), np.zeros(1500, np.uint32), np.zeros(1500, np.uint8))
    for changed in (arrays[name][:-1], np.concatenate([arrays[name], arrays[name][:1]])):
        with pytest.raises(SnapshotCorruptError):
            ImageIndex.from_arrays({**arrays, name: changed})


@pytest.mark.parametrize("name", ["heads", "lists", "spread"])
def test_empty_table_is_refused(name):
    arrays = build(random_codes(1500, 97), np.zeros(1500, np.uint32), np.zeros(1500, np.uint8))
    with pytest.raises(SnapshotCorruptError):
        ImageIndex.from_arrays({**arrays, name: arrays[name][:0]})


@pytest.mark.parametrize("sizes", [[255] * 12, [3] * 12, [33] * 7, [40]])
def test_slots_of_impossible_sizes_are_refused(sizes):
    arrays = build(random_codes(1500, 98), np.zeros(1500, np.uint32), np.zeros(1500, np.uint8))
    with pytest.raises(SnapshotCorruptError):
        ImageIndex.from_arrays({**arrays, "slot_bits": np.array(sizes, np.uint8)})


@pytest.mark.parametrize("kind", [np.int64, np.float64, np.uint16])
def test_table_of_another_type_is_refused(kind):
    arrays = build(random_codes(5, 99), np.zeros(5, np.uint32), np.zeros(5, np.uint8))
    with pytest.raises(SnapshotCorruptError) as error:
        ImageIndex.from_arrays({**arrays, "work": arrays["work"].astype(kind)})
    assert (error.value.path, error.value.expected) == ("work", "<u4 in 1 dimensions")


@pytest.mark.parametrize("seed", range(12))
def test_tables_full_of_garbage_are_read_within_their_bounds(seed):
    """Whatever the tables say, what is found is what it claims to be: an entry at that distance."""
    dice = np.random.default_rng(seed)
    codes = random_codes(1500, 100 + seed)
    arrays = build(codes, np.zeros(1500, np.uint32), np.zeros(1500, np.uint8), slot_count=12)
    for name in dice.permutation(["bitmap", "rank", "heads", "lists"])[: 1 + seed % 4]:
        kind = arrays[name].dtype
        arrays[name] = dice.integers(0, np.iinfo(kind).max, arrays[name].shape, kind, endpoint=True)
    queries = codes[:2]
    for query, entry, distance in found(ImageIndex.from_arrays(arrays), queries, 7):
        assert distance == int(np.bitwise_count(queries[query] ^ codes[entry]).sum()) <= 7
