"""What is known of n items before they are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.fingerprint.audio import SoundQuery
from askfirst.fingerprint.descriptor import DescriptorQuery
from askfirst.fingerprint.image import ImageQuery
from askfirst.fingerprint.video import FilmQuery
from askfirst.match import Hits
from askfirst.model import Gap, Signal

__all__ = ["Batch", "Coded", "Found"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Coded(Generic[T]):
    """A few values in order, for each of n rows.

    Args:
        code: i32[n], index into `values`; -1 for nothing.
        values: The distinct tuples of values.
    """

    code: NDArray[np.int32]
    values: tuple[tuple[T, ...], ...] = ()

    @classmethod
    def none(cls, rows: int) -> Coded[T]:
        """Return nothing for every row."""
        return cls(np.full(rows, -1, np.int32))

    @classmethod
    def of(cls, rows: int, values: Mapping[int, tuple[T, ...]]) -> Coded[T]:
        """Return the values of the rows that have some, each distinct tuple once."""
        known: dict[tuple[T, ...], int] = {}
        code = np.full(rows, -1, np.int32)
        for row in sorted(values):
            if values[row]:
                code[row] = known.setdefault(values[row], len(known))
        return cls(code, tuple(known))

    def flags(self, of_value: Sequence[bool]) -> NDArray[np.bool_]:
        """Return for every row the flag of its value; False for nothing."""
        return np.array([*of_value, False], bool)[self.code]

    def with_added(self, rows: NDArray[np.bool_], value: T) -> Coded[T]:
        """Return the same with one value where a row has none yet."""
        missing = rows & (self.code < 0)
        if not missing.any():
            return self
        return Coded(np.where(missing, len(self.values), self.code).astype(np.int32), (*self.values, (value,)))

    def expanded(self) -> tuple[NDArray[np.int64], NDArray[np.int64], list[T]]:
        """Return every single value: its row, its index into the third result, and the distinct values in a row."""
        flat = [value for values in self.values for value in values]
        length = np.array([len(values) for values in self.values], np.int64)
        start = np.cumsum(length) - length
        rows = np.flatnonzero(self.code >= 0)
        count = length[self.code[rows]] if len(rows) else np.empty(0, np.int64)
        row = np.repeat(rows, count)
        within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        return row, np.repeat(start[self.code[rows]], count) + within if len(rows) else within, flat


@dataclass(frozen=True, slots=True)
class Batch:
    """n items of a dataset, read as far as they could be.

    Args:
        item_ids: string[n].
        source: Name of the source they came from; the same for all.
        medium: u8[n], index into `MEDIA`.
        signals: Signals of each row.
        gaps: Gaps of each row.
        urls: string[n] with nulls, or None where the source has no addresses.
        texts: large_string[n] with nulls, or None.
        digest_rows: i32[r], rows whose bytes were read, ascending.
        digests: u8[r, 32], SHA-256 of those bytes.
        image_rows: i32[p], rows whose picture was decoded, ascending.
        images: Their p fingerprints.
        described_rows: i32[e], rows whose picture a model has described, ascending.
        descriptors: Their e codes.
        sound_rows: i32[a], rows whose sound was decoded, ascending.
        sounds: Their a fingerprints.
        film_rows: i32[v], rows of films whose frames were decoded, ascending.
        films: Their v fingerprints.
        by_url: Whether the address is all there is of an item, so that a row without one cannot be judged.
    """

    item_ids: pa.StringArray
    source: str
    medium: NDArray[np.uint8]
    signals: Coded[Signal]
    gaps: Coded[Gap]
    urls: pa.StringArray | None = None
    texts: pa.LargeStringArray | None = None
    digest_rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    digests: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 32), np.uint8))
    image_rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    images: tuple[ImageQuery, ...] = ()
    described_rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    descriptors: tuple[DescriptorQuery, ...] = ()
    sound_rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    sounds: tuple[SoundQuery, ...] = ()
    film_rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    films: tuple[FilmQuery, ...] = ()
    by_url: bool = False

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.item_ids)


@dataclass(frozen=True, slots=True)
class Found:
    """What comparing a batch with the register brought.

    Args:
        hits: Every match.
        standing: u8[m], standing of each match's work, index into `STANDINGS`.
        gaps: The batch's gaps, and those that comparing found.
        medium: u8[n], index into `MEDIA`, with what addresses say where nothing else does.
        words: u32[n], words of each text, or None.
        host_key: u64[n], key of the address's host, or None.
    """

    hits: Hits
    standing: NDArray[np.uint8]
    gaps: Coded[Gap]
    medium: NDArray[np.uint8]
    words: NDArray[np.uint32] | None
    host_key: NDArray[np.uint64] | None
