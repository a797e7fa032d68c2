"""Reading one file safely: a whole file of a folder, or a table's file record by record, whatever is in it.

    path --Stream--> bytes --read_records--> Records, a batch at a time

A record is a line of JSON lines, or a row of a CSV, which may span lines inside quotes. One state machine
finds them, so that the plan and the reading agree on their number. A quote that is never closed, or closed
lines later in the middle of a word, costs the row that opened it: reading goes on with the next line.
"""

from __future__ import annotations

import bz2
import codecs
import errno
import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.errors import InputError, TooLargeError
from askfirst.jit import inline, kernel

__all__ = [
    "COMPRESSED",
    "LIMITS",
    "LINES",
    "OK",
    "TOO_LONG",
    "UNCLOSED",
    "Dialect",
    "Limits",
    "Records",
    "Stream",
    "file_error",
    "read_file",
    "read_path",
    "read_records",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held in memory and how large a unit of work is; the same on every machine.

    Args:
        batch_rows: Rows of a batch at the most.
        batch_bytes: Bytes of a batch's rows at the most, unless a single row is larger.
        block_bytes: Read at once.
        cell_bytes: A longer CSV cell costs its row.
        record_bytes: A longer line or CSV row is skipped without being held.
        unit_bytes: A unit of a table: seconds to a minute of work, so that little is lost with a worker.
        unit_rows: The same in rows, for tables of short rows.
        unit_files: The same for files, each of which may take long.
        unit_file_bytes: The same in bytes of files.
    """

    batch_rows: int = 65_536
    batch_bytes: int = 64 << 20
    block_bytes: int = 8 << 20
    cell_bytes: int = 16 << 20
    record_bytes: int = 64 << 20
    unit_bytes: int = 128 << 20
    unit_rows: int = 2_000_000
    unit_files: int = 256
    unit_file_bytes: int = 64 << 20


LIMITS = Limits()
COMPRESSED = (".gz", ".bz2", ".zst", ".xz")

_PIECE_BYTES = 1 << 17  # less than this is lost before a flaw in a compressed file
_ERRORS = {
    errno.ENOENT: ("missing", "does not exist", "check the path"),
    errno.ENOTDIR: ("missing", "does not exist", "check the path"),
    errno.ENAMETOOLONG: ("missing", "has a name no file can have", "check the path"),
    errno.EACCES: ("no-permission", "may not be read", "give yourself permission to read it"),
    errno.EPERM: ("no-permission", "may not be read", "give yourself permission to read it"),
    errno.ELOOP: ("outside", "is a symbolic link out of its folder", "copy the file into the folder"),
    errno.EISDIR: ("not-a-file", "is not a regular file", "name a regular file"),
    errno.ENXIO: ("not-a-file", "is not a regular file", "name a regular file"),
}


def file_error(error: OSError, name: str) -> InputError:
    """Return what the operating system says about a file as an error that advises a person."""
    unknown = ("read-error", f"cannot be read ({error.strerror or 'damaged'})", "get the file again")
    kind, what, advice = _ERRORS.get(error.errno or 0, unknown)
    return InputError(f"{name} {what}", kind=kind, advice=advice)


def read_path(path: str | os.PathLike[str], limit_bytes: int = 256 << 20) -> bytes:
    """Read a file that a person named; symbolic links are followed.

    Raises:
        InputError: It cannot be read; `kind` says why.
        TooLargeError: It is larger than the limit.
    """
    name = Path(path).name
    try:
        return _read_all(_open(path), name, limit_bytes)
    except OSError as error:
        raise file_error(error, name) from error


def read_file(path: str, root: str, limit_bytes: int) -> bytes:
    """Read a file below a folder, where the path may come from a dataset that wants to read something else.

    1. Refuse paths that are absolute or climb.
    2. Open one folder after the other, following no symbolic link.
    3. Where there is a link, resolve it; what it leads to must be inside, and is opened without links again.

    Args:
        path: Relative to `root`, as a table or the plan has it.
        root: The folder; links in its own path are followed.
        limit_bytes: Nothing larger is read.

    Raises:
        InputError: `kind` is `outside`, `missing`, `no-permission`, `not-a-file` or `read-error`.
        TooLargeError: The file is larger than the limit.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts:
        raise InputError(f"{path[:200]!r} leaves its folder", kind="outside", advice="use paths inside the folder")
    if "\0" in path or not parts:
        raise file_error(OSError(errno.ENAMETOOLONG, ""), repr(path[:200]))
    try:
        try:
            file = _open_beneath(root, parts)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            inside = os.path.relpath(os.path.realpath(Path(root, *parts)), os.path.realpath(root))
            if inside.split("/")[0] == "..":
                raise OSError(errno.ELOOP, "") from error
            file = _open_beneath(root, inside.split("/"))
        return _read_all(file, path, limit_bytes)
    except OSError as error:
        raise file_error(error, path[:200]) from error


def _open_beneath(root: str, parts: list[str]) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        return _open(parts[-1], folder)
    finally:
        os.close(folder)


def _open(path: str | os.PathLike[str], folder: int | None = None) -> int:
    """Return a descriptor of a regular file: opening a pipe may wait for ever, opening a device may act."""
    mode = os.stat(path, dir_fd=folder, follow_symlinks=folder is None).st_mode
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EISDIR, "")
    links = 0 if folder is None else os.O_NOFOLLOW
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | links, dir_fd=folder)


def _read_all(descriptor: int, name: str, limit_bytes: int) -> bytes:
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EISDIR, "")
        data = b"" if status.st_size > limit_bytes else file.read(limit_bytes + 1)
    if status.st_size > limit_bytes or len(data) > limit_bytes:
        raise TooLargeError(f"{name} is larger than {limit_bytes:,} bytes", limit=limit_bytes, advice="split it")
    return data


class Stream:
    """The bytes of a table's file: decompressed, without a byte-order mark, UTF-8 where they were UTF-16.

    Args:
        path: The file.
        name: What errors call it.

    Attributes:
        name: What errors call it.
        start: Offset of the first byte after a mark of UTF-8.
        has_mark: A byte-order mark says what the encoding is.
        is_direct: Offsets are those of the file on disk, so that a unit may begin in the middle of it.
        is_tabbed: The file's name says that its cells are separated by tabs.
    """

    def __init__(self, path: str, name: str) -> None:
        self._path, self.name = path, name
        stem, self._suffix = os.path.splitext(path.lower())  # noqa: PTH122  # pathlib sees no suffix in `.csv`
        self.is_direct = self._suffix not in COMPRESSED
        self.is_tabbed = (path.lower() if self.is_direct else stem).endswith(".tsv")
        self._decoder: codecs.IncrementalDecoder | None = None
        self._flaw: InputError | None = None
        self._ahead = b""
        self._open_file()
        try:
            head = self.read(4)
        except InputError:
            self.__exit__()
            raise
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            self._decoder, self.is_direct = codecs.getincrementaldecoder("utf-16")("surrogatepass"), False
        self.start = 3 if head.startswith(codecs.BOM_UTF8) else 0
        self.has_mark = self.start > 0 or self._decoder is not None
        self.seek(self.start)

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    def seek(self, offset: int) -> None:
        """Go to an offset; a compressed file is read again from its beginning."""
        self._ahead, self._flaw = b"", None
        if self.is_direct:
            self._file.seek(offset)
            return
        self.__exit__()
        self._open_file()
        if self._decoder is not None:
            self._decoder.reset()
        while offset > 0 and (skipped := self.read(min(offset, _PIECE_BYTES))):
            offset -= len(skipped)
            self._ahead = skipped[offset:] if offset < 0 else b""

    def read(self, size: int) -> bytes:
        """Return about `size` more bytes, none at the end.

        Raises:
            InputError: The file is truncated, corrupt or cannot be read; after all that could be read.
        """
        pieces, self._ahead = [self._ahead], b""
        missing = size - len(pieces[0])
        while missing > 0 and self._flaw is None:
            try:
                piece = self._file.read(missing if self.is_direct else min(missing, _PIECE_BYTES))
            except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
                self._flaw = _flaw_of(error, self.name)
                break
            pieces.append(piece if self._decoder is None else _as_utf8(self._decoder, piece))
            missing -= len(pieces[-1])
            if not piece:
                break
        data = b"".join(pieces)
        if self._flaw is not None and not data:
            raise self._flaw
        return data

    def _open_file(self) -> None:
        try:
            self._raw = open(_open(self._path), "rb", buffering=0)  # noqa: SIM115  # __exit__ closes it
        except OSError as error:
            raise file_error(error, self.name) from error
        self._file: Any = _OPENERS.get(self._suffix, lambda raw: raw)(self._raw)


_OPENERS: dict[str, Callable[[Any], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda raw: pa.CompressedInputStream(pa.PythonFile(raw), "zstd"),
}


def _as_utf8(decoder: codecs.IncrementalDecoder, piece: bytes) -> bytes:
    """Return UTF-16 as UTF-8; what is no character becomes bytes that are none either."""
    if not piece and decoder.getstate()[0]:  # half a character at the end
        decoder.reset()
        return b"\xff"
    return decoder.decode(piece).encode("utf-8", "surrogatepass")


def _flaw_of(error: Exception, name: str) -> InputError:
    if isinstance(error, OSError) and error.errno:
        return file_error(error, name)
    ends = isinstance(error, EOFError) or "Truncated" in str(error)
    kind, what = ("truncated", "ends in the middle") if ends else ("corrupt", "is damaged")
    return InputError(f"the compressed file {name} {what}", kind=kind, advice="get the file again")


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
