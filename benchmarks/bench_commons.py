"""Documents and novels that quote the same thing, and lines that stand in other people's books.

    python benchmarks/bench_commons.py --bible BIBLE.txt --collection DIR

A collection is a folder with `registered/` and `unrelated/` (see suites/collections.py), BIBLE.txt what
benchmarks/make_commons.py was given. Four quotations of a kind are put into each of thirty novels, which are
registered; each quotation is put into an unrelated document. What matches then is a false match.

Then the lines of the quotation collections, as if each were a work of so many letters: how many stand in the novels.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from askfirst.fingerprint.commons import free_grams
from askfirst.fingerprint.text import LONG, fold, window_minima
from askfirst.match.text import match_texts
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register.text_index import TextIndex, build
from make_commons import LICENCES, plays
from measure import save

SEED = 5
NOVELS, PER_NOVEL, ROUNDS = 30, 4, 3
LINES = ((12, 13), (14, 15), (16, 17), (18, 19), (20, 21), (22, 23), (24, 27), (28, 31), (32, 39), (40, 49), (50, 79))
POLICY = Policy(use=Use.TRAIN_GENERATIVE, on=date(2026, 11, 22))

Quote = Callable[[np.random.Generator], str]


def texts_of(folder: Path, count: int = 10**9) -> list[str]:
    """Return the texts of a folder."""
    return [f.read_text(encoding="utf-8", errors="ignore") for f in sorted(folder.rglob("*")) if f.is_file()][:count]


def quotations(bible: str) -> dict[str, Quote]:
    """Return what is quoted, by its name."""
    verses = [re.sub(r"\s+", " ", verse) for verse in re.split(r"(?m)^\s+\d+ ", bible)]

    def some(parts: list[str], count: int) -> Quote:
        def quote(rng: np.random.Generator) -> str:
            start = int(rng.integers(0, len(parts) - count))
            return " ".join(parts[start : start + count])

        return quote

    played = re.sub(r"[*_#]", "", "\n".join(plays())).split()
    licence = (LICENCES / "GPL-3").read_text().split()
    return {
        **{f"{n} verses": some(verses, n) for n in (1, 2, 5, 30)},
        **{f"{n} words of Shakespeare": some(played, n) for n in (40, 300)},
        **{f"{n} words of a licence": some(licence, n) for n in (60, 3000)},
    }


def insert(text: str, at: int, quotation: str) -> str:
    return f"{text[:at]} {quotation} {text[at:]}"


def false_matches(quote: Quote, novels: list[str], unrelated: list[str], *, is_free: bool) -> float:
    """Return the share of documents that match a novel which quotes what they quote."""
    rng = np.random.default_rng(SEED)
    found = total = 0
    for _ in range(ROUNDS):
        documents, columns = [], []
        for work, text in enumerate(novels):
            novel = text
            for quotation in (quote(rng) for _ in range(PER_NOVEL)):
                novel = insert(novel, int(rng.integers(0, len(novel))), quotation)
                other = unrelated[int(rng.integers(len(unrelated)))][:4000]
                documents.append(insert(other, len(other) // 2, quotation))
            letters = fold(novel)
            hashes, positions = window_minima(letters, LONG)
            columns.append((hashes, np.full(len(hashes), work, np.uint32), positions, free_grams(letters, positions)))
        hashes, work_of, positions, free = (np.concatenate(c) for c in zip(*columns, strict=True))
        owner = np.zeros(len(novels), np.uint32)
        index = TextIndex.from_arrays(build(hashes, work_of, positions, owner, free if is_free else None, LONG.window))
        hits = match_texts(pa.array(documents, pa.large_string()), {LONG.name: index}, POLICY, len(novels)).hits
        found, total = found + len(set(hits.row.tolist())), total + len(documents)
    return found / total


def lines_elsewhere(collections: list[str], novels: list[str]) -> dict[str, float]:
    """Return the share of lines of so many letters that stand in novels, by the number of letters."""
    lines = {fold(line) for text in collections for line in text.split("\n")}
    shortest = LINES[0][0]
    starts = defaultdict(list)
    for line in lines:
        if shortest <= len(line) <= LINES[-1][1]:
            starts[line[:shortest]].append(line)
    found = set()
    for novel in map(fold, novels):
        for i in range(len(novel) - shortest):
            found.update(line for line in starts.get(novel[i : i + shortest], ()) if novel.startswith(line, i))
    shares = {}
    for low, high in LINES:
        of_length = [line for line in lines if low <= len(line) <= high]
        shares[f"{low} to {high} letters"] = sum(line in found for line in of_length) / max(len(of_length), 1)
    return shares


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bible", type=Path, required=True)
    parser.add_argument("--collection", type=Path, required=True)
    arguments = parser.parse_args()
    registered, unrelated = arguments.collection / "registered", arguments.collection / "unrelated"
    novels = [text[:400_000] for text in texts_of(registered, 4 * NOVELS)[-NOVELS:]]
    others = texts_of(unrelated / "brown")
    results: dict[str, dict[str, float]] = {"false matches without": {}, "false matches": {}}
    for name, quote in quotations(arguments.bible.read_text(errors="ignore")).items():
        for kind, is_free in (("false matches without", False), ("false matches", True)):
            results[kind][name] = false_matches(quote, novels, others, is_free=is_free)
        print(f"{name:24} {results['false matches without'][name]:6.1%} {results['false matches'][name]:6.1%}")
    results["lines that stand in novels"] = lines_elsewhere(texts_of(unrelated / "fortunes"), novels)
    for name, share in results["lines that stand in novels"].items():
        print(f"{name:24} {share:6.2%}")
    save("commons", results)


if __name__ == "__main__":
    main()
