"""Checkpoints: how many entries a log has and the root over them, as the body of a signed note.

Source: c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from askfirst.errors import FormatError
from askfirst.tlog.keys import decode_base64, encode_base64
from askfirst.tlog.tree import HASH_BYTES, SIZE_LIMIT

__all__ = ["Checkpoint", "parse_decimal"]

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log.

    Args:
        origin: Name of the log: its address without `https://`, which is also the name of its key.
        size: Number of entries.
        root: Root of the tree over them, 32 bytes.
        extensions: Further lines, which mean nothing here. Our logs write none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def body(self) -> str:
        """Return the text that is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, body: str) -> Self:
        """Read the text of a note as a checkpoint.

        Raises:
            FormatError: It is not one.
        """
        lines = body.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise _malformed("three lines or more, none empty")
        origin, size, root, *extensions = lines
        checkpoint = cls(origin, parse_decimal(size), decode_base64(root), tuple(extensions))
        if len(checkpoint.root) != HASH_BYTES:
            raise _malformed("a root of 32 bytes")
        return checkpoint


def parse_decimal(text: str) -> int:
    """Read a number as logs write it: digits without a sign or leading zeros, below 2^63.

    Raises:
        FormatError: It is not one.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > SIZE_LIMIT:
        raise FormatError("a number of a log is malformed", expected="a decimal number", found=text[:40])
    return int(text)


def _malformed(expected: str) -> FormatError:
    return FormatError(f"a checkpoint is malformed (expected {expected})", expected=expected)
