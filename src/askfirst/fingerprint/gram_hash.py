"""The hash of a run of letters: a cyclic polynomial over 64 bits, mixed. The formula stands in `fingerprint.text`."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import inline, kernel

__all__ = ["hash_grams", "mix", "roll", "start_gram", "tables_of"]

_SEED = int.from_bytes(b"askfirst", "big")

_ONE, _SIXTY_THREE, _THIRTY_THREE = np.uint64(1), np.uint64(63), np.uint64(33)
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


@cache
def tables_of(k: int) -> NDArray[np.uint64]:
    """Return u64[2, 256]: what a letter adds when it enters a gram of k letters, and when it leaves."""
    mask = (1 << 64) - 1
    state, rows = _SEED, []
    for _ in range(256):
        state = state + 0x9E3779B97F4A7C15 & mask
        mixed = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & mask
        mixed ^= mixed >> 31
        rows.append((mixed, (mixed << k | mixed >> 64 - k) & mask))
    return np.ascontiguousarray(np.array(rows, np.uint64).T)


@inline
def mix(value: np.uint64) -> np.uint64:
    """Return fmix64 of MurmurHash3, a bijection of 64 bits."""
    value = (value ^ value >> _THIRTY_THREE) * _MIX_1
    value = (value ^ value >> _THIRTY_THREE) * _MIX_2
    return value ^ value >> _THIRTY_THREE


@kernel
def start_gram(letters: NDArray[np.uint8], tables: NDArray[np.uint64]) -> np.uint64:
    """Return the cyclic polynomial of the first gram, all of `letters`."""
    rolled = np.uint64(0)
    for letter in letters:
        rolled = (rolled << _ONE | rolled >> _SIXTY_THREE) ^ tables[0, np.uintp(letter)]
    return rolled


@kernel
def roll(
    rolled: np.uint64,
    entering: NDArray[np.uint8],
    leaving: NDArray[np.uint8],
    tables: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
) -> np.uint64:
    """Write the hashes of the next grams, one a letter that enters; return the last polynomial.

    Rolling is a chain, mixing is not: in a loop of its own it becomes vector code.
    """
    for j in range(len(entering)):
        change = tables[0, np.uintp(entering[j])] ^ tables[1, np.uintp(leaving[j])]
        rolled = (rolled << _ONE | rolled >> _SIXTY_THREE) ^ change
        hashes[j] = rolled
    for j in range(len(entering)):
        hashes[j] = mix(hashes[j])
    return rolled


@kernel
def hash_grams(letters: NDArray[np.uint8], k: int, tables: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the hash of every gram."""
    count = max(len(letters) - k + 1, 0)
    hashes = np.empty(count, np.uint64)
    if count:
        rolled = start_gram(letters[:k], tables)
        hashes[0] = mix(rolled)
        roll(rolled, letters[k:], letters[: count - 1], tables, hashes[1:])
    return hashes
