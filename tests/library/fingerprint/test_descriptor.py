"""From a network's numbers to codes: centred, whitened, turned; and the gate's in the same space."""

from __future__ import annotations

import numpy as np
import pytest

from askfirst.fingerprint.descriptor import (
    VIEWS,
    Projection,
    background_levels,
    fit_gate,
    fit_projection,
    view_boxes,
)


def unit(array):
    return (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32)


def embeddings(count, dims, seed, directions=6):
    """Rows in which a few directions and a common part count for nearly everything."""
    mixing = np.random.default_rng(99).standard_normal((directions, dims)) * 3
    dice = np.random.default_rng(seed)
    return unit(5 + dice.standard_normal((count, directions)) @ mixing + dice.standard_normal((count, dims)))


def numbers(codes):
    return [int.from_bytes(code.tobytes(), "little") for code in codes]


def apart(a, b):
    return [(x ^ y).bit_count() for x, y in zip(numbers(a), numbers(b), strict=True)]


def test_bits_are_the_signs_in_order():
    matrix = np.zeros((2, 512), np.float32)
    matrix[0, [0, 65, 511]] = 1
    matrix[1, [1, 64]] = -1
    projection = Projection(np.array([0.5, 0.25], np.float32), matrix)
    rows = np.array([[0.75, 0.0], [0.5, 0.25], [0.25, 0.75]], np.float32)
    assert numbers(projection.codes(rows)) == [1 | 1 << 65 | 1 << 511 | 1 << 1 | 1 << 64, 0, 0]


def test_codes_equal_sums_in_the_order_of_dimensions():
    rows, projection = embeddings(20, 24, 1), fit_projection(embeddings(300, 24, 2), 0)
    expected = []
    for row in rows:
        code = 0
        for bit in range(512):
            total = 0.0
            for k in range(24):
                total += (float(row[k]) - float(projection.mean[k])) * float(projection.matrix[k, bit])
            code |= int(total > 0) << bit
        expected.append(code)
    assert numbers(projection.codes(rows)) == expected


def test_whitened_numbers_vary_alike_in_all_directions():
    learnt = embeddings(4000, 12, 3)
    projection = fit_projection(learnt, 0)
    turned = (learnt - projection.mean).astype(np.float64) @ projection.matrix.astype(np.float64)
    variances = np.linalg.eigvalsh(np.cov(turned.T, bias=True))[-12:]
    assert variances.min() > 0.9
    assert variances.max() < 1.1


def test_unrelated_codes_differ_in_half_their_bits_after_whitening_only():
    learnt, fresh = embeddings(3000, 64, 4), embeddings(200, 64, 5)
    whitened = apart(*np.split(fit_projection(learnt, 0).codes(fresh), 2))
    bare = Projection(np.zeros(64, np.float32), fit_projection(np.eye(64, dtype=np.float32), 0).matrix)
    assert abs(np.mean(whitened) - 256) < 12
    assert np.mean(apart(*np.split(bare.codes(fresh), 2))) < 215


def test_small_changes_change_few_bits():
    projection, rows = fit_projection(embeddings(3000, 64, 6), 0), embeddings(50, 64, 7)
    changed = unit(rows + np.random.default_rng(8).standard_normal(rows.shape) * 0.01)
    assert max(apart(projection.codes(rows), projection.codes(changed))) < 140


@pytest.mark.parametrize(("count", "dims"), [(64, 512), (700, 700), (65, 16)])
def test_any_number_of_dimensions_and_few_pictures_will_do(count, dims):
    learnt = unit(np.random.default_rng(9).standard_normal((count, dims)))
    codes = fit_projection(learnt, 0).codes(learnt)
    assert codes.shape == (count, 8)
    assert min(apart(codes[1:], codes[:-1])) > 100


def test_pictures_that_are_all_the_same_give_numbers_all_the_same():
    projection = fit_projection(np.full((64, 8), 0.25, np.float32), 0)
    assert np.isfinite(projection.matrix).all()


def test_rotation_follows_from_the_seed():
    learnt = embeddings(300, 16, 10)
    assert np.array_equal(fit_projection(learnt, 3).matrix, fit_projection(learnt, 3).matrix)
    assert not np.array_equal(fit_projection(learnt, 3).matrix, fit_projection(learnt, 4).matrix)


@pytest.mark.parametrize("dims", [64, 40])
def test_gate_lands_in_the_space_of_the_teacher(dims):
    """A gate that sees the same with errors, and one that has other numbers altogether."""
    seen, fresh = embeddings(3000, 64, 11, directions=30), embeddings(100, 64, 12, directions=30)
    mixing = np.eye(64) if dims == 64 else np.random.default_rng(13).standard_normal((64, dims))

    def gate(rows, seed):
        return unit(rows @ mixing + 0.02 * np.random.default_rng(seed).standard_normal((len(rows), dims)))

    projection = fit_projection(seen, 0)
    learnt = fit_gate(gate(seen, 14), seen, projection)
    bits = apart(projection.codes(fresh), learnt.codes(gate(fresh, 15)))
    strangers = apart(projection.codes(fresh), learnt.codes(gate(fresh[::-1], 15)))
    assert np.median(bits) < 190
    assert np.median(strangers) > 235


def test_gate_that_is_the_teacher_gives_its_codes():
    seen = embeddings(500, 32, 16)
    projection = fit_projection(seen, 0)
    assert max(apart(projection.codes(seen), fit_gate(seen, seen, projection).codes(seen))) <= 3


def test_level_is_the_sum_to_the_second_to_fourth_nearest():
    dice = np.random.default_rng(17)
    codes, background = (dice.integers(0, 2**64, (n, 8), np.uint64, endpoint=False) for n in (5, 90))
    background[7] = codes[2]
    a, b = numbers(codes), numbers(background)
    expected = [sum(sorted((one ^ two).bit_count() for two in b)[1:4]) for one in a]
    assert background_levels(codes, background).tolist() == expected


def test_level_needs_four_of_the_background():
    with pytest.raises(ValueError, match="a background of 3 codes"):
        background_levels(np.zeros((1, 8), np.uint64), np.zeros((3, 8), np.uint64))


def test_views_are_the_whole_what_is_inside_borders_and_nine_parts():
    boxes = dict(zip(VIEWS, view_boxes(100, 200, (5, 0, 90, 200)), strict=True))
    assert boxes == {
        "whole": (0, 0, 100, 200),
        "without borders": (5, 0, 90, 200),
        "centre": (20, 40, 60, 120),
        "top left": (0, 0, 60, 120),
        "top right": (0, 80, 60, 120),
        "bottom left": (40, 0, 60, 120),
        "bottom right": (40, 80, 60, 120),
        "left half": (0, 0, 100, 100),
        "right half": (0, 100, 100, 100),
        "top half": (0, 0, 50, 200),
        "bottom half": (50, 0, 50, 200),
    }


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (3, 2), (19, 999)])
def test_views_of_any_picture_lie_within_it(height, width):
    for top, left, tall, wide in view_boxes(height, width, (0, 0, height, width)):
        assert min(top, left) >= 0
        assert min(tall, wide) >= 1
        assert (top + tall <= height, left + wide <= width) == (True, True)


@pytest.mark.parametrize("shape", [(3, 5), (4,), (2, 4, 1)])
def test_embeddings_of_another_shape_are_refused(shape):
    projection = Projection(np.zeros(4, np.float32), np.zeros((4, 512), np.float32))
    with pytest.raises(ValueError, match="for 4 dimensions"):
        projection.codes(np.zeros(shape, np.float32))


def test_projection_of_arrays_that_do_not_fit_is_refused():
    with pytest.raises(ValueError, match="no projection"):
        Projection(np.zeros(4, np.float32), np.zeros((5, 512), np.float32))
