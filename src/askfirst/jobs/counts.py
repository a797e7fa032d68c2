"""Counts of items by outcome for many keys: hosts, makers. No strings; 40 bytes a key, however many items it has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from askfirst.audit.manifest import OUTCOMES

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
        keys, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        counts = np.bincount(inverse * _FOUR + outcome, minlength=len(keys) * _FOUR).reshape(-1, _FOUR)
        table = np.empty(len(keys), _RECORD)
        table["key"], table["unit"], table["row"], table["counts"] = keys, unit, row[first], counts
        return cls(table, counts.sum(axis=0).astype(np.int64))

    def merge(self, other: KeyedCounts) -> None:
        """Add the counts of what comes later in the input. Cost: one binary search a key."""
        self.totals = self.totals + other.totals
        self.dropped += other.dropped
        mine, new = self.table, other.table
        at = np.searchsorted(mine["key"], new["key"])
        known = np.zeros(len(new), bool)
        inside = at < len(mine)
        known[inside] = mine["key"][at[inside]] == new["key"][inside]
        mine["counts"][at[known]] += new["counts"][known]
        self.table = np.insert(mine, at[~known], new[~known]) if not known.all() else mine
        if len(self.table) > KEYS_MAX:
            self.dropped += len(self.table) - KEYS_MAX
            self.table = np.sort(self.ranked()[:KEYS_MAX], order="key")

    def ranked(self) -> NDArray[np.void]:
        """Return the records with most items first; of equals, the one that came first."""
        items = self.table["counts"].sum(axis=1, dtype=np.int64)
        return self.table[np.lexsort((self.table["key"], self.table["row"], self.table["unit"], -items))]
