"""Exact copies: SHA-256 digests of works, sorted, over memory-mapped arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError

__all__ = ["DigestIndex", "build"]


def build(digests: NDArray[np.uint8], work: NDArray[np.uint32]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of the index.

    Args:
        digests: u8[n, 32], SHA-256 of works; the same digest may stand for several works.
        work: u32[n], index of the work.

    Returns:
        File stem to array: `head` u64[n], the first 8 bytes as a big-endian number, ascending;
        `digest` u8[n, 32]; `work` u32[n].
    """
    head = np.ascontiguousarray(digests[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
    order = np.lexsort((work, head))
    return {"head": head[order], "digest": digests[order], "work": work[order]}


@dataclass(frozen=True, slots=True)
class DigestIndex:
    """Look-up of digests. Memory-mapped arrays are not copied."""

    head: NDArray[np.uint64]
    digest: NDArray[np.uint8]
    work: NDArray[np.uint32]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> DigestIndex:
        """Open the index over its arrays.

        Raises:
            SnapshotCorruptError: An array is missing or has another shape or type.
        """
        try:
            head, digest, work = arrays["head"], arrays["digest"], arrays["work"]
        except KeyError as error:
            raise SnapshotCorruptError(f"the digest index lacks {error}", expected="head, digest, work") from error
        shapes = (head.shape, head.dtype, digest.shape, digest.dtype, work.shape, work.dtype)
        count = head.shape[0] if head.ndim == 1 else -1
        expected = ((count,), np.dtype("u8"), (count, 32), np.dtype("u1"), (count,), np.dtype("u4"))
        if shapes != expected:
            raise SnapshotCorruptError(
                "the digest index has arrays of another shape", expected=str(expected), found=str(shapes)
            )
        return cls(head, digest, work)  # type: ignore[arg-type]  # dtypes were compared above

    def find(self, digests: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Return every work with one of these digests.

        Args:
            digests: u8[q, 32].

        Returns:
            query i64[m], row of `digests`, ascending; work u32[m].
        """
        wanted = np.ascontiguousarray(digests[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
        first = np.searchsorted(self.head, wanted, "left")
        count = np.searchsorted(self.head, wanted, "right") - first
        query = np.repeat(np.arange(len(wanted)), count)
        entry = np.arange(len(query)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        same = (self.digest[entry] == digests[query]).all(axis=1)
        return query[same].astype(np.int64), self.work[entry[same]]
