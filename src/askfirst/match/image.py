"""Images of a batch that are, or look like, images of registered works."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.fingerprint.image import TRIMMED, ImageQuery, undo_transform
from askfirst.match.hits import KINDS, Hits
from askfirst.model import MatchKind
from askfirst.policy import Policy
from askfirst.register.image_index import ImageIndex

__all__ = ["match_images"]

_KIND = KINDS.index(MatchKind.IMAGE)
_SCALE_BITS = 128
"""Distance in bits of two images that have nothing to do with each other: half of the code."""


def match_images(
    rows: NDArray[np.int32], fingerprints: Sequence[ImageQuery], index: ImageIndex, policy: Policy
) -> Hits:
    """Return which registered works the images of a batch are, one hit for each row and work.

    1. Look all codes of all images up at once.
    2. Of a row and a work keep the smallest distance; of equal ones the first way of turning.

    Args:
        rows: i32[p], rows of the images in their batch.
        fingerprints: The p images.
        index: The register's images.
        policy: `image_distance_bits` is the largest distance that counts.

    Returns:
        Hits ordered by row and work. The score is 1 - distance / 128: 1 for the same code, 0.76 at 31 bits;
        it orders hits and is not a probability. `where` is JSON: how the item is turned against the work,
        the distance, and whether a border of either was cut off to find it.

    Cost: see `ImageIndex.search`; eight codes an image, sixteen with borders.
    """
    counts = [len(fingerprint.codes) for fingerprint in fingerprints]
    if not sum(counts) or not len(index):
        return Hits.empty()
    codes = np.concatenate([fingerprint.codes for fingerprint in fingerprints])
    query, entry, distance = index.search(codes, policy.image_distance_bits)
    row = np.repeat(rows.astype(np.int32), counts)[query]
    work = index.work[entry].astype(np.uint32)
    order = np.lexsort((entry, query, distance, work, row))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (np.diff(row[order]) != 0) | (np.diff(work[order].astype(np.int64)) != 0)
    best = order[is_first]
    transforms = np.concatenate([fingerprint.transforms for fingerprint in fingerprints])[query[best]]
    trimmed = np.concatenate([fingerprint.trimmed for fingerprint in fingerprints])[query[best]]
    trimmed |= (index.orientation[entry[best]] & TRIMMED) != 0
    where = [
        _where(int(transform), int(bits), is_trimmed=bool(cut))
        for transform, bits, cut in zip(transforms, distance[best], trimmed, strict=True)
    ]
    return Hits(
        row=row[best],
        work=work[best],
        kind=np.full(len(best), _KIND, np.uint8),
        score=np.maximum(1 - distance[best].astype(np.float32) / _SCALE_BITS, 0),
        cover=np.ones(len(best), np.float32),
        where=pa.array(where, pa.string()),
    )


def _where(transform: int, distance_bits: int, *, is_trimmed: bool) -> str:
    return json.dumps({"transform": undo_transform(transform), "distance_bits": distance_bits, "trimmed": is_trimmed})
