"""Counting: what one unit saw, as JSON values, and the sum over all units."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from askfirst.audit import Batch, Verdicts
from askfirst.audit.manifest import OUTCOMES
from askfirst.jobs.counts import KeyedCounts
from askfirst.model import MEDIA, Basis
from askfirst.register import Register
from askfirst.report.summary import TOP, Counts, GapGroup, HostRow, Others, RightsholderRow

__all__ = ["Tally", "digest_of"]

_GAPS_MAX = 1_000
_BASES = tuple(Basis)
_FOUR = len(OUTCOMES)


@dataclass(slots=True)
class Tally:
    """Counts of items, by everything a report shows.

    Args:
        items: Items seen.
        media: i64[media, outcomes].
        rules: Items by deciding rule.
        bases: Permitted items by basis.
        gaps: (kind, cause, advice) to count and one item.
        holders: Items recognised as works of a creator, by the creator's index.
        hosts: Items by the key of their address's host.
        works: u32[k], indices of recognised works, ascending.
    """

    items: int = 0
    media: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(MEDIA), _FOUR), np.int64))
    rules: Counter[str] = field(default_factory=Counter)
    bases: Counter[str] = field(default_factory=Counter)
    gaps: dict[tuple[str, str, str], list[Any]] = field(default_factory=dict)
    holders: KeyedCounts = field(default_factory=KeyedCounts)
    hosts: KeyedCounts = field(default_factory=KeyedCounts)
    works: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, np.uint32))

    def add(self, batch: Batch, verdicts: Verdicts, register: Register) -> None:
        """Count one batch."""
        ruling, found = verdicts.ruling, verdicts.found
        self.items += len(batch)
        both = found.medium.astype(np.int64) * _FOUR + ruling.outcome
        self.media += np.bincount(both, minlength=self.media.size).reshape(self.media.shape)
        for code, count in enumerate(np.bincount(ruling.rule, minlength=len(ruling.rules))):
            if count:
                self.rules[ruling.rules[code]] += int(count)
        for code, count in enumerate(np.bincount(ruling.basis + 1, minlength=len(_BASES) + 1)[1:]):
            if count:
                self.bases[_BASES[code].value] += int(count)
        self._add_gaps(batch, verdicts)
        self._add_works(verdicts, register)

    def _add_gaps(self, batch: Batch, verdicts: Verdicts) -> None:
        code = verdicts.found.gaps.code
        rows = np.flatnonzero(code >= 0)
        for value, first, count in zip(*np.unique(code[rows], return_index=True, return_counts=True), strict=True):
            gap = verdicts.found.gaps.values[value][0]
            self._count_gap((gap.kind, gap.cause, gap.advice), int(count), batch.item_ids[int(rows[first])].as_py())

    def _count_gap(self, key: tuple[str, str, str], count: int, example: str) -> None:
        if key not in self.gaps and len(self.gaps) >= _GAPS_MAX:
            key = ("other", "other causes; the manifest names each", "")
        known = self.gaps.setdefault(key, [0, example])
        known[0] += count

    def _add_works(self, verdicts: Verdicts, register: Register) -> None:
        hits = verdicts.found.hits
        if not len(hits):
            return
        self.works = _union(self.works, hits.work)
        # An item with several works of one creator counts once for that creator.
        pair = np.unique(register.holder[hits.work].astype(np.uint64) << np.uint64(32) | hits.row.astype(np.uint64))
        holder, row = pair >> np.uint64(32), (pair & np.uint64(0xFFFFFFFF)).astype(np.int64)
        self.holders.merge(KeyedCounts.of(holder, verdicts.ruling.outcome[row], row, 0))

    def merge(self, other: Tally) -> None:
        """Add the counts of another tally. Merging in the order of the units gives the same result each time."""
        self.items += other.items
        self.media += other.media
        self.rules.update(other.rules)
        self.bases.update(other.bases)
        for key, (count, example) in other.gaps.items():
            self._count_gap(key, count, example)
        self.holders.merge(other.holders)
        self.hosts.merge(other.hosts)
        self.works = _union(self.works, other.works)

    def write(self, stream: BinaryIO) -> None:
        """Write the counts: a line of JSON, then arrays."""
        value = {
            "items": self.items,
            "media": self.media.tolist(),
            "rules": dict(self.rules),
            "bases": dict(self.bases),
            "gaps": [[*key, *found] for key, found in self.gaps.items()],
            "keyed": [[c.totals.tolist(), c.dropped] for c in (self.holders, self.hosts)],
        }
        stream.write(json.dumps(value).encode() + b"\n")
        for array in (self.holders.table, self.hosts.table, self.works):
            np.save(stream, array, allow_pickle=False)

    @classmethod
    def read(cls, stream: BinaryIO) -> Tally:
        """Read what `write` wrote."""
        value = json.loads(stream.readline())
        holders, hosts, works = (np.load(stream, allow_pickle=False) for _ in range(3))
        keyed = [(np.array(totals, np.int64), dropped) for totals, dropped in value["keyed"]]
        return cls(
            items=value["items"],
            media=np.array(value["media"], np.int64),
            rules=Counter(value["rules"]),
            bases=Counter(value["bases"]),
            gaps={(kind, cause, advice): [count, item] for kind, cause, advice, count, item in value["gaps"]},
            holders=KeyedCounts(holders, *keyed[0]),
            hosts=KeyedCounts(hosts, *keyed[1]),
            works=works,
        )

    def outcomes(self) -> Counts:
        """Return the items of each outcome."""
        return _counts(self.media.sum(axis=0))

    def by_medium(self) -> dict[str, Counts]:
        """Return the items of each medium that occurs, by outcome."""
        return {m.value: _counts(four) for m, four in zip(MEDIA, self.media, strict=True) if four.any()}

    def by_rightsholder(self, register: Register) -> tuple[tuple[RightsholderRow, ...], Others]:
        """Return the creators with most recognised items, and the sum of the others."""
        works = np.bincount(register.holder[self.works], minlength=len(register.holders))
        ranked = self.holders.ranked(len(self.holders.table))
        rows = tuple(
            RightsholderRow(
                register.holders[int(one["key"])].as_py(),
                int(works[one["key"]]),
                int(one["counts"].sum()),
                _counts(one["counts"]),
            )
            for one in ranked[:TOP]
        )
        rest = self.holders.totals - ranked["counts"][:TOP].sum(axis=0, dtype=np.int64)
        others = int(works[ranked["key"][TOP:]].sum())
        return rows, Others(len(ranked[TOP:]), int(rest.sum()), _counts(rest), works=others)

    def by_host(self, host_of: Callable[[int, int], str]) -> tuple[tuple[HostRow, ...], Others]:
        """Return the hosts with most items, and the sum of the others.

        Args:
            host_of: Returns the host of an item, by unit and row.
        """
        ranked, exact = self.hosts.ranked(TOP), self.hosts.dropped == 0
        rows = tuple(
            HostRow(host_of(int(one["unit"]), int(one["row"])), int(one["counts"].sum()), _counts(one["counts"]), exact)
            for one in ranked
        )
        rest = self.hosts.totals - ranked["counts"].sum(axis=0, dtype=np.int64)
        names = len(self.hosts.table) - len(ranked) + self.hosts.dropped
        return rows, Others(names, int(rest.sum()), _counts(rest), exact=exact)

    def gap_groups(self) -> tuple[GapGroup, ...]:
        """Return what could not be read, most frequent first."""
        ranked = sorted(self.gaps.items(), key=lambda kv: (-kv[1][0], kv[0]))
        return tuple(
            GapGroup(kind=kind, cause=cause, advice=advice, count=count, example_item=item)
            for (kind, cause, advice), (count, item) in ranked
        )


def _union(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the values of both, ascending, each once. Merging sorted runs is what the stable sort is good at."""
    both = np.concatenate([one, other])
    both.sort(kind="stable")
    return both[np.append(True, both[1:] != both[:-1])] if len(both) else both


def _counts(four: NDArray[np.integer]) -> Counts:
    return {outcome.value: int(count) for outcome, count in zip(OUTCOMES, four, strict=True)}


def digest_of(lines: list[str]) -> str:
    """Return the SHA-256 of lines of text, in hexadecimal."""
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()
