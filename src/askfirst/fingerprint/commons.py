"""Commons: passages that are nobody's, such as scripture, classics and licences, part of `text_v0`.

A novel quotes Genesis, a manual has the GPL in its appendix: a document with the same quotation holds nothing of that
novel. So grams that a work has from the commons are stored, and count towards what a match accounts for, but are no
evidence: they never make a match.

A list of commons is made of grams of k40w127. Quotations are found in a work by all its grams, not only by the stored
ones, and what begins within a window of a listed gram is taken to be of the commons too: a quotation begins and ends
between two listed grams, and a list need not hold every gram. The stored grams of a short work (k24w15) are judged by
the same places. So is what lies between two listed grams at most four windows apart: numbers of verses, a changed word.

A work of which more than half lies between listed grams is an edition of that text, not a work that quotes it: nothing
of it is set aside.

`commons_v0.npz` is frozen: 32 bits of each of its hashes, sorted, as differences, one row for each of their four
bytes. Made by `benchmarks/make_commons.py`, which says of what; no text can be had from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.fingerprint.text import LONG, gram_hashes, query_grams

__all__ = ["Commons", "free_grams", "gather_commons", "pack_commons", "shipped_commons"]

_BITS = 32
_BRIDGE = 4 * LONG.window
_LIMIT = np.uint64((1 << 64 >> LONG.query_shift) - 1)


class Commons(NamedTuple):
    """A list of grams that are nobody's.

    Args:
        values: u64[n], ascending: the hashes, or their bits in `mask`.
        mask: u64, which bits of a hash are listed.
    """

    values: NDArray[np.uint64]
    mask: np.uint64

    def has(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return bool[q]: which hashes are listed; of those that are not, one in 2**32 / n is said to be."""
        wanted = hashes & self.mask
        place = np.searchsorted(self.values, wanted)
        place[place == len(self.values)] = 0
        return self.values[place] == wanted if len(self.values) else np.zeros(len(hashes), np.bool_)


def gather_commons(texts: Iterable[str]) -> Commons:
    """Return the list of some texts: every gram that is looked up, so that no quotation of 40 letters is missed.

    Cost: about 300 MB of text a second; 16 bytes a gram, of which there are about 60 in a thousand letters.
    """
    parts = [np.empty(0, np.uint64)]
    for text in texts:
        raw = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
        parts.append(np.unique(query_grams(raw, np.array([0, len(raw)], np.int64), LONG).hash))
    return Commons(np.unique(np.concatenate(parts)), np.uint64(0xFFFFFFFFFFFFFFFF))


@cache
def shipped_commons() -> Commons:
    """Return the list that is part of `text_v0`."""
    with files(__package__).joinpath("commons_v0.npz").open("rb") as stream, np.load(stream) as frozen:
        planes = frozen["planes"]
    steps = np.ascontiguousarray(planes.T).view("<u4").ravel()
    return Commons(np.cumsum(steps, dtype=np.uint64), np.uint64((1 << _BITS) - 1))


def pack_commons(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return u8[4, n]: the array of a frozen list, as in the module's description."""
    values = np.unique(hashes & np.uint64((1 << _BITS) - 1))
    steps = np.diff(values, prepend=np.uint64(0)).astype("<u4")
    return np.ascontiguousarray(steps.view(np.uint8).reshape(-1, 4).T)


def free_grams(
    letters: bytes, positions: NDArray[np.uint32], lists: Sequence[Commons] | None = None
) -> NDArray[np.bool_]:
    """Return which stored grams of a work are of the commons.

    1. Look for the work's grams in the lists.
    2. Leave an edition of these very texts as it is.
    3. A stored gram is free if one that is listed begins within a window of it, or on both sides close by.

    Args:
        letters: Of the work, from `fold`.
        positions: u32[m], first letters of its stored grams at either density, from `window_minima`.
        lists: Of commons; where absent, the one that is shipped.

    Returns:
        bool[m].

    Cost: about 150 MB of letters a second.
    """
    hashes = gram_hashes(letters, LONG)  # 1
    below = np.flatnonzero(hashes <= _LIMIT)
    is_listed = np.zeros(len(below), np.bool_)
    for one in (shipped_commons(),) if lists is None else lists:
        is_listed |= one.has(hashes[below])
    listed = below[is_listed]
    if not len(listed):
        return np.zeros(len(positions), np.bool_)
    steps = np.diff(listed)  # 2
    quoted = LONG.k + int(np.where(steps <= LONG.window, steps, LONG.k).sum())
    if 2 * quoted > len(letters):
        return np.zeros(len(positions), np.bool_)
    place = np.searchsorted(listed, positions)  # 3
    before, after = listed[np.maximum(place - 1, 0)], listed[np.minimum(place, len(listed) - 1)]
    here = positions.astype(np.int64)
    near: NDArray[np.bool_] = np.minimum(abs(here - before), abs(after - here)) <= LONG.window
    between = (before <= here) & (here <= after) & (after - before <= _BRIDGE)
    return near | between
