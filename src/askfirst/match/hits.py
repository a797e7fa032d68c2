"""Hits: the matches of a whole batch of items, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.model import MatchKind

__all__ = ["KINDS", "Hits"]

KINDS: tuple[MatchKind, ...] = tuple(MatchKind)
"""Kinds of match in the order of their codes: `KINDS[code]`."""


@dataclass(frozen=True, slots=True)
class Hits:
    """m matches of a batch; one row may have several, and none is left out.

    Args:
        row: i32[m], row of the item in its batch, ascending.
        work: u32[m], index of the work in the register.
        kind: u8[m], index into `KINDS`.
        score: f32[m], 0 to 1; 1 for exact kinds.
        cover: f32[m], share of the item accounted for, 0 to 1.
        where: string[m], as in `model.Match.where`.
    """

    row: NDArray[np.int32]
    work: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    score: NDArray[np.float32]
    cover: NDArray[np.float32]
    where: pa.StringArray

    def __len__(self) -> int:
        """Return the number of matches."""
        return len(self.row)

    @classmethod
    def empty(cls) -> Hits:
        """Return no matches."""
        return cls(
            np.empty(0, np.int32),
            np.empty(0, np.uint32),
            np.empty(0, np.uint8),
            np.empty(0, np.float32),
            np.empty(0, np.float32),
            pa.array([], pa.string()),
        )

    @classmethod
    def concat(cls, parts: list[Hits]) -> Hits:
        """Return the hits of all parts, ordered by row, work and kind, whatever the order of parts."""
        parts = [p for p in parts if len(p)]
        if not parts:
            return cls.empty()
        row = np.concatenate([p.row for p in parts])
        work = np.concatenate([p.work for p in parts])
        kind = np.concatenate([p.kind for p in parts])
        order = np.lexsort((kind, work, row))
        where = pa.concat_arrays([p.where for p in parts])
        return cls(
            row[order],
            work[order],
            kind[order],
            np.concatenate([p.score for p in parts])[order],
            np.concatenate([p.cover for p in parts])[order],
            where.take(pa.array(order)),
        )
