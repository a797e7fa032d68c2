"""Reading one file safely, whatever is in it: a whole file of a folder, or the bytes of a table's file.

No path leads out of its folder, and nothing but a regular file is opened. A compressed file that breaks off
gives what there is, and then an error. How the bytes of a table become records is said in `records`.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from askfirst.errors import InputError, TooLargeError

__all__ = [
    "COMPRESSED",
    "LIMITS",
    "Limits",
    "Stream",
    "file_error",
    "read_file",
    "read_path",
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
    batch_bytes: int = 16 << 20
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
        # One byte more than it says: the limit would be a buffer of its own size, and a file may be growing.
        data = b"" if status.st_size > limit_bytes else file.read(status.st_size + 1)
    if status.st_size > limit_bytes or len(data) > status.st_size:
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
