"""Images of a batch against a register of images: one hit for each row and work, the nearest."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from askfirst.fingerprint.image import ImageQuery, query_codes, stored_codes
from askfirst.io.images import open_image
from askfirst.match.hits import KINDS
from askfirst.match.image import match_images
from askfirst.model import MatchKind, Use
from askfirst.policy import Policy
from askfirst.register.image_index import ImageIndex, build

PHOTOS = Path(importlib.util.find_spec("skimage").submodule_search_locations[0]) / "data"
NAMES = ["astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png", "retina.jpg"]
DAY = dt.date(2026, 1, 1)


def policy(bits=31):
    return Policy(use=Use.TRAIN_GENERATIVE, on=DAY, image_distance_bits=bits)


@pytest.fixture(scope="module")
def greys():
    return [np.ascontiguousarray(open_image((PHOTOS / name).read_bytes()).grey) for name in NAMES]


def register_of(works):
    """An index of works, each a list of grey arrays; the works are numbered from 0."""
    rows = [(*stored_codes(grey), work) for work, greys in enumerate(works) for grey in greys]
    codes = np.concatenate([np.empty((0, 4), np.uint64), *(codes for codes, _, _ in rows)])
    marks = np.concatenate([np.empty(0, np.uint8), *(marks for _, marks, _ in rows)])
    work = np.array([work for codes, _, work in rows for _ in codes], np.uint32)
    return ImageIndex.from_arrays(build(codes, work, marks))


def match(items, index, bits=31, rows=None):
    rows = np.arange(len(items), dtype=np.int32) if rows is None else np.array(rows, np.int32)
    return match_images(rows, [query_codes(item) for item in items], index, policy(bits))


def facts(hits):
    return list(zip(hits.row.tolist(), hits.work.tolist(), map(json.loads, hits.where.to_pylist()), strict=True))


def test_the_same_picture_is_its_work(greys):
    index = register_of([[grey] for grey in greys])
    same = {"transform": "none", "distance_bits": 0, "trimmed": False}
    assert facts(match(greys, index)) == [(k, k, same) for k in range(len(greys))]


def test_hits_have_their_kind_score_cover_and_types(greys):
    hits = match(greys[:2], register_of([[grey] for grey in greys]))
    assert [KINDS[code] for code in hits.kind.tolist()] == [MatchKind.IMAGE] * 2
    assert (hits.score.tolist(), hits.cover.tolist()) == ([1.0, 1.0], [1.0, 1.0])
    assert [hits.row.dtype, hits.work.dtype, hits.kind.dtype, hits.score.dtype, hits.cover.dtype] == [
        np.dtype(kind) for kind in (np.int32, np.uint32, np.uint8, np.float32, np.float32)
    ]


def test_turned_pictures_say_how_they_were_turned(greys):
    work = greys[0]
    turned = {
        "mirrored": work[:, ::-1],
        "rotated 90": np.rot90(work, -1),
        "rotated 180": np.rot90(work, 2),
        "rotated 270": np.rot90(work),
        "mirrored, rotated 90": np.rot90(work[:, ::-1], -1),
        "mirrored, rotated 180": work[::-1],
        "mirrored, rotated 270": work.T,
    }
    hits = match([np.ascontiguousarray(item) for item in turned.values()], register_of([[grey] for grey in greys]))
    assert facts(hits) == [
        (k, 0, {"transform": name, "distance_bits": 0, "trimmed": False}) for k, name in enumerate(turned)
    ]


def test_frame_is_found_on_the_item_and_on_the_work(greys):
    work = greys[1]
    framed = np.pad(work, 60)
    expected = {"transform": "none", "distance_bits": 0, "trimmed": True}
    assert facts(match([framed], register_of([[work]]))) == [(0, 0, expected)]
    assert facts(match([work], register_of([[framed]]))) == [(0, 0, expected)]


def test_work_of_several_pictures_is_one_hit_with_the_nearest():
    codes = np.array([[0b111, 0, 0, 0], [0b1, 0, 0, 0], [0b11, 0, 0, 0], [0b1, 0, 0, 0]], np.uint64)
    index = ImageIndex.from_arrays(build(codes, np.array([0, 0, 0, 1], np.uint32), np.zeros(4, np.uint8)))
    ways = np.array([[0b1111, 0, 0, 0], [0, 0, 0, 0]], np.uint64)
    query = ImageQuery(ways, np.array([0, 1], np.uint8), np.zeros(2, np.bool_), 100)
    hits = match_images(np.zeros(1, np.int32), [query], index, policy())
    nearest = {"transform": "mirrored", "distance_bits": 1, "trimmed": False}
    # Work 0 is one bit away from both ways: the first one counts.
    assert facts(hits) == [(0, 0, {**nearest, "transform": "none"}), (0, 1, nearest)]


def test_rows_are_those_of_the_batch_and_stay_in_order(greys):
    index = register_of([[grey] for grey in greys])
    hits = match([greys[2], np.zeros((50, 50), np.uint8), greys[0]], index, rows=[4, 7, 9])
    assert [(row, work) for row, work, _ in facts(hits)] == [(4, 2), (9, 0)]


def test_score_falls_with_the_distance_and_the_policy_sets_its_end():
    code = np.zeros((1, 4), np.uint64)
    index = ImageIndex.from_arrays(build(code, np.array([5], np.uint32), np.zeros(1, np.uint8)))
    scores = {}
    for bits in (0, 16, 31, 32, 63):
        near = np.array([[(1 << bits) - 1, 0, 0, 0]], np.uint64)
        query = ImageQuery(near, np.zeros(1, np.uint8), np.zeros(1, np.bool_), 100)
        for limit in (31, 63):
            hits = match_images(np.zeros(1, np.int32), [query], index, policy(limit))
            scores[bits, limit] = hits.score.tolist()
    assert scores == {
        (bits, limit): [np.float32(1 - bits / 128)] if bits <= limit else []
        for bits in (0, 16, 31, 32, 63)
        for limit in (31, 63)
    }


def test_nothing_is_found_without_items_codes_or_works(greys):
    index = register_of([[greys[0]]])
    flat = np.zeros((100, 100), np.uint8)
    assert [len(match(items, one)) for items, one in (([], index), ([flat], index), ([greys[0]], register_of([])))] == [
        0,
        0,
        0,
    ]


def test_other_photographs_are_no_match_even_at_63_bits(greys):
    assert len(match(greys[2:], register_of([[grey] for grey in greys[:2]]), bits=63)) == 0
