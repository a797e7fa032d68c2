"""The addresses of a register, laid out so that most of a dataset's addresses are let go after one look.

Entries are sorted by the key of their text, the key of `url_v0`. A key only proposes an entry; the entry's
text, compared byte for byte, decides. Arrays, for m entries and p postings:

    filter       u64[w]      a key k has the word (k >> 32) * w >> 32, in which two bits answer one question:
                             has an entry this key: bits k and k >> 6
                             has an exact entry this host: bits k >> 12 and k >> 18
                             has a prefix this host: bits k >> 24 and k >> 30; and one with d slashes, counting
                             no further than 6: bits (k >> 24) + 11 d and (k >> 30) + 23 d; all modulo 64
    bucket       u32[2^b+1]  entries whose key has the high b bits i: from bucket[i] to bucket[i + 1]
    key          u64[m]      ascending
    kind         u8[m]       index into `tuple(MatchKind)`: url, url-prefix or domain
    text_offset  i64[m+1]    where the entry's text begins in `text`
    text         u8[]        normal forms, ASCII
    work_offset  i64[m+1]    where the entry's works begin in `work`
    work         u32[p]      works of each entry, ascending
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError
from askfirst.register import url_search as kernels
from askfirst.register.url_search import DEPTH_MAX, DOMAIN, ENTRY, EXACT, PREFIX, URL, URL_PREFIX, Spans

__all__ = ["DOMAIN", "URL", "URL_PREFIX", "UrlIndex", "build"]

_BITS_AN_ITEM = 12  # of the filter: about 1 in 35 keys passes that should not
_LAYOUT: dict[str, type[np.generic]] = {
    "filter": np.uint64,
    "bucket": np.uint32,
    "key": np.uint64,
    "kind": np.uint8,
    "text_offset": np.int64,
    "text": np.uint8,
    "work_offset": np.int64,
    "work": np.uint32,
}


def build(kinds: NDArray[np.uint8], texts: list[str], work: NDArray[np.uint32]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an index, ready to be written and mapped.

    Args:
        kinds: u8[n], `URL`, `URL_PREFIX` or `DOMAIN`.
        texts: n normal forms, as `fingerprint.url.parse_entry` makes them; a text may stand there many times.
        work: u32[n], the work that each entry belongs to.

    Returns:
        The arrays described on top; the same for the same entries in any order.

    Raises:
        ValueError: if the lengths differ, or a kind is none of the three.

    Cost: about 2 s a million entries.
    """
    if not len(kinds) == len(texts) == len(work) or not np.isin(kinds, (URL, URL_PREFIX, DOMAIN)).all():
        raise ValueError("every entry has a kind, a text and a work")
    encoded = pa.array(texts, pa.large_string()).dictionary_encode()
    ascending = pc.sort_indices(encoded.dictionary)
    code = np.argsort(ascending.to_numpy())[encoded.indices.to_numpy()]
    distinct = encoded.dictionary.take(ascending)
    text_offset, text = _text_arrays(distinct)
    slashes = pc.count_substring(distinct, "/").to_numpy()
    key, host_key = kernels.keys_of_texts(_padded(text), text_offset)
    order = np.lexsort((work, code, kinds, key[code]))
    kinds, code, work = kinds[order], code[order], work[order]
    is_new_entry = np.ones(len(order), np.bool_)
    is_new_entry[1:] = (kinds[1:] != kinds[:-1]) | (code[1:] != code[:-1])
    is_posting = is_new_entry.copy()
    is_posting[1:] |= work[1:] != work[:-1]
    kinds, code = kinds[is_new_entry], code[is_new_entry]
    entry_text, entry_offset = _gather(text, text_offset[code], np.diff(text_offset)[code])
    return {
        "filter": _filter(kinds, key[code], host_key[code], slashes[code]),
        "bucket": _bucket(key[code]),
        "key": key[code],
        "kind": kinds.astype(np.uint8),
        "text_offset": entry_offset,
        "text": entry_text,
        "work_offset": np.append(np.flatnonzero(is_new_entry[is_posting]), is_posting.sum()).astype(np.int64),
        "work": work[is_posting].astype(np.uint32),
    }


class _Asks(NamedTuple):
    """Texts to look up: their row, where they begin, their bytes in full and those of them in the data, their key."""

    row: NDArray[np.int64]
    begin: NDArray[np.int64]
    text_size: NDArray[np.int64]
    data_size: NDArray[np.int64]
    key: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class UrlIndex:
    """An index over arrays that may be mapped from files: whatever they hold, nothing outside them is read.

    Args: the arrays described on top of this file, read-only.
    """

    filter: NDArray[np.uint64]
    bucket: NDArray[np.uint32]
    key: NDArray[np.uint64]
    kind: NDArray[np.uint8]
    text_offset: NDArray[np.int64]
    text: NDArray[np.uint8]
    work_offset: NDArray[np.int64]
    work: NDArray[np.uint32]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> UrlIndex:
        """Return an index over the arrays that `build` made.

        Raises:
            SnapshotCorruptError: if an array is missing, or its type or length does not fit the others.

        Cost: constant; only ends of arrays are read.
        """
        views = {}
        for name, dtype in _LAYOUT.items():
            array = arrays.get(name)
            if array is None or array.dtype != dtype or array.ndim != 1:
                found = "nothing" if array is None else f"{array.dtype}[{array.ndim} dimensions]"
                raise _corrupt(name, np.dtype(dtype).name, found)
            views[name] = np.ascontiguousarray(array).view()
            views[name].flags.writeable = False  # so that one compiled kernel serves all
        index = cls(**views)
        index._check_lengths()
        return index

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.key)

    def find(
        self,
        data: NDArray[np.uint8],
        start: NDArray[np.int64],
        length: NDArray[np.int32],
        host_length: NDArray[np.int32],
        host_key: NDArray[np.uint64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return every entry that covers a normal form: the address, its folders, its host, parent domains.

        1. Ask the filter about the host of each row and about its parent domains; most rows end here.
        2. Ask it about the whole address and the folders of rows whose host has such entries.
        3. Look up what passed, and compare it byte for byte.

        Args:
            data: u8[], bytes of normal forms; this and all that follows as in `fingerprint.url_scan.UrlScan`.
            start: i64[n], where a row begins in `data`.
            length: i32[n], bytes of the normal form; 0 for rows without an address.
            host_length: i32[n], bytes of the host.
            host_key: u64[n], key of the host.

        Returns:
            i64[k] rows, ascending, and i64[k] entries. A prefix also covers the folder's address without its final
            slash; parent domains are looked up as long as they have two labels.

        Cost: about 0.12 microseconds a row.
        """
        data, spans, rows = _padded(data), (start, length, host_length), len(start)
        is_entry, has_exact = np.empty(rows, np.bool_), np.empty(rows, np.bool_)
        depths = np.empty(rows, np.uint8)
        kernels.ask_hosts(self._words(host_key), host_key, is_entry, has_exact, depths)  # 1
        is_url = length > 0
        parts = (
            self._find_domains(data, spans, np.flatnonzero(is_entry & is_url), host_key),
            self._find_addresses(data, spans, np.flatnonzero(has_exact & is_url)),  # 2
            self._find_folders(data, spans, np.flatnonzero((depths > 0) & is_url), depths),
        )
        row, entry = np.concatenate(parts, axis=1)
        order = np.argsort(row, kind="stable")
        return row[order], entry[order]

    def _find_domains(
        self,
        data: NDArray[np.uint8],
        spans: Spans,
        rows: NDArray[np.int64],
        host_key: NDArray[np.uint64],
    ) -> NDArray[np.int64]:
        """Return i64[2, k], rows and entries, of the hosts of those rows and of the parent domains of all."""
        start, _, host_length = spans
        room = int(host_length.sum()) + len(start) + 1
        owner, place, key = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint64)
        count = kernels.parent_keys(data, spans, owner, place, key)
        passed = self._passed(key[:count])
        row = np.concatenate((rows, owner[passed]))
        begin = np.concatenate((start[rows], place[passed]))
        size = start[row] + host_length[row] - begin
        key = np.concatenate((host_key[rows], key[passed]))
        return self._look_up(data, DOMAIN, _Asks(row, begin, size, size, key))

    def _find_addresses(self, data: NDArray[np.uint8], spans: Spans, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return i64[2, k], rows and entries, of those addresses that are entries themselves."""
        start, length, key = spans[0][rows], spans[1][rows], np.empty(len(rows), np.uint64)
        kernels.span_keys(data, start, length, key)
        passed = self._passed(key)
        size = length[passed].astype(np.int64)
        return self._look_up(data, URL, _Asks(rows[passed], start[passed], size, size, key[passed]))

    def _find_folders(
        self, data: NDArray[np.uint8], spans: Spans, rows: NDArray[np.int64], depths: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        """Return i64[2, k], rows and entries, of the folders that those addresses lie in."""
        room = int(spans[1][rows].sum()) + len(rows)
        owner, key = np.empty(room, np.int64), np.empty(room, np.uint64)
        sizes = np.empty(room, np.int64), np.empty(room, np.int64)
        count = kernels.folder_keys(data, spans, (rows, depths[rows]), sizes, (owner, key))
        passed = self._passed(key[:count])
        row = owner[passed]
        asks = _Asks(row, spans[0][row], sizes[0][passed], sizes[1][passed], key[passed])
        return self._look_up(data, URL_PREFIX, asks)

    def _passed(self, key: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return which keys entries may have."""
        answer = np.empty(len(key), np.bool_)
        kernels.ask_entries(self._words(key), key, answer)
        return np.flatnonzero(answer)

    def _words(self, key: NDArray[np.uint64]) -> NDArray[np.uint64]:
        words = np.empty(len(key), np.uint64)
        kernels.filter_words(self.filter, key, words)
        return words

    def _look_up(self, data: NDArray[np.uint8], kind: int, asks: _Asks) -> NDArray[np.int64]:
        """Return i64[2, k], rows and entries, of the asks whose text is registered as this kind."""
        room, count = 0, len(asks.key)
        while count > room:  # a second time where several entries have one key
            pairs, room = np.empty((2, count), np.int64), count
            count = kernels.find_candidates(asks.key, kind, self.bucket, (self.key, self.kind), pairs)  # 3
        number, entry = pairs[:, :count] if room else np.empty((2, 0), np.int64)
        begin, sizes = asks.begin[number], (asks.text_size[number], asks.data_size[number])
        first, last = _inside(self.text_offset, entry, len(self.text))
        is_same = kernels.is_same_text(data, begin, sizes, self.text, (first, last))
        return np.stack((asks.row[number], entry))[:, is_same]

    def works(self, entry: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Return the works of k entries: i64[j] positions in `entry`, ascending, and u32[j] works."""
        first, last = _inside(self.work_offset, entry, len(self.work))
        position = np.repeat(np.arange(len(entry)), last - first)
        skipped = np.cumsum(last - first) - (last - first)
        return position, self.work[np.arange(len(position)) + (first - skipped)[position]]

    def texts(self, entry: NDArray[np.int64]) -> pa.LargeStringArray:
        """Return the registered addresses of k entries that `find` has found."""
        first, last = _inside(self.text_offset, entry, len(self.text))
        data, offsets = _gather(self.text, first, last - first)
        return pa.LargeStringArray.from_buffers(len(entry), pa.py_buffer(offsets), pa.py_buffer(data))

    def _check_lengths(self) -> None:
        entries, buckets = len(self.key), len(self.bucket) - 1
        facts = (
            ("filter", "1 value or more", len(self.filter), len(self.filter) > 0),
            (
                "bucket",
                "a power of two, plus one",
                len(self.bucket),
                buckets > 1 and buckets.bit_count() == 1,
            ),
            ("kind", f"{entries} values", len(self.kind), len(self.kind) == entries),
            (
                "text_offset",
                f"{entries + 1} values",
                len(self.text_offset),
                len(self.text_offset) == entries + 1,
            ),
            (
                "work_offset",
                f"{entries + 1} values",
                len(self.work_offset),
                len(self.work_offset) == entries + 1,
            ),
        )
        for name, expected, found, is_right in facts:
            if not is_right:
                raise _corrupt(name, expected, f"{found} values")
        for name, offsets, size in (
            ("text", self.text_offset, len(self.text)),
            ("work", self.work_offset, len(self.work)),
        ):
            if offsets[-1] != size:
                raise _corrupt(name, f"{offsets[-1]} values", f"{size} values")


def _corrupt(name: str, expected: str, found: str) -> SnapshotCorruptError:
    return SnapshotCorruptError(
        f"the register's array url.{name} is damaged: expected {expected}, found {found}",
        path=f"url.{name}",
        expected=expected,
        found=found,
        advice="fetch the register again",
    )


def _text_arrays(texts: pa.LargeStringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the offsets and the bytes of an array that is no slice of another."""
    _, offsets, data = texts.buffers()
    if offsets is None or len(texts) == 0:
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    return np.frombuffer(offsets, np.int64, len(texts) + 1), np.frombuffer(data or b"", np.uint8)


def _inside(
    offsets: NDArray[np.int64], entry: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where entries begin and end in an array of this size, whatever the offsets say."""
    first = np.clip(offsets[entry], 0, size)
    return first, np.clip(offsets[entry + 1], first, size)


def _padded(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the bytes with as many more as a kernel needs to read eight at once."""
    return data if len(data) >= 8 else np.pad(data, (0, 8))


def _bucket(key: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return where the keys with each value of their high bits begin: about one entry a bucket."""
    bits = max(1, (len(key) - 1).bit_length())
    high = key >> np.uint64(64 - bits)
    return np.searchsorted(high, np.arange((1 << bits) + 1, dtype=np.uint64)).astype(np.uint32)


def _filter(
    kinds: NDArray[np.uint8], key: NDArray[np.uint64], host_key: NDArray[np.uint64], slashes: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Return the filter for entries, given their keys, those of their hosts, and the slashes in their texts."""
    exact, is_prefix, none = np.unique(host_key[kinds == URL]), kinds == URL_PREFIX, np.zeros(1, np.uint64)
    prefix = host_key[is_prefix]
    items = len(key) + len(exact) + 2 * len(prefix)
    words = np.zeros(items * _BITS_AN_ITEM // 64 + 1, np.uint64)
    for question, keys, depths in (
        (ENTRY, key, none),
        (EXACT, exact, none),
        (PREFIX, prefix, none),
        (PREFIX, prefix, np.minimum(slashes[is_prefix], DEPTH_MAX).astype(np.uint64)),
    ):
        np.bitwise_or.at(words, *kernels.filter_places(keys, question, depths, len(words)))
    return words


def _gather(
    data: NDArray[np.uint8], start: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return spans of `data` one after another, and their offsets."""
    offsets = np.zeros(len(start) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    out = np.empty(int(offsets[-1]), np.uint8)
    kernels.copy_spans(data, np.ascontiguousarray(start, np.int64), offsets, out)
    return out, offsets
