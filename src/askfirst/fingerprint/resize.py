"""Colour pictures brought to the size a network wants, by integers: the same bits on every machine.

A pixel of the result is a mean of the pixels below a tent: as wide as two pixels of the result where the picture
shrinks, as two of its own where it grows. Weights are whole numbers that add up to 2**14.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import kernel

__all__ = ["resize_colour"]

_SIDE_MAX = 100_000
_WEIGHT_BITS = 14
_KEPT_BITS = 6
"""Bits after the point that the first pass keeps: 255 * 2**6 * 2**14 stays below 2**31."""


def resize_colour(rgb: NDArray[np.uint8], box: tuple[int, int, int, int], side_px: int) -> NDArray[np.uint8]:
    """Return a part of a picture as a square; its proportions are not kept.

    Args:
        rgb: u8[height, width, 3].
        box: Top, left, height and width of the part; all within the picture.
        side_px: Side of the square, 1 to 4,096.

    Returns:
        u8[side_px, side_px, 3].

    Raises:
        ValueError: The array is no picture, or the part not within it.

    Cost: 0.6 ms from 320 x 430 to 288 pixels.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or max(rgb.shape) > _SIDE_MAX:
        raise ValueError(f"not a picture in colour: {rgb.dtype} {rgb.shape}")
    top, left, height, width = box
    inside = min(top, left) >= 0 and top + height <= rgb.shape[0] and left + width <= rgb.shape[1]
    if not inside or min(height, width, side_px) < 1 or side_px > 4096:
        raise ValueError(f"no part {box} of {rgb.shape} pixels as a square of {side_px}")
    part = np.ascontiguousarray(rgb[top : top + height, left : left + width])
    return _resize(part.reshape(height, 3 * width), side_px)


@kernel
def _tent(length: int, side: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return which pixels each of `side` tents covers along `length` pixels, and their weights.

    Distances are in units of 1 / (2 * side) pixel of the picture.

    Returns:
        i32[side, 2]: the first pixel and how many; i32[side, k]: their weights, which add up to 2**14.
    """
    reach = 2 * max(length, side)
    spans = np.empty((side, 2), np.int32)
    weights = np.zeros((side, reach // side + 3), np.int32)
    for i in range(side):
        middle = (2 * i + 1) * length
        first = max(0, (middle - reach - side) // (2 * side))
        total = np.int64(0)
        count = 0
        for pixel in range(first, length):
            height = reach - abs((2 * pixel + 1) * side - middle)
            if height > 0:
                total += height
                count = pixel + 1 - first
            elif count:
                break
        # Rounding: each weight gets what is due up to it, less what was given before.
        due, given = np.int64(0), np.int64(0)
        for k in range(count):
            due += max(0, reach - abs((2 * (first + k) + 1) * side - middle))
            rounded = ((due << _WEIGHT_BITS) + total // 2) // total
            weights[i, k] = rounded - given
            given = rounded
        spans[i, 0], spans[i, 1] = first, count
    return spans, weights


@kernel
def _resize(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return u8[side, side, 3] of u8[height, 3 * width].

    1. Sum rows into one row of the result, with the columns as they are.
    2. Sum its columns, all three colours in one go.
    """
    height, width = pixels.shape[0], pixels.shape[1] // 3
    rows, row_weights = _tent(height, side)
    columns, column_weights = _tent(width, side)
    out = np.empty((side, side, 3), np.uint8)
    line = np.empty(3 * width, np.int32)
    for i in range(side):
        line[:] = np.int32(1) << (_WEIGHT_BITS - _KEPT_BITS - 1)
        for k in range(rows[i, 1]):
            weight = row_weights[i, k]
            source = pixels[rows[i, 0] + k]
            for x in range(3 * width):
                line[x] += weight * np.int32(source[x])
        for x in range(3 * width):
            line[x] >>= _WEIGHT_BITS - _KEPT_BITS
        for j in range(side):
            red = green = blue = np.int32(1) << np.int32(_WEIGHT_BITS + _KEPT_BITS - 1)
            for k in range(columns[j, 1]):
                weight = column_weights[j, k]
                at = 3 * (columns[j, 0] + k)
                red += weight * line[at]
                green += weight * line[at + 1]
                blue += weight * line[at + 2]
            out[i, j, 0] = red >> (_WEIGHT_BITS + _KEPT_BITS)
            out[i, j, 1] = green >> (_WEIGHT_BITS + _KEPT_BITS)
            out[i, j, 2] = blue >> (_WEIGHT_BITS + _KEPT_BITS)
    return out
