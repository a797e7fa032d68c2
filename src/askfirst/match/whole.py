"""Texts compared with the works of very few letters: where one stands in them whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError
from askfirst.fingerprint.fold import Folded
from askfirst.fingerprint.whole import Runs, marked_runs, span_hashes
from askfirst.match.passages import COLUMNS
from askfirst.register.whole_index import WholeIndex

__all__ = ["match_wholes"]

_HEAVY_RUNS = 1 << 20
"""Runs from which on only the first 64 of each hash count in a text: one short work, endlessly repeated."""

_REPEATS_MAX = 64


def _thin(runs: Runs) -> Runs:
    """Return the runs that count: all, but of very many the first 64 of each hash in each text."""
    if len(runs.row) <= _HEAVY_RUNS:
        return runs
    order = np.lexsort((runs.position, runs.hash, runs.row))
    row, value = runs.row[order], runs.hash[order]
    is_first = np.append(True, (row[1:] != row[:-1]) | (value[1:] != value[:-1]))
    place = np.arange(len(row))
    rank = place - np.maximum.accumulate(np.where(is_first, place, 0))
    kept = np.sort(order[rank < _REPEATS_MAX])
    return Runs(runs.row[kept], runs.position[kept], runs.hash[kept])


def _standing(folded: Folded, index: WholeIndex, runs: Runs) -> NDArray[np.int64]:
    """Return text, work, place in the text and letters of every work that stands there whole, i64[4, m]."""
    which, entry = index.find(runs.hash)
    row, position, letters = runs.row[which], runs.position[which], index.letters[entry].astype(np.int64)
    start = folded.offsets[row] + position
    inside = np.flatnonzero(start + letters <= folded.offsets[row + 1])
    start, entry = start[inside], entry[inside]
    same = span_hashes(folded.letters, start, start + letters[inside]) == index.whole[entry]
    found = inside[same]
    return np.stack([row[found], index.work[entry[same]].astype(np.int64), position[found], letters[found]])


def match_wholes(folded: Folded, index: WholeIndex, work_count: int) -> NDArray[np.int64]:
    """Find the works of very few letters that stand whole in a run of texts.

    1. Take the runs of letters that begin as a work does; compare all its letters.
    2. Count for every text and work how often it stands there, and the letters it covers.

    Args:
        folded: The texts.
        index: The register's works of very few letters.
        work_count: Number of works of the register.

    Returns:
        The matches, i64[m, 10], as in `passages.COLUMNS`: the first place of each work.

    Raises:
        SnapshotCorruptError: The index names a work that is not there.
    """
    found = _standing(folded, index, _thin(marked_runs(folded, index.marks)))  # 1
    row, work, position, letters = found[:, np.lexsort((found[2], found[1], found[0]))]
    if not len(row):
        return np.empty((0, len(COLUMNS)), np.int64)
    if int(work.max()) >= work_count:
        raise SnapshotCorruptError(
            "the index of very short works names a work that the register does not have",
            path="work",
            expected=f"a work below {work_count}",
            found=str(work.max()),
            advice="fetch the register again",
        )
    is_first = np.append(True, (row[1:] != row[:-1]) | (work[1:] != work[:-1]))  # 2
    is_last = np.append(is_first[1:], True)
    covered = np.where(is_last, letters, np.minimum(letters, np.diff(position, append=0)))
    group = np.flatnonzero(is_first)
    table = np.zeros((len(group), len(COLUMNS)), np.int64)
    table[:, 0], table[:, 1] = row[group], work[group]
    table[:, 2], table[:, 3] = position[group], position[group] + letters[group]
    table[:, 5], table[:, 6] = letters[group], np.add.reduceat(covered, group)
    table[:, 7] = table[:, 8] = np.diff(np.append(group, len(row)))
    return table
