"""Fingerprints of films: codes of frames, with their times and their middles."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pytest

from askfirst.fingerprint.image import TRIMMED, hash_image, query_codes
from askfirst.fingerprint.video import ALGORITHM, VIEW_SHIFT, VIEWS, middle, query_frames, stored_frames


@dataclass(frozen=True)
class Frame:
    seconds: float
    grey: np.ndarray


def picture(seed, *, height=120, width=160):
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 20, width // 20))
    return np.kron(coarse, np.ones((20, 20))).astype(np.uint8)


BLANK = np.full((120, 160), 40, np.uint8)


def test_a_frame_is_stored_whole_and_in_three_middles():
    grey = picture(1)
    stored = stored_frames([Frame(0.0, grey)])
    views = (stored.orientations >> VIEW_SHIFT)[stored.orientations & TRIMMED == 0]
    assert views.tolist() == [0, 1, 2, 3]
    for view, code in zip(views.tolist(), stored.codes[stored.orientations & TRIMMED == 0], strict=True):
        assert np.array_equal(code, hash_image(middle(grey, VIEWS[view]))[0])


def test_middles_are_stored_once_a_second():
    frames = [Frame(k / 2, picture(k)) for k in range(6)]
    stored = stored_frames(frames)
    assert np.unique(stored.time_ms).tolist() == [0, 500, 1000, 1500, 2000, 2500]
    with_middles = np.unique(stored.time_ms[stored.orientations >> VIEW_SHIFT > 0])
    assert with_middles.tolist() == [0, 1000, 2000]


def test_a_framed_picture_is_stored_with_and_without_its_borders():
    framed = np.pad(picture(2), ((40, 40), (0, 0)))
    stored = stored_frames([Frame(0.0, framed)])
    assert {0, TRIMMED} <= set(stored.orientations.tolist())


def test_blank_frames_have_no_code_but_are_looked_at():
    frames = [Frame(0.0, BLANK), Frame(1.0, picture(1)), Frame(2.0, BLANK)]
    assert set(stored_frames(frames).time_ms.tolist()) == {1000}
    query = query_frames(frames, 3.0)
    assert set(query.time_ms.tolist()) == {1000}
    assert query.frame_ms.tolist() == [0, 1000, 2000]
    assert query.seconds == 3.0


def test_a_query_has_the_codes_of_its_frames_in_order():
    frames = [Frame(0.04, picture(1)), Frame(2.0004, picture(2))]
    query = query_frames(frames, 3.0)
    alone = [query_codes(frame.grey) for frame in frames]
    assert np.array_equal(query.codes, np.concatenate([one.codes for one in alone]))
    assert np.array_equal(query.transforms, np.concatenate([one.transforms for one in alone]))
    assert query.time_ms.tolist() == [40] * len(alone[0].codes) + [2000] * len(alone[1].codes)


def test_types_are_those_of_the_register():
    stored, query = stored_frames([Frame(0.0, picture(1))]), query_frames([Frame(0.0, picture(1))], 1.0)
    assert [a.dtype for a in (stored.codes, stored.orientations, stored.time_ms)] == [np.uint64, np.uint8, np.uint32]
    assert [a.dtype for a in (query.codes, query.transforms, query.time_ms, query.frame_ms)] == [
        np.uint64,
        np.uint8,
        np.uint32,
        np.uint32,
    ]


def test_no_frames_give_no_rows():
    assert stored_frames([]).codes.shape == (0, 4)
    query = query_frames([], 0.0)
    assert (query.codes.shape, len(query.frame_ms)) == ((0, 4), 0)


@pytest.mark.parametrize(("shape", "percent", "expected"), [((100, 200), 82, (82, 164)), ((1, 1), 82, (1, 1))])
def test_the_middle_has_its_share_of_both_sides(shape, percent, expected):
    assert middle(np.zeros(shape, np.uint8), percent).shape == expected


VECTORS = json.loads(files("askfirst").joinpath("vectors/video_v0.json").read_text("utf-8"))


def rows(times, marks, codes):
    hashes = [code.astype(">u8").tobytes().hex() for code in codes]
    return [list(row) for row in zip(times.tolist(), marks.tolist(), hashes, strict=True)]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["name"] for case in VECTORS["cases"]])
def test_published_vectors_hold(case):
    frames = [
        Frame(
            one["time_ms"] / 1000,
            np.frombuffer(base64.b64decode(one["grey"]), np.uint8).reshape(one["height"], one["width"]),
        )
        for one in case["frames"]
    ]
    stored, query = stored_frames(frames), query_frames(frames, 5.0)
    assert rows(stored.time_ms, stored.orientations, stored.codes) == case["stored"]
    assert rows(query.time_ms, query.transforms, query.codes) == case["query"]


def test_the_vectors_are_of_this_algorithm():
    assert VECTORS["algorithm"] == ALGORITHM
