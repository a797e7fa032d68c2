"""The index of works of very few letters, which are found whole. Arrays in, arrays out.

Five arrays, each a file of the register, for n works (`fingerprint.whole`):

    head     u64 [n]     hash of the first 24 letters, ascending
    whole    u64 [n]     hash of all letters
    letters  u8  [n]     how many they are
    work     u32 [n]     index of the work
    marks    u64 [2**b]  a filter, 16 bits or more a work: a head's b highest bits name its word,
                         its five lowest times six bits name five bits of that word, which are set

Works are sorted by head, whole and work. Of works with the same letters the first 64 are kept, as in `text_index`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError

__all__ = ["STEMS", "WholeIndex", "build"]

STEMS = ("head", "whole", "letters", "work", "marks")
"""Names of the arrays, the stems of their files."""

_SAME_MAX = 64
_WORD_BITS_MIN = 9
_WORD_BITS_MAX = 28
_WORKS_A_WORD = 4
_PROBES = 5
_TYPES = {"head": "uint64", "whole": "uint64", "letters": "uint8", "work": "uint32", "marks": "uint64"}


def build(
    head: NDArray[np.uint64], whole: NDArray[np.uint64], letters: NDArray[np.uint8], work: NDArray[np.uint32]
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an index.

    Args:
        head: u64[n], of `whole_of` every work that has one.
        whole: u64[n].
        letters: u8[n].
        work: u32[n], index of the work of each.

    Returns:
        The arrays by stem, the same for any order of the input.
    """
    order = np.lexsort((work, whole, head))
    head, whole, letters, work = head[order], whole[order], letters[order], work[order]
    is_first = np.append(True, (head[1:] != head[:-1]) | (whole[1:] != whole[:-1]))[: len(head)]
    place = np.arange(len(head))
    kept = place - np.maximum.accumulate(np.where(is_first, place, 0)) < _SAME_MAX
    head, whole, letters, work = head[kept], whole[kept], letters[kept], work[kept]
    bits = min(max(_WORD_BITS_MIN, (len(head) // _WORKS_A_WORD).bit_length()), _WORD_BITS_MAX)
    marks, words = np.zeros(1 << bits, np.uint64), (head >> np.uint64(64 - bits)).astype(np.int64)
    for probe in range(_PROBES):
        named = head >> np.uint64(6 * probe) & np.uint64(63)
        np.bitwise_or.at(marks, words, np.uint64(1) << named)
    return {
        "head": head,
        "whole": whole,
        "letters": np.ascontiguousarray(letters, np.uint8),
        "work": np.ascontiguousarray(work, np.uint32),
        "marks": marks,
    }


def _expect(stem: str, expected: str, found: object, holds: bool) -> None:
    if not holds:
        raise SnapshotCorruptError(
            f"the array {stem} of very short works is not what it should be",
            path=stem,
            expected=expected,
            found=str(found),
            advice="fetch the register again",
        )


@dataclass(frozen=True, slots=True)
class WholeIndex:
    """An index opened for look-ups; the fields are the arrays of the module's description."""

    head: NDArray[np.uint64]
    whole: NDArray[np.uint64]
    letters: NDArray[np.uint8]
    work: NDArray[np.uint32]
    marks: NDArray[np.uint64]

    def __len__(self) -> int:
        """Return the number of works."""
        return len(self.work)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> WholeIndex:
        """Return the index of these arrays: read-only memory maps will do, nothing is copied.

        Raises:
            SnapshotCorruptError: An array is missing or has a type or a length that does not fit.
        """
        views: dict[str, NDArray[np.generic]] = {}
        for stem in STEMS:
            _expect(stem, "an array", "nothing", stem in arrays)
            view = arrays[stem].view(np.ndarray)
            sound = view.dtype.name == _TYPES[stem] and view.dtype.isnative and view.ndim == 1
            _expect(stem, f"{_TYPES[stem]}[n]", f"{view.dtype}{list(view.shape)}", sound)
            _expect(stem, "contiguous", "strided", view.flags.c_contiguous and view.flags.aligned)
            view.flags.writeable = False  # one compiled form for all kinds of memory
            views[stem] = view
        for stem in ("head", "whole", "letters"):
            length = len(views["work"])
            _expect(stem, f"{length} entries", len(views[stem]), len(views[stem]) == length)
        words = len(views["marks"])
        sound = 1 << _WORD_BITS_MIN <= words <= 1 << _WORD_BITS_MAX and words & (words - 1) == 0
        _expect("marks", "2**9 to 2**28 entries", words, sound)
        return cls(**views)  # type: ignore[arg-type]  # the types were checked one by one above

    def find(self, heads: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the works that begin with each head.

        Args:
            heads: u64[q], in any order.

        Returns:
            Index of the head i64[m], ascending, and entry of the index i64[m].
        """
        start, end = np.searchsorted(self.head, heads, "left"), np.searchsorted(self.head, heads, "right")
        counts = np.maximum(end - start, 0)  # damaged arrays need not be sorted
        which = np.repeat(np.arange(len(heads)), counts)
        within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return which, start[which] + within
