"""Counting by key gives what counting one by one gives."""

from collections import Counter

import numpy as np
import pytest

from askfirst.jobs import counts
from askfirst.jobs.counts import KeyedCounts


def some(seed, rows=3000, keys=400):
    rng = np.random.default_rng(seed)
    names = np.random.default_rng(0).integers(1, 2**64, keys, dtype=np.uint64)
    return names[rng.integers(0, keys, rows)], rng.integers(0, 4, rows).astype(np.uint8), np.arange(rows) * 2


def plainly(parts):
    """Return key to (unit, row, four counts) by counting one by one."""
    first, count = {}, Counter()
    for unit, (key, outcome, row) in enumerate(parts):
        for k, o, r in zip(key.tolist(), outcome.tolist(), row.tolist(), strict=True):
            first.setdefault(k, (unit, r))
            count[k, o] += 1
    return {k: (*first[k], [count[k, o] for o in range(4)]) for k in sorted(first)}


def as_dict(table):
    return {int(r["key"]): (int(r["unit"]), int(r["row"]), r["counts"].tolist()) for r in table}


def summed(parts):
    total = KeyedCounts()
    for unit, part in enumerate(parts):
        total.merge(KeyedCounts.of(*part, unit))
    return total


def test_no_items_no_keys():
    empty = KeyedCounts.of(np.empty(0, np.uint64), np.empty(0, np.uint8), np.empty(0, np.int64), 0)
    assert (len(empty.table), empty.totals.tolist()) == (0, [0, 0, 0, 0])


def test_units_merged_are_items_counted_one_by_one():
    parts = [some(seed) for seed in range(1, 5)]
    total = summed(parts)
    assert as_dict(total.table) == plainly(parts)
    assert list(as_dict(total.table)) == sorted(as_dict(total.table))
    assert total.totals.sum() == 4 * 3000


@pytest.mark.parametrize("most", [1, 7, 399, 400, 1000])
def test_those_ranked_are_the_first_of_all_in_order(most):
    total = summed([some(1), some(2)])
    everything = sorted(as_dict(total.table).items(), key=lambda kv: (-sum(kv[1][2]), kv[1][0], kv[1][1]))
    assert [int(r["key"]) for r in total.ranked(most)] == [key for key, _ in everything[:most]]


def test_of_too_many_keys_those_with_most_items_stay(monkeypatch):
    monkeypatch.setattr(counts, "KEYS_MAX", 100)
    total = summed([some(1)])
    most = {int(r["key"]) for r in KeyedCounts.of(*some(1), 0).ranked(100)}
    assert set(as_dict(total.table)) == most
    assert list(as_dict(total.table)) == sorted(most)
    assert total.dropped == len(plainly([some(1)])) - 100
