"""The index of sounds: every pair of a work is where its key says, and damaged arrays are refused."""

from __future__ import annotations

import numpy as np
import pytest

from askfirst.errors import SnapshotCorruptError
from askfirst.register.audio_index import (
    ARRAYS,
    FAN,
    GAP_FRAMES,
    KEYS,
    STEP_BINS_MAX,
    STEP_FRAMES_MAX,
    STEP_FRAMES_MIN,
    WORK_PAIRS_MAX,
    AudioIndex,
    build,
    pair_key,
)


def peaks_of(works, count, seed):
    """Peaks as `build` takes them, so many of each work."""
    dice = np.random.default_rng(seed)
    work = np.repeat(np.array(works, np.uint32), count)
    frame = np.concatenate([np.sort(dice.integers(0, 3 * count, count)) for _ in works]).astype(np.uint32)
    return work, frame, dice.integers(0, 2048, len(work)).astype(np.uint16)


def brute_force(work, frame, bins):
    """Every pair as key, work and frame, by Python's integers."""
    pairs = []
    for i in range(len(work)):
        made = 0
        for j in range(i + 1, len(work)):
            step, change = int(frame[j]) - int(frame[i]), int(bins[j]) - int(bins[i])
            if work[j] != work[i] or step > STEP_FRAMES_MAX or made == FAN:
                break
            if step >= STEP_FRAMES_MIN and abs(change) <= STEP_BINS_MAX:
                pairs.append((pair_key.py_func(int(bins[i]), change, 3 * step), int(work[i]), int(frame[i])))
                made += 1
    return sorted(pairs)


def stored(index):
    """The same of an index."""
    key = np.repeat(np.arange(KEYS), np.diff(index.prefix.astype(np.int64)))
    place = index.place[index.pair].astype(np.int64)
    number = np.searchsorted(index.start, place, "right") - 1
    frame = place - index.start[number].astype(np.int64)
    return sorted(zip(key.tolist(), index.work[number].tolist(), frame.tolist(), strict=True))


def test_index_holds_every_pair():
    peaks = peaks_of([2, 5, 9], 300, 1)
    index = AudioIndex.from_arrays(build(*peaks))
    expected = brute_force(*peaks)
    assert stored(index) == expected
    assert len(expected) > 2000
    assert len(index) == 900


def test_keys_lie_in_the_table():
    lowest = pair_key.py_func(0, -STEP_BINS_MAX, 3 * STEP_FRAMES_MIN)
    highest = pair_key.py_func(2047, STEP_BINS_MAX, 3 * STEP_FRAMES_MAX)
    assert 0 <= lowest < highest < KEYS


def test_keys_differ_by_step_of_time_pitch_and_change():
    keys = {
        pair_key.py_func(13 * low + 12, 13 * change, 9 * step)
        for low in range(150)
        for change in range(-36, 37)
        for step in range(1, 21)
    }
    assert len(keys) == 150 * 73 * 20


def test_works_lie_apart_on_the_axis():
    work, frame, bins = peaks_of([0, 7], 50, 2)
    index = AudioIndex.from_arrays(build(work, frame, bins))
    assert index.work.tolist() == [0, 7]
    assert index.first.tolist() == [0, 50, 100]
    assert index.start[0] == GAP_FRAMES
    assert index.start[1] - index.place[49] == GAP_FRAMES + 1
    assert index.place[:50].tolist() == (frame[:50] + GAP_FRAMES).tolist()


def test_repeated_pair_is_kept_some_times_of_each_work():
    frame = np.tile(np.arange(0, 300, 3), 2).astype(np.uint32)
    work = np.repeat(np.array([0, 1], np.uint32), 100)
    index = AudioIndex.from_arrays(build(work, frame, np.full(200, 500, np.uint16)))
    kept = stored(index)
    assert len(kept) == FAN * 2 * WORK_PAIRS_MAX
    assert {frame for _, _, frame in kept} == set(range(0, 3 * WORK_PAIRS_MAX, 3))


def test_index_of_nothing_is_empty():
    arrays = build(np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.uint16))
    index = AudioIndex.from_arrays(arrays)
    assert (len(index), len(index.pair), len(index.work)) == (0, 0, 0)


def test_arrays_have_the_published_names_and_types():
    arrays = build(*peaks_of([1], 40, 3))
    assert list(arrays) == list(ARRAYS)
    assert [name for name, array in arrays.items() if array.dtype.str not in ARRAYS[name]] == []


def test_arrays_may_come_mapped_from_files(tmp_path):
    peaks = peaks_of([1, 2], 100, 4)
    for name, array in build(*peaks).items():
        np.save(tmp_path / f"{name}.npy", array)
    arrays = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    assert stored(AudioIndex.from_arrays(arrays)) == brute_force(*peaks)


@pytest.mark.parametrize(
    ("work", "frame", "bins"),
    [([1, 0], [0, 0], [5, 5]), ([0, 0], [3, 2], [5, 5]), ([0, 0], [2, 3], [5, 2048]), ([0, 0], [2], [5, 5])],
)
def test_peaks_out_of_order_are_refused(work, frame, bins):
    with pytest.raises(ValueError, match=r"not in order|no index for"):
        build(np.array(work, np.uint32), np.array(frame, np.uint32), np.array(bins, np.uint16))


@pytest.mark.parametrize("name", ARRAYS)
def test_missing_array_is_named(name):
    arrays = build(*peaks_of([1], 40, 5))
    del arrays[name]
    with pytest.raises(SnapshotCorruptError) as error:
        AudioIndex.from_arrays(arrays)
    assert (error.value.path, error.value.found) == (name, "nothing")


@pytest.mark.parametrize("name", ARRAYS)
def test_array_of_another_type_or_length_is_refused(name):
    arrays = build(*peaks_of([1], 40, 6))
    for changed in (arrays[name].astype(np.float64), arrays[name][:-1], arrays[name].reshape(1, -1)):
        with pytest.raises(SnapshotCorruptError):
            AudioIndex.from_arrays({**arrays, name: changed})
