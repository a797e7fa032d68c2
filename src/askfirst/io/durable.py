"""Files that are on the disk, not only on their way there, when the call returns."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["replace_file", "sync_folder", "write_durably"]


def write_durably(new: Path, place: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file beside its place, flush it, then move it there: whoever looks sees all of it, or what was before.

    The move itself is durable after `sync_folder(place.parent)`.

    Args:
        new: Where it is written first, on the same disk.
        place: Where it ends up.
        data: All of it.
        mode: Who may read it.
    """
    handle = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    new.replace(place)


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace a small file as a whole, durably."""
    write_durably(path.with_name(f".{path.name}.new"), path, data, mode)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
