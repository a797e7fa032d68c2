"""The register's index of films: the index of pictures, over frames, and when each is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError
from askfirst.register import image_index
from askfirst.register.image_index import ImageIndex
from askfirst.register.image_search import Tables

__all__ = ["ARRAYS", "VideoIndex", "build"]

ARRAYS: Mapping[str, tuple[str, int]] = {**image_index.ARRAYS, "time_ms": ("<u4", 1)}
"""The arrays of an index: their type, and how many dimensions they have."""


def build(
    codes: NDArray[np.uint64], work: NDArray[np.uint32], orientation: NDArray[np.uint8], time_ms: NDArray[np.uint32]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of an index over n frames, to be stored as they are.

    Args:
        codes: u64[n, 4], in any order.
        work: u32[n], the film of each frame.
        orientation: u8[n], kept for the caller.
        time_ms: u32[n], when each frame is shown.

    Returns:
        The arrays of `ARRAYS`, ordered by work and time; 41 n bytes up to 1,024 frames, then 100 to 250 n bytes.

    Raises:
        ValueError: As `image_index.build`.
    """
    codes = np.asarray(codes, np.uint64).reshape(-1, 4)
    if not len(codes) == len(work) == len(orientation) == len(time_ms):
        raise ValueError(f"no index for {len(codes)} codes, {len(work)} works and {len(time_ms)} times")
    order = np.lexsort((orientation, time_ms, work))
    arrays = image_index.build(codes[order], work[order], orientation[order])
    return {**arrays, "time_ms": np.ascontiguousarray(time_ms[order], "<u4")}


@dataclass(frozen=True, slots=True)
class VideoIndex:
    """An index over arrays that may be mapped from a file; opening it reads nothing of them.

    Args:
        frames: Codes, works and orientations; the frames of a work stand together.
        time_ms: u32[n], ascending within a work.
    """

    frames: ImageIndex
    time_ms: NDArray[np.uint32]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> VideoIndex:
        """Return the index over the arrays of `build`.

        Raises:
            SnapshotCorruptError: A table is missing or has another type or size than the others ask for.
        """
        frames = ImageIndex.from_arrays(arrays)
        times = arrays.get("time_ms")
        if times is None or times.dtype != np.dtype("<u4") or times.shape != frames.work.shape:
            raise SnapshotCorruptError(
                "a table of the film index is not what the format asks for",
                path="time_ms",
                expected=f"<u4 of {len(frames)}",
                found="nothing" if times is None else f"{times.dtype.str} of {' x '.join(map(str, times.shape))}",
                advice="fetch or build the register again",
            )
        view = np.ascontiguousarray(times).view(np.ndarray)
        view.flags.writeable = False
        return cls(frames, view)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.time_ms)

    def rows_of(self, work: int) -> slice:
        """Return where the frames of a work stand; empty for a work without frames."""
        # As an array of the same kind: with a Python number numpy would copy the whole column first.
        key = np.array([work], np.uint32)
        first = np.searchsorted(self.frames.work, key, "left")
        end = np.searchsorted(self.frames.work, key, "right")
        return slice(int(first[0]), int(end[0]))

    def search_work(
        self, work: int, codes: NDArray[np.uint64], radius_bits: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Return what `ImageIndex.search` would, of one work's frames only, by comparing all of them.

        Cost: 2 ns for each pair of a code and a frame.
        """
        rows = self.rows_of(work)
        none = self.frames.tables
        tables = Tables(none.codes[rows], none.bitmap[:0], none.rank[:0], none.heads[:0], none.lists[:0])
        part = ImageIndex(tables, self.frames.work[rows], self.frames.orientation[rows], np.empty(0, np.int64))
        query, entry, distance = part.search(codes, radius_bits)
        return query, entry + rows.start, distance
