"""Films of a batch that show registered films, or parts of them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.fingerprint.image import undo_transform
from askfirst.fingerprint.video import FilmQuery
from askfirst.match.hits import KINDS, Hits
from askfirst.match.votes import Line, Pairs, best_line
from askfirst.model import MatchKind
from askfirst.policy import Policy
from askfirst.register.video_index import VideoIndex

__all__ = ["match_films"]

_KIND = KINDS.index(MatchKind.VIDEO)

_NEAR_BITS = 63
"""Once a work is suspected, all its frames count up to this distance. Unrelated ones start at about 82 bits
between two films, and one of them does no harm: a line of them is asked for."""

_WIDE_FRAMES = 32
_WIDE_BITS = ((1 << 20, 63), (1 << 22, 47), (1 << 24, 39))
"""Registers up to a number of frames, and how far a few frames of a film without suspects are looked up in them:
as far as takes less than a second."""

_RIVALS_BITS = 10
"""Of the frames of a work that are like a frame of the item, those this much farther than the nearest do not count."""

_WORKS_MAX = 32
"""Suspects of one film that are looked at closely; those with the most telling frames."""

_COMMON = 2
"""A frame that more works show counts less in proportion: logos, titles, leaders."""

_SURE_BITS = 31
_FAR_WEIGHT = 0.4
_BEHIND_WEIGHT = 0.04
"""What a pair weighs: all up to the first distance, less up to `_NEAR_BITS`; less for each bit behind the nearest."""

_SAME_BITS = 12
_CONTRAST_BITS = (4.0, 14.0)
_DULL_WEIGHT = 0.1
_TIMES_APART_MS = 3000.0
"""When a frame of a still scene tells: as good as the same, or so many bits nearer to one moment than to others
that are so far from it. Measured: another hour of a fixed camera, 32 to 46 bits, 2 to 8 nearer; copies of the
same hour, 4 to 35 bits, 10 to 32 nearer."""

_WEIGHT_MIN = 0.5
_MEAN_MIN = 0.25
"""What frames on a line must weigh: so much times `Policy.video_frames` in all, and so much on average."""

_LAST_MS = 1000.0
"""How long the last stored frame of a work is taken to be shown."""

_FEW_FRAMES = 8
_SHARE_MIN = 0.2
"""Of a film of fewer frames, one less than usual will do, when they are this share of it."""

_PARTS_MAX = 16
_FILLED_MS = 10_000
_FILLED_FRAMES = 2
"""Between frames on a line so many others, in so much time, may fail to be recognised: fades, motion, damage."""


@dataclass(frozen=True, slots=True)
class _Seeds:
    """k frames of films that are like frames of works, to begin with: film, transform, time and work of each."""

    film: NDArray[np.int64]
    transform: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    work: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an item that shows a part of a work: times in milliseconds, and frames on the line."""

    line: Line
    item: tuple[float, float]
    covered_ms: float


def match_films(rows: NDArray[np.int32], films: Sequence[FilmQuery], index: VideoIndex, policy: Policy) -> Hits:
    """Return which registered films the films of a batch show, one hit for each row and work.

    1. Look all frames up; a few of those without success again, farther.
    2. For each suspect compare all frames, turned as the first ones were, and find lines in time.
    3. Of the ways to turn the item keep the one with the most weight on lines.

    Args:
        rows: i32[v], rows of the films in their batch.
        films: The v films.
        index: The register's films.
        policy: `video_distance_bits` for the first look, `video_frames` for the line.

    Returns:
        Hits ordered by row and work. The score grows from 0.6 with the weight of the frames; it orders hits and
        is not a probability. `cover` is the share of the item's seconds that show the work. `where` is JSON of
        the longest part: seconds in both, speed, frames, and how the item is turned.

    Cost: see `ImageIndex.search`, eight codes a frame; then 2 ns for each pair of frames of item and suspect.
    """
    if not len(index) or not sum(len(film.codes) for film in films):
        return Hits.empty()
    seeds = _seeds(films, index, policy.video_distance_bits)  # 1.
    found: list[tuple[int, int, FilmQuery, float, int, list[_Part]]] = []
    for number, film in enumerate(films):
        best: dict[int, tuple[float, int, list[_Part]]] = {}
        for work, transform, rarity in _suspects(seeds, number):
            parts = _parts(_pairs(film, transform, index, work, rarity), film, policy)  # 2.
            weight = sum(part.line.weight for part in parts)
            if parts and weight > best.get(work, (0.0,))[0]:  # 3.
                best[work] = (weight, transform, parts)
        found.extend((int(rows[number]), work, film, *best[work]) for work in sorted(best))
    found.sort(key=lambda hit: hit[:2])
    return Hits(
        row=np.array([hit[0] for hit in found], np.int32),
        work=np.array([hit[1] for hit in found], np.uint32),
        kind=np.full(len(found), _KIND, np.uint8),
        score=np.array([weight / (weight + 1) for _, _, _, weight, _, _ in found], np.float32),
        cover=np.array([_cover(parts, film) for _, _, film, _, _, parts in found], np.float32),
        where=pa.array([_where(parts, transform) for *_, transform, parts in found], pa.string()),
    )


def _seeds(films: Sequence[FilmQuery], index: VideoIndex, radius_bits: int) -> _Seeds:
    """Return which frames are like frames of which works."""
    counts = [len(film.codes) for film in films]
    film = np.repeat(np.arange(len(films)), counts)
    codes = np.concatenate([film.codes for film in films])
    transform = np.concatenate([film.transforms for film in films]).astype(np.int64)
    time_ms = np.concatenate([film.time_ms for film in films]).astype(np.int64)
    query, entry, _ = index.frames.search(codes, radius_bits)
    wide_bits = next((bits for count, bits in _WIDE_BITS if len(index) <= count), 0)
    if wide_bits > radius_bits:
        known = np.zeros(len(codes), np.bool_)
        known[query] = True
        again = np.concatenate([_unknown(known[film == k], time_ms[film == k], film, k) for k in range(len(films))])
        more_query, more_entry, _ = index.frames.search(codes[again], wide_bits)
        query, entry = np.concatenate([query, again[more_query]]), np.concatenate([entry, more_entry])
    works = index.frames.work[entry].astype(np.int64)
    return _Seeds(film[query], transform[query], time_ms[query], works)


def _unknown(
    known: NDArray[np.bool_], time_ms: NDArray[np.int64], film: NDArray[np.int64], number: int
) -> NDArray[np.int64]:
    """Return the codes of a few frames of a film, of those that were not found in any way of turning."""
    missing = np.setdiff1d(time_ms, time_ms[known])
    few = missing[np.linspace(0, len(missing) - 1, min(_WIDE_FRAMES, len(missing))).astype(np.int64)]
    return np.flatnonzero(film == number)[np.isin(time_ms, few)]


def _suspects(seeds: _Seeds, number: int) -> Iterator[tuple[int, int, dict[int, float]]]:
    """Yield the works that a film may show, how it is turned, and how telling each of its frames is."""
    mine = seeds.film == number
    triples = set(
        zip(seeds.time_ms[mine].tolist(), seeds.work[mine].tolist(), seeds.transform[mine].tolist(), strict=True)
    )
    works_of: dict[int, set[int]] = defaultdict(set)
    for time_ms, work, _ in triples:
        works_of[time_ms].add(work)
    rarity = {time_ms: min(1.0, _COMMON / len(works)) for time_ms, works in works_of.items()}
    evidence: Counter[int] = Counter()
    for time_ms, works in works_of.items():
        for work in works:
            evidence[work] += round(1000 * rarity[time_ms])
    chosen = sorted(evidence, key=lambda work: (-evidence[work], work))[:_WORKS_MAX]
    for work, transform in sorted({(work, transform) for _, work, transform in triples}):
        if work in chosen:
            yield work, transform, rarity


def _pairs(film: FilmQuery, transform: int, index: VideoIndex, work: int, rarity: dict[int, float]) -> Pairs:
    """Return all pairs of frames of a film, turned in one way, and of a work that look alike.

    1. Compare all with all; of the rows of one stored frame keep the nearest.
    2. Of each frame of the item keep the pairs that are nearly as near as its nearest.
    3. Weigh them: how near, how much nearer than the rest of the work, and how rare in the register.
    """
    mine = np.flatnonzero(film.transforms == transform)
    query, entry, distance = index.search_work(work, film.codes[mine], _NEAR_BITS)  # 1.
    if not len(query):
        return Pairs.none()
    times = np.unique(index.time_ms[index.rows_of(work)]).astype(np.float64)
    ends = np.append(times[1:], times[-1] + _LAST_MS)
    item, place = film.time_ms[mine[query]].astype(np.int64), np.searchsorted(times, index.time_ms[entry])
    order = np.lexsort((distance, place, item))
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(item[order]) != 0) | (np.diff(place[order]) != 0)
    item, place, distance = item[order][first], place[order][first], distance[order][first]
    frames, start, size = np.unique(item, return_index=True, return_counts=True)
    nearest = np.minimum.reduceat(distance, start)
    telling = _telling(times[place], distance, start, size)
    behind = distance - np.repeat(nearest, size)
    kept = behind <= _RIVALS_BITS  # 2.
    weight = np.interp(distance, (_SURE_BITS, _NEAR_BITS), (1.0, _FAR_WEIGHT)) * (1 - _BEHIND_WEIGHT * behind)  # 3.
    weight *= np.repeat(telling * np.array([rarity.get(time_ms, 1.0) for time_ms in frames.tolist()]), size)
    return Pairs(item[kept].astype(np.float64), times[place[kept]], ends[place[kept]], weight[kept])


def _telling(
    work_ms: NDArray[np.float64], distance: NDArray[np.int32], start: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return for each frame of the item how much it tells, 0.1 to 1.

    A camera that never moves makes all frames of a film alike, and those of another day too. There a frame of a
    copy is much nearer to its own moment than to others, or it is as good as the same.
    """
    out = np.ones(len(start))
    for k, (first, count) in enumerate(zip(start.tolist(), size.tolist(), strict=True)):
        near, when = distance[first : first + count], work_ms[first : first + count]
        place = int(near.argmin())
        others = near[np.abs(when - when[place]) > _TIMES_APART_MS]
        if near[place] > _SAME_BITS and len(others):
            out[k] = np.interp(others.min() - near[place], _CONTRAST_BITS, (_DULL_WEIGHT, 1.0))
    return out


def _parts(pairs: Pairs, film: FilmQuery, policy: Policy) -> list[_Part]:
    """Return the parts of a film that show a work, the one with most weight first."""
    coded = len(np.unique(film.time_ms))
    parts: list[_Part] = []
    while len(parts) < _PARTS_MAX:
        line = best_line(pairs)
        if line is None or not _is_enough(line, pairs, coded, policy):
            break
        on_line = pairs.item_ms[line.pairs]
        parts.append(_part(line, on_line, film))
        pairs = pairs.without(on_line[0], on_line[-1])
    return parts


def _is_enough(line: Line, pairs: Pairs, coded: int, policy: Policy) -> bool:
    """Tell whether frames on a line are a match: enough of them, different ones, and not all of them common."""
    count = len(line.pairs)
    different = len(np.unique(pairs.work_ms[line.pairs]))
    needed = policy.video_frames
    if coded < _FEW_FRAMES and count >= _SHARE_MIN * coded:
        needed = max(2, needed - 1)
    return min(count, different) >= needed and line.weight >= max(_WEIGHT_MIN * policy.video_frames, _MEAN_MIN * count)


def _part(line: Line, on_line: NDArray[np.float64], film: FilmQuery) -> _Part:
    """Return a part, with its beginning and end: a frame stands for the time until the next one."""
    begins = film.frame_ms.astype(np.float64)
    ends = np.append(begins[1:], max(1000 * film.seconds, begins[-1]))
    begins[0] = 0.0
    place = np.unique(np.searchsorted(film.frame_ms, on_line))
    covered = float((ends[place] - begins[place]).sum())
    coded = np.isin(film.frame_ms, film.time_ms)
    for before, after in zip(place[:-1].tolist(), place[1:].tolist(), strict=True):
        gap = float(begins[after] - ends[before])
        strangers = int(coded[before + 1 : after].sum())
        if strangers <= _FILLED_FRAMES and gap <= _FILLED_MS:
            covered += gap
    return _Part(line, (float(begins[place[0]]), float(ends[place[-1]])), covered)


def _cover(parts: list[_Part], film: FilmQuery) -> float:
    total_ms = max(1000 * film.seconds, 1.0)
    return min(sum(part.covered_ms for part in parts) / total_ms, 1.0)


def _where(parts: list[_Part], transform: int) -> str:
    longest = max(parts, key=lambda part: part.covered_ms)
    item, line = longest.item, longest.line
    work = [max(line.speed * moment + line.offset_ms, 0.0) for moment in item]
    return json.dumps(
        {
            "item": [round(moment / 1000, 1) for moment in item],
            "work": [round(moment / 1000, 1) for moment in work],
            "speed": round(line.speed, 3),
            "frames": sum(len(part.line.pairs) for part in parts),
            "transform": undo_transform(transform),
        }
    )
