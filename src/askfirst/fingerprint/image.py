"""The fingerprint of an image, `image_v0`: 256 bits that survive re-encoding, resizing and small edits.

The bits follow PDQ (The ThreatExchange project, "The TMK+PDQF video-hashing algorithm and the PDQ
image-hashing algorithm", 2019): a tent-filtered 64 x 64 picture, the 16 x 16 lowest cosine coefficients
without the constant ones, and one bit a coefficient for "above the median". Everything here is integer
arithmetic, so every machine gives the same bits, and the fingerprint of a mirrored or turned image follows
from the coefficients *exactly*: signs change and rows become columns.

A work is stored as it is. An item is looked up in all eight ways it can be mirrored and turned: a rule that
picks one orientation for both sides is decided by small differences, and loses copies. Uniform borders are
cut off for a second code. An image with little detail, a tiny one, and one whose code is nearly empty (stripes,
chessboards) have no code: too many images share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import kernel

__all__ = [
    "ALGORITHM",
    "ONES_MIN",
    "QUALITY_MIN",
    "SIDE_MIN",
    "TRANSFORMS",
    "TRIMMED",
    "ImageQuery",
    "dihedral_codes",
    "hash_image",
    "query_codes",
    "stored_codes",
    "trim_borders",
    "undo_transform",
]

ALGORITHM = "image_v0"

QUALITY_MIN = 50
"""Below this quality (0 to 100) an image has no code. Source: the PDQ project's published operating point."""

SIDE_MIN = 16
"""An image with a side of fewer pixels has no code: two of them can be alike by chance."""

ONES_MIN = 48
"""A code with fewer ones than this is left out. It has 128, but for coefficients that are exactly the same: half
of them in a picture that is its own mirror image, three quarters in one that is so both ways, all in stripes."""

TRANSFORMS = (
    "none",
    "mirrored",
    "mirrored, rotated 180",
    "rotated 180",
    "mirrored, rotated 270",
    "rotated 90",
    "rotated 270",
    "mirrored, rotated 90",
)
"""The eight ways to turn an image, clockwise degrees. Bit 2 of the index exchanges rows and columns first,
then bit 0 mirrors left and right, then bit 1 mirrors top and bottom."""

TRIMMED = 8
"""Bit of a stored orientation: uniform borders were cut off before the image was coded."""

_SIDE_MAX = 1_000_000
"""Longest side in pixels for which the sums below stay inside their integers: 255 * 8 * side < 2**31."""

_CELLS = 64
_TENT = np.array([0, 1, 4, 7, 8], np.int64)
"""Sums of the tent (1, 3, 3, 1) over the quarters of a cell: PDQ's two box filters, seen as one."""

_BORDER_RANGE = 12
"""Levels of grey by which a uniform border may vary: what JPEG leaves of one."""

# fmt: off
_COSINE = np.array([  # round(2**14 * cos(pi * m / 128)) for m = 0..64: the first quarter of the wave
    16384, 16379, 16364, 16340, 16305, 16261, 16207, 16143, 16069, 15986, 15893, 15791, 15679, 15557, 15426,
    15286, 15137, 14978, 14811, 14635, 14449, 14256, 14053, 13842, 13623, 13395, 13160, 12916, 12665, 12406,
    12140, 11866, 11585, 11297, 11003, 10702, 10394, 10080, 9760, 9434, 9102, 8765, 8423, 8076, 7723, 7366,
    7005, 6639, 6270, 5897, 5520, 5139, 4756, 4370, 3981, 3590, 3196, 2801, 2404, 2006, 1606, 1205, 804, 402,
    0,
], np.int64)
# fmt: on


def _cosines() -> NDArray[np.int32]:
    """Return i32[16, 32]: 2**14 * cos(pi * k * (2 * j + 1) / 128), the left half of each wave k = 1..16."""
    angle = np.arange(1, 17)[:, None] * (2 * np.arange(32)[None, :] + 1) % 256
    folded = np.where(angle > 128, 256 - angle, angle)
    values = np.where(folded > 64, -_COSINE[128 - np.maximum(folded, 64)], _COSINE[np.minimum(folded, 64)])
    return values.astype(np.int32)


_WAVES = _cosines()


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """The codes under which an item is looked up; none where it has too little detail.

    Args:
        codes: u64[q, 4], laid out as by `hash_image`.
        transforms: u8[q], index into `TRANSFORMS`: how the item was turned before it was coded.
        trimmed: bool[q], whether uniform borders were cut off first.
        quality: 0 to 100, of the item with its borders.
    """

    codes: NDArray[np.uint64]
    transforms: NDArray[np.uint8]
    trimmed: NDArray[np.bool_]
    quality: int


@kernel
def _tent_weights(side: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the pixels a tent covers along one side, and their weights.

    A pixel is 256 units long, a quarter of a cell `side` units; a weight is the exact overlap.

    Returns:
        i64[65, 2]: first pixel of each cell, and where its weights start; i32[k]: weights, 8 * side a cell.
    """
    index = np.empty((_CELLS + 1, 2), np.int64)
    weights = np.empty(side + 2 * _CELLS, np.int32)
    count = 0
    for i in range(_CELLS):
        start = 4 * i * side
        first = start // 256
        index[i, 0] = first
        index[i, 1] = count
        before = 0
        for pixel in range(first, (start + 4 * side + 255) // 256):
            end = min(256 * pixel + 256 - start, 4 * side)
            quarter = min(end // side, 3)
            mass = _TENT[quarter] * side + (_TENT[quarter + 1] - _TENT[quarter]) * (end - quarter * side)
            weights[count] = mass - before
            before = mass
            count += 1
    index[_CELLS, 1] = count
    return index, weights


@kernel
def _shrink(grey: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.int32]:
    """Return i32[64, 64]: 256 times the tent-filtered grey of a box (top, left, height, width), centred.

    1. Sum rows of pixels into a row of cells, a row at a time, so that the inner loop runs over columns.
    2. Sum columns into cells.
    3. Divide by the mass, 64 * height * width, rounding half up; subtract the middle grey.
    """
    top, left, height, width = box
    rows, row_weights = _tent_weights(height)
    columns, column_weights = _tent_weights(width)
    mass = height * width
    out = np.empty((_CELLS, _CELLS), np.int32)
    line = np.empty(width, np.int32)
    for i in range(_CELLS):
        line[:] = 0
        for k in range(rows[i, 1], rows[i + 1, 1]):
            weight = row_weights[k]
            pixels = grey[top + rows[i, 0] + k - rows[i, 1], left : left + width]
            for x in range(width):
                line[x] += weight * np.int32(pixels[x])
        for j in range(_CELLS):
            weights = column_weights[columns[j, 1] : columns[j + 1, 1]]
            covered = line[columns[j, 0] : columns[j, 0] + len(weights)]
            total = np.int64(0)
            for x in range(len(weights)):
                total += np.int64(weights[x]) * np.int64(covered[x])
            out[i, j] = (8 * total + mass) // (2 * mass) - 32640
    return out


@kernel
def _quality(cells: NDArray[np.int32]) -> int:
    """Return PDQ's quality, 0 to 100, from steps between neighbouring cells in whole percents of white."""
    total = 0
    for i in range(_CELLS):
        for j in range(_CELLS):
            if i + 1 < _CELLS:
                total += abs(cells[i + 1, j] - cells[i, j]) * 100 // 65280
            if j + 1 < _CELLS:
                total += abs(cells[i, j + 1] - cells[i, j]) * 100 // 65280
    return min(total // 90, 100)


@kernel
def _spectrum(cells: NDArray[np.int32], waves: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return i64[16, 16]: the cosine coefficients (u + 1, v + 1), times 2**36; at most 2**55.

    A wave of odd number is odd about the middle, the others are even: so its two halves are folded first.
    """
    half = np.zeros((16, _CELLS), np.int64)
    for u in range(16):
        sign = np.int32(2 * (u & 1) - 1)
        for y in range(32):
            wave = np.int64(waves[u, y])
            for x in range(_CELLS):
                half[u, x] += wave * np.int64(cells[y, x] + sign * cells[63 - y, x])
    out = np.zeros((16, 16), np.int64)
    for u in range(16):
        for v in range(16):
            sign_v = 2 * (v & 1) - 1
            total = 0
            for x in range(32):
                total += (half[u, x] + sign_v * half[u, 63 - x]) * np.int64(waves[v, x])
            out[u, v] = total
    return out


@kernel
def _lower_median(values: NDArray[np.int64]) -> np.int64:
    """Return the 128th smallest of i64[256], by halving the range: the time does not depend on their order."""
    low, high = np.int64(values.min()), np.int64(values.max())
    while low < high:
        middle = low + ((high - low) >> np.int64(1))
        count = np.int64(0)
        for k in range(256):
            count += np.int64(values[k] <= middle)
        if count >= 128:
            high = middle
        else:
            low = middle + np.int64(1)
    return low


@kernel
def _write_code(spectrum: NDArray[np.int64], transform: int, out: NDArray[np.uint64]) -> None:
    """Write u64[4], the code of the image turned by one of `TRANSFORMS`: above the lower median or not."""
    values = np.empty(256, np.int64)
    for u in range(16):
        for v in range(16):
            value = spectrum[v, u] if transform & 4 else spectrum[u, v]
            # A wave of odd number turns its sign in the mirror.
            turns = (transform & (v + 1)) ^ ((transform >> 1) & (u + 1))
            values[16 * u + v] = -value if turns & 1 else value
    median = _lower_median(values)
    for word in range(4):
        bits = np.uint64(0)
        for bit in range(64):
            bits |= np.uint64(values[64 * word + bit] > median) << np.uint64(bit)
        out[3 - word] = bits


@kernel
def _uniform_edges(
    grey: NDArray[np.uint8], box: tuple[int, int, int, int], tolerance: int
) -> tuple[int, int, int, int]:
    """Return how many uniform lines a box (top, left, height, width) has at top, left, bottom and right.

    A line belongs to the border when it and the outermost line of that side vary together by at most the
    tolerance. All four sides are judged on the whole box, so that the result turns as the image turns.
    """
    top, left, height, width = box
    cut = np.zeros(4, np.int64)
    for side in range(4):
        count = height if side % 2 == 0 else width
        length = width if side % 2 == 0 else height
        low, high = np.int64(255), np.int64(0)
        for line in range(count):
            at = line if side < 2 else count - 1 - line
            line_low, line_high = low, high
            for k in range(length):
                value = np.int64(grey[top + at, left + k] if side % 2 == 0 else grey[top + k, left + at])
                line_low, line_high = min(line_low, value), max(line_high, value)
                if line_high - line_low > tolerance:
                    break
            if line_high - line_low > tolerance:
                break
            if line == 0:
                low, high = line_low, line_high
            cut[side] = line + 1
    return cut[0], cut[1], cut[2], cut[3]


def trim_borders(grey: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return what is left of an image without uniform borders, as top, left, height and width.

    1. Cut all four sides at once, and again while there is something to cut: frames lie within frames.
    2. Keep the borders where less than a quarter of a side would be left, or hardly anything is cut.

    Args:
        grey: u8[height, width].

    Returns:
        The box; the whole image where there is nothing to cut.
    """
    grey = _plain(grey)
    height, width = grey.shape
    whole = box = (0, 0, height, width)
    while True:
        top, left, bottom, right = _uniform_edges(grey, box, _BORDER_RANGE)
        kept = (box[2] - top - bottom, box[3] - left - right)
        if 4 * kept[0] < height or 4 * kept[1] < width:
            return whole
        if kept == box[2:]:
            break
        box = (box[0] + top, box[1] + left, *kept)
    cut_rows, cut_columns = height - box[2], width - box[3]
    return box if cut_rows * _CELLS >= height or cut_columns * _CELLS >= width else whole


def hash_image(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], int]:
    """Return the code of an image as it is, and its quality; low quality is not refused here.

    Args:
        grey: u8[height, width], 0 black to 255 white; sides of 1 to 1,000,000 pixels. About 256 to 512 pixels
            are enough, and fast.

    Returns:
        u64[4], from the highest bits to the lowest: bit `16 * u + v` is coefficient (u + 1, v + 1), so that
        the words as big-endian hexadecimal digits are a PDQ hash as others print it. Quality 0 to 100.

    Raises:
        ValueError: The array is not u8, not two-dimensional, empty or too long.

    Cost: 0.1 ms at 300 x 400 pixels; grows with their number.
    """
    codes, quality = dihedral_codes(grey)
    return codes[0], quality


def dihedral_codes(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], int]:
    """Return the codes u64[8, 4] of an image turned by each of `TRANSFORMS`, and its quality.

    The codes are those of `hash_image` for the turned arrays, bit by bit.
    """
    return _eight_codes(_plain(grey), (0, 0, *grey.shape))


def stored_codes(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Return the rows of a register for a work: its code, and a second one without uniform borders.

    Args:
        grey: As for `hash_image`.

    Returns:
        u64[c, 4] and u8[c], where c is 0 to 2: the codes, laid out as by `hash_image`, and `TRIMMED` or 0.
        None where the quality is below `QUALITY_MIN`, a side below `SIDE_MIN`, or the ones below `ONES_MIN`.
    """
    query = query_codes(grey)
    upright = query.transforms == 0
    return query.codes[upright], query.trimmed[upright].astype(np.uint8) * np.uint8(TRIMMED)


def query_codes(grey: NDArray[np.uint8]) -> ImageQuery:
    """Return the codes under which an item is looked up: eight, and eight more without uniform borders.

    Args:
        grey: As for `hash_image`.

    Returns:
        The codes that `stored_codes` would give for the eight turned arrays, and how each was turned.

    Cost: 0.1 ms at 300 x 400 pixels, twice that with borders.
    """
    grey = _plain(grey)
    whole, inner = (0, 0, *grey.shape), trim_borders(grey)
    codes, cut, whole_quality = [np.empty((0, 4), np.uint64)], [], 0
    for box in (whole,) if inner == whole else (whole, inner):
        eight, quality = _eight_codes(grey, box)
        if box == whole:
            whole_quality = quality
        if quality >= QUALITY_MIN and min(box[2:]) >= SIDE_MIN:
            codes.append(eight)
            cut.append(box != whole)
    every = np.concatenate(codes)
    kept = np.array([int.from_bytes(code.tobytes(), "big").bit_count() >= ONES_MIN for code in every], np.bool_)
    transforms = np.tile(np.arange(8, dtype=np.uint8), len(cut))
    return ImageQuery(every[kept], transforms[kept], np.repeat(np.array(cut, np.bool_), 8)[kept], whole_quality)


def undo_transform(transform: int) -> str:
    """Return how an item is turned against a work that it equals after one of `TRANSFORMS`."""
    # Only the quarter turns are not their own opposites.
    return TRANSFORMS[{5: 6, 6: 5}.get(transform, transform)]


def _plain(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a contiguous read-only view of a picture, so that kernels see one kind of array only."""
    if grey.dtype != np.uint8 or grey.ndim != 2 or not 1 <= min(grey.shape) <= max(grey.shape) <= _SIDE_MAX:
        raise ValueError(f"not a picture of grey bytes: {grey.dtype} {grey.shape}")
    view = np.ascontiguousarray(grey).view()
    view.flags.writeable = False
    return view


@kernel
def _eight_codes(grey: NDArray[np.uint8], box: tuple[int, int, int, int]) -> tuple[NDArray[np.uint64], int]:
    """Return the codes u64[8, 4] of all `TRANSFORMS` of a box, and its quality."""
    cells = _shrink(grey, box)
    spectrum = _spectrum(cells, _WAVES)
    codes = np.empty((8, 4), np.uint64)
    for transform in range(8):
        _write_code(spectrum, transform, codes[transform])
    return codes, _quality(cells)
