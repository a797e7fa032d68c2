"""Addresses of a dataset compared with those of a register, a column at a time, in blocks that fit the caches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.fingerprint.url_scan import UrlScan, scan_urls
from askfirst.match.hits import Hits
from askfirst.model import MEDIA, Medium
from askfirst.register.url_index import UrlIndex

__all__ = ["UrlMatches", "match_urls"]

_BLOCK_ROWS = 65_536
_BLOCK_BYTES = 1 << 24  # of addresses; blocks of very long ones have fewer rows


@dataclass(frozen=True, slots=True)
class UrlMatches:
    """What the addresses of n rows say.

    Args:
        hits: Every entry of the register that covers a row's address.
        valid: bool[n], whether the row is an address at all.
        medium: u8[n], index into `model.MEDIA`, guessed from the path's extension.
        host_key: u64[n], key of the host; 0 where not valid.
    """

    hits: Hits
    valid: NDArray[np.bool_]
    medium: NDArray[np.uint8]
    host_key: NDArray[np.uint64]


def match_urls(urls: pa.StringArray | pa.LargeStringArray, index: UrlIndex) -> UrlMatches:
    """Return the entries of a register that cover the addresses of a column.

    Args:
        urls: n addresses. Nulls, and what is no address, have no hits and are not valid.
        index: The addresses of the register.

    Returns:
        Hits of the exact address, of every folder above it, of its host and of each of the host's parent
        domains, ordered by row, work and kind. `where` is the registered address.

    Raises:
        TypeError: if the column holds anything but strings.

    Cost: about 0.3 microseconds a row; memory a few times the bytes of 65,536 rows.
    """
    rows = len(urls)
    valid, host_key = np.zeros(rows, np.bool_), np.zeros(rows, np.uint64)
    medium = np.full(rows, MEDIA.index(Medium.OTHER), np.uint8)
    parts = []
    block_rows = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES * rows // max(1, urls.nbytes)))
    for begin in range(0, rows, block_rows):
        scan = scan_urls(urls.slice(begin, block_rows))
        block = slice(begin, begin + len(scan.valid))
        valid[block], host_key[block], medium[block] = scan.valid, scan.host_key, scan.medium
        parts.append(_hits(scan, index, begin))
    return UrlMatches(Hits.concat(parts), valid, medium, host_key)


def _hits(scan: UrlScan, index: UrlIndex, begin: int) -> Hits:
    """Return the hits of a block whose first row is `begin`."""
    row, entry = index.find(scan.data, scan.start, scan.length, scan.host_length, scan.host_key)
    position, work = index.works(entry)
    ones = np.ones(len(position), np.float32)
    return Hits(
        row=(row[position] + begin).astype(np.int32),
        work=work,
        kind=index.kind[entry[position]],
        score=ones,
        cover=ones,
        where=index.texts(entry).take(pa.array(position)).cast(pa.string()),
    )
