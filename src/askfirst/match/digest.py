"""Exact copies."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.match.hits import KINDS, Hits
from askfirst.model import MatchKind
from askfirst.register.digest_index import DigestIndex

__all__ = ["match_digests"]


def match_digests(rows: NDArray[np.int32], digests: NDArray[np.uint8], index: DigestIndex) -> Hits:
    """Return the works that items are exact copies of.

    Args:
        rows: i32[q], row of the item in its batch.
        digests: u8[q, 32], SHA-256 of the item's bytes.
        index: The register's digests.
    """
    query, work = index.find(digests)
    if not len(query):
        return Hits.empty()
    found = len(query)
    return Hits(
        row=rows[query],
        work=work,
        kind=np.full(found, KINDS.index(MatchKind.DIGEST), np.uint8),
        score=np.ones(found, np.float32),
        cover=np.ones(found, np.float32),
        where=pa.nulls(found, pa.string()),
    )
