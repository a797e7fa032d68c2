"""The index of text fingerprints: which works hold this hash, and where. Arrays in, arrays out.

Seven arrays, each a file of the register, for n postings (one stored gram of one work each):

    prefix     u32 or u64 [2**p + 1]  where the postings of each key prefix begin; u64 from 2**32 postings on
    remainder  u32 [n]                the next 32 bits of the key
    work       u32 [n]                index of the work
    position   u32 [n]                first letter of the gram in the work
    common     u8  [ceil(n / 8)]      a bit a posting, lowest first: works of two or more owners hold the hash
    free       u8  [ceil(n / 8)]      a bit a posting: the gram is of the commons (`fingerprint.commons`)
    bloom      u64 [8 * blocks]       a filter: 12 bits a posting, five of a block's 512 are a hash's

Stored hashes are minima, so most are small; the key of a hash is hash * 0x9E3779B97F4A7C15 modulo 2**64,
which spreads them evenly and loses nothing. Postings are sorted by key, work and position. p is 18, or more
for more than a million postings (two to four a prefix), and p + 32 bits of the key are kept: two different
hashes are taken for one another once in 2**50 or more.

A hash has at most 64 postings, and 4 in any one work: the first ones, of the works of lowest index. So a
phrase that everybody uses cannot make a look-up slow. Whether it is common is counted before. Where a shared
passage begins and ends, a gram may be stored of one work only, by its neighbours: so what a work holds within
a window of a common gram is common too.

What a look-up reads from these arrays it never trusts: a damaged file gives wrong answers, not wrong memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError
from askfirst.jit import inline, kernel

__all__ = ["POSTINGS_MAX", "STEMS", "WORK_POSTINGS_MAX", "Located", "TextIndex", "build"]

STEMS = ("prefix", "remainder", "work", "position", "common", "free", "bloom")
"""Names of the arrays, the stems of their files."""

POSTINGS_MAX = 64
"""Postings kept of one hash."""

WORK_POSTINGS_MAX = 4
"""Postings kept of one hash in one work: a refrain, a line of one repeated letter."""

_PREFIX_BITS_MIN = 18
_PREFIX_BITS_MAX = 31
_RUN_MAX = 1 << 16
"""Postings looked at under one prefix; a sound index has a few, at most some hundred."""

_BLOOM_BITS = 12
_BLOOM_PROBES = 5
_BLOOM_HASHES = 256  # looked at together
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_UNSPREAD = np.uint64(0xF1DE83E19937733D)
"""Its inverse modulo 2**64."""

_32 = np.uint64(32)


@inline
def _bloom_block(key: np.uint64, blocks: int) -> np.uintp:
    """Return the first word of a key's block: the upper half of the key, scaled to the number of blocks."""
    return np.uintp((key >> _32) * np.uint64(blocks) >> _32) * np.uintp(8)


@inline
def _bloom_bit(value: np.uint64, bloom: NDArray[np.uint64], first: np.uintp, probe: int) -> np.uint64:
    """Return one of a hash's bits in its block, 0 or 1."""
    bit = value >> np.uint64(9 * probe) & np.uint64(511)
    return np.uint64(bloom[first + np.uintp(bit >> np.uint64(6))] >> (bit & np.uint64(63)) & np.uint64(1))


@kernel
def _fill_bloom(hashes: NDArray[np.uint64], bloom: NDArray[np.uint64]) -> None:
    """Set the bits of every hash: five of its block, each named by nine bits of the hash, from the lowest."""
    for value in hashes:
        first = _bloom_block(value * _SPREAD, len(bloom) // 8)
        for probe in range(_BLOOM_PROBES):
            bit = value >> np.uint64(9 * probe) & np.uint64(511)
            bloom[first + np.uintp(bit >> np.uint64(6))] |= np.uint64(1) << (bit & np.uint64(63))


@kernel
def _pass_bloom(hashes: NDArray[np.uint64], bloom: NDArray[np.uint64], passed: NDArray[np.int64]) -> np.int64:
    """Write the indices of the hashes that may be there; return their number. No branch depends on a bit.

    1. Of a few hashes the first bit each: so little work that many blocks are on their way from memory at once.
    2. Of the third that is left, the other bits, which are in the cache by now.
    """
    blocks = len(bloom) // 8
    count = np.uintp(0)
    for start in range(0, len(hashes), _BLOOM_HASHES):
        end = count
        for i in range(start, min(start + _BLOOM_HASHES, len(hashes))):  # 1
            passed[end] = i
            end += np.uintp(_bloom_bit(hashes[i], bloom, _bloom_block(hashes[i] * _SPREAD, blocks), 0))
        for j in range(count, end):  # 2
            value = hashes[passed[j]]
            first = _bloom_block(value * _SPREAD, blocks)
            found = np.uint64(1)
            for probe in range(1, _BLOOM_PROBES):
                found &= _bloom_bit(value, bloom, first, probe)
            passed[count] = passed[j]
            count += np.uintp(found)
    return np.int64(count)


@kernel
def _locate(
    hashes: NDArray[np.uint64],
    prefix: NDArray[np.uint32] | NDArray[np.uint64],
    remainder: NDArray[np.uint32],
    passed: NDArray[np.int64],
    out: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]],
) -> int:
    """Write query, first posting and number of postings of every hash that is there; return how many are.

    Whatever the arrays hold, what is written lies within the postings.
    """
    query, start, size = out
    total = np.uint64(len(remainder))
    bits = np.uint64(0)
    while np.int64(1) << np.int64(bits) < len(prefix) - 1:
        bits += np.uint64(1)
    count = 0
    for i in passed:
        key = hashes[i] * _SPREAD
        place = np.uintp(key >> (np.uint64(64) - bits))
        wanted = np.uint32((key << bits) >> _32)
        here = min(np.uint64(prefix[place]), total)
        end = min(np.uint64(prefix[place + np.uintp(1)]), total)
        end = min(end, here + np.uint64(_RUN_MAX))
        while here < end and remainder[here] < wanted:
            here += np.uint64(1)
        found = np.uint64(0)
        while here + found < end and found < POSTINGS_MAX and remainder[here + found] == wanted:
            found += np.uint64(1)
        if found:
            query[count], start[count], size[count] = i, here, found
            count += 1
    return count


@kernel
def _choose(
    key: NDArray[np.uint64], work: NDArray[np.uint32], owner: NDArray[np.uint32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which postings to keep and which hashes are common; postings sorted by key and work."""
    kept, common = np.empty(len(key), np.bool_), np.empty(len(key), np.bool_)
    first = 0
    while first < len(key):
        end, of_hash, of_work, shared = first, 0, 0, False
        while end < len(key) and key[end] == key[first]:
            shared |= owner[work[end]] != owner[work[first]]
            of_work = of_work + 1 if end > first and work[end] == work[end - 1] else 1
            kept[end] = of_work <= WORK_POSTINGS_MAX and of_hash < POSTINGS_MAX
            of_hash += kept[end]
            end += 1
        common[first:end] = shared
        first = end
    return kept, common


@kernel
def _expand(start: NDArray[np.int64], size: NDArray[np.uint8], ends: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    """Write the postings `start` to `start + size` of every located hash, the i-th ones up to `ends[i]`."""
    for i in range(len(start)):
        count = np.int64(size[i])
        for j in range(count):
            out[ends[i] - count + j] = start[i] + j


def _prefix_bits(postings: int) -> int:
    return min(max(_PREFIX_BITS_MIN, postings.bit_length() - 2), _PREFIX_BITS_MAX)


def _widen(
    common: NDArray[np.bool_], work: NDArray[np.uint32], position: NDArray[np.uint32], window: int
) -> NDArray[np.bool_]:
    """Return what is common or begins within a window of something common in the same work."""
    place = work.astype(np.int64) << 33 | position.astype(np.int64)  # works lie further apart than any window
    sources = np.sort(place[common])
    following = np.searchsorted(sources, place)
    before, after = sources[np.maximum(following - 1, 0)], sources[np.minimum(following, len(sources) - 1)]
    near: NDArray[np.bool_] = np.minimum(abs(place - before), abs(after - place)) <= window
    return near


def build(
    hashes: NDArray[np.uint64],
    work: NDArray[np.uint32],
    position: NDArray[np.uint32],
    owner: NDArray[np.uint32],
    free: NDArray[np.bool_] | None = None,
    window: int = 0,
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an index.

    1. Sort by key, then work, then position.
    2. Mark common hashes and their neighbours; keep the first postings of each hash.
    3. Cut the keys into prefix and remainder; fill the filter.

    Args:
        hashes: u64[n], from `window_minima` of all works.
        work: u32[n], index of the work of each.
        position: u32[n], its first letter in the work.
        owner: u32[number of works], who owns each work: any numbers that differ between owners.
        free: bool[n], which are of the commons, from `commons.free_grams`; none where absent.
        window: `TextParams.window` of the density: how far from a common gram a gram counts as common.

    Returns:
        The arrays by stem, the same for any order of the input.

    Raises:
        ValueError: A posting of a work without an owner.

    Cost: about 100 bytes of memory and a third of a microsecond a posting.
    """
    if len(work) and int(work.max()) >= len(owner):
        raise ValueError(f"work {work.max()} of {len(owner)}")
    key = hashes * _SPREAD
    free = np.zeros(len(key), np.bool_) if free is None else free
    in_order = (work[1:] > work[:-1]) | ((work[1:] == work[:-1]) & (position[1:] >= position[:-1]))
    order = key.argsort(kind="stable") if in_order.all() else np.lexsort((free, position, work, key))  # 1
    key, work, position, free = key[order], work[order], position[order], free[order]
    kept, common = _choose(key, work, owner)  # 2
    if window and common.any():
        common = _widen(common, work, position, window)
    if not kept.all():
        key, work, position = key[kept], work[kept], position[kept]
        common, free = common[kept], free[kept]
    bits = _prefix_bits(len(key))  # 3
    offset_type = np.uint32 if len(key) < 1 << 32 else np.uint64
    prefix = np.zeros((1 << bits) + 1, offset_type)
    counts = np.bincount((key >> np.uint64(64 - bits)).astype(np.int64), minlength=1 << bits)
    prefix[1:] = np.cumsum(counts)
    bloom = np.zeros(8 * max(-(-len(key) * _BLOOM_BITS // 512), 1), np.uint64)
    _fill_bloom(key * _UNSPREAD, bloom)
    return {
        "prefix": prefix,
        "remainder": (key << np.uint64(bits) >> _32).astype(np.uint32),
        "work": np.ascontiguousarray(work, np.uint32),
        "position": np.ascontiguousarray(position, np.uint32),
        "common": np.packbits(common, bitorder="little"),
        "free": np.packbits(free, bitorder="little"),
        "bloom": bloom,
    }


@dataclass(frozen=True, slots=True)
class Located:
    """The hashes of a batch that are in the index, in the order of the batch.

    Args:
        query: i64[c], index of the hash in the batch.
        start: i64[c], its first posting; the same for the same hash.
        size: u8[c], number of its postings, 1 to `POSTINGS_MAX`.
    """

    query: NDArray[np.int64]
    start: NDArray[np.int64]
    size: NDArray[np.uint8]


def _bits_at(bits: NDArray[np.uint8], place: NDArray[np.int64]) -> NDArray[np.bool_]:
    found: NDArray[np.uint8] = bits[place >> 3] >> (place & 7).astype(np.uint8) & 1
    return found.astype(np.bool_)


def _expect(stem: str, expected: str, found: object, holds: bool) -> None:
    if not holds:
        raise SnapshotCorruptError(
            f"the text index array {stem} is not what it should be",
            path=stem,
            expected=expected,
            found=str(found),
            advice="fetch the register again",
        )


@dataclass(frozen=True, slots=True)
class TextIndex:
    """An index opened for look-ups; the fields are the arrays of the module's description."""

    prefix: NDArray[np.uint32] | NDArray[np.uint64]
    remainder: NDArray[np.uint32]
    work: NDArray[np.uint32]
    position: NDArray[np.uint32]
    common: NDArray[np.uint8]
    free: NDArray[np.uint8]
    bloom: NDArray[np.uint64]

    def __len__(self) -> int:
        """Return the number of postings."""
        return len(self.work)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> TextIndex:
        """Return the index of these arrays: read-only memory maps will do, nothing is copied or read through.

        Raises:
            SnapshotCorruptError: An array is missing or has a type or a length that does not fit.

        Cost: some microseconds.
        """
        types = {"prefix": ("uint32", "uint64"), "common": ("uint8",), "free": ("uint8",), "bloom": ("uint64",)}
        views: dict[str, NDArray[np.generic]] = {}
        for stem in STEMS:
            _expect(stem, "an array", "nothing", stem in arrays)
            view = arrays[stem].view(np.ndarray)
            allowed = types.get(stem, ("uint32",))
            sound = view.dtype.name in allowed and view.dtype.isnative and view.ndim == 1
            _expect(stem, f"{' or '.join(allowed)}[n]", f"{view.dtype}{list(view.shape)}", sound)
            _expect(stem, "contiguous", "strided", view.flags.c_contiguous and view.flags.aligned)
            view.flags.writeable = False  # one compiled form for all kinds of memory
            views[stem] = view
        postings, prefixes = len(views["work"]), len(views["prefix"]) - 1
        bits_bytes = -(-postings // 8)
        lengths = {"remainder": postings, "position": postings, "common": bits_bytes, "free": bits_bytes}
        for stem, length in lengths.items():
            _expect(stem, f"{length} entries", len(views[stem]), len(views[stem]) == length)
        bits = prefixes.bit_length() - 1
        sound = _PREFIX_BITS_MIN <= bits <= _PREFIX_BITS_MAX and prefixes == 1 << bits
        _expect("prefix", "2**18 to 2**31 entries and one", prefixes + 1, sound)
        last = int(views["prefix"][-1].item())
        _expect("prefix", f"{postings} at the end", last, last == postings)
        words = len(views["bloom"])
        _expect("bloom", "a multiple of 8 entries", words, words > 0 and words % 8 == 0)
        return cls(**views)  # type: ignore[arg-type]  # the types were checked one by one above

    def locate(self, hashes: NDArray[np.uint64]) -> Located:
        """Return which hashes are in the index.

        Args:
            hashes: u64[q], in any order.

        Cost: 10 to 40 nanoseconds a hash that is not there, by the size of the index.
        """
        hashes = hashes.view()
        hashes.flags.writeable = False
        passed = np.empty(len(hashes) + 1, np.int64)
        passed = passed[: _pass_bloom(hashes, self.bloom, passed)]
        count = len(passed)
        out = (np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.uint8))
        count = _locate(hashes, self.prefix, self.remainder, passed, out)
        return Located(out[0][:count], out[1][:count], out[2][:count])

    def postings(self, located: Located) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the postings of located hashes: index into `located` i64[m], and posting i64[m]."""
        ends = np.cumsum(located.size, dtype=np.int64)
        posting = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
        _expand(located.start, located.size, ends, posting)
        return np.repeat(np.arange(len(ends)), located.size), posting

    def is_common(self, posting: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool[m]: whether works of two or more owners hold the hash of each posting, or one beside it."""
        return _bits_at(self.common, posting)

    def is_free(self, posting: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool[m]: whether the gram of each posting is of the commons."""
        return _bits_at(self.free, posting)

    def find(
        self, hashes: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.bool_]]:
        """Return every posting of every hash.

        Args:
            hashes: u64[q], in any order.

        Returns:
            query i64[m], index of the hash, ascending; work u32[m]; position u32[m] in the work; common
            bool[m], whether works of two or more owners hold the hash.
        """
        located = self.locate(hashes)
        index, posting = self.postings(located)
        return located.query[index], self.work[posting], self.position[posting], self.is_common(posting)
