"""Pictures through a model and against a register: the gate first, the teacher for what passes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from askfirst.fingerprint.descriptor import VIEWS, DescriptorQuery
from askfirst.io.embedding import Embedder
from askfirst.match.descriptor import match_descriptors, passes_gate
from askfirst.match.hits import Hits
from askfirst.policy import Policy
from askfirst.register.descriptor_index import DescriptorIndex

__all__ = ["COLOUR_PX", "STORED_VIEWS", "Depth", "describe_items", "match_pictures"]


class Depth(StrEnum):
    """How closely pictures are looked at."""

    STANDARD = "standard"
    DEEP = "deep"


COLOUR_PX = {Depth.STANDARD: 288, Depth.DEEP: 480}
"""Pixels on the shorter side for which colours are decoded: views of six tenths still fill the network."""

STORED_VIEWS = {"one": (0,), "six": (0, 2, 3, 4, 5, 6)}
"""Views of a work that a register may hold: the whole, or parts too, so that small cut-outs are found."""

_VIEWS = {Depth.STANDARD: (0, 1), Depth.DEEP: tuple(range(len(VIEWS)))}


def describe_items(
    pictures: Sequence[NDArray[np.uint8]], embedder: Embedder, index: DescriptorIndex, depth: Depth
) -> list[DescriptorQuery]:
    """Return the codes under which pictures are looked up, none for those that the gate rules out.

    1. Describe every view by the gate, and look for its nearest work.
    2. Describe the views that are near enough by the teacher.

    Args:
        pictures: u8[height, width, 3] each, at least `COLOUR_PX` on the shorter side where they have it.
        embedder: The register's model.
        index: The register's descriptors.
        depth: Which views are looked at.
    """
    views = _VIEWS[depth]
    if embedder.gate is None:
        return [embedder.describe(rgb, views) for rgb in pictures]
    gated = [embedder.describe(rgb, views, use_gate=True) for rgb in pictures]
    passed = passes_gate(gated, index)
    return [
        embedder.describe(rgb, tuple(query.views[is_near].tolist())) if is_near.any() else DescriptorQuery.empty()
        for rgb, query, is_near in zip(pictures, gated, passed, strict=True)
    ]


def match_pictures(
    rows: NDArray[np.int32],
    pictures: Sequence[NDArray[np.uint8]],
    embedder: Embedder,
    index: DescriptorIndex,
    policy: Policy,
    depth: Depth = Depth.STANDARD,
) -> Hits:
    """Return which registered works pictures are, as `match_descriptors` finds them.

    Args:
        rows: i32[p], rows of the pictures in their batch.
        pictures: As for `describe_items`.
        embedder: The register's model; `check_model` says whether it is.
        index: The register's descriptors.
        policy: The thresholds.
        depth: How closely to look.
    """
    queries = describe_items(pictures, embedder, index, depth)
    return match_descriptors(rows, queries, index, embedder.level, policy)
