"""How well a stretch of a work lies on an item, peak by peak: evidence in bits.

A peak of the work either has a peak of the item at its place or not. If the item holds the work, it has one with
the chance of detection; if not, only by accident, and how often that happens is counted in the item itself: a
drone, hiss or a tone that everybody plays is everywhere, so that meeting it says nothing. What a peak says is the
logarithm of the quotient of both chances (Neyman and Pearson). A tone that comes again says less each time: two
pieces in one key and one metre share it for minutes.

The sum grows where work and item agree and falls where they do not, so the stretch with the largest sum is
where the work is (Bentley, "Programming pearls: algorithm design techniques", 1984).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.fingerprint.audio import BINS, log2_steps
from askfirst.jit import kernel

__all__ = ["BIT", "UNIT", "ItemPeaks", "WorkPeaks", "align", "gains_of", "item_peaks", "locate", "refine", "repeated"]

BIT = 256
"""Steps of evidence in a bit."""

UNIT = 1024
"""Frames of the work in so many frames of the item: a tempo as it is."""

_NEAR_BINS, _FAR_BINS = 3, 9
"""A peak lies at its place within 0.5 %, loosely within 1.6 %."""

_DETECTED_PERCENT = 45
"""Share of a work's peaks that an item shows which holds it: a copy 80 %, music under speech half of this."""

_SHARES = (0, 12, 28, 60)
"""Where a detected peak lies, in percent: loosely, a frame beside, in its frame. From true pairs, measured."""

_FLOORS = (0, 16, 16, 8)
"""Least chance of an accident, of 4,096: an item of 30 s is too short to count rarer ones."""

_WEAR = 4
"""The n-th peak at one frequency counts 4 / (4 + n), n from nought."""

_TOLL = BIT // 8
"""What a peak costs, met or not, an eighth of a bit: so that a long stretch needs more evidence than a short one."""

_OUTWARDS = (0, 1, -1, 2, -2, 3, -3, 4, -4)
"""Steps of a search, the near ones first: of places that are as good the nearest is taken."""

_ROUNDS = ((3, 4), (3, 4), (1, 1), (1, 1))
"""Rounds of a search: steps of tempo in 1,024, and of time in quarters of a frame."""

_REPEAT_FRAMES_MIN, _REPEAT_FRAMES_MAX = 16, 250

_CELLS = BINS // 8 + 16  # and a few for bins of a damaged index, brought down by a shift


class ItemPeaks(NamedTuple):
    """The dense peaks of an item, to be looked up by frame.

    Args:
        bins: i64[m], by frame and bin.
        starts: i64[frames + 1], where the peaks of each frame begin.
        near: u64[frames], a bit for each 32 bins: whether a peak lies there or close by, a frame more or less.
    """

    bins: NDArray[np.int64]
    starts: NDArray[np.int64]
    near: NDArray[np.uint64]


class WorkPeaks(NamedTuple):
    """The peaks of a work, a part of the index."""

    place: NDArray[np.uint32] | NDArray[np.uint64]
    bins: NDArray[np.uint16]


@kernel
def item_peaks(bins: NDArray[np.int64], starts: NDArray[np.int64]) -> ItemPeaks:
    """Return the peaks of an item, to be looked up by frame."""
    near = np.zeros(len(starts) - 1, np.uint64)
    for t in range(len(near)):
        for i in range(starts[t], starts[t + 1]):
            low, high = max(bins[i] - _FAR_BINS, 0) >> 5, min(bins[i] + _FAR_BINS, BINS - 1) >> 5
            both = np.uint64(1) << np.uint64(low) | np.uint64(1) << np.uint64(high)
            for u in range(max(t - 1, 0), min(t + 2, len(near))):
                near[u] |= both
    return ItemPeaks(bins, starts, near)


@kernel
def gains_of(item: ItemPeaks, first: int, end: int) -> NDArray[np.int64]:
    """Return what meeting a peak says at each bin, in steps of `BIT`, from frames `first` to `end` of the item.

    Returns:
        i64[2048, 4]: not met, met loosely, a frame beside, in its frame.
    """
    counts = np.zeros((BINS, 4), np.int64)
    for i in range(item.starts[first], item.starts[end]):
        low, high = max(item.bins[i] - _FAR_BINS - 1, 0), min(item.bins[i] + _FAR_BINS + 2, BINS)
        for b in range(low, high):
            if abs(b - item.bins[i]) <= _NEAR_BINS + 1:
                counts[b, 3] += 1
                counts[b, 2] += 2
            else:
                counts[b, 1] += 3
    missed = 100 - _DETECTED_PERCENT
    out = np.empty((BINS, 4), np.int64)
    for b in range(BINS):
        out[b, 0] = log2_steps(missed, 8) - log2_steps(100, 8)
        for level in range(1, 4):
            chance = min(max(counts[b, level] * 4096 // (end - first), _FLOORS[level]), 2048)
            likely = _DETECTED_PERCENT * _SHARES[level] * 4096 // 100 + missed * chance
            out[b, level] = log2_steps(likely, 8) - log2_steps(100 * chance, 8)
    return out


@kernel
def _level(item: ItemPeaks, frame: int, wanted: int) -> int:
    """Return how an item meets a peak: 3 in its frame, 2 a frame beside, 1 loosely, 0 not."""
    level = 0
    for t in range(max(frame - 1, 0), min(frame + 2, len(item.starts) - 1)):
        for i in range(item.starts[t], item.starts[t + 1]):
            apart = abs(item.bins[i] - wanted)
            if apart <= _NEAR_BINS:
                level = max(level, 3 if t == frame else 2)
            elif apart <= _FAR_BINS:
                level = max(level, 1)
    return level


@kernel
def align(
    item: ItemPeaks,
    gains: NDArray[np.int64],
    work: WorkPeaks,
    way: tuple[int, int, int],
    found: NDArray[np.int64],
    is_evidence: bool = True,
) -> int:
    """Return the evidence of the best stretch of a work on an item.

    Args:
        item: The item.
        gains: Of `gains_of`.
        work: The work's peaks.
        way: Where frame 0 of the item lies, in quarters of a frame of the work; frames of the work in
            `UNIT` frames of the item; bins by which the item is higher.
        is_evidence: Let tones wear off and peaks pay toll; else find the whole stretch that agrees.
        found: i64[3], written where there is evidence: first and last peak of the stretch, peaks met.
    """
    offset, tempo, shift = way
    inverse = (1 << 30) // tempo
    seen, seen_by = np.zeros(_CELLS, np.int64), np.zeros(_CELLS, np.int64)
    best = here = 0
    start = hits = stretch = 0
    for p in range(len(work.bins)):
        t = int(((4 * np.int64(work.place[p]) - offset) * inverse + (1 << 21)) >> 22)
        wanted = int(np.int64(work.bins[p]) + shift)
        if t < 0 or wanted < 0 or wanted >= BINS:
            continue
        if t >= len(item.starts) - 1:
            break
        if here <= 0:
            here, start, hits, stretch = 0, p, 0, stretch + 1
        is_near = item.near[t] >> np.uint64(wanted >> 5) & np.uint64(1)
        level = _level(item, t, wanted) if is_near else 0
        cell = (np.int64(work.bins[p]) + 4) >> 3
        if seen_by[cell] != stretch:
            seen[cell], seen_by[cell] = 0, stretch
        gain = int(gains[wanted, level])
        here += gain * _WEAR // (_WEAR + seen[cell]) - _TOLL if is_evidence else gain
        seen[cell] += 1
        hits += level > 0
        if here > best:
            best = here
            found[0], found[1], found[2] = start, p, hits
    return best


@kernel
def locate(
    item: ItemPeaks, gains: NDArray[np.int64], work: WorkPeaks, guess: tuple[int, int, int], slack: int
) -> tuple[int, tuple[int, int, int]]:
    """Return the evidence of the best place near a guess, and that place.

    It is looked for within the two cells of votes the guess comes from, and at `slack` bins lower and higher.
    """
    found = np.zeros(3, np.int64)
    best, way = 0, guess
    for change in range(-slack, slack + 1, max(slack, 1)):
        for step in range(-4, 21, 2):
            other = (guess[0] + 4 * step, guess[1], guess[2] + change)
            value = align(item, gains, work, other, found)
            if value > best:
                best, way = value, other
    return best, way


@kernel
def refine(
    item: ItemPeaks, gains: NDArray[np.int64], work: WorkPeaks, guess: tuple[int, int, int], about: tuple[int, int]
) -> tuple[int, tuple[int, int, int]]:
    """Return the evidence of the best way near a guess, and that way.

    Change the pitch, then tempo and time together, turning about a frame in the middle of the item; then again,
    in smaller steps. Given up when after the first steps there is not half of the evidence that is needed: `about`
    is that frame and that evidence.
    """
    middle, need = about
    found = np.zeros(3, np.int64)
    best, way = align(item, gains, work, guess, found), guess
    for round_number, (size, turn) in enumerate(_ROUNDS):
        if round_number and 2 * best < need:
            break
        centre = way
        for step in _OUTWARDS:
            other = (centre[0], centre[1], centre[2] + min(size, 2) * step)
            value = align(item, gains, work, other, found)
            if value > best:
                best, way = value, other
        centre = way
        for change in _OUTWARDS:
            for step in _OUTWARDS[:7]:
                turned = centre[0] + turn * step - ((size * change * middle) >> 8)
                other = (turned, centre[1] + size * change, centre[2])
                value = align(item, gains, work, other, found)
                if value > best:
                    best, way = value, other
    return best, way


@kernel
def repeated(item: ItemPeaks, gains: NDArray[np.int64], work: WorkPeaks, way: tuple[int, int, int]) -> int:
    """Return the evidence of the best other place, half a second to eight seconds away: a loop lies there as well."""
    found = np.zeros(3, np.int64)
    best = 0
    for step in range(-_REPEAT_FRAMES_MAX, _REPEAT_FRAMES_MAX + 1):
        if abs(step) >= _REPEAT_FRAMES_MIN:
            best = max(best, align(item, gains, work, (way[0] + 4 * step, way[1], way[2]), found))
    return best
