"""Records of a text table, a batch at a time: lines of JSON lines, or rows of a CSV.

    path --Stream--> bytes --read_records--> Records, a batch at a time

A row of a CSV may span lines inside quotes. One state machine finds the records, so that the plan and the
reading agree on their number. A quote that is never closed, or closed lines later in the middle of a word,
costs the row that opened it: reading goes on with the next line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from askfirst.io.files import LIMITS, Limits, Stream
from askfirst.jit import inline, kernel

__all__ = [
    "BAD_QUOTE",
    "LINES",
    "OK",
    "TOO_LONG",
    "UNCLOSED",
    "Dialect",
    "Records",
    "lines_of",
    "read_records",
]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How records are told apart.

    Args:
        delimiter: Between the cells of a CSV; empty for a file of lines, which has neither cells nor quotes.
        encoding: `utf-8`, or one of the encodings of one byte a character, which are turned into UTF-8.
    """

    delimiter: str = ""
    encoding: str = "utf-8"


LINES = Dialect()


@dataclass(frozen=True, slots=True)
class Records:
    """n records, none of them blank.

    Args:
        data: u8[], the bytes around them.
        starts: i64[n], first byte of each in `data`; 0 for a record with a flag.
        stops: i64[n], byte after its last, without the end of the line.
        flags: i64[n], `OK`, or why there is nothing: `BAD_QUOTE`, `UNCLOSED`, `TOO_LONG`.
        offsets: i64[n], where each begins in the stream.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    flags: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.flags)

    def part(self, start: int, stop: int) -> Records:
        """Return some of the records, with the bytes they need."""
        rows = slice(start, stop)
        is_ok = self.flags[rows] == OK
        begins, ends = self.starts[rows][is_ok], self.stops[rows][is_ok]
        first, last = (int(begins[0]), int(ends[-1])) if len(begins) else (0, 0)
        starts, stops = (np.where(is_ok, at[rows] - first, 0) for at in (self.starts, self.stops))
        return Records(self.data[first:last], starts, stops, self.flags[rows], self.offsets[rows])


OK, BAD_QUOTE, UNCLOSED, TOO_LONG = range(4)
_FIELD, _BARE, _QUOTED, _CLOSED = range(4)  # at the start of a cell, in it, inside its quotes, after a quote inside
_MORE, _FULL, _REWIND, _DONE = range(4)
_NEWLINE, _RETURN, _TAB, _SPACE, _QUOTE = 10, 13, 9, 32, 34


def read_records(stream: Stream, start: int, stop: int, dialect: Dialect, limits: Limits = LIMITS) -> Iterator[Records]:
    """Find the records that begin in a range of a stream.

    1. Read a block behind what is left of the last one, and run the state machine over it.
    2. Hand out full batches.
    3. Keep the unfinished record; drop it when it is too long, but go on looking for its end.
    4. Where a quote turns out not to be one, go back to the line after it.

    Args:
        stream: The bytes.
        start: Where a record begins.
        stop: Records that begin here or later are left out; a record may end behind it.
        dialect: How records are told apart.
        limits: Memory is bounded by the record's and the block's limit.

    Raises:
        InputError: The stream ends too early; all whole records before have been handed out.

    Cost: 2 ns a byte.
    """
    marks = (_QUOTE, ord(dialect.delimiter)) if dialect.delimiter else (-1, -1)
    settings = np.array([*marks, limits.record_bytes, limits.batch_bytes])
    found = np.empty((3, limits.batch_rows), np.int64)
    state = np.array([_FIELD, start, start, -1, 1])  # as in _find_records
    stream.seek(start)
    base, held = start, b""
    while state[2] < stop:
        block = stream.read(limits.block_bytes)  # step 1
        data, held = np.frombuffer(held + block, np.uint8), b""
        code = _FULL
        while code == _FULL and state[2] < stop:
            count, code = _find_records(data, base, not block, state, settings, found)
            count = int(np.searchsorted(found[0, :count], stop))
            if count:
                yield _cut(data, base, found[:, :count], dialect.encoding)  # step 2
        if code == _DONE:
            return
        if code == _MORE and base <= state[2] and base + len(data) - state[2] <= limits.record_bytes:
            held, base = data[state[2] - base :].tobytes(), int(state[2])  # step 3
            del data  # it may be large, and the next one is built beside what is held
            continue
        base = int(state[1])
        if code == _REWIND:
            stream.seek(base)  # step 4


def lines_of(records: Records) -> Iterator[bytes]:
    """Yield the bytes of records, none for those with a flag."""
    data = records.data.tobytes()
    for start, stop in zip(records.starts.tolist(), records.stops.tolist(), strict=True):
        yield data[start:stop]


def _cut(data: NDArray[np.uint8], base: int, found: NDArray[np.int64], encoding: str) -> Records:
    """Return records with the bytes they need, as UTF-8."""
    offsets, ends, flags = found.copy()
    cut = Records(data, offsets - base, ends - base, flags, offsets).part(0, len(flags))
    if encoding == "utf-8":
        return cut
    place = np.zeros(len(cut.data) + 1, np.int32)
    np.cumsum(_widths(encoding)[cut.data], out=place[1:])
    recoded = np.frombuffer(_recoded(cut.data.tobytes(), encoding), np.uint8)
    starts, stops = (place[at].astype(np.int64) for at in (cut.starts, cut.stops))
    return Records(recoded, starts, stops, flags, offsets)


def _recoded(data: bytes, encoding: str) -> bytes:
    """Return bytes as UTF-8; a byte that is no character stays what it is, which is not UTF-8."""
    return data.decode(encoding, "surrogateescape").encode("utf-8", "surrogateescape")


@lru_cache
def _widths(encoding: str) -> NDArray[np.uint8]:
    return np.array([len(_recoded(bytes([byte]), encoding)) for byte in range(256)], np.uint8)


@kernel
def _find_records(  # noqa: C901, PLR0912, PLR0915  # one state machine: in pieces its states could not be seen together
    data: NDArray[np.uint8],
    base: int,
    is_last: bool,
    state: NDArray[np.int64],
    settings: NDArray[np.int64],
    found: NDArray[np.int64],
) -> tuple[int, int]:
    """Run the state machine until the bytes end or `found` is full.

    `data` are the stream's bytes from offset `base`; when `is_last`, nothing follows. `state` is mode,
    position, start of the record, first newline in its last quotes or -1, is blank so far; `settings` quote,
    delimiter (-1: none), longest record and batch; `found` gets start, stop and flag of each record.
    """
    mode, i, start, newline, blank = state[0], state[1] - base, state[2], state[3], state[4]
    quote, delimiter, end, count, code = settings[0], settings[1], len(data), 0, _FULL
    while count < found.shape[1]:
        if mode == _QUOTED:  # most bytes mean nothing
            while i < end and data[i] != quote and data[i] != _NEWLINE:
                i += 1
        elif mode == _BARE and not blank:
            while i < end and data[i] != delimiter and data[i] != _NEWLINE:
                i += 1
        at_end = i >= end
        if at_end and (not is_last or start >= base + end):
            code = _DONE if is_last else _MORE
            break
        char = _NEWLINE if at_end else data[i]
        flag = OK
        if mode == _QUOTED:
            if not at_end:
                if char == quote:
                    mode = _CLOSED
                elif char == _NEWLINE and newline < 0:
                    newline = base + i
                i += 1
                continue
            flag = UNCLOSED
        elif mode == _CLOSED and char == quote:
            mode = _QUOTED
            i += 1
            continue
        elif mode == _CLOSED and newline >= 0 and char not in (delimiter, _NEWLINE, _RETURN):
            flag = BAD_QUOTE
        elif char != _NEWLINE:
            is_opening = char == quote and mode == _FIELD
            newline = -1 if is_opening else newline
            mode = _FIELD if char == delimiter else _QUOTED if is_opening else _BARE
            blank &= _is_blank(char, delimiter)
            i += 1
            continue
        stop = newline if flag != OK and newline >= 0 else base + i
        if flag == OK and (start < base or stop - start > settings[2]):
            flag = TOO_LONG
        elif count and stop - max(found[0, 0], base) > settings[3]:
            mode, i, newline, blank, code = _FIELD, start - base, -1, 1, _FULL  # it opens the next batch
            break
        if not blank:
            found[0, count], found[1, count], found[2, count] = start, stop, flag
            while flag == OK and _is_blank(data[found[1, count] - base - 1], delimiter):
                found[1, count] -= 1
            count += 1
        mode, i, start, newline, blank = _FIELD, stop + 1 - base, stop + 1, -1, 1
        if i < 0:
            code = _REWIND
            break
    state[0], state[1], state[2], state[3], state[4] = mode, base + i, start, newline, blank
    return count, code


@inline
def _is_blank(char: int, delimiter: int) -> bool:
    """Return whether a character at the end of a record is not part of it; JSON may have spaces around it."""
    return char == _RETURN or (delimiter < 0 and char in (_SPACE, _TAB))
