"""Sounds of a batch that hold a registered work or a part of one, as it is or at another tempo or pitch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.fingerprint.audio import BINS, HOP_SAMPLES, OCTAVE_BINS, RATE_HZ, Peaks, SoundQuery
from askfirst.jit import kernel
from askfirst.match.audio_align import (
    BIT,
    UNIT,
    ItemPeaks,
    WorkPeaks,
    align,
    gains_of,
    item_peaks,
    locate,
    refine,
    repeated,
)
from askfirst.match.hits import KINDS, Hits
from askfirst.model import MatchKind
from askfirst.policy import Policy
from askfirst.register.audio_index import (
    STEP_BINS_MAX,
    STEP_FRAMES_MAX,
    STEP_FRAMES_MIN,
    AudioIndex,
    pair_key,
)

__all__ = ["match_sounds"]

_KIND = KINDS.index(MatchKind.AUDIO)
_FRAME_S = HOP_SAMPLES / RATE_HZ

_WINDOW_FRAMES, _WINDOW_STEP = 1024, 896
"""Stretch of an item that is looked up together, 33 s; the next one begins 4 s before its end."""

_FAN, _FAN_CHANGED = 16, 8
"""Pairs a peak begins in an item: so that what a work's peak is paired with is among them, though peaks of
something else lie between. At other tempos and pitches fewer, and of the sparse peaks: there are 34 of them."""

_PLAIN = ((UNIT, 0),)
_TEMPOS = (973, 998, UNIT, 1050, 1075)
_SHIFTS = (-38, -26, -13, 0, 13, 26, 38)
_CHANGED = tuple((tempo, shift) for tempo in _TEMPOS for shift in _SHIFTS if (tempo, shift) != _PLAIN[0])
"""Tempo and pitch at which an item is looked up: steps of 2.5 % and of 2.3 %, one step of a pair's key."""

_CELL_BITS = 3
_SLOT_BITS = 17
"""Votes are counted by place to eight frames, a quarter of a second, in a table of so many slots."""

_BEST, _CANDIDATES, _VOTES_MIN = 4, 12, 3
"""Places tried for each way of looking up, and for all of them together; votes below which a place is not tried."""

_SLACK_BINS = 6
"""Half a step of pitch."""

_REFINED = 4
"""So many of the places are looked at closely, if there is a quarter of the evidence before."""

_MARGIN_FRAMES = np.array([-32, 32])
_STRETCH_FRAMES_MIN = 100
"""A stretch is longer than 3.2 s: shorter ones are loops and samples that many pieces are made of."""

_SCALE_BITS = 10.0
"""Evidence that halves what the score lacks of 1."""


class _Match(NamedTuple):
    """A stretch of a work in an item, in seconds; bits of evidence; the row is not in it."""

    work: int
    bits: float
    item: tuple[float, float]
    span: tuple[float, float]
    tempo: float
    pitch: float
    votes: int


class _Votes(NamedTuple):
    """A table of votes: for each slot the cell that owns it and its majority; the best cells, best last."""

    counts: NDArray[np.int32]
    owners: NDArray[np.int64]
    best: NDArray[np.int64]


class _Pairs(NamedTuple):
    """Where the pairs of the register are: see `register.audio_index`."""

    place: NDArray[np.uint32] | NDArray[np.uint64]
    prefix: NDArray[np.uint32] | NDArray[np.uint64]
    pair: NDArray[np.uint32]


@kernel
def _make_pairs(frame: NDArray[np.int64], bins: NDArray[np.int64], fan: int, out: NDArray[np.int64]) -> int:
    """Write i64[n, 4], the frame and bin of a peak and the steps to another, of all pairs; return how many."""
    count = 0
    for i in range(len(frame)):
        made = 0
        for j in range(i + 1, len(frame)):
            step, change = frame[j] - frame[i], bins[j] - bins[i]
            if made == fan or step > STEP_FRAMES_MAX + STEP_FRAMES_MAX // 16:
                break
            if step >= STEP_FRAMES_MIN and abs(change) <= STEP_BINS_MAX:
                out[count, 0], out[count, 1], out[count, 2], out[count, 3] = frame[i], bins[i], change, step
                count += 1
                made += 1
    return count


@kernel
def _rank(votes: _Votes, slot: int) -> int:
    """Put a cell among the best ones by its votes and those of the next cell; return from how many on to ask."""
    cell, best = votes.owners[slot], votes.best
    value = np.int64(votes.counts[slot])
    after = (slot + 1) & (len(votes.counts) - 1)
    if votes.owners[after] == cell + 1:
        value += np.int64(votes.counts[after])
    at = 0
    for k in range(1, len(best)):
        if best[k, 0] < best[at, 0]:
            at = k
    for k in range(len(best)):
        if best[k, 0] and abs(best[k, 1] - cell) <= 1:
            at = k
    if value > best[at, 0]:
        best[at, 0], best[at, 1] = value, cell
    least = best[0, 0]
    for k in range(1, len(best)):
        least = min(least, best[k, 0])
    return max(_VOTES_MIN, int(least) // 2 + 1)


@kernel
def _vote(pairs: NDArray[np.int64], tempo: int, shift: int, index: _Pairs, votes: _Votes) -> None:
    """Count where the pairs of an item, played at another tempo and pitch, occur in the register.

    A slot belongs to one cell, and to another one when that has more votes than all others together (Boyer and
    Moore, "A fast majority vote algorithm", 1981).
    """
    counts, owners, best = votes
    counts[:] = 0
    best[:] = 0
    mask, asked = len(counts) - 1, _VOTES_MIN
    for i in range(len(pairs)):
        low, thirds = pairs[i, 1] - shift, (pairs[i, 3] * 3 * tempo + UNIT // 2) // UNIT
        if low < 0 or low >= BINS or thirds < 3 * STEP_FRAMES_MIN or thirds > 3 * STEP_FRAMES_MAX:
            continue
        key = pair_key(low, pairs[i, 2], thirds)
        base = pairs[i, 0] * tempo // UNIT
        for k in range(int(index.prefix[key]), min(int(index.prefix[key + 1]), len(index.pair))):
            first = min(int(index.pair[k]), len(index.place) - 1)
            cell = (int(index.place[first]) - base) >> _CELL_BITS
            slot = cell & mask
            if counts[slot] == 0:
                owners[slot] = cell
            counts[slot] += 1 if owners[slot] == cell else -1
            if counts[slot] >= asked and owners[slot] == cell:
                asked = _rank(votes, slot)


def _as_item(peaks: Peaks) -> ItemPeaks:
    """Return peaks to be looked up by frame."""
    frames = int(peaks.frame[-1]) + 1 if len(peaks) else 0
    return item_peaks(peaks.bin.astype(np.int64), np.searchsorted(peaks.frame, np.arange(frames + 1)))


def _pairs_of(item: ItemPeaks, window: tuple[int, int], fan: int) -> NDArray[np.int64]:
    """Return i64[n, 4], the pairs of a window of an item."""
    first, end = min(window[0], len(item.starts) - 1), min(window[1], len(item.starts) - 1)
    starts = item.starts[first : end + 1]
    frame = np.repeat(np.arange(first, end), np.diff(starts))
    bins = item.bins[starts[0] : starts[-1]]
    out = np.empty((fan * len(bins), 4), np.int64)
    return out[: _make_pairs(frame, bins, fan, out)]


class _Search:
    """The search of a register for one item after another; keeps the tables between them."""

    def __init__(self, index: AudioIndex) -> None:
        self.index = index
        slots = 1 << min(max((int(index.start[-1]) >> _CELL_BITS).bit_length(), 12), _SLOT_BITS)
        self.votes = _Votes(np.zeros(slots, np.int32), np.zeros(slots, np.int64), np.zeros((_BEST, 2), np.int64))
        self.pairs = _Pairs(index.place, index.prefix, index.pair)

    def find(self, query: SoundQuery, need_bits: float) -> list[_Match]:
        """Return the stretches of works in an item for which there is so much evidence, perhaps several times.

        1. Take the item in windows.
        2. Look a window up as it is; where less than half of it was recognised, at other tempos and pitches.
        """
        sparse, dense = _as_item(query.peaks), _as_item(query.dense)
        frames = len(dense.starts) - 1
        found: list[_Match] = []
        for start in range(0, max(frames - _WINDOW_FRAMES + _WINDOW_STEP, min(frames, 1)), _WINDOW_STEP):  # 1
            window = (start, min(start + _WINDOW_FRAMES, frames))
            gains = gains_of(dense, *window)
            span = (window[0] * _FRAME_S, window[1] * _FRAME_S)
            for ways, peaks, fan in ((_PLAIN, dense, _FAN), (_CHANGED, sparse, _FAN_CHANGED)):  # 2
                candidates = self._candidates(_pairs_of(peaks, window, fan), ways)
                found += self._judge(dense, gains, window, candidates, need_bits)
                if 2 * _covered([match.item for match in found], span) >= span[1] - span[0]:
                    break
        return found

    def _candidates(self, pairs: NDArray[np.int64], ways: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
        """Return votes, cell, tempo and shift of the places with most votes, most first."""
        out = []
        for tempo, shift in ways:
            _vote(pairs, tempo, shift, self.pairs, self.votes)
            out += [(votes, cell, tempo, shift) for votes, cell in self.votes.best.tolist() if votes]
        return sorted(out, reverse=True)[:_CANDIDATES]

    def _judge(
        self,
        item: ItemPeaks,
        gains: NDArray[np.int64],
        window: tuple[int, int],
        candidates: list[tuple[int, int, int, int]],
        need_bits: float,
    ) -> Iterator[_Match]:
        """Yield those candidates for which there is enough evidence.

        1. Place each one in time.
        2. Look closer at the best ones. What lies as well some beats later is a loop: half of that does not count.
        """
        middle = sum(window) // 2
        located = []
        for _, cell, tempo, shift in candidates:  # 1
            number = self._work_at((cell << _CELL_BITS) + window[1] * tempo // UNIT)
            near = self._peaks(number, (cell << _CELL_BITS) + np.array(window) * tempo // UNIT)
            slack = 0 if (tempo, shift) in _PLAIN else _SLACK_BINS
            bits, way = locate(item, gains, near, (cell << (_CELL_BITS + 2), tempo, shift), slack)
            if 4 * bits >= need_bits * BIT:
                located.append((bits, number, near, way))
        located.sort(key=lambda candidate: -candidate[0])
        for _, number, near, guess in located[:_REFINED]:  # 2
            bits, way = refine(item, gains, near, guess, (middle, int(need_bits * BIT)))
            if bits >= need_bits * BIT:
                bits -= repeated(item, gains, near, way) // 2
            if bits < need_bits * BIT:
                continue
            work, stretch = self._peaks(number), np.zeros(3, np.int64)
            align(item, gains, work, way, stretch, False)
            places = work.place[stretch[:2]].astype(np.int64)
            if places[1] - places[0] >= _STRETCH_FRAMES_MIN:
                yield self._match(number, bits / BIT, way, places, int(stretch[2]))

    def _work_at(self, place: int) -> int:
        """Return the number of the work before a place: a window ends within `GAP_FRAMES` of what it meets."""
        number = int(np.searchsorted(self.index.start, max(place, 0), "right")) - 1
        return min(max(number, 0), len(self.index.work) - 1)

    def _peaks(self, number: int, reach: NDArray[np.int64] | None = None) -> WorkPeaks:
        """Return the peaks of a work, or those near a stretch of the axis."""
        first, end = int(self.index.first[number]), int(self.index.first[number + 1])
        work = WorkPeaks(self.index.place[first:end], self.index.bin[first:end])
        if reach is None:
            return work
        low, high = np.searchsorted(work.place, np.maximum(reach + _MARGIN_FRAMES, 0))
        return WorkPeaks(work.place[low:high], work.bins[low:high])

    def _match(
        self, number: int, bits: float, way: tuple[int, int, int], places: NDArray[np.int64], votes: int
    ) -> _Match:
        """Return a match in seconds, from places on the axis of the register."""
        offset, tempo, shift = way
        first, last = (float(x) for x in (places - offset / 4) * (UNIT / tempo * _FRAME_S))
        low, high = (float(x) for x in (places - int(self.index.start[number])) * _FRAME_S)
        return _Match(
            int(self.index.work[number]),
            bits,
            (first, last),
            (low, high),
            tempo / UNIT,
            2.0 ** (shift / OCTAVE_BINS),
            votes,
        )


def _covered(spans: Sequence[tuple[float, float]], within: tuple[float, float]) -> float:
    """Return how many seconds of a stretch the spans cover together."""
    total, end = 0.0, within[0]
    for first, last in sorted(spans):
        total += max(min(last, within[1]) - max(first, end), 0.0)
        end = max(end, min(last, within[1]))
    return total


def _where(match: _Match) -> str:
    """Return where a match is, compact JSON."""
    spans = ",".join(
        f'"{name}":[{max(first, 0):.1f},{max(last, 0):.1f}]'
        for name, (first, last) in (("item", match.item), ("work", match.span))
    )
    return f'{{{spans},"tempo":{match.tempo:.3f},"pitch":{match.pitch:.3f},"votes":{match.votes}}}'


def match_sounds(rows: NDArray[np.int32], sounds: Sequence[SoundQuery], index: AudioIndex, policy: Policy) -> Hits:
    """Return which registered works the sounds of a batch hold, one hit for each row and work.

    1. Look each item up: votes of pairs of peaks name the places, evidence peak by peak decides.
    2. Of a row and a work keep the stretch with most evidence; count the share of all of them.

    Args:
        rows: i32[a], rows of the sounds in their batch.
        sounds: The a sounds.
        index: The register's sounds.
        policy: `audio_bits` is the evidence that counts, beyond a bit for each doubling of the register and of the
            item: there are so many more places to find something by accident.

    Returns:
        Hits ordered by row and work. The score is 1/2 where the evidence just counts, and nearer to 1 by
        half for every ten bits more; it orders hits and is not a probability. `where` is JSON: the seconds
        in item and work, how fast and how high the item is against the work (to half a percent), and the
        peaks of the work that it shows.

    Cost: a tenth of a millisecond a second of sound that is in a small register as it is, one for other sound.
    """
    if not len(index):
        return Hits.empty()
    search = _Search(index)
    table: list[tuple[int, _Match, float, float]] = []
    for row, sound in zip(rows.tolist(), sounds, strict=True):
        need_bits = policy.audio_bits + log2(len(index)) + log2(max(sound.seconds, 1.0))
        by_work: dict[int, list[_Match]] = {}
        for match in search.find(sound, need_bits):  # 1
            by_work.setdefault(match.work, []).append(match)
        for work in sorted(by_work):  # 2
            cover = _covered([match.item for match in by_work[work]], (0.0, sound.seconds)) / sound.seconds
            best = max(by_work[work], key=lambda match: match.bits)
            table.append((row, best, cover, 1 - 0.5 ** (1 + (best.bits - need_bits) / _SCALE_BITS)))
    return Hits(
        row=np.array([row for row, _, _, _ in table], np.int32),
        work=np.array([match.work for _, match, _, _ in table], np.uint32),
        kind=np.full(len(table), _KIND, np.uint8),
        score=np.array([score for _, _, _, score in table], np.float32),
        cover=np.array([cover for _, _, cover, _ in table], np.float32),
        where=pa.array([_where(match) for _, match, _, _ in table], pa.string()),
    )
