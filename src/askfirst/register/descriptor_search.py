"""The kernels of the descriptor index: codes of 512 bits, compared one by one, as fast as memory is read.

Two unrelated codes are 256 bits apart, give or take 11, and copies up to 150 or so. No cutting into slots helps
at such a radius, so every code is looked at. What makes it fast: codes lie in blocks of 64, word by word, so that
one instruction counts the bits of the same word of several codes; a few blocks stay at hand while every query of
a batch passes over them, so that memory is read once a batch; and the first six words alone rule nearly every
block out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import inline, kernel

__all__ = ["LANES", "WORDS", "Near", "search_blocks", "top_blocks"]

LANES = 64
"""Codes of a block: 4,096 bytes, one page of memory."""

WORDS = 8
"""Words of a code: 512 bits."""

_STRIPE = 8
"""Blocks that stay at hand while all queries pass: 32 kB, as much as the nearest cache holds."""

_SIX_WORDS_MAX = 148
"""Up to this radius six words rule a block out: of unrelated codes 384 bits differ in 192 +- 10, and the 64 codes of
a block are all beyond it but for one block in 3,000."""


class Near(NamedTuple):
    """Room for results, and where a search stopped: i64[m], i64[m], i32[m], i64[3].

    `state` is the block and the query that come next, and the number of results.
    """

    query: NDArray[np.int64]
    entry: NDArray[np.int64]
    distance: NDArray[np.int32]
    state: NDArray[np.int64]


@inline
def _ones(word: np.uint64) -> np.uint64:
    """Return the number of ones in u64; compilers know this form and use one instruction."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@inline
def _six(block: NDArray[np.uint64], lane: int, query: NDArray[np.uint64]) -> np.uint64:
    """Return the distance of a lane of u64[8, 64] and a query u64[8] in their first six words."""
    low = _ones(block[0, lane] ^ query[0]) + _ones(block[1, lane] ^ query[1]) + _ones(block[2, lane] ^ query[2])
    high = _ones(block[3, lane] ^ query[3]) + _ones(block[4, lane] ^ query[4]) + _ones(block[5, lane] ^ query[5])
    return low + high


@inline
def _eight(block: NDArray[np.uint64], lane: int, query: NDArray[np.uint64]) -> np.uint64:
    """Return the distance of a lane and a query in all their words."""
    return _six(block, lane, query) + _ones(block[6, lane] ^ query[6]) + _ones(block[7, lane] ^ query[7])


@kernel
def _least_six(block: NDArray[np.uint64], query: NDArray[np.uint64]) -> np.uint64:
    """Return the smallest distance in six words that any lane of a block has."""
    least = np.uint64(512)
    for lane in range(LANES):
        least = min(least, _six(block, lane, query))
    return least


@kernel
def _least_eight(block: NDArray[np.uint64], query: NDArray[np.uint64]) -> np.uint64:
    """Return the smallest distance that any lane of a block has."""
    least = np.uint64(512)
    for lane in range(LANES):
        least = min(least, _eight(block, lane, query))
    return least


@kernel
def search_blocks(blocks: NDArray[np.uint64], count: int, queries: NDArray[np.uint64], radius: int, near: Near) -> bool:
    """Append every code within the radius; return False when the room is used up, to be called with more.

    1. Take a stripe of blocks, and let every query pass over it.
    2. Ask each block for its smallest distance in a few words; most have nothing near.
    3. Where one may have, compare lane by lane; the lanes after the last code are empty.

    Args:
        blocks: u64[b, 8, 64], word by word.
        count: Number of codes.
        queries: u64[q, 8].
        radius: Largest distance in bits.
        near: Where results go; those of a stripe come query by query.
    """
    is_short, limit = radius <= _SIX_WORDS_MAX, np.uint64(radius)
    for stripe in range(near.state[0], len(blocks), _STRIPE):
        for query in range(near.state[1], len(queries)):
            code, found = queries[query], near.state[2]
            for b in range(stripe, min(stripe + _STRIPE, len(blocks))):
                block = blocks[b]
                least = _least_six(block, code) if is_short else _least_eight(block, code)
                if least > limit:
                    continue
                for lane in range(min(LANES, count - LANES * b)):
                    distance = _eight(block, lane, code)
                    if distance > limit:
                        continue
                    if found == len(near.query):
                        return False
                    near.query[found], near.entry[found], near.distance[found] = query, LANES * b + lane, distance
                    found += 1
            near.state[1], near.state[2] = query + 1, found
        near.state[0], near.state[1] = stripe + _STRIPE, 0
    return True


@kernel
def top_blocks(
    blocks: NDArray[np.uint64],
    count: int,
    queries: NDArray[np.uint64],
    entries: NDArray[np.int64],
    distances: NDArray[np.int32],
) -> None:
    """Write the nearest codes of each query, the nearest first; of equally near ones the first.

    Args:
        blocks: u64[b, 8, 64], word by word.
        count: Number of codes.
        queries: u64[q, 8].
        entries: i64[q, k], k at least 1 and at most `count`.
        distances: i32[q, k].
    """
    last = entries.shape[1] - 1
    distances[:] = 8 * 64 + 1
    for stripe in range(0, len(blocks), _STRIPE):
        for query in range(len(queries)):
            code = queries[query]
            for b in range(stripe, min(stripe + _STRIPE, len(blocks))):
                if np.int64(_least_eight(blocks[b], code)) >= distances[query, last]:
                    continue
                for lane in range(min(LANES, count - LANES * b)):
                    distance = np.int32(_eight(blocks[b], lane, code))
                    if distance >= distances[query, last]:
                        continue
                    place = last
                    while place > 0 and distances[query, place - 1] > distance:
                        distances[query, place] = distances[query, place - 1]
                        entries[query, place] = entries[query, place - 1]
                        place -= 1
                    distances[query, place], entries[query, place] = distance, LANES * b + lane
