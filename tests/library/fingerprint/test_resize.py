"""Pictures are brought to size by whole numbers, as the description says, and nearly as others do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_network import blobs

from askfirst.fingerprint.resize import resize_colour


def reference_weights(length, side):
    """For each pixel of the result: pixel -> weight of 2**14, rounded so that what is given so far is as due."""
    out = []
    for i in range(side):
        middle, reach = Fraction(2 * i + 1, 2 * side) * length, max(Fraction(length, side), Fraction(1))
        heights = {p: reach - abs(Fraction(2 * p + 1, 2) - middle) for p in range(length)}
        heights = {p: height for p, height in heights.items() if height > 0}
        due, given_, weights = Fraction(0), 0, {}
        for pixel, height in heights.items():
            due += height
            rounded = int(due / sum(heights.values()) * 2**14 + Fraction(1, 2))
            weights[pixel], given_ = rounded - given_, rounded
        out.append(weights)
    return out


def reference_resize(array, side):
    height, width, _ = array.shape
    down, across = reference_weights(height, side), reference_weights(width, side)
    rows = array.tolist()
    out = []
    for weights in down:
        line = [
            [(sum(w * rows[y][x][c] for y, w in weights.items()) + 2**7) >> 8 for c in range(3)] for x in range(width)
        ]
        out.append([[(sum(w * line[x][c] for x, w in r.items()) + 2**19) >> 20 for c in range(3)] for r in across])
    return out


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 20), st.integers(0, 2**30))
def test_resize_equals_the_reference(height, width, side, seed):
    array = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    assert resize_colour(array, (0, 0, height, width), side).tolist() == reference_resize(array, side)


@pytest.mark.parametrize("level", [0, 1, 127, 255])
@pytest.mark.parametrize(("height", "width", "side"), [(1, 1, 40), (40, 3, 7), (300, 500, 64)])
def test_flat_picture_stays_as_it_is(level, height, width, side):
    flat = np.full((height, width, 3), level, np.uint8)
    assert (resize_colour(flat, (0, 0, height, width), side) == level).all()


@pytest.mark.parametrize("side", [17, 64, 96, 224])
def test_result_is_what_pillow_makes_but_for_rounding(side):
    picture = blobs(3)
    theirs = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))
    ours = resize_colour(picture, (0, 0, *picture.shape[:2]), side)
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_part_is_resized_as_if_it_were_all():
    picture = blobs(4)
    part = picture[10:50, 20:90]
    assert np.array_equal(resize_colour(picture, (10, 20, 40, 70), 32), resize_colour(part, (0, 0, 40, 70), 32))


@pytest.mark.parametrize(
    ("array", "box", "side"),
    [
        (np.zeros((4, 4), np.uint8), (0, 0, 4, 4), 2),
        (np.zeros((4, 4, 4), np.uint8), (0, 0, 4, 4), 2),
        (np.zeros((4, 4, 3), np.float32), (0, 0, 4, 4), 2),
        (np.zeros((4, 4, 3), np.uint8), (0, 1, 4, 4), 2),
        (np.zeros((4, 4, 3), np.uint8), (-1, 0, 4, 4), 2),
        (np.zeros((4, 4, 3), np.uint8), (0, 0, 0, 4), 2),
        (np.zeros((4, 4, 3), np.uint8), (0, 0, 4, 4), 0),
        (np.zeros((4, 4, 3), np.uint8), (0, 0, 4, 4), 4097),
    ],
)
def test_what_is_no_part_of_a_picture_is_refused(array, box, side):
    with pytest.raises(ValueError, match=r"no part|not a picture in colour"):
        resize_colour(array, box, side)
