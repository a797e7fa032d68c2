"""Addresses by the column: `url_v0` for millions of them, without making a Python string of any.

Kernels write the normal form of every ordinary address into one buffer. What is out of the ordinary (ports,
user names, IP addresses, hosts beyond ASCII, dot segments, backslashes, tabs, tracking parameters) they leave
to `url.normalise`. Both give the same bytes; `tests/library/fingerprint/test_url_scan.py` sees to it.

The kernels are flat loops: an array handed to a helper may cost two atomic operations a row, more than the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from askfirst.errors import InputError
from askfirst.fingerprint import url as scalar
from askfirst.jit import inline, kernel
from askfirst.model import MEDIA, Medium

__all__ = ["UrlScan", "scan_urls"]


@dataclass(frozen=True, slots=True)
class UrlScan:
    """The normal forms of n addresses.

    Args:
        valid: bool[n], whether the row is an address at all.
        host_key: u64[n], key of the host; 0 where not valid.
        medium: u8[n], index into `model.MEDIA`, guessed from the path's extension.
        data: u8[], the bytes of all normal forms, in no promised order.
        start: i64[n], where a row's normal form begins in `data`.
        length: i32[n], bytes of the normal form; 0 where not valid.
        host_length: i32[n], bytes of the host, with which the normal form begins.
    """

    valid: NDArray[np.bool_]
    host_key: NDArray[np.uint64]
    medium: NDArray[np.uint8]
    data: NDArray[np.uint8]
    start: NDArray[np.int64]
    length: NDArray[np.int32]
    host_length: NDArray[np.int32]

    def text(self, row: int) -> str:
        """Return the normal form of one row; empty where it is not valid."""
        start = int(self.start[row])
        return self.data[start : start + int(self.length[row])].tobytes().decode("ascii")


def scan_urls(urls: pa.StringArray | pa.LargeStringArray) -> UrlScan:
    """Return the normal forms of a column of addresses.

    1. Find the host of every row, and the rows that are out of the ordinary.
    2. Write the normal forms of the ordinary ones, and read their medium.
    3. Give the others to `normalise`, and place their normal forms behind.

    Args:
        urls: n addresses; nulls and what is no address become rows that are not valid.

    Returns:
        A scan whose row i says what `normalise(urls[i])` says, whatever the string.

    Raises:
        TypeError: if the column holds anything but strings.

    Cost: about 0.12 microseconds a row; 10 for a row out of the ordinary. Reserves 3 times the column's bytes
        and touches about as many as the column has.
    """
    data, offsets = _buffers(urls)
    rows = len(urls)
    status, host_key = np.zeros(rows, np.uint8), np.zeros(rows, np.uint64)
    medium, start = np.full(rows, _OTHER, np.uint8), np.zeros(rows, np.int64)
    length, host_length = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
    span = np.zeros((rows, 4), np.int64)
    present = pc.is_valid(urls).to_numpy(zero_copy_only=False)
    _find_hosts(data, offsets, present, span, status)  # 1
    out = np.empty(3 * max(0, int(offsets[-1] - offsets[0])) + _MARGIN_BYTES, np.uint8)
    spans = (start, length, host_length, span[:, _END])  # the last becomes the end of the path
    used = _write_rows(data, span, status, out, spans)  # 2
    _read_rows(out, spans, span[:, _IS_UPPER], status, (medium, host_key))
    valid = status == _URL
    host_key[~valid] = length[~valid] = host_length[~valid] = 0
    scan = UrlScan(valid, host_key, medium, out, start, length, host_length)
    extra = _scan_odd(data, offsets, np.flatnonzero(status == _ODD), scan, used)  # 3
    if used + len(extra) <= len(out):
        out[used : used + len(extra)] = extra
        return scan
    out = np.concatenate((out[:used], extra))
    return UrlScan(valid, host_key, medium, out, start, length, host_length)


def _buffers(urls: pa.StringArray | pa.LargeStringArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of a column and the n + 1 offsets of its rows, kept inside the bytes."""
    if not isinstance(urls, pa.StringArray | pa.LargeStringArray):
        raise TypeError(f"addresses come as a string or large_string array, not as {type(urls).__name__}")
    _, offset_buffer, data_buffer = urls.buffers()
    data = np.frombuffer(data_buffer or b"", np.uint8)
    data.flags.writeable = False  # so that one compiled kernel serves all columns
    if len(urls) == 0 or offset_buffer is None:
        return data, np.zeros(len(urls) + 1, np.int64)
    kind = np.dtype(np.int32 if isinstance(urls, pa.StringArray) else np.int64)
    offsets = np.frombuffer(offset_buffer, kind, len(urls) + 1, urls.offset * kind.itemsize)
    return data, np.clip(offsets.astype(np.int64), 0, len(data))


def _scan_odd(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], odd_rows: NDArray[np.int64], scan: UrlScan, used: int
) -> NDArray[np.uint8]:
    """Fill in the rows that need `normalise`; return their normal forms, to be placed at `used`."""
    texts: list[bytes] = []
    for row in odd_rows.tolist():
        raw = data[offsets[row] : offsets[row + 1]].tobytes()
        try:
            found = scalar.normalise(raw.decode("utf-8", "surrogateescape"))
        except InputError:
            continue  # it stays a row that is not valid
        text = found.text.encode("ascii")
        texts.append(text)
        scan.valid[row] = True
        scan.host_key[row] = scalar.url_key(found.host)
        scan.medium[row] = MEDIA.index(scalar.medium_of(found))
        scan.start[row], scan.length[row], scan.host_length[row] = used, len(text), len(found.host)
        used += len(text)
    return np.frombuffer(b"".join(texts), np.uint8)


# --- tables: what the kernels do with a byte ------------------------------------------------------------

_NO_URL, _URL, _ODD = 0, 1, 2  # what a row turned out to be
_HOST, _HOST_STOP, _END, _IS_UPPER = 0, 1, 2, 3  # of `span`: places in the column's bytes, and 0 or 1
_KEEP, _ENCODE, _DECODE, _AND, _QUESTION, _STOP, _LEAVE = range(7)
_MARGIN_BYTES = 1024  # for what a row adds, and for looking back from the first
_OTHER = MEDIA.index(Medium.OTHER)
_MAX_URL_BYTES, _MAX_HOST_CHARACTERS = scalar.MAX_URL_BYTES, scalar.MAX_HOST_CHARACTERS
_STEP, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
_MIX_1, _MIX_2, _SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(33)
_QUERY = 256  # where the second half of the tables begins: a path's bytes come first


def _actions() -> NDArray[np.uint8]:
    """Return u8[512]: what to do with each byte of a path, then with each byte of a query."""
    table = np.full((2, 256), _ENCODE, np.uint8)
    for part, kept in enumerate((scalar.PATH_BYTES, scalar.QUERY_BYTES)):
        table[part, list(kept)] = _KEEP
        table[part, list(b"%#\t\n\r")] = _DECODE, _STOP, _LEAVE, _LEAVE, _LEAVE
    table[0, list(b"?\\")] = _QUESTION, _LEAVE
    table[1, ord("&")] = _AND
    return table.ravel()


def _tracking_pairs() -> NDArray[np.uint32]:
    """Return, for the first byte of a query parameter, the second ones with which it may be a tracking one.

    Second bytes are bits, numbered by their low five bits. A percent sign may hide any letter.
    """
    pairs = np.zeros(256, np.uint32)
    for name in ("utm_", *scalar.TRACKING):
        for first in (name[0], name[0].upper()):
            pairs[ord(first)] |= np.uint32(1 << (ord(name[1]) & 31) | 1 << (ord("%") & 31))
    pairs[ord("%")] = np.uint32(0xFFFFFFFF)
    return pairs


def _code(extension: str) -> int:
    return int.from_bytes(extension.encode("ascii"), "big")


_ACTION = _actions()
_DECODED = np.concatenate(
    [np.isin(np.arange(256), list(decoded)) for decoded in (scalar.PATH_DECODED, scalar.QUERY_DECODED)]
)
_PAIRS = _tracking_pairs()
_LOWER = np.zeros(256, np.uint8)  # the lower-case form of the bytes that hosts are made of
_LOWER[list(b"0123456789._-")] = list(b"0123456789._-")
_LOWER[ord("a") : ord("z") + 1] = _LOWER[ord("A") : ord("Z") + 1] = np.arange(ord("a"), ord("z") + 1)
_HEX = np.full(256, 16, np.uint8)  # the value of a hexadecimal digit; 16 for other bytes
_HEX[list(b"0123456789abcdef")] = np.arange(16)
_HEX[list(b"ABCDEF")] = np.arange(10, 16)
_DIGIT = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_SPREAD = np.uint64(0x5E7B55)  # found by trial: gives each extension one of 64 slots to itself
_CODE, _MEDIUM = np.zeros(64, np.uint64), np.full(64, _OTHER, np.uint8)
for _extension, _medium in scalar.EXTENSIONS.items():
    _slot = (_code(_extension) * int(_SPREAD) & 0xFFFFFFFF) >> 26
    _CODE[_slot], _MEDIUM[_slot] = _code(_extension), MEDIA.index(_medium)


# --- kernels ----------------------------------------------------------------------------------------------


@kernel
def _find_hosts(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    present: NDArray[np.bool_],
    span: NDArray[np.int64],
    status: NDArray[np.uint8],
) -> None:
    """Find the host of each row: its place in `span`, and in `status` what the row is so far.

    1. Cut off white space; what is missing, empty or too long is no address. A last byte that may belong to
       white space beyond ASCII is odd.
    2. Skip `http://` or `https://`.
    3. Take the bytes a host is made of; anything but a path or a fragment behind them is odd, and so are empty
       labels, a final dot, and a last label that may be a number.
    4. Drop `www.` as long as two labels remain.
    """
    for row in range(len(present)):
        at, end = offsets[row], offsets[row + 1]
        if not present[row] or end - at > _MAX_URL_BYTES:  # 1
            continue
        while at < end and data[np.uintp(at)] <= 32:
            at += 1
        while at < end and data[np.uintp(end - 1)] <= 32:
            end -= 1
        if at >= end:
            continue
        last = data[np.uintp(end - 1)]
        is_odd = (last == 0xA0) | (last == 0x8B) | (last == 0x80) | (last == 0xBF)
        is_bare = True
        if end - at >= 8:  # 2
            i = np.uintp(at)
            is_http = (data[i] | 32 == ord("h")) & (data[i + np.uintp(1)] | 32 == ord("t"))
            is_http &= (data[i + np.uintp(2)] | 32 == ord("t")) & (data[i + np.uintp(3)] | 32 == ord("p"))
            secure = np.int64(data[i + np.uintp(4)] | 32 == ord("s"))
            i = np.uintp(at + secure + 4)
            is_http &= (data[i] == ord(":")) & (data[i + np.uintp(1)] == ord("/"))
            is_http &= data[i + np.uintp(2)] == ord("/")
            at += (7 + secure) * is_http
            is_bare = not is_http
        first, dots, is_upper = at, 0, False  # 3
        top = previous = np.uint8(ord("."))
        while at < end and _LOWER[np.uintp(data[np.uintp(at)])] != 0:
            byte = data[np.uintp(at)]
            is_upper |= _LOWER[np.uintp(byte)] != byte
            is_odd |= (byte == ord(".")) & (previous == ord("."))
            dots += byte == ord(".")
            top = byte if previous == ord(".") else top
            previous = byte
            at += 1
        after = data[np.uintp(at)] if at < end else np.uint8(ord("/"))
        is_odd |= (after != ord("/")) & (after != ord("#")) | (previous == ord("."))
        is_odd |= (at - first > _MAX_HOST_CHARACTERS) | (top >= ord("0")) & (top <= ord("9"))
        while dots >= 2 and not is_odd:
            i = np.uintp(first)
            is_www = (data[i] | 32 == ord("w")) & (data[i + np.uintp(1)] | 32 == ord("w"))
            is_www &= (data[i + np.uintp(2)] | 32 == ord("w")) & (data[i + np.uintp(3)] == ord("."))
            if not is_www:
                break
            first += 4
            dots -= 1
        status[row] = _ODD if is_odd else _NO_URL if is_bare and dots == 0 else _URL
        span[row, _HOST], span[row, _HOST_STOP], span[row, _END], span[row, _IS_UPPER] = first, at, end, is_upper


@kernel
def _write_rows(  # noqa: C901, PLR0912, PLR0915  one flat loop, see the top of the file
    data: NDArray[np.uint8],
    span: NDArray[np.int64],
    status: NDArray[np.uint8],
    out: NDArray[np.uint8],
    columns: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]],
) -> int:
    """Write the normal forms of ordinary rows to `out`; return how many of its bytes are used.

    1. Host and path in one go: bytes of a host stay as they are in a path, too.
    2. Eight bytes at once as long as all of them stay as they are.
    3. Else one byte: the end of a part, the beginning of a query parameter, a byte to decode or encode.
    4. An address without a path gets one; a query without a byte loses its question mark. Rows that turn out to
       be odd give their place back.
    """
    start, length, host_length, path_stop = columns
    used = 64
    for row in range(len(status)):
        at, end = span[row, _HOST], span[row, _END]  # 1
        if status[row] != _URL:
            continue
        if used + 3 * (end - at) + 16 > len(out):  # rows of a damaged column may overlap
            status[row] = _ODD
            continue
        to = used
        part, path_end, value, action = 0, 0, np.int64(0), np.uint8(_KEEP)
        while at < end and action < _STOP:
            action = np.uint8(_KEEP)
            while at + 8 <= end:  # 2
                for i in range(8):
                    action |= _ACTION[np.uintp(part + np.int64(data[np.uintp(at + i)]))]
                if action != _KEEP:
                    break
                for i in range(8):
                    out[np.uintp(to + i)] = data[np.uintp(at + i)]
                at += 8
                to += 8
            action = np.uint8(_KEEP)
            while at < end and action == _KEEP:  # 3
                value = np.int64(data[np.uintp(at)])
                action = _ACTION[np.uintp(part + value)]
                out[np.uintp(to)] = value
                to += action == _KEEP
                at += 1
            if action == _DECODE and at + 1 < end:
                high, low = _HEX[np.uintp(data[np.uintp(at)])], _HEX[np.uintp(data[np.uintp(at + 1)])]
                if high < 16 and low < 16:
                    value = np.int64(high) * 16 + np.int64(low)
                    action = np.uint8(_KEEP if _DECODED[np.uintp(part + value)] else _ENCODE)
                    out[np.uintp(to)] = value
                    to += action == _KEEP
                    at += 2
            if action in (_ENCODE, _DECODE):
                out[np.uintp(to)] = ord("%")
                out[np.uintp(to + 1)] = _DIGIT[np.uintp(value >> 4)]
                out[np.uintp(to + 2)] = _DIGIT[np.uintp(value & 15)]
                to += 3
            elif action in (_AND, _QUESTION):
                path_end, part = (to, _QUERY) if action == _QUESTION else (path_end, part)
                to += 1
                if at + 1 < end and _may_be_tracking(data[np.uintp(at)], data[np.uintp(at + 1)]):
                    action = np.uint8(_LEAVE)
        if action == _LEAVE:
            status[row] = _ODD
            continue
        path = used + span[row, _HOST_STOP] - span[row, _HOST]  # 4
        if to == path:
            out[np.uintp(to)] = ord("/")
            to += 1
        path_stop[row] = path_end if part == _QUERY else to
        to -= part == _QUERY and to == path_end + 1
        start[row], length[row], host_length[row] = used, to - used, path - used
        used = to
    return used


@kernel
def _read_rows(
    out: NDArray[np.uint8],
    spans: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]],
    is_upper: NDArray[np.int64],
    status: NDArray[np.uint8],
    columns: tuple[NDArray[np.uint8], NDArray[np.uint64]],
) -> None:
    """Read each normal form once more: its medium, its host's key.

    1. The host in lower case, then its key.
    2. A path with a segment that begins with a dot is odd.
    3. The medium hangs on the dot nearest to the path's end. To look at bytes before the path does no harm: a
       slash stands between, and no extension has one.
    """
    start, _, host_length, path_stop = spans
    medium, host_key = columns
    for row in range(len(status)):
        if status[row] != _URL:
            continue
        path, stop = start[row] + host_length[row], path_stop[row]
        for i in range(start[row], path if is_upper[row] else start[row]):  # 1
            out[np.uintp(i)] = _LOWER[np.uintp(out[np.uintp(i)])]
        host_key[row] = _key(out, start[row], path)
        is_odd = False  # 2
        for i in range(path, stop - 1):
            is_odd |= (out[np.uintp(i)] == ord("/")) & (out[np.uintp(i + 1)] == ord("."))
        if is_odd:
            status[row] = _ODD
            continue
        code = np.uint64(0)  # 3
        for i in range(stop - 4, stop):
            code = code << np.uint64(8) | np.uint64(out[np.uintp(i)] | 32)
        bits = np.uint64(32) if out[np.uintp(stop - 5)] == ord(".") else np.uint64(0)
        bits = np.uint64(24) if out[np.uintp(stop - 4)] == ord(".") else bits
        bits = np.uint64(16) if out[np.uintp(stop - 3)] == ord(".") else bits
        code &= (np.uint64(1) << bits) - np.uint64(1)
        slot = np.uintp((code * _SPREAD & np.uint64(0xFFFFFFFF)) >> np.uint64(26))
        medium[row] = _MEDIUM[slot] if _CODE[slot] == code else _OTHER


@inline
def _may_be_tracking(first: np.uint8, second: np.uint8) -> bool:
    """Return whether a query parameter that begins with these bytes may be one that is dropped."""
    return bool((_PAIRS[np.uintp(first)] >> np.uint32(second & 31)) & 1)


@inline
def _key(data: NDArray[np.uint8], at: int, stop: int) -> np.uint64:
    """Return the key of the bytes up to `stop`; eight more must lie behind them."""
    state, size_bytes = np.uint64(0), stop - at
    while at < stop:
        word = np.uint64(0)
        for i in range(8):
            word |= np.uint64(data[np.uintp(at + i)]) << np.uint64(8 * i)
        extra = max(0, at + 8 - stop)
        word = word << np.uint64(8 * extra) >> np.uint64(8 * extra)
        state = (state ^ word) * _STEP
        state ^= state >> _HALF
        at += 8
    state ^= np.uint64(size_bytes)
    state = (state ^ (state >> _SHIFT)) * _MIX_1
    state = (state ^ (state >> _SHIFT)) * _MIX_2
    return state ^ (state >> _SHIFT)
