"""The register's index of picture descriptors: every code of 512 bits within a distance, exactly.

The codes lie in blocks of 64, word by word: `blocks[b, w, l]` is word w of code 64 * b + l; lanes after the last
code are nought. There are no tables: `descriptor_search` says why, and what is done instead. Opening an index
reads nothing of it, and adding works rewrites the last block only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError
from askfirst.register.descriptor_search import LANES, WORDS, Near, search_blocks, top_blocks

__all__ = ["ARRAYS", "RADIUS_MAX", "DescriptorIndex", "build"]

RADIUS_MAX = 255
"""Largest distance in bits that can be asked for: unrelated codes are 256 bits apart."""

ARRAYS: Mapping[str, tuple[str, int]] = {"blocks": ("<u8", 3), "work": ("<u4", 1), "view": ("|u1", 1)}
"""The arrays of an index: their type, and how many dimensions they have."""

_QUERIES_AT_ONCE = 256
"""Queries of one pass over memory: their codes, 16 kB, stay at hand beside the blocks."""


def build(
    codes: NDArray[np.uint64], work: NDArray[np.uint32], view: NDArray[np.uint8] | None = None
) -> dict[str, NDArray[Any]]:
    """Return the arrays of an index over n codes, to be stored as they are.

    Args:
        codes: u64[n, 8].
        work: u32[n], the work of each code; a work may have several.
        view: u8[n], which part of the work each code shows, kept for the caller; nought where it is not given.

    Returns:
        The arrays of `ARRAYS`; 69 n bytes.

    Raises:
        ValueError: The arrays differ in length.
    """
    codes = np.asarray(codes, "<u8").reshape(-1, WORDS)
    view = np.zeros(len(codes), np.uint8) if view is None else view
    if not len(codes) == len(work) == len(view):
        raise ValueError(f"no index for {len(codes)} codes, {len(work)} works, {len(view)} views")
    blocks = np.zeros((-(-len(codes) // LANES), LANES, WORDS), "<u8")
    blocks.reshape(-1, WORDS)[: len(codes)] = codes
    return {
        "blocks": np.ascontiguousarray(blocks.transpose(0, 2, 1)),
        "work": np.ascontiguousarray(work, "<u4"),
        "view": np.ascontiguousarray(view, "|u1"),
    }


@dataclass(frozen=True, slots=True)
class DescriptorIndex:
    """An index over arrays that may be mapped from a file; opening it reads nothing of them.

    Args:
        blocks: u64[b, 8, 64].
        work: u32[n], the work of each code.
        view: u8[n], as given to `build`.
    """

    blocks: NDArray[np.uint64]
    work: NDArray[np.uint32]
    view: NDArray[np.uint8]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> DescriptorIndex:
        """Return the index over the arrays of `build`.

        Raises:
            SnapshotCorruptError: An array is missing or has another type or size than the others ask for.
        """
        views = {name: _checked(name, arrays.get(name)) for name in ARRAYS}
        count = len(views["work"])
        fits = {
            "blocks": views["blocks"].shape == (-(-count // LANES), WORDS, LANES),
            "view": len(views["view"]) == count,
        }
        for name, is_fit in fits.items():
            if not is_fit:
                raise SnapshotCorruptError(
                    "the arrays of the descriptor index do not fit together",
                    path=name,
                    expected=f"as many as {count} codes need",
                    found=f"an array of {' x '.join(map(str, views[name].shape))}",
                    advice="fetch or build the register again",
                )
        return cls(**views)

    def __len__(self) -> int:
        """Return the number of codes."""
        return len(self.work)

    def codes(self) -> NDArray[np.uint64]:
        """Return u64[n, 8], the codes as given to `build`."""
        return np.ascontiguousarray(self.blocks.transpose(0, 2, 1)).reshape(-1, WORDS)[: len(self)]

    def search(
        self, codes: NDArray[np.uint64], radius_bits: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Return every pair of a query and an entry within a distance; none is left out.

        Args:
            codes: u64[q, 8]; batches of 32 and more are faster than single ones.
            radius_bits: 0 to 255; up to 148 it takes three quarters of the time.

        Returns:
            Query i64[m], entry i64[m], distance i32[m], ordered by query, then entry.

        Raises:
            ValueError: The radius is outside its range.

        Cost: 0.4 ms a query among a million codes, 4 ms among ten million, in batches; a single one 2 and 17 ms.
        """
        if not 0 <= radius_bits <= RADIUS_MAX:
            raise ValueError(f"a radius of {radius_bits} bits is outside 0 to {RADIUS_MAX}")
        parts = [
            self._search(queries, radius_bits, start)
            for start, queries in _batches(np.asarray(codes, np.uint64).reshape(-1, WORDS))
        ]
        query = np.concatenate([np.empty(0, np.int64), *(part[0] for part in parts)])
        entry = np.concatenate([np.empty(0, np.int64), *(part[1] for part in parts)])
        distance = np.concatenate([np.empty(0, np.int32), *(part[2] for part in parts)])
        order = np.lexsort((entry, query))
        return query[order], entry[order], distance[order]

    def _search(
        self, queries: NDArray[np.uint64], radius_bits: int, start: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Return the pairs of one batch, whose first query has the number `start`."""
        room, state = max(64, 2 * len(queries)), np.zeros(3, np.int64)
        near = Near(np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int32), state)
        while not search_blocks(self.blocks, len(self), queries, radius_bits, near):
            room *= 2
            near = Near(np.resize(near.query, room), np.resize(near.entry, room), np.resize(near.distance, room), state)
        return near.query[: state[2]] + start, near.entry[: state[2]], near.distance[: state[2]]

    def top(self, codes: NDArray[np.uint64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the nearest entries of each query, the nearest first; of equally near ones the first.

        Args:
            codes: u64[q, 8].
            count: How many to return; fewer where the index has fewer.

        Returns:
            Entry i64[q, k] and distance i32[q, k], where k is the smaller of `count` and the number of codes.

        Raises:
            ValueError: The count is below nought.

        Cost: as of `search` with a radius above 148.
        """
        if count < 0:
            raise ValueError(f"{count} nearest entries are asked for")
        queries = np.asarray(codes, np.uint64).reshape(-1, WORDS)
        shape = (len(queries), min(count, len(self)))
        entries, distances = np.zeros(shape, np.int64), np.zeros(shape, np.int32)
        if shape[1]:
            for start, batch in _batches(queries):
                end = start + len(batch)
                top_blocks(self.blocks, len(self), batch, entries[start:end], distances[start:end])
        return entries, distances


def _batches(queries: NDArray[np.uint64]) -> list[tuple[int, NDArray[np.uint64]]]:
    """Return queries in the portions that pass over memory together, each with the number of its first."""
    starts = range(0, len(queries), _QUERIES_AT_ONCE)
    return [(start, _plain(queries[start : start + _QUERIES_AT_ONCE])) for start in starts]


def _checked(name: str, array: NDArray[Any] | None) -> NDArray[Any]:
    """Return a plain view of a stored array of the right type."""
    expected, dimensions = ARRAYS[name]
    if array is None or array.dtype != np.dtype(expected) or array.ndim != dimensions:
        raise SnapshotCorruptError(
            "an array of the descriptor index is not what the format asks for",
            path=name,
            expected=f"{expected} in {dimensions} dimensions",
            found="nothing" if array is None else f"{array.dtype.str} in {array.ndim} dimensions",
            advice="fetch or build the register again",
        )
    return _plain(array)


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous read-only view, so that kernels see one kind of array only."""
    view = np.ascontiguousarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view
