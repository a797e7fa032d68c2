"""The fingerprint of an image is the same on every machine, and stays near when the image is changed a little.

The reference below is written from the description alone, in Python's integers: it shares no line with the
kernels. The published vectors were made by it.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageFilter

from askfirst.fingerprint.image import (
    ONES_MIN,
    QUALITY_MIN,
    SIDE_MIN,
    TRANSFORMS,
    TRIMMED,
    _shrink,
    dihedral_codes,
    hash_image,
    query_codes,
    stored_codes,
    trim_borders,
    undo_transform,
)
from askfirst.io.images import open_image

VECTORS = json.loads(files("askfirst").joinpath("vectors/image_v0.json").read_text("utf-8"))
CASES = {case["name"]: case for case in VECTORS["cases"]}
PHOTOS = Path(importlib.util.find_spec("skimage").submodule_search_locations[0]) / "data"

# PDQ hashes of the whole pictures, by pdqhash 0.2.8.
PDQ = {
    "astronaut.png": "2d6b1af3a956c529e79ca3d2526fa834d4196c81cedd04de0a26b855fc99b724",
    "camera.png": "dc9c9d3b746978f888f40ce6e5c3f70f7266623e8d989cb99f21f2010841e1c7",
    "chelsea.png": "5feb5321f01da156898e2bf629a5d3438412cdbd23f48942464526315db33ffd",
    "coffee.png": "8c629e779a663698b9a33866c026726c21a679f61eb6e1f8c79ba7e23c8299e0",
    "coins.png": "8ee552196df86aa552b514e6e505e0319aeb1aaea4a5d935dd4a675a1a56a555",
    "hubble_deep_field.jpg": "1c6715e46266634f72d42df2324ad397e70e86be9c665c59a42ec19c3369b919",
    "motorcycle_left.png": "e0c9cfdb78d358d68a58ec54e94ba55937525b67508a0b87ad64fc6b4631c470",
    "retina.jpg": "83d22b5802d238191b87b1f8bf1ad487fc0f55f8405adc011fafa8f4ebfc2a59",
    "rocket.jpg": "8792786c87937064bf1bc0e43f1fc0e03f1cc2e33da4c2537cec821b2ce4f376",
}


def as_number(code):
    """u64[4] -> one number of 256 bits, the highest word first."""
    return int.from_bytes(code.astype(">u8").tobytes(), "big")


def distance(a, b):
    return (as_number(a) ^ as_number(b)).bit_count()


def photo(name):
    return Image.open(PHOTOS / name).convert("RGB")


def grey(picture, quality=90):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return open_image(out.getvalue()).grey


def turned(array, transform):
    """The eight ways, by numpy: exchange rows and columns, mirror left and right, mirror top and bottom."""
    if transform & 4:
        array = array.T
    if transform & 1:
        array = array[:, ::-1]
    if transform & 2:
        array = array[::-1]
    return np.ascontiguousarray(array)


# --- the reference -----------------------------------------------------------------------------------------


def reference_weights(side):
    """For each of 64 cells: pixel -> weight. A cell is 4 quarters of `side` units, a pixel 256 units."""
    weights = [{} for _ in range(64)]
    for cell in range(64):
        for quarter, height in enumerate((1, 3, 3, 1)):
            low, high = (4 * cell + quarter) * side, (4 * cell + quarter + 1) * side
            for pixel in range(low // 256, (high - 1) // 256 + 1):
                overlap = min(high, 256 * pixel + 256) - max(low, 256 * pixel)
                weights[cell][pixel] = weights[cell].get(pixel, 0) + height * overlap
    return weights


def reference_cells(rows):
    """256 * grey - 32640 of 64 x 64 cells, rounded half up."""
    height, width = len(rows), len(rows[0])
    down, across = reference_weights(height), reference_weights(width)
    cells = []
    for i in range(64):
        line = [sum(weight * rows[y][x] for y, weight in down[i].items()) for x in range(width)]
        totals = [sum(weight * line[x] for x, weight in across[j].items()) for j in range(64)]
        mass = 64 * height * width  # the weights of a cell: 8 * height * 8 * width
        cells.append([(512 * total + mass) // (2 * mass) - 32640 for total in totals])
    return cells


def reference_hash(rows):
    """The hash as one number, and the quality."""
    cells = reference_cells(rows)
    waves = [[round(2**14 * math.cos(math.pi * k * (2 * j + 1) / 128)) for j in range(64)] for k in range(1, 17)]
    half = [[sum(wave[y] * cells[y][x] for y in range(64)) for x in range(64)] for wave in waves]
    values = [sum(wave[x] * row[x] for x in range(64)) for row in half for wave in waves]
    median = sorted(values)[127]
    number = sum(1 << k for k, value in enumerate(values) if value > median)
    steps = [abs(cells[i + 1][j] - cells[i][j]) for i in range(63) for j in range(64)]
    steps += [abs(cells[i][j + 1] - cells[i][j]) for i in range(64) for j in range(63)]
    return number, min(sum(100 * step // (255 * 256) for step in steps) // 90, 100)


def reference_trim(rows):
    """Top, left, height and width without uniform borders."""
    height, width = len(rows), len(rows[0])
    top, left, bottom, right = 0, 0, height, width

    def uniform(lines):
        outermost = lines[0]
        for count, line in enumerate(lines):
            if max(*outermost, *line) - min(*outermost, *line) > 12:
                return count
        return len(lines)

    while True:
        inside = [row[left:right] for row in rows[top:bottom]]
        columns = [list(column) for column in zip(*inside, strict=True)]
        cut = uniform(inside), uniform(columns), uniform(inside[::-1]), uniform(columns[::-1])
        if 4 * (bottom - top - cut[0] - cut[2]) < height or 4 * (right - left - cut[1] - cut[3]) < width:
            return [0, 0, height, width]
        if not any(cut):
            break
        top, left, bottom, right = top + cut[0], left + cut[1], bottom - cut[2], right - cut[3]
    if 64 * (height - bottom + top) < height and 64 * (width - right + left) < width:
        return [0, 0, height, width]
    return [top, left, bottom - top, right - left]


def reference_case(array):
    """Everything that a vector publishes about an array, by the reference alone."""
    rows = array.tolist()
    number, quality = reference_hash(rows)
    box = reference_trim(rows)
    top, left, height, width = box
    inner = [row[left : left + width] for row in rows[top : top + height]]
    coded = [(number, quality, 0, min(array.shape))]
    if (height, width) != array.shape:
        coded.append((*reference_hash(inner), TRIMMED, min(height, width)))
    stored = [
        [code, mark]
        for code, enough, mark, side in coded
        if enough >= QUALITY_MIN and side >= SIDE_MIN and code.bit_count() >= ONES_MIN
    ]
    return {
        "hash": f"{number:064x}",
        "quality": quality,
        "box": box,
        "turned": [f"{reference_hash(turned(array, t).tolist())[0]:064x}" for t in range(8)],
        "stored": [[f"{code:064x}", mark] for code, mark in stored],
    }


def kernel_case(array):
    codes, marks = stored_codes(array)
    code, quality = hash_image(array)
    return {
        "hash": f"{as_number(code):064x}",
        "quality": quality,
        "box": list(trim_borders(array)),
        "turned": [f"{as_number(one):064x}" for one in dihedral_codes(array)[0]],
        "stored": [[f"{as_number(one):064x}", int(mark)] for one, mark in zip(codes, marks, strict=True)],
    }


def array_of(case):
    pixels = np.frombuffer(base64.b64decode(case["grey"]), np.uint8)
    return pixels.reshape(case["height"], case["width"])


# --- the algorithm -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_vector_is_what_the_kernels_compute(name):
    case = CASES[name]
    assert kernel_case(array_of(case)) == {key: case[key] for key in ("hash", "quality", "box", "turned", "stored")}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["width"] * case["height"] < 3000])
def test_vector_is_what_the_reference_computes(name):
    case = CASES[name]
    assert reference_case(array_of(case)) == {key: case[key] for key in ("hash", "quality", "box", "turned", "stored")}


@settings(max_examples=12, deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=90)))
def test_hash_equals_the_reference(array):
    number, quality = reference_hash(array.tolist())
    code, found_quality = hash_image(array)
    assert (as_number(code), found_quality) == (number, quality)


@settings(max_examples=20, deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=90)))
def test_cells_equal_the_reference_to_the_last_digit(array):
    assert _shrink(array, (0, 0, *array.shape)).tolist() == reference_cells(array.tolist())


@pytest.mark.parametrize(("spread", "expected"), [(12, (8, 0, 84, 120)), (13, (3, 0, 95, 120))])
def test_border_may_vary_by_twelve_levels(spread, expected):
    picture = np.random.default_rng(8).integers(0, 256, (100, 120)).astype(np.uint8)
    picture[:8] = picture[-8:] = 100
    picture[[3, -3], 50] = 100 + spread
    assert trim_borders(picture) == expected


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)),
    st.tuples(*[st.integers(0, 30)] * 4),
    st.integers(0, 255),
)
def test_trim_equals_the_reference(inner, margins, level):
    framed = np.pad(inner, (margins[:2], margins[2:]), constant_values=level)
    assert list(trim_borders(framed)) == reference_trim(framed.tolist())


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=200)),
    st.integers(0, 7),
)
def test_code_of_a_turned_image_follows_exactly(array, transform):
    assert as_number(dihedral_codes(array)[0][transform]) == as_number(hash_image(turned(array, transform))[0])


def test_whole_numbers_stay_whole_at_the_longest_sides():
    tall = np.full((1_000_000, 2), 255, np.uint8)
    tall[: 1_000_000 // 3] = 0
    wide = np.ascontiguousarray(tall.T)
    assert as_number(hash_image(wide)[0]) == as_number(dihedral_codes(tall)[0][4])
    assert hash_image(tall)[1] == hash_image(wide)[1]


def test_quality_of_a_flat_image_is_nought_and_it_has_no_code():
    flat = np.full((300, 300), 200, np.uint8)
    codes, marks = stored_codes(flat)
    assert (hash_image(flat)[1], codes.shape, marks.shape) == (0, (0, 4), (0,))
    assert query_codes(flat).codes.shape == (0, 4)


def test_low_detail_has_no_code_on_either_side():
    smooth = np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1))
    assert 0 < hash_image(smooth)[1] < QUALITY_MIN
    assert (len(stored_codes(smooth)[0]), len(query_codes(smooth).codes)) == (0, 0)


STRIPES = np.tile((np.arange(300) // 7 % 2 * 255).astype(np.uint8), (200, 1))
CHESSBOARD = np.kron(np.indices((8, 8)).sum(axis=0) % 2 * 255, np.ones((30, 30))).astype(np.uint8)
DOTS = np.random.default_rng(5).integers(0, 256, (15, 40)).astype(np.uint8)


@pytest.mark.parametrize(
    "array", [STRIPES, STRIPES.T.copy(), CHESSBOARD, DOTS], ids=["stripes", "bars", "chess", "dots"]
)
def test_picture_that_says_too_little_has_no_code(array):
    assert hash_image(array)[1] >= QUALITY_MIN
    assert (len(stored_codes(array)[0]), len(query_codes(array).codes)) == (0, 0)


def test_picture_that_is_its_own_mirror_image_has_a_code():
    half = np.random.default_rng(6).integers(0, 256, (60, 30)).astype(np.uint8)
    whole = np.hstack([half, half[:, ::-1]])
    assert (len(stored_codes(whole)[0]), len(query_codes(whole).codes)) == (1, 8)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((1_000_001, 1), np.uint8),
    ],
)
def test_array_that_is_no_picture_is_refused(array):
    with pytest.raises(ValueError, match="not a picture of grey bytes"):
        hash_image(array)


# --- transforms --------------------------------------------------------------------------------------------


def test_undo_names_what_was_done_to_the_work():
    work = np.random.default_rng(1).integers(0, 256, (90, 120)).astype(np.uint8)
    done = {
        "none": work,
        "mirrored": work[:, ::-1],
        "rotated 90": np.rot90(work, -1),  # numpy turns against the clock
        "rotated 180": np.rot90(work, 2),
        "rotated 270": np.rot90(work),
        "mirrored, rotated 90": np.rot90(work[:, ::-1], -1),
        "mirrored, rotated 180": np.rot90(work[:, ::-1], 2),
        "mirrored, rotated 270": np.rot90(work[:, ::-1]),
    }
    code = as_number(hash_image(work)[0])
    found = {}
    for name, item in done.items():
        query = query_codes(np.ascontiguousarray(item))
        (row,) = [row for row in range(len(query.codes)) if as_number(query.codes[row]) == code]
        found[name] = undo_transform(int(query.transforms[row]))
    assert found == {name: name for name in done}
    assert sorted(TRANSFORMS) == sorted(done)


# --- photographs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PDQ)
def test_photograph_has_its_pdq_hash(name):
    code, quality = hash_image(open_image((PHOTOS / name).read_bytes()).grey)
    assert quality >= 80
    assert (as_number(code) ^ int(PDQ[name], 16)).bit_count() <= 14


def nearest(work, item):
    """The smallest distance between any code of the work and any of the item."""
    return min(distance(a, b) for a in stored_codes(work)[0] for b in query_codes(item).codes)


CHANGES = {
    "saved badly": lambda p: grey(p, 50),
    "thumbnail": lambda p: grey(p.resize((64 * p.width // min(p.size), 64 * p.height // min(p.size)))),
    "half": lambda p: grey(p.resize((p.width // 2, p.height // 2))),
    "double": lambda p: grey(p.resize((2 * p.width, 2 * p.height))),
    "squeezed": lambda p: grey(p.resize((p.width, 3 * p.height // 4))),
    "blurred": lambda p: grey(p.filter(ImageFilter.GaussianBlur(3))),
    "darker": lambda p: grey(p.point([k * 7 // 10 for k in range(256)] * 3)),
    "without colour": lambda p: grey(p.convert("L").convert("RGB")),
    "mirrored": lambda p: grey(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "turned": lambda p: grey(p.transpose(Image.Transpose.ROTATE_90)),
    "turned and mirrored": lambda p: grey(p.transpose(Image.Transpose.TRANSVERSE)),
    "upside down, saved badly": lambda p: grey(p.transpose(Image.Transpose.ROTATE_180), 40),
}


def framed(picture, colour, share=0.2):
    across, down = int(picture.width * share), int(picture.height * share)
    out = Image.new("RGB", (picture.width + 2 * across, picture.height + 3 * down), colour)
    out.paste(picture, (across, down))
    return out


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png"])
def test_changed_photograph_stays_within_31_bits(name, change):
    picture = photo(name)
    assert nearest(grey(picture), CHANGES[change](picture)) <= 31


@pytest.mark.parametrize("colour", ["black", "white", "#806040"])
@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png", "rocket.jpg"])
def test_framed_photograph_is_found_either_way(name, colour):
    picture = photo(name)
    assert nearest(grey(picture), grey(framed(picture, colour), 75)) <= 31
    assert nearest(grey(framed(picture, colour), 75), grey(picture)) <= 31


def test_frame_within_a_frame_is_cut_off():
    picture = photo("coffee.png")
    assert nearest(grey(picture), grey(framed(framed(picture, "white", 0.05), "black", 0.1))) <= 31


def test_photographs_that_are_different_stay_apart():
    greys = [open_image((PHOTOS / name).read_bytes()).grey for name in PDQ]
    apart = [nearest(a, b) for k, a in enumerate(greys) for b in greys[:k]]
    assert min(apart) > 75


def test_border_is_not_cut_from_a_nearly_empty_page():
    page = np.full((400, 300), 255, np.uint8)
    page[180:220, 100:200] = np.random.default_rng(2).integers(0, 256, (40, 100))
    assert trim_borders(page) == (0, 0, 400, 300)


def test_query_of_a_framed_image_has_sixteen_codes():
    inner = np.random.default_rng(3).integers(0, 256, (64, 64)).astype(np.uint8)
    plain, with_frame = query_codes(inner), query_codes(np.pad(inner, 20))
    assert plain.transforms.tolist() == list(range(8))
    assert with_frame.transforms.tolist() == [*range(8), *range(8)]
    assert with_frame.trimmed.tolist() == [False] * 8 + [True] * 8
    assert np.array_equal(with_frame.codes[8:], plain.codes)
