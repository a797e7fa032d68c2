"""ZIP archives from strangers: members are read from memory, one at a time, within limits.

Nothing is ever written to a disk, so a name like `../../x` has no power here; still no reference that leaves
the archive is followed.
"""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from urllib.parse import unquote

from askfirst.errors import MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.io.flow import DocumentLimits

__all__ = ["Archive", "resolve"]

_CHUNK_SIZE_BYTES = 64 * 1024
_RATIO_FREE_BYTES = 2**20
"""Members up to this size may have any compression ratio: small files of spaces are common and harmless."""

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,  # a newer ZIP version, or a patched member
    OSError,  # offsets before the beginning of the file
    OverflowError,
    RuntimeError,
    ValueError,  # negative seeks, bad names, impossible dates
)
"""What the standard library's reader raises on damaged archives. Found by mutation: `test_documents.py`."""


class Archive:
    """The members of a ZIP archive, by name.

    Args:
        data: The whole archive.
        limits: `members`, `member_size_bytes`, `unpacked_size_bytes` and `ratio` apply.

    Raises:
        MalformedMediaError: kind `corrupt`: no archive, or its directory is damaged.
        TooLargeError: It has too many members.
    """

    def __init__(self, data: bytes, limits: DocumentLimits) -> None:
        self._limits = limits
        self._unpacked_size = 0
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise _damaged("the ZIP archive cannot be read") from error
        members = self._zip.infolist()
        if len(members) > limits.members:
            raise TooLargeError(
                f"the archive has {len(members):,} members", limit=limits.members, kind="too-many-members"
            )
        self._members = {member.filename: member for member in members}
        self._folded = {name.casefold(): name for name in self._members}

    def find(self, name: str) -> str | None:
        """Return the stored name of a member, whatever its case; None if there is none."""
        return name if name in self._members else self._folded.get(name.casefold())

    def read(self, name: str) -> bytes:
        """Unpack one member.

        1. Refuse what is encrypted or packed in an unusual way before a byte is unpacked.
        2. Unpack in chunks; stop at the size of a member, of all members, or at an impossible ratio, whatever
           sizes the archive claims.

        Raises:
            MalformedMediaError: kind `corrupt`: it is missing or damaged.
            TooLargeError: kind `too-large` or `zip-bomb`.
            UnsupportedMediumError: kind `encrypted` or `compression`.
        """
        stored = self.find(name)
        if stored is None:
            raise _damaged(f"the archive lacks {name[:100]}")
        member = self._members[stored]
        self._check_method(member)  # 1
        chunks: list[bytes] = []
        size = 0
        try:
            with self._zip.open(member) as stream:
                while chunk := stream.read(_CHUNK_SIZE_BYTES):  # 2
                    size += len(chunk)
                    self._check_size(size, len(chunk), member.compress_size)
                    chunks.append(chunk)
        except _BROKEN as error:
            raise _damaged(f"{name[:100]} in the archive is damaged") from error
        return b"".join(chunks)

    def _check_method(self, member: zipfile.ZipInfo) -> None:
        if member.flag_bits & 0x41:
            raise UnsupportedMediumError(
                "the archive is encrypted", kind="encrypted", advice="save it without a password"
            )
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UnsupportedMediumError(
                "the archive is packed in a way that books and documents never are",
                kind="compression",
                advice="save it again with the program that made it",
            )

    def _check_size(self, size: int, added: int, packed_size: int) -> None:
        limits = self._limits
        self._unpacked_size += added
        for value, limit in (
            (size, limits.member_size_bytes),
            (self._unpacked_size, limits.unpacked_size_bytes),
        ):
            if value > limit:
                raise TooLargeError(f"the archive unpacks to more than {limit:,} bytes", limit=limit)
        if size > _RATIO_FREE_BYTES and size > limits.ratio * max(1, packed_size):
            raise TooLargeError(
                f"a member of the archive grows more than {limits.ratio} times when unpacked",
                limit=limits.ratio,
                kind="zip-bomb",
            )


def resolve(folder: str, reference: str) -> str:
    """Return the member a reference in a package file names.

    Args:
        folder: The folder of the file that holds the reference, without a slash at its end; "" is the root.
        reference: A relative URL; escapes are undone, a fragment is dropped.

    Returns:
        A name without `..`, not beginning with a slash.

    Raises:
        MalformedMediaError: kind `unsafe-path`: the reference leaves the archive.
    """
    path = unquote(reference.partition("#")[0]).replace("\\", "/")
    joined = posixpath.normpath(posixpath.join(folder, path))
    if path.startswith("/") or joined.startswith("../") or joined == ".." or "\0" in joined:
        raise MalformedMediaError(
            "the document refers to a file outside itself", kind="unsafe-path", advice="make it anew"
        )
    return joined


def _damaged(message: str) -> MalformedMediaError:
    return MalformedMediaError(message, kind="corrupt", advice="fetch or export the file again")
