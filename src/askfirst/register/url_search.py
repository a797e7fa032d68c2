"""The kernels of the address index: hash, ask the filter, look up.

Keys and filter are described in `url_index`. Each kernel does one thing for many rows: first all keys, then all
looks into the filter, then all into the tables. A look that misses the caches takes as long as hashing, and the
machine waits for many of them at once only where nothing but looking is done.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import inline, kernel
from askfirst.model import MatchKind

__all__ = [
    "DEPTH_MAX",
    "DOMAIN",
    "ENTRY",
    "EXACT",
    "PREFIX",
    "URL",
    "URL_PREFIX",
    "Spans",
    "ask_entries",
    "ask_hosts",
    "copy_spans",
    "filter_places",
    "filter_words",
    "find_candidates",
    "folder_keys",
    "is_same_text",
    "keys_of_texts",
    "parent_keys",
    "span_keys",
]

URL, URL_PREFIX, DOMAIN = (
    tuple(MatchKind).index(kind) for kind in (MatchKind.URL, MatchKind.URL_PREFIX, MatchKind.DOMAIN)
)
"""Codes of the three kinds of entry."""
ENTRY, EXACT, PREFIX = np.uint64(0), np.uint64(12), np.uint64(24)
"""The filter's questions, by the bits of a key that choose the two bits of a word."""
DEPTH_MAX = 6
"""Prefixes with more slashes are taken for such with so many."""
_STEP, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
_MIX_1, _MIX_2, _SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(33)
_SIX, _LOW_SIX, _ONE, _NONE = np.uint64(6), np.uint64(63), np.uint64(1), np.uint64(0)
_TURN_1, _TURN_2 = np.uint64(11), np.uint64(23)

Spans = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]
"""Start, length and host length of normal forms in an array of bytes."""


def filter_places(
    keys: NDArray[np.uint64], question: np.uint64, depth: NDArray[np.uint64], words: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return which word of the filter each key has, and the two bits there that answer a question with yes.

    Args:
        keys: u64[n], keys of entries (`ENTRY`), or of the hosts of exact entries (`EXACT`) or prefixes (`PREFIX`).
        question: One of these.
        depth: u64[n], slashes of a prefix, at most `DEPTH_MAX`; 0 for any number, and for other questions.
        words: How many words the filter has.
    """
    first = _ONE << ((keys >> question) + _TURN_1 * depth & _LOW_SIX)
    second = _ONE << ((keys >> (question + _SIX)) + _TURN_2 * depth & _LOW_SIX)
    return (keys >> _HALF) * np.uint64(words) >> _HALF, first | second


@kernel
def copy_spans(
    data: NDArray[np.uint8], start: NDArray[np.int64], offsets: NDArray[np.int64], out: NDArray[np.uint8]
) -> None:
    """Copy spans of `data` that begin at `start` to the places in `out` between `offsets`."""
    for row in range(len(start)):
        source, target = start[row], offsets[row]
        for i in range(offsets[row + 1] - target):
            out[np.uintp(target + i)] = data[np.uintp(source + i)]


@kernel
def keys_of_texts(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the key of each text and that of its host, which ends at the first slash or at a port."""
    rows = len(offsets) - 1
    key, host_key = np.empty(rows, np.uint64), np.empty(rows, np.uint64)
    for row in range(rows):
        start, end = offsets[row], offsets[row + 1]
        stop = start
        is_open = False  # inside the brackets of an IPv6 address colons are no port
        while stop < end and text[stop] != ord("/") and (is_open or text[stop] != ord(":")):
            is_open = (is_open or text[stop] == ord("[")) and text[stop] != ord("]")
            stop += 1
        host_key[row], key[row] = _key(text, start, stop), _key(text, start, end)
    return key, host_key


@inline
def _key(data: NDArray[np.uint8], at: int, stop: int) -> np.uint64:
    """Return the key of the bytes up to `stop`; there are at least eight bytes in all."""
    state, size_bytes = np.uint64(0), stop - at
    while at < stop:
        state = _stepped(state, _word(data, at, stop))
        at += 8
    return _finished(state, size_bytes)


@inline
def _word(data: NDArray[np.uint8], at: int, stop: int) -> np.uint64:
    """Return eight bytes as a number, those from `stop` on as zeros."""
    back = max(0, at + 8 - len(data))  # where fewer than eight bytes are left, read from further before
    word = np.uint64(0)
    for i in range(8):
        word |= np.uint64(data[np.uintp(at - back + i)]) << np.uint64(8 * i)
    extra = max(0, at + 8 - stop)
    return word >> np.uint64(8 * back) << np.uint64(8 * extra) >> np.uint64(8 * extra)


@inline
def _stepped(state: np.uint64, word: np.uint64) -> np.uint64:
    """Return the state after eight more bytes."""
    state = (state ^ word) * _STEP
    return state ^ (state >> _HALF)


@inline
def _finished(state: np.uint64, size_bytes: int) -> np.uint64:
    """Return the key when all words are in. Source: MurmurHash3 `fmix64`."""
    state ^= np.uint64(size_bytes)
    state = (state ^ (state >> _SHIFT)) * _MIX_1
    state = (state ^ (state >> _SHIFT)) * _MIX_2
    return state ^ (state >> _SHIFT)


@kernel
def span_keys(
    data: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int32], key: NDArray[np.uint64]
) -> None:
    """Write the key of each span of `data`."""
    for row in range(len(start)):
        key[row] = _key(data, start[row], start[row] + length[row])


@kernel
def parent_keys(
    data: NDArray[np.uint8],
    spans: Spans,
    owner: NDArray[np.int64],
    place: NDArray[np.int64],
    key: NDArray[np.uint64],
) -> int:
    """Write the keys of the parent domains of each row's host that have two labels or more; return how many.

    `owner` becomes the row of each, `place` where its name begins.
    """
    start, _, host_length = spans
    count = 0
    for row in range(len(start)):
        path, stop = start[row] + host_length[row], count
        for i in range(start[row], path):  # written at every byte, kept only at dots: nothing to mispredict
            place[np.uintp(stop)] = i + 1
            stop += data[np.uintp(i)] == ord(".")
        stop -= stop > count
        for j in range(count, stop):
            owner[np.uintp(j)] = row
            key[np.uintp(j)] = _key(data, place[np.uintp(j)], path)
        count = stop
    return count


@kernel
def folder_keys(
    data: NDArray[np.uint8],
    spans: Spans,
    rows: tuple[NDArray[np.int64], NDArray[np.uint8]],
    sizes: tuple[NDArray[np.int64], NDArray[np.int64]],
    found: tuple[NDArray[np.int64], NDArray[np.uint64]],
) -> int:
    """Write row, bytes and key of each folder of an address that may be registered; return how many.

    The key grows from folder to folder, so that an address of nothing but slashes costs no more than another. An
    address that does not end in a slash is itself a folder that lacks it: its text is longer than its bytes.

    Args:
        data: u8[], the bytes of normal forms.
        spans: Where they are.
        rows: i64[n], the rows to look at; u8[n], the numbers of slashes to look for, as bits.
        sizes: Becomes the bytes of each folder's text, and those of it in `data`.
        found: Becomes the row and the key of each folder.
    """
    start, length, host_length = spans
    owner, key = found
    text_size, data_size = sizes
    numbers, bits = rows
    count = 0
    for i in range(len(numbers)):
        row, depths = numbers[i], np.int64(bits[i])
        first, end = start[row], start[row] + length[row]
        hashed, at, state, depth = first, first + host_length[row], _NONE, 0
        byte = np.uint8(0)
        while byte != ord("?") and depths >> depth != 0:
            last = byte
            byte = data[np.uintp(at)] if at < end else np.uint8(ord("?"))
            at += byte != ord("?")
            is_unclosed = byte == ord("?") and last != ord("/")
            if byte != ord("/") and not is_unclosed:
                continue
            if depths >> depth & 1:
                while hashed + 8 <= at:
                    state = _stepped(state, _word(data, hashed, at))
                    hashed += 8
                word = _word(data, hashed, at) if hashed < at else _NONE
                word |= np.uint64(ord("/") * is_unclosed) << np.uint64(8 * (at - hashed))
                size = at - first + is_unclosed
                owner[count], text_size[count], data_size[count] = row, size, at - first
                key[count] = _finished(_stepped(state, word) if word != _NONE else state, size)
                count += 1
            depth = min(depth + 1, DEPTH_MAX - 1)
    return count


@kernel
def filter_words(words: NDArray[np.uint64], keys: NDArray[np.uint64], found: NDArray[np.uint64]) -> None:
    """Write the word of the filter that each key has."""
    size = np.uint64(len(words))
    for i in range(len(keys)):
        found[i] = words[np.uintp((keys[i] >> _HALF) * size >> _HALF)]


@kernel
def ask_entries(words: NDArray[np.uint64], keys: NDArray[np.uint64], answer: NDArray[np.bool_]) -> None:
    """Write for each key, given its word of the filter, whether an entry may have it."""
    for i in range(len(keys)):
        answer[i] = _has_both(words[i], keys[i], ENTRY, _NONE) != _NONE


@kernel
def ask_hosts(
    words: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    is_entry: NDArray[np.bool_],
    has_exact: NDArray[np.bool_],
    depths: NDArray[np.uint8],
) -> None:
    """Write what entries there may be for each host: itself, addresses, and, as bits, prefixes by their slashes."""
    for i in range(len(keys)):
        is_entry[i] = _has_both(words[i], keys[i], ENTRY, _NONE) != _NONE
        has_exact[i] = _has_both(words[i], keys[i], EXACT, _NONE) != _NONE
        bits = _NONE
        for depth in range(DEPTH_MAX):
            bits |= _has_both(words[i], keys[i], PREFIX, np.uint64(depth + 1)) << np.uint64(depth)
        depths[i] = bits * _has_both(words[i], keys[i], PREFIX, _NONE)


@inline
def _has_both(word: np.uint64, key: np.uint64, question: np.uint64, depth: np.uint64) -> np.uint64:
    """Return 1 if a word of the filter answers a question about a key with yes, else 0."""
    first = word >> ((key >> question) + _TURN_1 * depth & _LOW_SIX)
    second = word >> ((key >> (question + _SIX)) + _TURN_2 * depth & _LOW_SIX)
    return first & second & _ONE


@kernel
def find_candidates(
    keys: NDArray[np.uint64],
    wanted: int,
    bucket: NDArray[np.uint32],
    tables: tuple[NDArray[np.uint64], NDArray[np.uint8]],
    pairs: NDArray[np.int64],
) -> int:
    """Write to `pairs` i64[2, p] the number of each key and every entry of a wanted kind with that key.

    Returns:
        How many pairs there are; those beyond the room are not written.
    """
    key, kind = tables
    first, stop = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
    bits, count, entries = 0, 0, np.int64(len(key))
    while 1 << bits < len(bucket) - 1:
        bits += 1
    for i in range(len(keys)):
        high = np.uintp(keys[i] >> np.uint64(64 - bits))
        first[i] = bucket[high]
        stop[i] = min(np.int64(bucket[high + np.uintp(1)]), entries)
    for i in range(len(keys)):
        for entry in range(int(first[i]), int(stop[i])):
            if key[entry] == keys[i] and kind[entry] == wanted:
                if count < pairs.shape[1]:
                    pairs[0, count], pairs[1, count] = i, entry
                count += 1
    return count


@kernel
def is_same_text(
    data: NDArray[np.uint8],
    begin: NDArray[np.int64],
    sizes: tuple[NDArray[np.int64], NDArray[np.int64]],
    text: NDArray[np.uint8],
    span: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.bool_]:
    """Return bool[n], whether spans of `data` are the same as spans of `text`, byte for byte.

    Args:
        data: u8[], in which n spans begin at `begin`.
        begin: i64[n].
        sizes: i64[n], the bytes of each text; i64[n], those of it in `data`: all, or all but a final slash.
        text: u8[], in which n spans lie.
        span: i64[n] where each begins; i64[n] where it ends.
    """
    text_size, data_size = sizes
    first, last = span
    is_same = np.empty(len(begin), np.bool_)
    for row in range(len(begin)):
        same = last[row] - first[row] == text_size[row]
        if same and data_size[row] < text_size[row]:
            same = text[np.uintp(last[row] - 1)] == ord("/")
        mine, other = begin[row], first[row]
        for i in range(data_size[row] if same else 0):
            same &= text[np.uintp(other + i)] == data[np.uintp(mine + i)]
        is_same[row] = same
    return is_same
