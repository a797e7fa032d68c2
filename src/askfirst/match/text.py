"""Texts compared with the works of a register: which passages are in which work, and where.

The rules of the decision are in `askfirst.match.passages`; here is the way of a column through
folding, sampling and look-up. Only texts with hits cost more than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.errors import SnapshotCorruptError, VersionUnsupportedError
from askfirst.fingerprint.text import PARAMS, SHORT, QueryGrams, Sampler, TextParams, chunk_rows
from askfirst.fingerprint.whole import WHOLE
from askfirst.match.hits import KINDS, Hits
from askfirst.match.passages import COLUMNS, Candidates, judge
from askfirst.match.whole import match_wholes
from askfirst.model import MatchKind
from askfirst.policy import Policy
from askfirst.register.text_index import Located, TextIndex
from askfirst.register.whole_index import WholeIndex

__all__ = ["TextMatches", "match_texts"]

_LARGE_REGISTER = 1_000_000
"""Works from which on `Policy.text_hits_large` holds."""

_FIRST_LOOK_SHIFT = 2
"""Texts are looked up in the short works' index at half the grams first: 96 % of stored grams are among them,
so of three hits all are missed once in 20,000 times."""

_FIRST_LOOK_NEED = 3
"""A policy that is content with fewer hits gets no first look."""

_HEAVY_ROW = 1 << 20
"""Hits of one text from which on only the first 64 of each gram count: a text of endless repetition."""

_REPEATS_MAX = 64


@dataclass(frozen=True, slots=True)
class TextMatches:
    """What was found in n texts.

    Args:
        hits: The matches, of kind `TEXT`, by row and work.
        words: u32[n], runs of characters that are not white space; 0 for a null.
        letters: u32[n], letters after folding; 0 for a null.
    """

    hits: Hits
    words: NDArray[np.uint32]
    letters: NDArray[np.uint32]


def _thin(row: NDArray[np.int64], start: NDArray[np.int64], size: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which located grams count: all, but of a text with very many hits the first 64 of each hash."""
    kept = np.ones(len(row), np.bool_)
    heavy = np.flatnonzero(np.bincount(row, size) > _HEAVY_ROW)
    for one in heavy:
        mine = np.flatnonzero(row == one)
        order = mine[np.argsort(start[mine], kind="stable")]
        ordered = start[order]
        kept[order] = np.arange(len(order)) - np.searchsorted(ordered, ordered) < _REPEATS_MAX
    return kept


def _candidates(grams: QueryGrams, index: TextIndex, work_count: int) -> Candidates:
    """Look up the grams of a run of texts."""
    located = index.locate(grams.hash)
    row = np.searchsorted(grams.offsets, located.query, "right") - 1
    kept = _thin(row, located.start, located.size)
    if not kept.all():
        row = row[kept]
        located = Located(located.query[kept], located.start[kept], located.size[kept])
    which, posting = index.postings(located)
    query, work = located.query[which], index.work[posting]
    if len(work) and int(work.max()) >= work_count:
        raise SnapshotCorruptError(
            "the text index names a work that the register does not have",
            path="work",
            expected=f"a work below {work_count}",
            found=str(work.max()),
            advice="fetch the register again",
        )
    item, at = grams.position[query].astype(np.int64), index.position[posting].astype(np.int64)
    _, number = np.unique(located.start, return_inverse=True)  # a hash has one first posting
    order = np.lexsort((item, item - at, work, row[which]))
    return Candidates(
        row[which][order],
        work[order],
        item[order],
        at[order],
        number[which][order],
        index.is_common(posting)[order],
        index.is_free(posting)[order],
    )


def _hits_needed(params: TextParams, policy: Policy, work_count: int) -> int:
    if params is SHORT:
        return policy.short_text_hits
    return policy.text_hits_large if work_count >= _LARGE_REGISTER else policy.text_hits


def _match_run(sampler: Sampler, params: TextParams, index: TextIndex, need: int, work_count: int) -> NDArray[np.int64]:
    """Return the table of matches of the texts that the sampler folded last, in one index."""
    rows = None
    if params is SHORT and need >= _FIRST_LOOK_NEED:
        grams = sampler.select(params, query_shift=_FIRST_LOOK_SHIFT)
        located = index.locate(grams.hash)
        rows = np.zeros(len(grams.offsets) - 1, np.bool_)
        rows[np.searchsorted(grams.offsets, located.query, "right") - 1] = True
        if not rows.any():
            return np.empty((0, len(COLUMNS)), np.int64)
    grams = sampler.select(params, rows=rows)
    hits = _candidates(grams, index, work_count)
    shape = (params.k, params.window, need)
    return judge(hits, grams, shape, np.diff(sampler.folded.offsets))


def _column(texts: pa.LargeStringArray | pa.StringArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes and offsets of a column; a null is an empty text."""
    if texts.null_count:
        texts = texts.fill_null("")
    if not len(texts):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, width)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return letters, ends.astype(np.int64, copy=False)


def _where(name: str, table: NDArray[np.int64]) -> list[str]:
    """Return `where` of each match, compact JSON."""
    return [
        f'{{"item":[{a},{b}],"work":[{c},{d}],"letters":{letters},"hits":{hits},"params":"{name}"}}'
        for _, _, a, b, c, d, letters, hits, _, _ in table.tolist()
    ]


def _as_hits(tables: dict[str, NDArray[np.int64]], letters: NDArray[np.uint32]) -> Hits:
    """Return the matches of all indexes as hits: of one text and work the one that covers most."""
    parts = []
    for name, table in tables.items():
        expected = table[:, 8] + 2 * table[:, 9] / (PARAMS[name].window + 1 if name in PARAMS else 1)
        parts.append((table, np.minimum(table[:, 7] / expected, 1.0), _where(name, table)))
    table = np.concatenate([p[0] for p in parts])
    order = np.lexsort((-table[:, 6], table[:, 1], table[:, 0]))
    pairs = table[order, :2]
    order = order[np.append(True, (pairs[1:] != pairs[:-1]).any(axis=1))]
    table = table[order]
    return Hits(
        table[:, 0].astype(np.int32),
        table[:, 1].astype(np.uint32),
        np.full(len(table), KINDS.index(MatchKind.TEXT), np.uint8),
        np.concatenate([p[1] for p in parts])[order].astype(np.float32),
        (table[:, 6] / letters[table[:, 0]]).astype(np.float32),
        pa.array([where for p in parts for where in p[2]], pa.string()).take(pa.array(order)),
    )


def match_texts(
    texts: pa.LargeStringArray | pa.StringArray,
    indexes: Mapping[str, TextIndex],
    policy: Policy,
    work_count: int,
    wholes: WholeIndex | None = None,
) -> TextMatches:
    """Find the registered works in a column of texts.

    1. Take the texts in runs that fit a core's cache; fold them.
    2. In each index look up their grams, and decide for every text and work with hits; find very short works whole.
    3. Of what the indexes found of one text and work, keep what covers more.

    Args:
        texts: n texts; a null is an empty text.
        indexes: The register's text indexes by the name of their density, as in `PARAMS`.
        policy: How many hits make a match.
        work_count: Number of works of the register.
        wholes: The register's works of very few letters.

    Returns:
        The matches, and the size of each text.

    Raises:
        SnapshotCorruptError: An index names a work that is not there.
        TooLargeError: A text is longer than `fold.TEXT_BYTES_MAX`.
        VersionUnsupportedError: An index of a density this program does not know.
    """
    unknown = sorted(set(indexes) - set(PARAMS))
    if unknown:
        raise VersionUnsupportedError(
            f"a text index of an unknown density, {unknown[0]}",
            expected=", ".join(PARAMS),
            found=unknown[0],
            advice="update askfirst",
        )
    data, offsets = _column(texts)
    words, letters = np.zeros(len(texts), np.uint32), np.zeros(len(texts), np.uint32)
    found: dict[str, list[NDArray[np.int64]]] = {name: [] for name in PARAMS if name in indexes and len(indexes[name])}
    if wholes is not None and len(wholes):
        found[WHOLE] = []
    sampler = Sampler()
    for first, end in chunk_rows(offsets):  # 1
        folded = sampler.fold(data, offsets[first : end + 1])
        words[first:end], letters[first:end] = folded.words, np.diff(folded.offsets)
        for name, parts in found.items():  # 2
            if name == WHOLE and wholes is not None:
                table = match_wholes(folded, wholes, work_count)
            else:
                need = _hits_needed(PARAMS[name], policy, work_count)
                table = _match_run(sampler, PARAMS[name], indexes[name], need, work_count)
            table[:, 0] += first
            parts.append(table)
    tables = {name: np.concatenate(parts) for name, parts in found.items() if parts}
    if not any(len(table) for table in tables.values()):
        return TextMatches(Hits.empty(), words, letters)
    return TextMatches(_as_hits(tables, letters), words, letters)  # 3
