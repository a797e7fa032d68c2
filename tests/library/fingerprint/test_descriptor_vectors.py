"""The published vectors of `descriptor_v0`: what follows from a network's numbers, and what it is shown."""

from __future__ import annotations

import base64
import json
from importlib.resources import files

import numpy as np
import pytest

from askfirst.fingerprint.descriptor import ALGORITHM, Projection
from askfirst.fingerprint.resize import resize_colour

VECTORS = json.loads(files("askfirst").joinpath("vectors/descriptor_v0.json").read_text("utf-8"))


def bytes_of(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


def test_vectors_are_of_this_algorithm():
    assert VECTORS["algorithm"] == ALGORITHM


@pytest.mark.parametrize("case", VECTORS["resize"], ids=lambda case: case["name"])
def test_resize_vector_is_what_the_kernel_computes(case):
    height, width, side = case["height"], case["width"], case["side_px"]
    resized = resize_colour(bytes_of(case["rgb"], height, width, 3), (0, 0, height, width), side)
    assert np.array_equal(resized, bytes_of(case["resized"], side, side, 3))


@pytest.mark.parametrize("case", VECTORS["projection"]["codes"], ids=lambda case: str(case["embedding"]))
def test_code_vector_is_what_the_kernel_computes(case):
    mean = VECTORS["projection"]["mean"]
    row, bit = np.indices((len(mean), 512))
    matrix = (7919 * (row + 1) * (bit + 1) + 104729 * row) % 2001 - 1000
    projection = Projection(np.array(mean, np.float32), matrix.astype(np.float32))
    code = projection.codes(np.array([case["embedding"]], np.float32))[0]
    assert f"{int.from_bytes(code.astype('<u8').tobytes(), 'little'):0128x}" == case["code"]
