"""Where a film is another: pairs of frames that look alike, laid on a line of time.

Whatever says that two frames are alike, a code or a descriptor, may vote; it is told by its weight. A copy's
pairs lie on a line `work = speed * item + offset`; pairs that are alike by chance lie anywhere. Every pair is
tried with a few usual speeds, and with the speed that each other pair gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import kernel

__all__ = ["SPEED_MAX", "SPEED_MIN", "Line", "Pairs", "best_line"]

SPEED_MIN, SPEED_MAX = 0.78, 1.28
"""Speeds of a work as shown in an item, against its own; beyond these nobody likes to watch."""

_SPEEDS = np.array([1.0, 0.8, 0.9, 0.95, 24 / 25, 25 / 24, 1.05, 1.1, 1.15, 1.2, 1.25])
"""What is tried where two pairs stand too close together to tell: whole steps, and film shown as television."""

_TOLERANCE_MS = 600.0
"""How far from a line a pair may lie: half the distance of stored frames, and as much for cuts."""

_APART_MS = 8000.0
"""Two pairs give a speed when they are so far apart: then it is right within a twelfth."""

_STEP_MS = 500.0
"""Distance of stored frames: what stands still for longer is stored once."""

_SEEDS = 48


@dataclass(frozen=True, slots=True)
class Pairs:
    """n pairs of a frame of an item and one of a work that look alike, ordered by `item_ms`.

    Args:
        item_ms: f64[n], when the item shows it.
        work_ms: f64[n], when the work shows it first.
        until_ms: f64[n], when the work shows something else.
        weight: f64[n], 0 to 1: how much it counts.
    """

    item_ms: NDArray[np.float64]
    work_ms: NDArray[np.float64]
    until_ms: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.item_ms)

    @classmethod
    def none(cls) -> Pairs:
        """Return no pairs."""
        return cls(np.empty(0), np.empty(0), np.empty(0), np.empty(0))

    def without(self, begin_ms: float, end_ms: float) -> Pairs:
        """Return the pairs outside a part of the item."""
        kept = (self.item_ms < begin_ms) | (self.item_ms > end_ms)
        return Pairs(self.item_ms[kept], self.work_ms[kept], self.until_ms[kept], self.weight[kept])


@dataclass(frozen=True, slots=True)
class Line:
    """A line on which pairs lie.

    Args:
        speed: How fast the item shows the work: 1.25 shows ten seconds of it in eight.
        offset_ms: When the work stands at the item's beginning; may be negative.
        pairs: i64[k], one pair for each frame of the item on the line, in order of time.
        weight: Sum of theirs.
    """

    speed: float
    offset_ms: float
    pairs: NDArray[np.int64]
    weight: float


def best_line(pairs: Pairs) -> Line | None:
    """Return the line on which most pairs lie by weight; None where there are no pairs.

    1. Try the heaviest pairs with all speeds.
    2. Fit the line to the pairs on it, where they reach far enough; keep what is better.
    3. Of each frame of the item keep the pair nearest to the line.

    Cost: up to 2,900 lines, each over all pairs; 3 ms for a thousand pairs.
    """
    if not len(pairs):
        return None
    enough = np.sort(pairs.weight)[-min(_SEEDS, len(pairs))]
    heavy = np.flatnonzero(pairs.weight >= enough)
    seeds = heavy[np.linspace(0, len(heavy) - 1, min(_SEEDS, len(heavy))).astype(np.int64)]
    times = (pairs.item_ms, pairs.work_ms, pairs.until_ms)
    speed, offset, score = _try_lines(*times, pairs.weight, seeds)  # 1.
    chosen = _on_line(*times, pairs.weight, speed, offset)
    for _ in range(2):  # 2.
        fitted = _fit(pairs, chosen, speed, offset)
        if fitted is None:
            break
        better = _score(*times, pairs.weight, *fitted)
        if better <= score:
            break
        speed, offset, score = *fitted, better
        chosen = _on_line(*times, pairs.weight, speed, offset)
    return Line(speed, offset, chosen, float(pairs.weight[chosen].sum()))  # 3.


def _fit(pairs: Pairs, chosen: NDArray[np.int64], speed: float, offset: float) -> tuple[float, float] | None:
    """Return speed and offset of the line nearest to pairs, or nothing where these lie too close together."""
    item = pairs.item_ms[chosen]
    if len(chosen) < 3 or item[-1] - item[0] < _APART_MS:
        return None
    begin = pairs.work_ms[chosen]
    work = np.clip(speed * item + offset, begin, np.maximum(pairs.until_ms[chosen] - _STEP_MS, begin))
    around = item - item.mean()
    fitted = float((around * work).sum() / (around * around).sum())
    if not SPEED_MIN <= fitted <= SPEED_MAX:
        return None
    return fitted, float(work.mean() - fitted * item.mean())


@kernel
def _residual(predicted: float, work: float, until: float) -> float:
    """Return how far from a stored frame a moment of the work lies; a frame that stands still is long."""
    if predicted < work:
        return work - predicted
    return max(predicted - max(until - _STEP_MS, work), 0.0)


@kernel
def _score(
    item: NDArray[np.float64],
    work: NDArray[np.float64],
    until: NDArray[np.float64],
    weight: NDArray[np.float64],
    speed: float,
    offset: float,
) -> float:
    """Return the weight of the pairs on a line, each frame of the item once, nearer ones counting more."""
    total, best, before = 0.0, 0.0, -1.0
    for k in range(len(item)):
        if item[k] != before:
            total += best
            best, before = 0.0, item[k]
        away = _residual(speed * item[k] + offset, work[k], until[k]) / _TOLERANCE_MS
        if away <= 1:
            best = max(best, weight[k] * (1 - 0.25 * away * away))
    return total + best


@kernel
def _try_lines(
    item: NDArray[np.float64],
    work: NDArray[np.float64],
    until: NDArray[np.float64],
    weight: NDArray[np.float64],
    seeds: NDArray[np.int64],
) -> tuple[float, float, float]:
    """Return speed, offset and score of the best line through one of the seeds; equal ones: the first."""
    best_speed, best_offset, best_score = 1.0, 0.0, -1.0
    for a in seeds:
        for k in range(len(_SPEEDS) + len(seeds)):
            if k < len(_SPEEDS):
                speed = _SPEEDS[k]
            else:
                b = seeds[k - len(_SPEEDS)]
                if item[b] - item[a] < _APART_MS:
                    continue
                speed = (work[b] - work[a]) / (item[b] - item[a])
                if not SPEED_MIN <= speed <= SPEED_MAX:
                    continue
            offset = work[a] - speed * item[a]
            score = _score(item, work, until, weight, speed, offset)
            if speed != 1.0:
                score *= 0.94
            if score > best_score:
                best_speed, best_offset, best_score = speed, offset, score
    return best_speed, best_offset, best_score


@kernel
def _on_line(
    item: NDArray[np.float64],
    work: NDArray[np.float64],
    until: NDArray[np.float64],
    weight: NDArray[np.float64],
    speed: float,
    offset: float,
) -> NDArray[np.int64]:
    """Return the pairs on a line, for each frame of the item the one that counts most."""
    chosen = np.empty(len(item), np.int64)
    count, before, best = 0, -1.0, 0.0
    for k in range(len(item)):
        away = _residual(speed * item[k] + offset, work[k], until[k]) / _TOLERANCE_MS
        if away > 1:
            continue
        value = weight[k] * (1 - 0.25 * away * away)
        if item[k] != before:
            chosen[count] = k
            count += 1
            before, best = item[k], value
        elif value > best:
            chosen[count - 1], best = k, value
    return chosen[:count]
