"""The kernels of the image index: from queries to all codes within a Hamming distance.

`image_index` explains the tables. What costs time is reading memory at random, so every pass below does one
kind of read for thousands of keys and decides nothing in between: then a processor has many reads under way
at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import inline, kernel

__all__ = ["IS_LIST", "Found", "Plan", "Tables", "search_all", "search_tables", "sort_by_slot", "spread_bits"]

IS_LIST = 0x80000000
"""Bit of a head: it is a place in `lists`, not an entry."""

_BATCH = 16384
"""Keys or entries gathered before the next thing is done with them."""


class Tables(NamedTuple):
    """The tables of an index, as stored: u64[n, 4], u64[], u32[], u32[], u32[]."""

    codes: NDArray[np.uint64]
    bitmap: NDArray[np.uint64]
    rank: NDArray[np.uint32]
    heads: NDArray[np.uint32]
    lists: NDArray[np.uint32]


class Plan(NamedTuple):
    """Which keys to look up for a radius: those of slot s are its own key, varied by each of its masks.

    Slot s is `bits[s]` bits from bit `first[s]` on. Its part of the bitmap starts at bit `base[s]`. Its
    masks, which have at most `limits[s]` ones, are `masks[mask_starts[s]:mask_starts[s + 1]]`. All are i64.
    """

    first: NDArray[np.int64]
    bits: NDArray[np.int64]
    base: NDArray[np.int64]
    limits: NDArray[np.int64]
    mask_starts: NDArray[np.int64]
    masks: NDArray[np.int64]


class Found(NamedTuple):
    """Room for results, and where a search stopped: i64[m], i64[m], i32[m], i64[3].

    `state` is the slot, the query or entry that comes next, and the number of results.
    """

    query: NDArray[np.int64]
    entry: NDArray[np.int64]
    distance: NDArray[np.int32]
    state: NDArray[np.int64]


@inline
def _count_bits(word: np.uint64) -> np.uint64:
    """Return the number of ones in u64; compilers know this form and use one instruction."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@inline
def _slot(codes: NDArray[np.uint64], row: int, first: int, bits: int) -> np.int64:
    """Return `bits` bits of a row of u64[n, 4] from bit `first` on; a slot may lie across two words."""
    word = first >> 6
    shift = np.uint64(first & 63)
    value = codes[row, word] >> shift
    if (first & 63) + bits > 64:
        value |= codes[row, word + 1] << (np.uint64(64) - shift)
    return np.int64(value & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))


@inline
def _distance(a: NDArray[np.uint64], i: int, b: NDArray[np.uint64], j: int) -> np.int64:
    """Return the Hamming distance of row i of u64[n, 4] and row j of another."""
    low = _count_bits(a[i, 0] ^ b[j, 0]) + _count_bits(a[i, 1] ^ b[j, 1])
    return np.int64(low + _count_bits(a[i, 2] ^ b[j, 2]) + _count_bits(a[i, 3] ^ b[j, 3]))


@kernel
def spread_bits(codes: NDArray[np.uint64], places: NDArray[np.uint64], spread: NDArray[np.uint64]) -> None:
    """Write codes with their bits in another order; `places`, u64[32, 256, 4], is what each byte becomes."""
    for row in range(len(codes)):
        spread[row] = 0
        for byte in range(32):
            value = codes[row, byte >> 3] >> np.uint64(8 * (byte & 7)) & np.uint64(255)
            for word in range(4):
                spread[row, word] |= places[byte, np.uintp(value), word]


@kernel
def sort_by_slot(codes: NDArray[np.uint64], first: int, bits: int, entries: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Write u32[n], entries sorted by their key in a slot; return u32[2**bits + 1], where each key begins."""
    offsets = np.zeros((1 << bits) + 2, np.uint32)
    for entry in range(len(codes)):
        offsets[_slot(codes, entry, first, bits) + 2] += np.uint32(1)
    for key in range(1, len(offsets)):
        offsets[key] += offsets[key - 1]
    for entry in range(len(codes)):
        place = _slot(codes, entry, first, bits) + 1
        entries[offsets[place]] = entry
        offsets[place] += np.uint32(1)
    return offsets[:-1]


@kernel
def _look_up(
    tables: Tables, plan: Plan, slot: int, queries: NDArray[np.uint64], begin: int, pairs: NDArray[np.int64]
) -> tuple[int, np.int64]:
    """Write i64[k, 2], queries and the heads of keys near theirs; return the next query, and k.

    1. Ask the bitmap for every key, for as many queries as there is room for; then keep the keys that occur.
    2. Count the keys that occur before each that does: its rank.
    3. Read the head of each.
    """
    masks = plan.masks[plan.mask_starts[slot] : plan.mask_starts[slot + 1]]
    occurs = np.empty(len(masks), np.uint8)
    base, bitmap = plan.base[slot], tables.bitmap
    count, query = np.int64(0), begin
    while query < len(queries) and count + len(masks) <= len(pairs):
        key = _slot(queries, query, plan.first[slot], plan.bits[slot])
        for k in range(len(masks)):
            position = np.uint64(base + (key ^ masks[k]))
            word = bitmap[position >> np.uint64(6)]
            occurs[k] = np.uint8((word >> (position & np.uint64(63))) & np.uint64(1))
        for k in range(len(masks)):
            pairs[count, 0], pairs[count, 1] = query, base + (key ^ masks[k])
            count += np.int64(occurs[k])
        query += 1
    for k in range(count):
        position = pairs[k, 1]
        before = (np.uint64(1) << np.uint64(position & 63)) - np.uint64(1)
        ones = np.int64(_count_bits(bitmap[position >> 6] & before))
        pairs[k, 1] = min(np.int64(tables.rank[position >> 6]) + ones, np.int64(len(tables.heads) - 1))
    for k in range(count):
        pairs[k, 1] = tables.heads[pairs[k, 1]]
    return query, count


@kernel
def _touch_heads(tables: Tables, pairs: NDArray[np.int64], count: int) -> np.uint64:
    """Read one word of every list and code that k heads point at; the result says nothing.

    The length of a list decides a jump, and a processor that waits for it reads nothing else meanwhile. Here
    nothing is decided, so all reads overlap, and what follows finds lists and codes at hand.
    """
    touched = np.uint64(0)
    for k in range(count):
        head = pairs[k, 1]
        is_list = np.int64(head >= IS_LIST)
        touched ^= tables.codes[min((1 - is_list) * head, len(tables.codes) - 1), 0]
        touched ^= np.uint64(tables.lists[min(is_list * (head - IS_LIST), len(tables.lists) - 1)])
    return touched


@kernel
def _gather(tables: Tables, pairs: NDArray[np.int64], at: NDArray[np.int64], gathered: NDArray[np.int64]) -> int:
    """Write i64[k, 2], queries and entries, from pair `at[0]` of `at[2]`, entry `at[1]` of its list, on."""
    lists, count = tables.lists, 0
    while at[0] < at[2] and count < len(gathered):
        query, head = pairs[at[0], 0], pairs[at[0], 1]
        if head < IS_LIST:
            gathered[count, 0], gathered[count, 1] = query, head
            count += 1
            at[0] += 1
            continue
        place = min(head - IS_LIST, len(lists) - 1)
        end = min(np.int64(lists[place]), len(lists) - 1 - place)
        take = min(end - at[1], len(gathered) - count)
        for k in range(take):
            gathered[count + k, 0], gathered[count + k, 1] = query, lists[place + 1 + at[1] + k]
        count += take
        at[1] += take
        if at[1] >= end:
            at[0] += 1
            at[1] = 0
    return count


@kernel
def _keep_near(
    codes: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    radius: int,
    gathered: NDArray[np.int64],
    count: int,
) -> np.int64:
    """Keep those of i64[k, 2], queries and entries, that are within the radius; return how many."""
    near = np.int64(0)
    for k in range(count):
        query, entry = gathered[k, 0], min(gathered[k, 1], len(codes) - 1)
        gathered[near, 0], gathered[near, 1] = query, entry
        near += np.int64(_distance(queries, query, codes, entry) <= radius)
    return near


@kernel
def _is_new(
    queries: NDArray[np.uint64], query: int, codes: NDArray[np.uint64], entry: int, slot: int, plan: Plan
) -> bool:
    """Return whether no slot before this one has brought these two codes together."""
    for s in range(slot):
        mine = _slot(queries, query, plan.first[s], plan.bits[s])
        near = np.uint64(mine ^ _slot(codes, entry, plan.first[s], plan.bits[s]))
        if np.int64(_count_bits(near)) <= plan.limits[s]:
            return False
    return True


@kernel
def search_tables(tables: Tables, plan: Plan, queries: NDArray[np.uint64], radius: int, found: Found) -> bool:
    """Append all codes within the radius; return False when the room is used up, to be called with more.

    1. Take a slot, and as many queries as there is room for, while the slot's tables are at hand.
    2. Find the keys near theirs that occur, and gather the entries these own.
    3. Compare them in full.
    4. Leave out an entry that an earlier slot has brought already.

    Whatever the tables hold, nothing outside them is read.
    """
    widest = np.int64(0)
    for slot in range(len(plan.bits)):
        widest = max(widest, plan.mask_starts[slot + 1] - plan.mask_starts[slot])
    pairs = np.empty((max(np.int64(_BATCH), widest), 2), np.int64)
    gathered = np.empty((_BATCH, 2), np.int64)
    at = np.zeros(4, np.int64)
    codes = tables.codes
    while found.state[0] < len(plan.bits):
        slot, count = found.state[0], found.state[2]
        after, at[2] = _look_up(tables, plan, slot, queries, found.state[1], pairs)
        at[0], at[1], at[3] = 0, 0, np.int64(_touch_heads(tables, pairs, at[2]))
        while at[0] < at[2]:
            waiting = _gather(tables, pairs, at, gathered)
            for k in range(_keep_near(codes, queries, radius, gathered, waiting)):
                query, entry = gathered[k, 0], gathered[k, 1]
                if not _is_new(queries, query, codes, entry, slot, plan):
                    continue
                if count == len(found.query):
                    return False
                found.query[count], found.entry[count] = query, entry
                found.distance[count] = _distance(queries, query, codes, entry)
                count += 1
        found.state[1], found.state[2] = after, count
        if after == len(queries):
            found.state[0], found.state[1] = slot + 1, 0
    return True


@kernel
def search_all(codes: NDArray[np.uint64], queries: NDArray[np.uint64], radius: int, found: Found) -> bool:
    """Append all codes within the radius, comparing every one; return and resume as `search_tables` does."""
    for entry in range(found.state[1], len(codes)):
        count = found.state[2]
        for query in range(len(queries)):
            distance = _distance(queries, query, codes, entry)
            if distance > radius:
                continue
            if count == len(found.query):
                return False
            found.query[count], found.entry[count] = query, entry
            found.distance[count] = distance
            count += 1
        found.state[1], found.state[2] = entry + 1, count
    return True
