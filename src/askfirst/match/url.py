"""Addresses of a dataset compared with those of a register, a column at a time, in blocks that fit the caches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from askfirst.fingerprint.url_scan import UrlScan, scan_urls
from askfirst.jit import kernel
from askfirst.match.hits import Hits
from askfirst.model import MEDIA, Medium
from askfirst.register.url_index import UrlIndex
from askfirst.register.url_search import copy_spans

__all__ = ["UrlMatches", "count_hosts", "group_hosts", "match_urls"]

_BLOCK_ROWS = 65_536
_BLOCK_BYTES = 1 << 24  # of addresses; blocks of very long ones have fewer rows
_FIRST_SLOTS = 1 << 12


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


def group_hosts(
    urls: pa.StringArray | pa.LargeStringArray,
    host_key: NDArray[np.uint64],
    valid: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int32], list[str]]:
    """Return the distinct hosts of a column, and which of them each row has.

    Args:
        urls: n addresses.
        host_key: u64[n], from `match_urls` or `scan_urls` of these addresses.
        valid: bool[n], from the same; without it rows with the key 0 count as not valid.

    Returns:
        i32[n], index of the row's host or -1 where not valid; and the hosts in normal form, the most
        frequent first, those equally frequent by name. Hosts with one key count as one: good for statistics.

    Cost: about 0.03 microseconds a row and 1 a distinct host.
    """
    is_counted = host_key != 0 if valid is None else valid
    code, slots, count = np.empty(len(host_key), np.int32), _FIRST_SLOTS, -1
    while count < 0:
        first = np.empty(slots, np.int64)
        table = (np.zeros(slots, np.uint64), np.full(slots, -1, np.int32))
        count = _group(host_key, is_counted, table, code, first)
        slots *= 4
    hosts = _hosts(scan_urls(urls.take(pa.array(first[:count]))))
    frequency = np.bincount(code[is_counted], minlength=count)
    order = pc.sort_indices(
        pa.table({"frequency": frequency, "host": hosts}),
        sort_keys=[("frequency", "descending"), ("host", "ascending")],
    )
    rank = np.full(count + 1, -1, np.int32)  # the last is for rows that are not valid: their code is -1
    rank[order.to_numpy()] = np.arange(count, dtype=np.int32)
    return rank[code], hosts.take(order).to_pylist()


def count_hosts(
    urls: pa.StringArray | pa.LargeStringArray, host_key: NDArray[np.uint64], valid: NDArray[np.bool_]
) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct hosts of a column and i64[] how many rows each has; order as in `group_hosts`."""
    code, hosts = group_hosts(urls, host_key, valid)
    return hosts, np.bincount(code[valid], minlength=len(hosts)).astype(np.int64)


def _hosts(scan: UrlScan) -> pa.LargeStringArray:
    offsets = np.zeros(len(scan.start) + 1, np.int64)
    np.cumsum(scan.host_length, out=offsets[1:])
    data = np.empty(int(offsets[-1]), np.uint8)
    copy_spans(scan.data, scan.start, offsets, data)
    return pa.LargeStringArray.from_buffers(len(scan.start), pa.py_buffer(offsets), pa.py_buffer(data))


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


@kernel
def _group(
    key: NDArray[np.uint64],
    is_counted: NDArray[np.bool_],
    table: tuple[NDArray[np.uint64], NDArray[np.int32]],
    code: NDArray[np.int32],
    first: NDArray[np.int64],
) -> int:
    """Number the distinct keys by first appearance: `code` of each row, `first` row of each number.

    Returns:
        How many there are; -1 as soon as the table is half full.
    """
    slot_key, slot_code = table
    mask = np.uint64(len(slot_key) - 1)
    one = np.uint64(1)
    count = 0
    for row in range(len(key)):
        code[row] = -1
        if not is_counted[row]:
            continue
        slot = key[row] & mask
        while slot_code[slot] >= 0 and slot_key[slot] != key[row]:
            slot = (slot + one) & mask
        if slot_code[slot] < 0:
            if 2 * count >= len(slot_key):
                return -1
            slot_key[slot] = key[row]
            slot_code[slot] = count
            first[count] = row
            count += 1
        code[row] = slot_code[slot]
    return count
