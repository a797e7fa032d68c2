"""Pictures of a batch that a network takes for pictures of registered works."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.errors import InputError
from askfirst.fingerprint.descriptor import CODE_BITS, LEVEL_RANKS, VIEWS, DescriptorQuery
from askfirst.match.hits import KINDS, Hits
from askfirst.model import MatchKind
from askfirst.policy import Policy
from askfirst.register.descriptor_index import DescriptorIndex

__all__ = ["check_model", "gate_bits", "match_bits", "match_descriptors", "passes_gate"]

_KIND = KINDS.index(MatchKind.IMAGE)

_TRIALS = 10_000_000
"""Comparisons of one picture up to which the policy's distance holds."""

_STEP = (12_217, 10_000)
"""So many times more comparisons cost one bit: 11.5 bits for ten times as many. Source: the tail of 1.08 million
pairs of unrelated pictures, one false match in 1,000 pictures at 140 bits among 10 million works."""

_GATE_BITS = 208
_GATE_TRIALS = 1_000
_GATE_STEP = (15_849, 10_000)
"""A gate lets about one picture in twenty pass that is no copy: 208 bits among a thousand codes, and one bit less
for so many times more: 5 bits for ten times as many. Source: the same pairs, and half of 512 +- 11.3 bits."""


_BONUS_BITS = 8
"""What a picture that is far from everything may gain at most, lest a kind of picture that the background has none
of match too easily; one that is near to everything loses as much as it is nearer."""


def check_model(model_id: str, register_model_id: str) -> None:
    """Refuse to compare codes of two models: their bits have nothing to do with each other.

    Raises:
        InputError: kind `other-model`.
    """
    if model_id != register_model_id:
        raise InputError(
            f"the register's pictures were described by the model {register_model_id[:12]}, this is {model_id[:12]}",
            kind="other-model",
            advice="use the register's model, or build the register with this one",
        )


def match_bits(distance_bits: int, comparisons: int) -> int:
    """Return the largest distance that is a match, which falls as a picture is compared with more codes.

    Args:
        distance_bits: The policy's.
        comparisons: Codes of the register times views of the picture.
    """
    return distance_bits - _bits_lost(comparisons, _TRIALS, _STEP)


def gate_bits(comparisons: int) -> int:
    """Return the largest distance of a gate's code at which the teacher is asked."""
    return _GATE_BITS - _bits_lost(comparisons, _GATE_TRIALS, _GATE_STEP)


def _bits_lost(comparisons: int, free: int, step: tuple[int, int]) -> int:
    lost = 0
    while free < comparisons:
        free = free * step[0] // step[1]
        lost += 1
    return lost


def passes_gate(queries: Sequence[DescriptorQuery], index: DescriptorIndex) -> list[NDArray[np.bool_]]:
    """Return for each picture which of its views are near enough to some work to ask the teacher: bool[v].

    Args:
        queries: Described by the gate.
        index: The register's descriptors, described by the teacher.
    """
    counts = [len(query.codes) for query in queries]
    if not sum(counts) or not len(index):
        return [np.zeros(count, np.bool_) for count in counts]
    _, distances = index.top(np.concatenate([query.codes for query in queries]), 1)
    limits = np.repeat([gate_bits(count * len(index)) for count in counts], counts)
    return np.split(distances[:, 0] <= limits, np.cumsum(counts)[:-1])


def match_descriptors(
    rows: NDArray[np.int32],
    queries: Sequence[DescriptorQuery],
    index: DescriptorIndex,
    level: int,
    policy: Policy,
    *,
    with_review: bool = False,
) -> Hits:
    """Return which registered works the pictures of a batch are, one hit for each row and work.

    1. Look all codes up at once.
    2. Correct each distance by how near its picture is to everything; keep what is within the limit.
    3. Of a row and a work keep the smallest; of equal ones the first view.

    Args:
        rows: i32[p], rows of the pictures in their batch.
        queries: The p pictures, described by the register's model.
        index: The register's descriptors.
        level: Level of an ordinary picture, as the model has it.
        policy: `descriptor_distance_bits` is the largest distance that is a match.
        with_review: Return pictures up to `descriptor_review_bits` too, for people to look at.

    Returns:
        Hits ordered by row and work. The score is 1 - distance / 256, after the correction; it orders hits and is
        not a probability. `where` is JSON: `by`, the distance, the view of the item and of the work, the band.

    Cost: see `DescriptorIndex.search`.
    """
    counts = [len(query.codes) for query in queries]
    if not sum(counts) or not len(index):
        return Hits.empty()
    limits = np.array([match_bits(policy.descriptor_distance_bits, count * len(index)) for count in counts])
    wider = max(0, policy.descriptor_review_bits - policy.descriptor_distance_bits) if with_review else 0
    query, entry, distance = index.search(
        np.concatenate([one.codes for one in queries]), max(0, int(limits.max()) + wider + _BONUS_BITS)
    )
    levels = np.concatenate([one.levels for one in queries])
    correction = np.maximum((level - levels) // len(LEVEL_RANKS), -_BONUS_BITS)
    corrected = np.maximum(distance + correction[query], 0)
    row = np.repeat(rows.astype(np.int32), counts)[query]
    limit = np.repeat(limits, counts)[query]
    near = np.flatnonzero(corrected <= limit + wider)
    work = index.work[entry].astype(np.uint32)
    order = near[np.lexsort((entry[near], query[near], corrected[near], work[near], row[near]))]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (np.diff(row[order]) != 0) | (np.diff(work[order].astype(np.int64)) != 0)
    best = order[is_first]
    views = np.concatenate([one.views for one in queries])[query[best]]
    where = [
        _where(int(bits), int(view), int(index.view[at]), is_match=bool(is_match))
        for bits, view, at, is_match in zip(
            distance[best], views, entry[best], corrected[best] <= limit[best], strict=True
        )
    ]
    return Hits(
        row=row[best],
        work=work[best],
        kind=np.full(len(best), _KIND, np.uint8),
        score=np.maximum(1 - corrected[best].astype(np.float32) / (CODE_BITS // 2), 0),
        cover=np.ones(len(best), np.float32),
        where=pa.array(where, pa.string()),
    )


def _where(distance_bits: int, view: int, work_view: int, *, is_match: bool) -> str:
    said = {"by": "descriptor", "distance_bits": distance_bits, "view": VIEWS[view]}
    if work_view:
        said["work_view"] = VIEWS[min(work_view, len(VIEWS) - 1)]
    return json.dumps({**said, "band": "match" if is_match else "review"})
