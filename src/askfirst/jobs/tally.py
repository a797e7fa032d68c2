"""Counting: what one unit saw, as JSON values, and the sum over all units. Hosts are counted in `jobs.hosts`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askfirst.audit import Batch, Verdicts
from askfirst.audit.manifest import OUTCOMES
from askfirst.model import MEDIA, Basis
from askfirst.register import Register
from askfirst.report.summary import TOP, Counts, GapGroup, Others, RightsholderRow

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
        holders: Index of a creator to i64[outcomes] of the items that are recognised as works of theirs.
        works: Indices of recognised works.
    """

    items: int = 0
    media: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(MEDIA), _FOUR), np.int64))
    rules: Counter[str] = field(default_factory=Counter)
    bases: Counter[str] = field(default_factory=Counter)
    gaps: dict[tuple[str, str, str], list[Any]] = field(default_factory=dict)
    holders: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    works: set[int] = field(default_factory=set)

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
        self.works.update(np.unique(hits.work).tolist())
        # An item with several works of one creator counts once for that creator.
        pair = np.unique(register.holder[hits.work].astype(np.int64) << 32 | hits.row)
        holder, row = pair >> 32, pair & 0xFFFFFFFF
        names, index = np.unique(holder, return_inverse=True)
        counts = np.bincount(index * _FOUR + verdicts.ruling.outcome[row], minlength=len(names) * _FOUR)
        for name, four in zip(names.tolist(), counts.reshape(-1, _FOUR), strict=True):
            self.holders[name] = self.holders.get(name, 0) + four

    def merge(self, other: Tally) -> None:
        """Add the counts of another tally. Merging in the order of the units gives the same result each time."""
        self.items += other.items
        self.media += other.media
        self.rules.update(other.rules)
        self.bases.update(other.bases)
        for key, (count, example) in other.gaps.items():
            self._count_gap(key, count, example)
        for name, four in other.holders.items():
            self.holders[name] = self.holders.get(name, 0) + four
        self.works |= other.works

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "items": self.items,
            "media": self.media.tolist(),
            "rules": dict(self.rules),
            "bases": dict(self.bases),
            "gaps": [[*key, *value] for key, value in self.gaps.items()],
            "holders": {str(k): v.tolist() for k, v in self.holders.items()},
            "works": sorted(self.works),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tally:
        """Read what `to_json` wrote."""
        return cls(
            items=value["items"],
            media=np.array(value["media"], np.int64),
            rules=Counter(value["rules"]),
            bases=Counter(value["bases"]),
            gaps={(kind, cause, advice): [count, item] for kind, cause, advice, count, item in value["gaps"]},
            holders={int(k): np.array(v, np.int64) for k, v in value["holders"].items()},
            works=set(value["works"]),
        )

    def outcomes(self) -> Counts:
        """Return the items of each outcome."""
        return _counts(self.media.sum(axis=0))

    def by_medium(self) -> dict[str, Counts]:
        """Return the items of each medium that occurs, by outcome."""
        return {m.value: _counts(four) for m, four in zip(MEDIA, self.media, strict=True) if four.any()}

    def by_rightsholder(self, register: Register) -> tuple[tuple[RightsholderRow, ...], Others]:
        """Return the creators with most recognised items, and the sum of the others."""
        works = Counter(register.holder[np.array(sorted(self.works), np.int64)].tolist())
        ranked = sorted(self.holders.items(), key=lambda kv: (-int(kv[1].sum()), kv[0]))
        rows = tuple(
            RightsholderRow(register.holders[k].as_py(), works[k], int(four.sum()), _counts(four))
            for k, four in ranked[:TOP]
        )
        rest = ranked[TOP:]
        four = sum((v for _, v in rest), np.zeros(_FOUR, np.int64))
        others = Others(len(rest), int(four.sum()), _counts(four), works=sum(works[k] for k, _ in rest))
        return rows, others

    def gap_groups(self) -> tuple[GapGroup, ...]:
        """Return what could not be read, most frequent first."""
        ranked = sorted(self.gaps.items(), key=lambda kv: (-kv[1][0], kv[0]))
        return tuple(
            GapGroup(kind=kind, cause=cause, advice=advice, count=count, example_item=item)
            for (kind, cause, advice), (count, item) in ranked
        )


def _counts(four: NDArray[np.int64]) -> Counts:
    return {outcome.value: int(count) for outcome, count in zip(OUTCOMES, four, strict=True)}


def digest_of(lines: list[str]) -> str:
    """Return the SHA-256 of lines of text, in hexadecimal."""
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()
