"""Registers of unrelated works, made for benchmarks: random fingerprints, as works nobody copied have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.register import RegisterContents, digest_index, image_index, text_index, url_index, write_register

NONE_U32 = np.empty(0, np.uint32)


def write_unrelated(
    folder: Path,
    medium: str,
    works: int,
    *,
    grams: tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32]] | None = None,
    codes: NDArray[np.uint64] | None = None,
) -> None:
    """Write a register of works of one medium.

    Args:
        folder: Where.
        medium: Of all works.
        works: How many.
        grams: Hashes, works and positions of texts.
        codes: u64[works, 4], one hash of each picture.
    """
    names = [f"p{i}" for i in range(works)]
    owner = np.arange(works, dtype=np.uint32)
    none: list[list[str]] = [[]] * works
    table = pa.table(
        {
            "work_id": names,
            "title": names,
            "creator": names,
            "medium": [medium] * works,
            "identifiers": [""] * works,
            "addresses": pa.array(none, pa.list_(pa.string())),
            "terms": pa.array(none, pa.list_(pa.string())),
            "contested": [False] * works,
        }
    )
    no_grams = (np.empty(0, np.uint64), NONE_U32, NONE_U32)
    no_codes = (np.empty((0, 4), np.uint64), NONE_U32, np.empty(0, np.uint8))
    indexes = {
        "digest": digest_index.build(np.empty((0, 32), np.uint8), NONE_U32),
        "url": url_index.build(np.empty(0, np.uint8), [], NONE_U32),
        "image": image_index.build(*(no_codes if codes is None else (codes, owner, np.zeros(works, np.uint8)))),
        "text-k40w127": text_index.build(*(no_grams if grams is None else grams), owner),
        "text-k24w15": text_index.build(*no_grams, owner),
    }
    write_register(folder, RegisterContents(table, {}, indexes))
