"""The register's index of image codes: every code within a Hamming distance, exactly, without reading all.

Two codes of 256 bits that differ in at most r bits, cut into m slots, agree in some slot up to r // m bits,
and often closer: with limits r_1 .. r_m for which the sum of (r_i + 1) is r + 1, there is a slot i in which
they differ by at most r_i bits (the pigeonhole principle, generalised; Norouzi, Punjani, Fleet, "Fast exact
search in Hamming space with multi-index hashing", 2014; Qin et al., "GPH: similarity search in Hamming
space", 2018). So every key near the query's is looked up, slot by slot, and what is found there is compared
in full. A small register, or a large radius, is compared code by code: that is faster then, and takes no
tables.

Neighbouring bits of a code tell of neighbouring waves of a picture, and pictures that are otherwise unlike
agree in them three times as often as chance would have it (measured on 6,443 pictures, slots of 26 bits). So a
slot is not made of neighbours: codes are stored, as `spread`, with every 155th bit next to one another, which
leaves their distances as they are. Then it is 1.15 times as often.

Tables: for every possible key of every slot, one bit in `bitmap` says whether it occurs; `rank` counts the
ones before each word of 64. The r-th key that occurs has `heads[r]`: the only entry with this key, or, with
the top bit set, a place in `lists`, where a count and so many entries stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError
from askfirst.register.image_search import (
    IS_LIST,
    Found,
    Plan,
    Tables,
    search_all,
    search_tables,
    sort_by_slot,
    spread_bits,
)

__all__ = ["ARRAYS", "RADIUS_MAX", "ImageIndex", "build"]

RADIUS_MAX = 63
"""Largest distance in bits that can be asked for."""

ARRAYS: Mapping[str, tuple[str, int]] = {
    "spread": ("<u8", 2),
    "work": ("<u4", 1),
    "orientation": ("|u1", 1),
    "slot_bits": ("|u1", 1),
    "bitmap": ("<u8", 1),
    "rank": ("<u4", 1),
    "heads": ("<u4", 1),
    "lists": ("<u4", 1),
}
"""The arrays of an index: their type, and how many dimensions they have."""

_SMALL = 1024
"""Up to this many codes there are no tables: comparing all of them takes a few microseconds."""

_COUNT_MAX = (1 << 27) - 1
"""More codes would let places in `lists` run into the bit that marks them: 2**31 / 16 slots."""

_STEP = 155
"""Bit b of a stored code is bit 155 b modulo 256 of the code: of all the steps tried the best, by a little."""

_SLOT_COUNTS = (16, 14, 13, 12, 11, 10)
_KEYS_PER_CODE = 20
"""A slot may have so many times more possible keys than there are codes, lest tables outgrow the codes."""

_TYPICAL_RADIUS = 31
_READ_COST = 60
"""Time to read an entry at random, in units of asking `bitmap` for a key. Both from measurements."""

_SCAN_COST = 3
"""Time to compare one code in passing, in the same units."""


def build(
    codes: NDArray[np.uint64],
    work: NDArray[np.uint32],
    orientation: NDArray[np.uint8],
    *,
    slot_count: int | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the arrays of an index over n codes, to be stored as they are.

    Args:
        codes: u64[n, 4].
        work: u32[n], the work of each code; a work may have several.
        orientation: u8[n], kept for the caller.
        slot_count: Number of slots, 10 to 16, or 0 for none; chosen from n where it is not given.

    Returns:
        The arrays of `ARRAYS`; 37 n bytes up to 1,024 codes, then 100 to 250 n bytes.

    Raises:
        ValueError: There are 2**27 codes or more, the three differ in length, or the slots are too few or many.

    Cost: n * slots; 2 s for a million codes.
    """
    codes = _spread(codes)
    count = len(codes)
    if not count == len(work) == len(orientation) <= _COUNT_MAX:
        raise ValueError(f"no index for {count} codes, {len(work)} works, {len(orientation)} orientations")
    slot_count = _choose_slot_count(count) if slot_count is None else slot_count
    if slot_count not in {0, *range(10, 17)} or (slot_count and not count):
        raise ValueError(f"no index of {slot_count} slots for {count} codes")
    sizes = _slot_sizes(slot_count)
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ("bitmap", "rank", "heads", "lists")}
    first = list_size = 0
    for bits in sizes.tolist():
        slot = _build_slot(codes, first, bits, list_size)
        for name, part in slot.items():
            parts[name].append(part)
        first += bits
        list_size += len(slot["lists"])
    joined = {name: np.concatenate([np.empty(0, ARRAYS[name][0]), *arrays]) for name, arrays in parts.items()}
    ones = joined["rank"].astype(np.int64)
    joined["rank"] = (np.cumsum(ones) - ones).astype("<u4")
    return {
        "spread": codes,
        "work": np.ascontiguousarray(work, "<u4"),
        "orientation": np.ascontiguousarray(orientation, "|u1"),
        "slot_bits": sizes.astype("|u1"),
        **joined,
    }


def _build_slot(
    codes: NDArray[np.uint64], first: int, bits: int, list_start: int
) -> dict[str, NDArray[np.uint64] | NDArray[np.uint32]]:
    """Return one slot's part of the tables; `rank` is still the number of ones in each word."""
    entries = np.empty(len(codes), np.uint32)
    offsets = sort_by_slot(codes, first, bits, entries)
    occurs = offsets[1:] != offsets[:-1]
    starts = offsets[:-1][occurs].astype(np.int64)
    sizes = np.diff(starts, append=len(codes))
    several = sizes > 1
    heads = entries[starts]
    # A count stands before each list, and a nought before the first, so that there is always one to read.
    before = np.cumsum(sizes[several]) - sizes[several]
    heads[several] = (before + np.arange(len(before)) + 1 + list_start).astype(np.uint32) | np.uint32(IS_LIST)
    listed = entries[np.repeat(several, sizes)]
    counts = np.concatenate([np.zeros(1, np.uint32), sizes[several].astype(np.uint32)])
    return {
        "bitmap": np.packbits(occurs, bitorder="little").view("<u8"),
        "rank": occurs.reshape(-1, 64).sum(axis=1, dtype=np.uint32),
        "heads": heads,
        "lists": np.insert(listed, np.concatenate([np.zeros(1, np.int64), before]), counts),
    }


def _slot_sizes(slot_count: int) -> NDArray[np.int64]:
    """Return i64[m]: 256 bits cut into slots of nearly the same size, the larger ones first."""
    if not slot_count:
        return np.empty(0, np.int64)
    small, larger = divmod(256, slot_count)
    return np.array([small + 1] * larger + [small] * (slot_count - larger), np.int64)


def _slot_limits(slot_bits: NDArray[np.int64], radius_bits: int) -> NDArray[np.int64]:
    """Return i64[m]: up to how many bits to vary each key; -1 for not at all, not even the key itself.

    The sum of (limit + 1) is radius + 1; the smallest slots, which come last, get the larger limits.
    """
    share, more = divmod(radius_bits + 1, len(slot_bits))
    limits = np.full(len(slot_bits), share - 1, np.int64)
    limits[len(slot_bits) - more :] += 1
    return limits


def _search_cost(slot_bits: NDArray[np.int64], count: int, radius_bits: int) -> float:
    """Return the time of one query with tables, in units of asking `bitmap` for a key."""
    cost = 0.0
    for bits, limit in zip(slot_bits.tolist(), _slot_limits(slot_bits, radius_bits).tolist(), strict=True):
        keys = sum(comb(bits, changed) for changed in range(limit + 1))
        cost += keys * (1 + _READ_COST * count / (1 << bits))
    return cost


def _choose_slot_count(count: int) -> int:
    """Return into how many slots to cut n codes; 0 for no tables."""
    if count <= _SMALL:
        return 0
    key_max = _KEYS_PER_CODE * count
    fitting = [m for m in _SLOT_COUNTS if 1 << int(_slot_sizes(m)[0]) <= key_max] or [max(_SLOT_COUNTS)]
    return min(fitting, key=lambda m: _search_cost(_slot_sizes(m), count, _TYPICAL_RADIUS))


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """An index over arrays that may be mapped from a file; opening it reads nothing of them.

    Args:
        tables: The stored tables.
        work: u32[n], the work of each code.
        orientation: u8[n], as given to `build`.
        slot_bits: i64[m], sizes of the slots; empty without tables.
    """

    tables: Tables
    work: NDArray[np.uint32]
    orientation: NDArray[np.uint8]
    slot_bits: NDArray[np.int64]
    _plans: dict[int, Plan] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> ImageIndex:
        """Return the index over the arrays of `build`.

        Raises:
            SnapshotCorruptError: A table is missing or has another type or size than the others ask for.
        """
        views = {name: _checked(name, arrays.get(name)) for name in ARRAYS}
        count = len(views["spread"])
        slot_bits = views["slot_bits"].astype(np.int64)
        is_known = slot_bits.sum() <= 256 and bool(((slot_bits >= 6) & (slot_bits <= 32)).all())
        words = int((1 << slot_bits).sum()) // 64 if is_known else -1
        fits = {
            "spread": views["spread"].shape == (count, 4) and (count > 0 or words == 0),
            "work": len(views["work"]) == count,
            "orientation": len(views["orientation"]) == count,
            "slot_bits": is_known,
            "bitmap": len(views["bitmap"]) == words,
            "rank": len(views["rank"]) == words,
            "heads": len(views["heads"]) > 0 or words == 0,
            "lists": len(views["lists"]) > 0 or words == 0,
        }
        for name, is_fit in fits.items():
            if not is_fit:
                raise SnapshotCorruptError(
                    "the tables of the image index do not fit together",
                    path=name,
                    found=f"a table of {' x '.join(map(str, views[name].shape))}",
                    advice="fetch or build the register again",
                )
        tables = Tables(views["spread"], *(views[name] for name in Tables._fields[1:]))
        return cls(tables, views["work"], views["orientation"], slot_bits)

    def __len__(self) -> int:
        """Return the number of codes."""
        return len(self.work)

    def search(
        self, codes: NDArray[np.uint64], radius_bits: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Return every pair of a query and an entry within a distance; none is left out.

        Args:
            codes: u64[q, 4]; batches of 64 and more are faster than single ones.
            radius_bits: 0 to 63.

        Returns:
            Query i64[m], entry i64[m], distance i32[m], ordered by query, then entry.

        Raises:
            ValueError: The radius is outside its range.

        Cost: 0.05 ms a query among a million codes at 31 bits; grows with the number of codes.
        """
        if not 0 <= radius_bits <= RADIUS_MAX:
            raise ValueError(f"a radius of {radius_bits} bits is outside 0 to {RADIUS_MAX}")
        queries = _spread(codes)
        plan = self._plan(radius_bits)
        room, state = max(64, 2 * len(queries)), np.zeros(3, np.int64)
        found = Found(np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int32), state)
        while not (
            search_all(self.tables.codes, queries, radius_bits, found)
            if plan is None
            else search_tables(self.tables, plan, queries, radius_bits, found)
        ):
            room *= 2
            found = Found(
                np.resize(found.query, room),
                np.resize(found.entry, room),
                np.resize(found.distance, room),
                state,
            )
        query, entry, distance = found.query[: state[2]], found.entry[: state[2]], found.distance[: state[2]]
        order = np.lexsort((entry, query))
        return query[order], entry[order], distance[order]

    def _plan(self, radius_bits: int) -> Plan | None:
        """Return what to look up for a radius, or nothing where comparing every code is faster."""
        sizes = self.slot_bits
        if not len(sizes) or _search_cost(sizes, len(self), radius_bits) > _SCAN_COST * len(self):
            return None
        if radius_bits not in self._plans:
            limits = _slot_limits(sizes, radius_bits)
            masks = [_masks(bits, limit) for bits, limit in zip(sizes.tolist(), limits.tolist(), strict=True)]
            self._plans[radius_bits] = Plan(
                first=np.cumsum(sizes) - sizes,
                bits=sizes,
                base=np.cumsum(1 << sizes) - (1 << sizes),
                limits=limits,
                mask_starts=np.cumsum([0, *map(len, masks)]),
                masks=np.concatenate(masks),
            )
        return self._plans[radius_bits]


@cache
def _places() -> NDArray[np.uint64]:
    """Return u64[32, 256, 4]: the bits that each value of each byte of a code has in the stored code."""
    places = np.zeros((32, 256, 4), np.uint64)
    values = np.arange(256)
    for stored in range(256):
        byte, bit = divmod(stored * _STEP % 256, 8)
        places[byte, (values >> bit & 1).astype(np.bool_), stored >> 6] |= np.uint64(1 << (stored & 63))
    return _plain(places)


def _spread(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return u64[n, 4], codes in the order of bits in which they are stored."""
    codes = _plain(np.asarray(codes, "<u8").reshape(-1, 4))
    spread = np.empty_like(codes)
    spread_bits(codes, _places(), spread)
    return _plain(spread)


def _masks(bits: int, limit: int) -> NDArray[np.int64]:
    """Return, ascending, all numbers of `bits` bits of which at most `limit` are set."""
    chosen = (places for size in range(limit + 1) for places in combinations(range(bits), size))
    return np.sort(np.array([sum(1 << place for place in places) for places in chosen], np.int64))


def _checked(name: str, array: NDArray[Any] | None) -> NDArray[Any]:
    """Return a plain view of a stored array of the right type."""
    expected, dimensions = ARRAYS[name]
    if array is None or array.dtype != np.dtype(expected) or array.ndim != dimensions:
        raise SnapshotCorruptError(
            "a table of the image index is not what the format asks for",
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
