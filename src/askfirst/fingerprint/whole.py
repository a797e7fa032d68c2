"""Whole works of very few letters, part of `text_v0`: a haiku, two lines of a song.

A work of 32 to 79 letters has so few grams at the density of short works that it can be missed. It is recognised
where all its letters stand in an item, one after the other: in any case and punctuation, over any line breaks, but
complete. Two hashes are stored of it, made as in `fingerprint.text`: that of its first 24 letters, the head, and that
of all. Of an item every run of 24 letters is compared with the heads.

Works of fewer than 32 letters are recognised only as exact copies. Of the lines of 12 letters in collections of
quotations one in twelve stands in thirty novels as well, of 20 to 31 letters one in 200, and some by accident ("it
would have been much better"); of 28,185 lines of 32 to 79 letters 31 do, all of them quoted
(`benchmarks/bench_commons.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.fingerprint.fold import Folded
from askfirst.fingerprint.gram_hash import mix, roll, start_gram, tables_of
from askfirst.jit import inline, kernel

__all__ = ["HEAD_LETTERS", "WHOLE", "WHOLE_LETTERS", "Runs", "WholeText", "marked_runs", "span_hashes", "whole_of"]

WHOLE = "whole"
"""As in file names of a register and in `where` of a match."""

WHOLE_LETTERS = range(32, 80)
"""Letters of works that are stored whole. From 70 on every work has three grams at the density of short works."""

HEAD_LETTERS = 24

_BLOCK = 1024
_PROBES = 5


class WholeText(NamedTuple):
    """What is stored of a work of very few letters: two hashes and the number of its letters."""

    head: int
    whole: int
    letters: int


class Runs(NamedTuple):
    """Runs of letters of n texts, ordered by text and place.

    Args:
        row: i64[q], the text.
        position: i64[q], first letter of the run.
        hash: u64[q].
    """

    row: NDArray[np.int64]
    position: NDArray[np.int64]
    hash: NDArray[np.uint64]


def whole_of(letters: bytes) -> WholeText | None:
    """Return what is stored of a work, or None if it has more letters or fewer than `WHOLE_LETTERS`."""
    if len(letters) not in WHOLE_LETTERS:
        return None
    data = np.frombuffer(letters, np.uint8)
    ends = np.array([HEAD_LETTERS, len(letters)], np.int64)
    head, whole = span_hashes(data, np.zeros(2, np.int64), ends).tolist()
    return WholeText(head, whole, len(letters))


@kernel
def _span_hashes(
    letters: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64], tables: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    hashes = np.empty(len(start), np.uint64)
    for i in range(len(start)):
        hashes[i] = mix(start_gram(letters[start[i] : end[i]], tables))
    return hashes


def span_hashes(letters: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the hashes u64[m] of the runs `letters[start[i]:end[i]]`."""
    return _span_hashes(letters, start, end, tables_of(HEAD_LETTERS))


@inline
def _bits_of(value: np.uint64) -> np.uint64:
    """Return the bits of a hash in its word: five, each named by six bits of the hash, from the lowest."""
    bits = np.uint64(0)
    for probe in range(_PROBES):
        bits |= np.uint64(1) << (value >> np.uint64(6 * probe) & np.uint64(63))
    return bits


@kernel
def _marked_row(
    letters: NDArray[np.uint8],
    marks: NDArray[np.uint64],
    tables: NDArray[np.uint64],
    out: tuple[NDArray[np.int64], NDArray[np.uint64]],
    first: np.int64,
) -> np.int64:
    """Write the heads of one text that are marked from `first` on; return their end. No branch depends on a mark.

    1. Of a block of runs the first bit each: so little work that many words are on their way from memory at once.
    2. Of the few that are left, the other bits.
    """
    position, hashes = out
    shift = np.uint64(64)
    while np.int64(1) << (np.int64(64) - np.int64(shift)) < len(marks):
        shift -= np.uint64(1)
    block, passed = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK + 1, np.int64)
    end = np.uintp(first)
    rolled = start_gram(letters[:HEAD_LETTERS], tables)
    block[0] = mix(rolled)
    filled, base = 1, 0
    following = HEAD_LETTERS
    while filled:
        count = np.uintp(0)
        for j in range(filled):  # 1
            value = block[np.uintp(j)]
            passed[count] = j
            count += np.uintp(marks[np.uintp(value >> shift)] >> (value & np.uint64(63)) & np.uint64(1))
        for i in range(count):  # 2
            value = block[passed[i]]
            bits = _bits_of(value)
            position[end] = base + passed[i]
            hashes[end] = value
            end += np.uintp(marks[np.uintp(value >> shift)] & bits == bits)
        base += filled
        stop = min(following + _BLOCK, len(letters))
        filled = stop - following
        leaving = letters[following - HEAD_LETTERS : stop - HEAD_LETTERS]
        rolled = roll(rolled, letters[following:stop], leaving, tables, block)
        following = stop
    return np.int64(end)


@kernel
def _marked_rows(
    folded: Folded,
    marks: NDArray[np.uint64],
    tables: NDArray[np.uint64],
    out: tuple[NDArray[np.int64], NDArray[np.uint64]],
    ends: NDArray[np.int64],
) -> None:
    """Write the marked heads of every text, and where each text's end."""
    letters, offsets = folded.letters, folded.offsets
    end = np.int64(0)
    for row in range(len(ends)):
        if offsets[row + 1] - offsets[row] >= HEAD_LETTERS:
            end = _marked_row(letters[offsets[row] : offsets[row + 1]], marks, tables, out, end)
        ends[row] = end


def marked_runs(folded: Folded, marks: NDArray[np.uint64]) -> Runs:
    """Return the runs of `HEAD_LETTERS` letters whose mark is set.

    Args:
        folded: The texts.
        marks: u64[2**b], b > 0: the b highest bits of a hash name its word, in which five bits are its.

    Cost: about 600 MB of letters a second, while the marks fit a core's cache.
    """
    size = int(folded.offsets[-1]) + 1
    out = (np.empty(size, np.int64), np.empty(size, np.uint64))  # touched only where it is used
    ends = np.zeros(len(folded.words), np.int64)
    _marked_rows(folded, marks, tables_of(HEAD_LETTERS), out, ends)
    counts = np.diff(ends, prepend=0)
    count = int(counts.sum())
    return Runs(np.repeat(np.arange(len(ends)), counts), out[0][:count], out[1][:count])
