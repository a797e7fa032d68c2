"""Counting items by host, without a string until the end.

A host is a 64-bit key with four counts and the place of one of its items: 48 bytes, however many items it has. The
names of the few hosts that a report shows are read from the manifest when everything is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from askfirst.audit.manifest import OUTCOMES
from askfirst.report.summary import TOP, Counts, HostRow, Others

__all__ = ["HOSTS_MAX", "HostCounts"]

HOSTS_MAX = 1 << 20
"""Hosts that are counted, 50 MB; of more, those with most items so far stay, and their counts are lower bounds."""

_FOUR = len(OUTCOMES)
_PLACE = np.dtype([("key", "<u8"), ("unit", "<i4"), ("row", "<i8"), ("counts", "<i8", (_FOUR,))])


@dataclass(slots=True)
class HostCounts:
    """Items of each host by outcome.

    Args:
        table: One record for every host, ascending by key: key, unit and row of its first item, i64[4] counts.
        totals: i64[4], items with a host, by outcome; exact always.
        dropped: Hosts that found no room.
    """

    table: NDArray[np.void] = field(default_factory=lambda: np.empty(0, _PLACE))
    totals: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_FOUR, np.int64))
    dropped: int = 0

    def add(self, host_key: NDArray[np.uint64], outcome: NDArray[np.uint8], unit: int, first_row: int) -> None:
        """Count the items of one batch.

        Args:
            host_key: u64[n], key of the host; 0 for none.
            outcome: u8[n], index into `OUTCOMES`.
            unit: Number of the unit.
            first_row: Number of the first item within the unit.
        """
        rows = np.flatnonzero(host_key)
        keys, first, inverse = np.unique(host_key[rows], return_index=True, return_inverse=True)
        batch = np.empty(len(keys), _PLACE)
        batch["key"], batch["unit"], batch["row"] = keys, unit, rows[first] + first_row
        code = inverse * _FOUR + outcome[rows]
        batch["counts"] = np.bincount(code, minlength=len(keys) * _FOUR).reshape(-1, _FOUR)
        self.merge(HostCounts(batch, batch["counts"].sum(axis=0)))

    def merge(self, other: HostCounts) -> None:
        """Add the counts of what comes later in the input."""
        self.totals = self.totals + other.totals
        self.dropped += other.dropped
        if not len(other.table):
            return
        both = np.concatenate([self.table, other.table])
        # The first appearance is kept as the place: the sort behind `unique` is stable.
        keys, first, inverse = np.unique(both["key"], return_index=True, return_inverse=True)
        merged = both[first]
        for outcome in range(_FOUR):
            merged["counts"][:, outcome] = np.bincount(inverse, both["counts"][:, outcome], len(keys))
        if len(merged) > HOSTS_MAX:
            self.dropped += len(merged) - HOSTS_MAX
            merged = np.sort(_ranked(merged)[:HOSTS_MAX], order="key")
        self.table = merged

    def rows(self, url_of: Callable[[int, int], str]) -> tuple[tuple[HostRow, ...], Others]:
        """Return the hosts with most items, and the sum of the others.

        Args:
            url_of: Returns the host of an item, by unit and row.
        """
        ranked, exact = _ranked(self.table), self.dropped == 0
        top = tuple(
            HostRow(url_of(int(one["unit"]), int(one["row"])), int(one["counts"].sum()), _counts(one["counts"]), exact)
            for one in ranked[:TOP]
        )
        rest = self.totals - ranked["counts"][:TOP].sum(axis=0)
        names = max(0, len(ranked) - TOP) + self.dropped
        return top, Others(names, int(rest.sum()), _counts(rest), exact=exact)


def _ranked(table: NDArray[np.void]) -> NDArray[np.void]:
    """Return the hosts with most items first; of equals, the one that came first."""
    return table[np.lexsort((table["row"], table["unit"], -table["counts"].sum(axis=1)))]


def _counts(four: NDArray[np.int64]) -> Counts:
    return {outcome.value: int(count) for outcome, count in zip(OUTCOMES, four, strict=True)}
