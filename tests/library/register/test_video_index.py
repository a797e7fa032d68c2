"""The register's index of films: that of pictures, and times."""

from __future__ import annotations

import numpy as np
import pytest

from askfirst.errors import SnapshotCorruptError
from askfirst.register.video_index import ARRAYS, VideoIndex, build

COUNT = 3000


def table(seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 1 << 64, (COUNT, 4), np.uint64)
    work = rng.integers(0, 5, COUNT).astype(np.uint32) * np.uint32(3)
    return codes, work, np.arange(COUNT).astype(np.uint8), rng.permutation(COUNT).astype(np.uint32)


def test_frames_are_found_with_their_work_and_time():
    codes, work, orientation, time_ms = table()
    index = VideoIndex.from_arrays(build(codes, work, orientation, time_ms))
    query, entry, distance = index.frames.search(codes[:50], 0)
    assert len(index) == COUNT
    assert query.tolist() == list(range(50))
    assert distance.tolist() == [0] * 50
    assert index.frames.work[entry].tolist() == work[:50].tolist()
    assert index.time_ms[entry].tolist() == time_ms[:50].tolist()
    assert index.frames.orientation[entry].tolist() == orientation[:50].tolist()


def test_frames_of_a_work_stand_together_in_order_of_time():
    codes, work, orientation, time_ms = table()
    index = VideoIndex.from_arrays(build(codes, work, orientation, time_ms))
    for number in range(14):
        rows = index.rows_of(number)
        assert index.time_ms[rows].tolist() == sorted(time_ms[work == number].tolist())
        assert set(index.frames.work[rows].tolist()) <= {number}


def test_search_in_a_work_finds_what_a_search_in_all_finds_there():
    codes, work, orientation, time_ms = table()
    index = VideoIndex.from_arrays(build(codes, work, orientation, time_ms))
    near = codes[:40] ^ np.uint64(0b1011)
    every = np.stack(index.frames.search(near, 63))
    for number in (0, 3, 4):
        there = index.frames.work[every[1]] == number
        assert np.array_equal(np.stack(index.search_work(number, near, 63)), every[:, there])


def test_the_arrays_are_those_of_the_format():
    arrays = build(*table())
    assert {name: (array.dtype.str, array.ndim) for name, array in arrays.items()} == dict(ARRAYS)


def test_an_empty_index_finds_nothing():
    index = VideoIndex.from_arrays(
        build(np.empty((0, 4), np.uint64), np.empty(0, np.uint32), np.empty(0, np.uint8), np.empty(0, np.uint32))
    )
    assert len(index) == 0
    assert len(index.frames.search(np.zeros((1, 4), np.uint64), 31)[0]) == 0
    assert len(index.search_work(0, np.zeros((1, 4), np.uint64), 31)[0]) == 0


@pytest.mark.parametrize("flaw", ["missing", "short", "type"])
def test_a_table_of_times_that_does_not_fit_is_corrupt(flaw):
    arrays = build(*table())
    if flaw == "missing":
        del arrays["time_ms"]
    else:
        arrays["time_ms"] = arrays["time_ms"][1:] if flaw == "short" else arrays["time_ms"].astype("<u8")
    with pytest.raises(SnapshotCorruptError) as error:
        VideoIndex.from_arrays(arrays)
    assert error.value.path == "time_ms"


def test_columns_of_different_length_are_refused():
    codes, work, orientation, time_ms = table()
    with pytest.raises(ValueError, match="no index"):
        build(codes, work, orientation, time_ms[1:])
