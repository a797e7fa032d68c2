"""The register's index of sounds: where in which works two peaks lie like these.

All works lie one after another on one axis of time, in frames and `GAP_FRAMES` apart, so that a place on the axis
says both the work and the moment. Two peaks of a work near each other are a pair. Its key is three coarse numbers:
the frequency of the first peak (30 steps an octave), the step to the frequency of the second, and the step in time
(one and a half frames). A key is a place in a table, so that nothing is searched for.

    place    u32 or u64 [m]           where each peak lies on the axis, ascending
    bin      u16 [m]                  its frequency, as in `fingerprint.audio`
    work     u32 [w]                  the works that have peaks, ascending
    start    u32 or u64 [w + 1]       where each of them begins on the axis, and where another one would
    first    u32 or u64 [w + 1]       its first peak, and the number of peaks
    prefix   u32 or u64 [KEYS + 1]    where the pairs of each key begin
    pair     u32 [n]                  the first peak of each pair, by key and place

A peak begins pairs with the next `FAN` peaks in reach. Of one key a work has `WORK_PAIRS_MAX` pairs, the first
ones, so that a drone, a siren or a metronome does not make a list long.

What a look-up reads from these arrays it never trusts: a damaged file gives wrong answers, not wrong memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError
from askfirst.jit import inline, kernel

__all__ = [
    "ARRAYS",
    "FAN",
    "GAP_FRAMES",
    "KEYS",
    "STEP_BINS_MAX",
    "STEP_FRAMES_MAX",
    "STEP_FRAMES_MIN",
    "AudioIndex",
    "build",
    "pair_key",
]

ARRAYS: Mapping[str, tuple[str, ...]] = {
    "place": ("<u4", "<u8"),
    "bin": ("<u2",),
    "work": ("<u4",),
    "start": ("<u4", "<u8"),
    "first": ("<u4", "<u8"),
    "prefix": ("<u4", "<u8"),
    "pair": ("<u4",),
}
"""The arrays of an index, and the types each may have."""

FAN = 4
"""Pairs a peak begins in a work."""

STEP_FRAMES_MIN, STEP_FRAMES_MAX = 2, 64
STEP_BINS_MAX = 480
"""How far apart the peaks of a pair are: 64 ms to 2 s, up to an octave and a quarter."""

GAP_FRAMES = 4096
"""Frames between two works on the axis: more than any stretch of an item that is looked up together."""

WORK_PAIRS_MAX = 16
"""Pairs of one key kept of a work."""

_BINS = 2048
_PITCHES = _BINS * 5 // 64
_CHANGES = 2 * (STEP_BINS_MAX * 5 // 64) + 2
_STEPS = STEP_FRAMES_MAX * 2 // 3 + 1
KEYS = _PITCHES * _CHANGES * _STEPS
"""Number of possible keys."""


@inline
def pair_key(low: int, change_bins: int, step_thirds: int) -> int:
    """Return the key of a pair: the bin of its first peak, the change to the second, three times their frames."""
    change = ((change_bins * 5) >> 6) + _CHANGES // 2
    return (((low * 5) >> 6) * _CHANGES + change) * _STEPS + (step_thirds * 2) // 9


@kernel
def _make_pairs(
    place: NDArray[np.int64], bins: NDArray[np.int64], key: NDArray[np.int64], first: NDArray[np.int64]
) -> int:
    """Write key and first peak of every pair; return how many."""
    count = 0
    for i in range(len(place)):
        made = 0
        for j in range(i + 1, len(place)):
            step = place[j] - place[i]
            if step > STEP_FRAMES_MAX or made == FAN:
                break
            change = bins[j] - bins[i]
            if step < STEP_FRAMES_MIN or abs(change) > STEP_BINS_MAX:
                continue
            key[count], first[count] = pair_key(bins[i], change, 3 * step), i
            count += 1
            made += 1
    return count


@kernel
def _thin(key: NDArray[np.int64], work: NDArray[np.int64], kept: NDArray[np.bool_]) -> None:
    """Mark the first `WORK_PAIRS_MAX` of each key and work; sorted by both."""
    run = 0
    for i in range(len(key)):
        run = run + 1 if i and key[i] == key[i - 1] and work[i] == work[i - 1] else 1
        kept[i] = run <= WORK_PAIRS_MAX


def build(
    work: NDArray[np.uint32],
    frame: NDArray[np.uint32],
    bin: NDArray[np.uint16],  # noqa: A002 - the name it has in Peaks
) -> dict[str, NDArray[Any]]:
    """Return the arrays of an index.

    1. Put the works on the axis.
    2. Make the pairs, sort them by key, and thin those that a work repeats.

    Args:
        work: u32[m], the work of each peak, ascending.
        frame: u32[m], ascending within a work.
        bin: u16[m], below 2,048.

    Returns:
        The arrays of `ARRAYS`: 22 bytes a peak, and 1.6 MB.

    Raises:
        ValueError: The three differ in length, are out of order, or a bin is too high.

    Cost: a microsecond and 100 bytes of memory a peak.
    """
    count = len(work)
    if not count == len(frame) == len(bin) < 1 << 32:
        raise ValueError(f"no index for {count} works, {len(frame)} frames, {len(bin)} bins")
    change, step = np.diff(work.astype(np.int64)), np.diff(frame.astype(np.int64))
    if (change < 0).any() or ((change == 0) & (step < 0)).any() or (bin >= _BINS).any():
        raise ValueError("peaks are not in order of work and frame, or a bin is too high")
    begins = np.flatnonzero(np.diff(work.astype(np.int64), prepend=-1))  # 1
    ends = np.append(begins[1:], count)[: len(begins)]
    lengths = frame[ends - 1].astype(np.int64) + 1 + GAP_FRAMES
    start = GAP_FRAMES + np.append(0, np.cumsum(lengths))
    number = np.repeat(np.arange(len(begins)), ends - begins)
    place = start[number] + frame.astype(np.int64)
    key, first = np.empty(FAN * count, np.int64), np.empty(FAN * count, np.int64)  # 2
    pairs = _make_pairs(place, bin.astype(np.int64), key, first)
    order = np.argsort(key[:pairs], kind="stable")
    key, first = key[order], first[order]
    kept = np.empty(pairs, np.bool_)
    _thin(key, number[first], kept)
    key, first = key[kept], first[kept]
    return {
        "place": _small(place),
        "bin": np.ascontiguousarray(bin, "<u2"),
        "work": np.ascontiguousarray(work[begins], "<u4"),
        "start": _small(start),
        "first": _small(np.append(begins, count)),
        "prefix": _small(np.append(0, np.cumsum(np.bincount(key, minlength=KEYS)))),
        "pair": first.astype("<u4"),
    }


def _small(values: NDArray[np.int64]) -> NDArray[Any]:
    """Return ascending numbers as u32, or as u64 where they need it."""
    return values.astype("<u4" if not len(values) or int(values[-1]) < 1 << 32 else "<u8")


@dataclass(frozen=True, slots=True)
class AudioIndex:
    """An index over arrays that may be mapped from a file; opening it reads hardly anything of them."""

    place: NDArray[np.uint32] | NDArray[np.uint64]
    bin: NDArray[np.uint16]
    work: NDArray[np.uint32]
    start: NDArray[np.uint32] | NDArray[np.uint64]
    first: NDArray[np.uint32] | NDArray[np.uint64]
    prefix: NDArray[np.uint32] | NDArray[np.uint64]
    pair: NDArray[np.uint32]

    def __len__(self) -> int:
        """Return the number of peaks."""
        return len(self.place)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> AudioIndex:
        """Return the index over the arrays of `build`.

        Raises:
            SnapshotCorruptError: An array is missing or has another type or length than the others ask for.
        """
        views = {name: _checked(name, arrays.get(name)) for name in ARRAYS}
        peaks, works = len(views["place"]), len(views["work"])
        lengths = {"bin": peaks, "start": works + 1, "first": works + 1, "prefix": KEYS + 1}
        for name, length in lengths.items():
            _expect(name, f"{length} entries", len(views[name]), len(views[name]) == length)
        _expect("work", "works for peaks", works, (works > 0) == (peaks > 0))
        for name, last in (("first", peaks), ("prefix", len(views["pair"]))):
            found = int(views[name][-1])
            _expect(name, f"{last} at the end", found, found == last)
        return cls(**views)


def _expect(name: str, expected: str, found: object, holds: bool) -> None:
    if not holds:
        raise SnapshotCorruptError(
            "an array of the sound index is not what it should be",
            path=name,
            expected=expected,
            found=str(found),
            advice="fetch or build the register again",
        )


def _checked(name: str, array: NDArray[Any] | None) -> NDArray[Any]:
    """Return a plain read-only view of a stored array of the right type, so that kernels see one kind only."""
    if array is None:
        _expect(name, "an array", "nothing", False)
    view = np.asarray(array).view(np.ndarray)
    sound = view.dtype.str in ARRAYS[name] and view.ndim == 1
    _expect(name, f"{' or '.join(ARRAYS[name])} in 1 dimension", f"{view.dtype.str} in {view.ndim}", sound)
    view = np.ascontiguousarray(view)
    view.flags.writeable = False
    return view
