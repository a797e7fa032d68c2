"""The decision about texts: from the hits of an item in a work to the passages they share.

A hit is a gram of an item that is stored of a work. Hits of one passage lie on one diagonal: position in the
item minus position in the work is the same for all, give or take what was cut or added. So a work is
recognised where enough different hits lie in a band of 256 diagonals.

Hits that works of several owners hold (proverbs, formulas, what both quote) are common: a band needs one hit that
is not, or five hits. Hits in what is nobody's (scripture, classics, licences) are free: they show how far a passage
reaches, and count for nothing else.

What a match accounts for is counted with care, because an item counts as a *permitted* work only if that work
accounts for nearly all of it. A passage runs from its first hit to the last letter of its last one, and ends
where the next hit is more than two windows away. It is extended to the edge of the item or of the work only
if that edge is less than a window away and the smallest hash of the window at that edge is one of the hits:
of an unaltered copy it always is, because it was stored.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.fingerprint.text import QueryGrams
from askfirst.jit import kernel

__all__ = ["COLUMNS", "Candidates", "judge"]

_Span = tuple[int | np.int64, int | np.int64]
"""First and end of a run."""

_BAND = 256
"""Diagonals of a band, in letters: what a copy may cut or add within a passage."""

_COMMON_HITS = 5
"""Hits that are enough even if all of them are common."""


class Candidates(NamedTuple):
    """The hits of a run of texts in one index, ordered by text, work, diagonal and place in the item.

    Args:
        row: i64[m], the text.
        work: u32[m], the work.
        item: i64[m], first letter of the gram in the text.
        at: i64[m], and in the work.
        number: i64[m], below m: the same for the same hash.
        common: bool[m], works of two or more owners hold the hash.
        free: bool[m], it is of the commons.
    """

    row: NDArray[np.int64]
    work: NDArray[np.uint32]
    item: NDArray[np.int64]
    at: NDArray[np.int64]
    number: NDArray[np.int64]
    common: NDArray[np.bool_]
    free: NDArray[np.bool_]


COLUMNS = (
    "row",
    "work",
    "item_start",
    "item_end",
    "work_start",
    "work_end",
    "letters",
    "hits",
    "passages",
    "stretch",
)
"""Of a table of matches, i64[m, 10]: the largest passage in item and work; letters and hits of all passages;
how many there are, and the letters from their first to their last hits."""


@kernel
def _order(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order of values; equal ones stay in theirs."""
    return np.argsort(values, kind="mergesort")


@kernel
def _weigh(
    hits: Candidates, group: _Span, seen: NDArray[np.int64], need: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Weigh the band that begins at each hit of a group.

    Args:
        hits: All.
        group: First hit and end of those of one text and work.
        seen: i64[m] by number, zeros; they are zeros again afterwards.
        need: Different hits that a band needs.

    Returns:
        Its different hits, 0 if they do not do, and its end.
    """
    count = group[1] - group[0]
    weight, ends = np.zeros(count, np.int64), np.empty(count, np.int64)
    end, different, own = group[0], 0, 0
    for first in range(group[0], group[1]):
        diagonal = hits.item[first] - hits.at[first]
        while end < group[1] and hits.item[end] - hits.at[end] - diagonal < _BAND:
            if not hits.free[end]:
                different += seen[hits.number[end]] == 0
                seen[hits.number[end]] += 1
                own += not hits.common[end]
            end += 1
        ends[first - group[0]] = end
        if different >= need and (own > 0 or different >= _COMMON_HITS):
            weight[first - group[0]] = different
        if not hits.free[first]:
            seen[hits.number[first]] -= 1
            different -= seen[hits.number[first]] == 0
            own -= not hits.common[first]
    return weight, ends


@kernel
def _bands(hits: Candidates, group: _Span, seen: NDArray[np.int64], need: int) -> NDArray[np.int64]:
    """Return first hit, end and different hits of the bands that do, i64[b, 3], none of which overlap.

    From the first band that does, the best of those that begin in it is taken, and what lies before it if
    that does by itself. So there is a band here if there is one at all, in one pass.
    """
    weight, ends = _weigh(hits, group, seen, need)
    found = np.empty((len(weight), 3), np.int64)
    count, start, first = 0, group[0], group[0]
    while first < group[1]:
        if weight[first - start] == 0:
            first += 1
            continue
        best = first
        for other in range(first + 1, ends[first - start]):
            if weight[other - start] > weight[best - start]:
                best = other
        if best > first:
            before, _ = _weigh(hits, (first, best), seen, need)
            if before[0]:
                found[count] = (first, best, before[0])
                count += 1
        found[count] = (best, ends[best - start], weight[best - start])
        count += 1
        first = ends[best - start]
    return found[:count]


@kernel
def _edge_is_hit(
    grams: QueryGrams,
    text: _Span,
    window: _Span,
    hits: Candidates,
    band: _Span,
) -> bool:
    """Return whether the smallest of a text's grams in a window is one of the hits of a band.

    Args:
        grams: Of all texts.
        text: First gram and end of those of the text.
        window: First letter and end of the window, either may lie outside the text.
        hits: All.
        band: First hit and end of those of the band.
    """
    start = text[0] + int(np.searchsorted(grams.position[text[0] : text[1]], np.uint32(max(window[0], 0))))
    smallest = start
    for i in range(start, text[1]):
        if grams.position[i] >= window[1]:
            break
        if grams.hash[i] < grams.hash[smallest]:
            smallest = i
    found = False
    if start < text[1]:
        place = np.int64(grams.position[smallest])
        for i in range(band[0], band[1]):
            found |= hits.item[i] == place
    return found


@kernel
def _passages(
    hits: Candidates,
    band: _Span,
    grams: QueryGrams,
    shape: tuple[int, int, int],
    letters: int,
) -> tuple[NDArray[np.int64], int]:
    """Return the passages of a band, i64[p, 4] (start, end in item and work), and the letters between hits.

    1. Go through the hits by their place in the item; a step of more than two windows ends a passage.
    2. Extend it to the edges that the copy can be seen to reach.
    """
    k, window, _ = shape
    order = band[0] + _order(hits.item[band[0] : band[1]])
    row = hits.row[band[0]]
    text = (grams.offsets[row], grams.offsets[row + 1])
    found = np.empty((len(order), 4), np.int64)
    count, stretch, first = 0, 0, order[0]
    for n in range(len(order)):
        last = order[n]
        if n + 1 < len(order) and hits.item[order[n + 1]] - hits.item[last] <= 2 * window:  # 1
            continue
        start, end = hits.item[first], hits.item[last] + k
        stretch += hits.item[last] - start
        before, after = min(start, hits.at[first]), letters - end  # 2
        low, high = start - before, letters - k + 1
        if before >= window or not _edge_is_hit(grams, text, (low, low + window), hits, band):
            before = 0
        if after >= window or not _edge_is_hit(grams, text, (high - window, high), hits, band):
            after = 0
        found[count] = (start - before, end + after, hits.at[first] - before, hits.at[last] + k + after)
        count += 1
        first = order[min(n + 1, len(order) - 1)]
    return found[:count], stretch


@kernel
def _union(spans: NDArray[np.int64]) -> tuple[int, int]:
    """Return the letters that spans of an item cover together, and the index of the longest."""
    order = _order(spans[:, 0].copy())
    covered, reached, longest = 0, 0, order[0]
    for i in order:
        covered += max(spans[i, 1] - max(spans[i, 0], reached), 0)
        reached = max(reached, spans[i, 1])
        if spans[i, 1] - spans[i, 0] > spans[longest, 1] - spans[longest, 0]:
            longest = i
    return covered, longest


@kernel
def judge(
    hits: Candidates, grams: QueryGrams, shape: tuple[int, int, int], letters: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Decide about every text and work with hits.

    1. Take the hits of one text and work.
    2. Find the bands that do; collect their passages.
    3. Write one row of the table.

    Args:
        hits: Of a run of texts in one index.
        grams: Of these texts, all that were looked up.
        shape: k, window, and the different hits that a match needs.
        letters: i64[n], of each text.

    Returns:
        The matches, i64[m, 10], as in `COLUMNS`.
    """
    need = shape[2]
    table = np.empty((len(hits.row) // need + 1, 10), np.int64)
    seen = np.zeros(len(hits.row), np.int64)
    count, first = 0, np.int64(0)
    while first < len(hits.row):
        row, end = hits.row[first], np.int64(first + 1)  # 1
        while end < len(hits.row) and hits.row[end] == row and hits.work[end] == hits.work[first]:
            end += 1
        group = (first, end)
        first = end
        if end - group[0] < need:
            continue
        bands = _bands(hits, group, seen, need)  # 2
        spans = np.empty((end - group[0], 4), np.int64)
        passages, stretch, different = 0, 0, 0
        for band in bands:
            found, extent = _passages(hits, (band[0], band[1]), grams, shape, letters[row])
            spans[passages : passages + len(found)] = found
            passages += len(found)
            stretch += extent
            different += band[2]
        if passages:  # 3
            covered, longest = _union(spans[:passages])
            table[count, 0], table[count, 1] = row, hits.work[group[0]]
            table[count, 2:6] = spans[longest]
            table[count, 6], table[count, 7] = covered, different
            table[count, 8], table[count, 9] = passages, stretch
            count += 1
    return table[:count]
