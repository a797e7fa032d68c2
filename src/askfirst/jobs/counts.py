"""Counts of items by outcome for many keys: hosts, makers. No strings; 40 bytes a key, however many items it has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from askfirst.audit.manifest import OUTCOMES
from askfirst.jit import kernel

__all__ = ["KEYS_MAX", "KeyedCounts"]

KEYS_MAX = 1 << 20
"""Keys that are counted, 42 MB; of more, those with most items so far stay, and their counts are lower bounds."""

_FOUR = len(OUTCOMES)
_RECORD = np.dtype([("key", "<u8"), ("unit", "<i4"), ("row", "<i4"), ("counts", "<u4", (_FOUR,))])


@dataclass(slots=True)
class KeyedCounts:
    """Items of each key by outcome.

    Args:
        table: One record for every key, ascending: key, unit and row of its first item, u32[4] counts.
        totals: i64[4], items with a key, by outcome; exact always.
        dropped: Keys that found no room.
    """

    table: NDArray[np.void] = field(default_factory=lambda: np.empty(0, _RECORD))
    totals: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_FOUR, np.int64))
    dropped: int = 0

    @classmethod
    def of(cls, key: NDArray[np.uint64], outcome: NDArray[np.uint8], row: NDArray[np.int64], unit: int) -> KeyedCounts:
        """Count items.

        Args:
            key: u64[n].
            outcome: u8[n], index into `OUTCOMES`.
            row: i64[n], number of the item within the unit, ascending.
            unit: Number of the unit.
        """
        slots = np.full(1 << (2 * len(key)).bit_length(), -1, np.int32)
        first, counts = np.empty(len(key), np.int64), np.zeros((len(key), _FOUR), np.uint32)
        size = _group(key, outcome, slots, first, counts)
        keys = key[first[:size]]
        order = np.argsort(keys)
        table = np.empty(size, _RECORD)
        table["key"], table["unit"], table["row"], table["counts"] = keys[order], unit, row[first[order]], counts[order]
        return cls(table, counts[:size].sum(axis=0, dtype=np.int64))

    def merge(self, other: KeyedCounts) -> None:
        """Add the counts of what comes later in the input. Cost: one pass over both tables."""
        self.totals = self.totals + other.totals
        self.dropped += other.dropped
        mine, new = self.table, other.table
        at, known = _find(mine["key"].copy(), new["key"].copy())
        mine["counts"][at[known]] += new["counts"][known]
        self.table = np.insert(mine, at[~known], new[~known]) if not known.all() else mine
        if len(self.table) > KEYS_MAX:
            self.dropped += len(self.table) - KEYS_MAX
            kept = self.ranked(KEYS_MAX)
            self.table = kept[np.argsort(kept["key"])]

    def ranked(self, most: int) -> NDArray[np.void]:
        """Return up to so many records, those with most items first; of equals, the one that came first."""
        table, items = self.table, self.table["counts"].sum(axis=1, dtype=np.int64)
        if most < len(table):
            enough = items >= np.partition(items, len(items) - most)[-most]
            table, items = table[enough], items[enough]
        return table[np.lexsort((table["key"], table["row"], table["unit"], -items))[:most]]


@kernel
def _find(known: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each wanted key is or would be, and whether it is there; both ascending."""
    at, found = np.empty(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    here = 0
    for i in range(len(wanted)):
        while here < len(known) and known[here] < wanted[i]:
            here += 1
        at[i] = here
        found[i] = here < len(known) and known[here] == wanted[i]
    return at, found


@kernel
def _group(
    key: NDArray[np.uint64],
    outcome: NDArray[np.uint8],
    slots: NDArray[np.int32],
    first: NDArray[np.int64],
    counts: NDArray[np.uint32],
) -> int:
    """Write the first item of each key, in their order, and how many there are of each outcome; return the keys.

    `slots`, a power of two and at most half full, hold the number of a key where its bits or the next free
    place say.
    """
    size, mask = 0, np.uint64(len(slots) - 1)
    for i in range(len(key)):
        at = (key[i] * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)) & mask
        while slots[at] >= 0 and key[first[slots[at]]] != key[i]:
            at = (at + np.uint64(1)) & mask
        if slots[at] < 0:
            slots[at], first[size] = size, i
            size += 1
        counts[slots[at], outcome[i]] += np.uint32(1)
    return size
