"""What others find shared text with, made to answer the same question: which works have a passage in this text?

Every peer is built over the works, then gives each text the works it shares something with, and how much. A match is
what reaches a number that is chosen on the tuning half, so that at most one unrelated document in a thousand has one.

Sources of the methods: 13-word overlap: GPT-3's report, Dolma, "bff"; 50-word exact: Lee et al., "Deduplicating
training data makes language models better" (2021); winnowing: Schleimer, Wilkerson, Aiken (2003), "MOSS"; MinHash
on passages: FineWeb and datatrove use 14 bands of 8, signatures here by rensa.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Peer", "installed", "tokens"]

Shares = list[dict[int, int]]
"""Of each text: how much of each work, by the work's number."""

_SEED = 7
_WORD = re.compile(r"\w+")
_CHUNK_PASSAGES = 20_000


class Peer(Protocol):
    """One way to find shared passages."""

    name: str
    hashes: int
    """Stored 64-bit hashes of all works."""

    def build(self, works: Sequence[str]) -> None:
        """Store the works."""

    def share(self, texts: Sequence[str]) -> Shares:
        """Return how much each text shares with each work."""


class Words:
    """Words as numbers: lower case, no punctuation; the same word has the same number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._known: dict[str, NDArray[np.uint32]] = {}

    def of(self, text: str) -> NDArray[np.uint64]:
        """Return u64[n], a number for each word; kept, for several peers ask."""
        if text not in self._known:
            numbers = self._numbers
            found = [numbers.setdefault(word, len(numbers)) for word in _WORD.findall(text.lower())]
            self._known[text] = np.array(found, np.uint32)
        return _mixed(self._known[text].astype(np.uint64))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return splitmix64 of each value."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


def tokens(words: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """Return u64[n - size + 1], the hash of every run of so many words."""
    count = len(words) - size + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    hashes = np.zeros(count, np.uint64)
    for i in range(size):
        hashes = _mixed(hashes ^ words[i : i + count])
    return hashes


class _Postings:
    """Which works hold a hash: sorted arrays."""

    def __init__(self, parts: Sequence[NDArray[np.uint64]]) -> None:
        parts = [np.unique(p) for p in parts]
        hashes = np.concatenate(parts)
        work = np.repeat(np.arange(len(parts), dtype=np.uint16), [len(p) for p in parts])
        order = np.argsort(hashes, kind="stable")
        self.hashes, self.work = hashes[order], work[order]

    def shared(self, rows: Sequence[NDArray[np.uint64]]) -> Shares:
        """Return how many different hashes each row shares with each work."""
        rows = [np.unique(r) for r in rows]
        wanted = np.concatenate([np.empty(0, np.uint64), *rows])
        row = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
        order = np.argsort(wanted, kind="stable")
        wanted, row = wanted[order], row[order]
        first = np.searchsorted(self.hashes, wanted, "left")
        count = np.searchsorted(self.hashes, wanted, "right") - first
        result: Shares = [{} for _ in rows]
        for i in np.flatnonzero(count):
            for work in self.work[first[i] : first[i] + count[i]].tolist():
                mine = result[row[i]]
                mine[work] = mine.get(work, 0) + 1
        return result


class Overlap:
    """Shared runs of words, every one of them stored."""

    def __init__(self, words: Words, size: int) -> None:
        self.name = f"{size}-word overlap" if size < 50 else f"{size} words exact"
        self._words, self._size, self.hashes = words, size, 0

    def build(self, works: Sequence[str]) -> None:
        self._postings = _Postings([tokens(self._words.of(w), self._size) for w in works])
        self.hashes = len(self._postings.hashes)

    def share(self, texts: Sequence[str]) -> Shares:
        return self._postings.shared([tokens(self._words.of(t), self._size) for t in texts])


class Winnowing:
    """Shared window minima of k-grams of letters, the same minima on both sides; our folding and hash, their method."""

    def __init__(self, k: int, window: int) -> None:
        from askfirst.fingerprint.text import TextParams

        self.name, self.hashes = f"winnowing k={k} w={window}", 0
        self._params = TextParams(f"k{k}w{window}", k, window, 0)

    def _minima(self, text: str) -> NDArray[np.uint64]:
        from askfirst.fingerprint.text import fold, window_minima

        return window_minima(fold(text), self._params)[0]

    def build(self, works: Sequence[str]) -> None:
        self._postings = _Postings([self._minima(w) for w in works])
        self.hashes = len(self._postings.hashes)

    def share(self, texts: Sequence[str]) -> Shares:
        return self._postings.shared([self._minima(t) for t in texts])


class Passages:
    """MinHash of passages of 100 words every 50, both sides, 5-word shingles; a band of hashes in common is a pair."""

    def __init__(self, words: Words, bands: int, rows: int) -> None:
        self.name = f"rensa MinHash {bands}x{rows}, 100-word passages"
        self._words, self._bands, self._rows, self.hashes = words, bands, rows, 0

    def _keys(self, texts: Sequence[str]) -> list[NDArray[np.uint64]]:
        """Return the band keys of every passage of each text, joined."""
        shingles, sizes, of_text = [], [], []
        for i, text in enumerate(texts):
            words = self._words.of(text)
            for start in range(0, max(len(words) - 50, 1), 50):
                one = tokens(words[start : start + 100], 5)
                if len(one):
                    shingles.append(one)
                    sizes.append(len(one))
                    of_text.append(i)
        starts = range(0, len(sizes), _CHUNK_PASSAGES)
        keys = [self._band_keys(shingles[first : first + _CHUNK_PASSAGES]) for first in starts]
        joined = np.concatenate([np.empty((0, self._bands), np.uint64), *keys])
        ends = np.searchsorted(of_text, np.arange(len(texts) + 1))
        return [joined[a:b].ravel() for a, b in pairwise(ends)]

    def _band_keys(self, shingles: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
        from rensa import RMinHash

        offsets = np.concatenate([[0], np.cumsum([len(s) for s in shingles])]).astype(np.uint64)
        count = self._bands * self._rows
        matrix: Any = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(shingles), offsets, count, _SEED)
        digests = np.array(matrix.to_rows(), np.uint64).reshape(len(shingles), self._bands, self._rows)
        keys = np.zeros((len(shingles), self._bands), np.uint64)
        keys += np.arange(self._bands, dtype=np.uint64)
        for i in range(self._rows):
            keys = _mixed(keys ^ digests[:, :, i])
        return keys

    def build(self, works: Sequence[str]) -> None:
        keys = self._keys(works)
        self.hashes = sum(map(len, keys))
        self._postings = _Postings(keys)

    def share(self, texts: Sequence[str]) -> Shares:
        return self._postings.shared(self._keys(texts))


def installed() -> list[Peer]:
    """Return the peers that can run here."""
    words = Words()
    peers: list[Peer] = [Overlap(words, 13), Winnowing(30, 63), Winnowing(30, 31)]
    if find_spec("rensa"):
        peers += [Passages(words, 14, 8), Passages(words, 32, 3)]
    return [*peers, Overlap(words, 50)]


def in_batches(share: Callable[[Sequence[str]], Shares], texts: Sequence[str], size: int = 2000) -> Shares:
    """Return `share` of all texts, a few at a time, so that memory stays small."""
    return [one for i in range(0, len(texts), size) for one in share(texts[i : i + size])]
