"""The fingerprint of a text, `text_v0`: a sparse sample of its k-grams of letters.

A text is folded to letters (`askfirst.fingerprint.fold`). Every run of k letters, a gram, has a 64-bit hash:
a cyclic polynomial, so that the next one costs a rotation and two XORs, and a finaliser that mixes its bits.
With T the table of 256 numbers that splitmix64 makes from the seed "askfirst" in ASCII, and rotl a rotation
to the left within 64 bits,

    hash(c[0] ... c[k-1]) = fmix64(rotl(T[c[0]], k-1) ^ rotl(T[c[1]], k-2) ^ ... ^ T[c[k-1]])

The two sides differ. Of a *work* the smallest hash of every window of neighbouring grams is stored. Of an
*item* every gram below 2**64 >> query_shift is looked up, which is nearly every gram that could have been
stored; where a whole window has none below, its minimum is looked up as well. So any unaltered run of
k + window - 1 letters (one window of grams) of a work holds a stored gram, and it is looked up: exactly, not
with high probability.

Ties: a stored gram stays the window's minimum until it leaves the window or a smaller one enters; then the
last of equal ones is taken. A long run of one letter is so stored once a window.

Sources: Cohen, "Recursive hashing functions for n-grams" (1997); Schleimer, Wilkerson and Aiken, "Winnowing"
(2003); Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014); MurmurHash3 (fmix64).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.fingerprint.fold import Folded, chunk_rows, fold, fold_column, fold_offsets, text_counts
from askfirst.fingerprint.gram_hash import hash_grams, mix, roll, start_gram, tables_of
from askfirst.jit import kernel

__all__ = [
    "ALGORITHM",
    "LONG",
    "PARAMS",
    "SHORT",
    "SHORT_LETTERS",
    "QueryGrams",
    "Sampler",
    "TextParams",
    "chunk_rows",
    "fold",
    "fold_offsets",
    "gram_hashes",
    "params_for",
    "query_grams",
    "text_counts",
    "window_minima",
]

ALGORITHM = "text_v0"

SHORT_LETTERS = 2500
"""A work of fewer letters (about 500 words) is stored in `SHORT` as well as in `LONG`."""

_BLOCK = 1024
"""Grams hashed together."""

_NO_WINDOW = 1 << 32
"""Longer than any text."""


@dataclass(frozen=True, slots=True)
class TextParams:
    """How densely a text is sampled; part of `text_v0`.

    Args:
        name: As in file names of a register and in `where` of a match.
        k: Letters of a gram.
        window: Neighbouring grams of which one is stored; two of window + 1 grams are, on average.
        query_shift: An item's grams are looked up below 2**64 >> query_shift.
    """

    name: str
    k: int
    window: int
    query_shift: int


LONG = TextParams("k40w127", 40, 127, 4)
"""For every work. 99.86 % of stored grams are below the bound; 0.03 % of windows have none below."""

SHORT = TextParams("k24w15", 24, 15, 1)
"""For works of fewer than `SHORT_LETTERS`. 99.986 % of stored grams are below the bound."""

PARAMS = {params.name: params for params in (LONG, SHORT)}


class QueryGrams(NamedTuple):
    """The grams of n texts that are looked up, ordered by text and position.

    Args:
        offsets: i64[n + 1], text i has the grams `offsets[i]` to `offsets[i + 1]`.
        position: u32[q], first letter of the gram.
        hash: u64[q].
    """

    offsets: NDArray[np.int64]
    position: NDArray[np.uint32]
    hash: NDArray[np.uint64]

    @property
    def row(self) -> NDArray[np.int32]:
        """Return i32[q], the text of each gram."""
        return np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets))


def _limit(query_shift: int) -> int:
    """Return the largest hash that is looked up at a bound."""
    return (1 << 64 >> query_shift) - 1


def params_for(letters: int) -> tuple[TextParams, ...]:
    """Return the densities at which a work of so many letters is stored."""
    return (LONG, SHORT) if letters < SHORT_LETTERS else (LONG,)


@kernel
def _minima(hashes: NDArray[np.uint64], window: int) -> NDArray[np.uint32]:
    """Return the positions of the minima of all windows; of all there is where that is less than a window."""
    places = np.empty(len(hashes), np.uint32)
    count, best = 0, -1
    for right in range(min(window, len(hashes)) - 1, len(hashes)):
        left = max(right - window + 1, 0)
        if best < left or hashes[right] < hashes[best]:
            if best < left:
                best = left
                for j in range(left + 1, right + 1):
                    if hashes[j] <= hashes[best]:
                        best = j
            else:
                best = right
            places[count] = best
            count += 1
    return places[:count]


@kernel
def _widest_gap(position: NDArray[np.uint32], grams: int) -> np.int64:
    """Return the longest step between neighbouring positions, from -1 before the first to `grams` at the end.

    Without a position it is as long as anything: what there is, is one window.
    """
    count = len(position)
    if count == 0:
        return np.int64(_NO_WINDOW)
    widest = max(np.uint32(position[0] + np.uint32(1)), np.uint32(grams - position[count - 1]))
    for j in range(1, count):
        widest = max(widest, np.uint32(position[j] - position[j - 1]))
    return np.int64(widest)


@kernel
def _fill_gaps(
    letters: NDArray[np.uint8],
    params: tuple[int, int, np.uint64],
    tables: NDArray[np.uint64],
    out: QueryGrams,
    span: tuple[np.int64, np.int64],
) -> np.int64:
    """Insert the minima of windows without a gram below the bound into those of one text; return the new end.

    Args:
        letters: Of the text.
        params: k, window, limit.
        tables: Of k.
        out: Has the text's grams below the bound at `span`, and room behind.
        span: First and end of these grams.
    """
    k, window, _ = params
    end, count = span[0], span[1] - span[0]
    position, known = out.position[end : span[1]].copy(), out.hash[end : span[1]].copy()
    previous = np.int64(-1)
    for j in range(count + 1):
        here = np.int64(position[j]) if j < count else np.int64(len(letters) - k + 1)
        if here - previous > window or count == 0:
            hashes = hash_grams(letters[previous + 1 : here + k - 1], k, tables)
            for place in _minima(hashes, window):
                out.position[end], out.hash[end] = previous + 1 + place, hashes[place]
                end += 1
        if j < count:
            out.position[end], out.hash[end] = position[j], known[j]
            end += 1
        previous = here
    return end


@kernel
def _select_row(
    letters: NDArray[np.uint8],
    params: tuple[int, int, np.uint64],
    tables: NDArray[np.uint64],
    out: QueryGrams,
    first: np.int64,
) -> np.int64:
    """Write the grams of one text that are looked up from `first` on; return their end.

    1. The first gram by itself, so that from then on one letter enters and one leaves.
    2. Blocks of grams: each is written, and the place moves on only if it is below the bound.
    3. Windows that have none below.
    """
    k, window, limit = params
    if len(letters) < k:
        return first
    position, hashes = out.position, out.hash
    block = np.empty(_BLOCK, np.uint64)
    end = np.uintp(first)
    rolled = start_gram(letters[:k], tables)  # 1
    position[end], hashes[end] = 0, mix(rolled)
    end += np.uintp(hashes[end] <= limit)
    for start in range(k, len(letters), _BLOCK):  # 2
        stop = min(start + _BLOCK, len(letters))
        rolled = roll(rolled, letters[start:stop], letters[start - k : stop - k], tables, block)
        base = np.uint32(start - k + 1)
        for j in range(stop - start):
            hashes[end] = block[np.uintp(j)]
            position[end] = base + np.uint32(j)
            end += np.uintp(block[np.uintp(j)] <= limit)
    if _widest_gap(position[first:end], len(letters) - k + 1) > window:  # 3
        return _fill_gaps(letters, params, tables, out, (first, np.int64(end)))
    return np.int64(end)


@kernel
def _select_rows(
    folded: Folded,
    rows: NDArray[np.bool_],
    params: tuple[int, int, np.uint64],
    tables: NDArray[np.uint64],
    out: QueryGrams,
) -> np.int64:
    """Write the grams of every text of `rows` that are looked up; return their number."""
    letters, offsets = folded.letters, folded.offsets
    end = np.int64(0)
    for row in range(len(rows)):
        if rows[row]:
            end = _select_row(letters[offsets[row] : offsets[row + 1]], params, tables, out, end)
        out.offsets[row + 1] = end
    return end


def gram_hashes(letters: bytes | NDArray[np.uint8], params: TextParams) -> NDArray[np.uint64]:
    """Return the hash of every gram of a text's letters, u64[max(letters - k + 1, 0)]."""
    return hash_grams(np.frombuffer(letters, np.uint8), params.k, tables_of(params.k))


def window_minima(
    letters: bytes | NDArray[np.uint8], params: TextParams
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Return what is stored of a work.

    Args:
        letters: From `fold`.
        params: The density.

    Returns:
        Hashes u64[m] and positions u32[m], by position. Fewer letters than a gram give none, fewer than a
        window of grams give the minimum of what there is.

    Cost: about 200 MB of letters a second.
    """
    hashes = gram_hashes(letters, params)
    places = _minima(hashes, params.window)
    return hashes[places], places


class Sampler:
    """Folds and samples one run of texts after the other in the same memory.

    What `fold` and `select` return is overwritten by the next `fold`.
    """

    def __init__(self) -> None:
        self.folded = Folded(np.empty(0, np.uint8), np.zeros(1, np.int64), np.empty(0, np.uint32))
        self._rooms: dict[str, QueryGrams] = {}

    def fold(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Folded:
        """Return the folded texts; arguments and errors as in `fold_column`."""
        self.folded = fold_column(data, offsets, self.folded.letters)
        return self.folded

    def select(
        self,
        params: TextParams,
        *,
        rows: NDArray[np.bool_] | None = None,
        query_shift: int | None = None,
    ) -> QueryGrams:
        """Return the grams of the folded texts that are looked up; it overwrites those of the same density.

        Args:
            params: The density.
            rows: bool[n], texts to look at; the others get no grams. All where absent.
            query_shift: Fewer grams than the density asks for: a first look, without any guarantee.

        Cost: about 800 MB of letters a second.
        """
        folded, room = self.folded, self._rooms.get(params.name)
        shift = params.query_shift if query_shift is None else query_shift
        if rows is None:
            rows = np.ones(len(folded.words), np.bool_)
        size = int(folded.offsets[-1]) + 1
        if room is None or len(room.hash) < size:  # room for every gram, touched only where it is used
            room = QueryGrams(folded.offsets, np.empty(size, np.uint32), np.empty(size, np.uint64))
            self._rooms[params.name] = room
        out = QueryGrams(np.zeros_like(folded.offsets), room.position, room.hash)
        window = params.window if shift <= params.query_shift else _NO_WINDOW
        shape = (params.k, window, np.uint64(_limit(shift)))
        count = _select_rows(folded, rows, shape, tables_of(params.k), out)
        return QueryGrams(out.offsets, out.position[:count], out.hash[:count])


def query_grams(data: NDArray[np.uint8], offsets: NDArray[np.int64], params: TextParams) -> QueryGrams:
    """Return the grams of a column of texts that are looked up; arguments and errors as in `fold_column`.

    Cost: about 600 MB a second for English.
    """
    sampler = Sampler()
    counts, positions, hashes = [np.zeros(1, np.int64)], [], []
    for first, end in chunk_rows(offsets):
        sampler.fold(data, offsets[first : end + 1])
        grams = sampler.select(params)
        counts.append(np.diff(grams.offsets))
        positions.append(grams.position.copy())
        hashes.append(grams.hash.copy())
    if not hashes:
        return QueryGrams(np.zeros(1, np.int64), np.empty(0, np.uint32), np.empty(0, np.uint64))
    return QueryGrams(np.cumsum(np.concatenate(counts)), np.concatenate(positions), np.concatenate(hashes))
