"""Chromaprint, as the AcoustID service uses it: numbers of sounds, and works found by an index of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suites import sounds

CHROMAPRINT_HZ = 11_025


def chromaprint_of(data: bytes) -> NDArray[np.uint32]:
    """Return Chromaprint's numbers of a file, eight a second, through pyacoustid's module."""
    return _numbers(sounds.decode(data, CHROMAPRINT_HZ))


def chromaprint_cuts(file: Path) -> list[NDArray[np.uint32]]:
    """Return the numbers of the pieces of a file that are looked up, one of each length."""
    samples = sounds.decode(file, CHROMAPRINT_HZ)[int(sounds.SKIP_S * CHROMAPRINT_HZ) :]
    return [_numbers(samples[: length * CHROMAPRINT_HZ]) for length in sounds.LENGTHS_S]


def _numbers(samples: NDArray[np.int16]) -> NDArray[np.uint32]:
    import chromaprint

    maker = chromaprint.Fingerprinter()
    maker.start(CHROMAPRINT_HZ, 1)
    maker.feed(samples.tobytes())
    numbers, _ = chromaprint.decode_fingerprint(maker.finish())
    return np.array([n & 0xFFFFFFFF for n in numbers], np.uint32)


class ChromaprintIndex:
    """Numbers of all works, sorted; look-ups vote for a work and an offset."""

    def __init__(self, works: Sequence[NDArray[np.uint32]]) -> None:
        keys = np.concatenate(works)
        self.order = np.argsort(keys, kind="stable")
        self.keys = keys[self.order]
        self.work = np.repeat(np.arange(len(works)), [len(w) for w in works])
        self.time = np.concatenate([np.arange(len(w)) for w in works])

    def look_up(self, numbers: NDArray[np.uint32]) -> tuple[int, float]:
        """Return the work with the most votes on one offset, and votes a number."""
        if not len(numbers):
            return -1, 0.0
        turned = np.concatenate([[np.uint32(0)], np.uint32(1) << np.arange(32, dtype=np.uint32)]).astype(np.uint32)
        probes = (numbers[:, None] ^ turned[None, :]).ravel()
        at = np.repeat(np.arange(len(numbers)), 33)
        low, high = np.searchsorted(self.keys, probes, "left"), np.searchsorted(self.keys, probes, "right")
        count = np.minimum(high - low, 200)
        if not count.sum():
            return -1, 0.0
        step = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        entry = self.order[np.repeat(low, count) + step]
        votes = self.work[entry] * 1_000_000 + (self.time[entry] - np.repeat(at, count)) // 2 + 500_000
        which, many = np.unique(votes, return_counts=True)
        best = int(many.argmax())
        return int(which[best] // 1_000_000), float(many[best]) / len(numbers)
