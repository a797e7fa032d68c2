"""The learned fingerprint of a picture, `descriptor_v0`: 512 bits from what a network sees in it.

A network gives a picture a direction in space; pictures that are made from each other lie close together. Its
numbers are centred on the mean of many pictures and whitened, so that what all pictures share no longer counts;
then they are turned by a fixed random rotation, so that each of the 512 numbers says as much as any other, and
the sign of each is one bit. Two unrelated pictures differ in 256 bits, give or take 11.

A second, smaller network, the gate, may be put before the first: its numbers are led into the same space, so
that its codes are compared with those of the first network, and few pictures need both.

Some pictures are near to everything: their distances say less. How near a picture is to a fixed background of
pictures that are no works, its level, is taken into account when it is compared (score normalisation; Pizzi et
al., "A self-supervised descriptor for image copy detection", 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import inline, kernel

__all__ = [
    "ALGORITHM",
    "CODE_BITS",
    "LEVEL_RANKS",
    "VIEWS",
    "DescriptorQuery",
    "Projection",
    "background_levels",
    "fit_gate",
    "fit_projection",
    "view_boxes",
]

ALGORITHM = "descriptor_v0"

CODE_BITS = 512

VIEWS = (
    "whole",
    "without borders",
    "centre",
    "top left",
    "top right",
    "bottom left",
    "bottom right",
    "left half",
    "right half",
    "top half",
    "bottom half",
)
"""The parts of a picture that may be looked at on their own: what lies on or beside other pictures is found so."""

LEVEL_RANKS = (1, 2, 3)
"""A level is the sum of the distances to the second to fourth nearest of the background, here counted from nought: the
nearest may be the picture itself. Source: as on top of this file."""

# Each of `VIEWS` from the third on: top, left, height and width in tenths of the picture.
_PARTS = (
    (2, 2, 6, 6),
    (0, 0, 6, 6),
    (0, 4, 6, 6),
    (4, 0, 6, 6),
    (4, 4, 6, 6),
    (0, 0, 10, 5),
    (0, 5, 10, 5),
    (0, 0, 5, 10),
    (5, 0, 5, 10),
)


@dataclass(frozen=True, slots=True)
class DescriptorQuery:
    """The codes under which a picture is looked up; none where it has too little detail.

    Args:
        codes: u64[v, 8], as `Projection.codes` gives them.
        views: u8[v], index into `VIEWS`.
        levels: i32[v], as `background_levels` gives them.
    """

    codes: NDArray[np.uint64]
    views: NDArray[np.uint8]
    levels: NDArray[np.int32]

    @classmethod
    def empty(cls) -> DescriptorQuery:
        """Return a picture that is not looked up."""
        return cls(np.empty((0, 8), np.uint64), np.empty(0, np.uint8), np.empty(0, np.int32))


@dataclass(frozen=True, slots=True)
class Projection:
    """From a network's numbers to a code.

    Args:
        mean: f32[d].
        matrix: f32[d, 512]: whitening and rotation in one.
    """

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together."""
        if self.mean.ndim != 1 or self.matrix.shape != (len(self.mean), CODE_BITS):
            raise ValueError(f"no projection of {self.mean.shape} by {self.matrix.shape}")

    def codes(self, embeddings: NDArray[np.float32]) -> NDArray[np.uint64]:
        """Return the codes of n pictures; the same numbers give the same bits on every machine.

        Args:
            embeddings: f32[n, d], of length 1 each.

        Returns:
            u64[n, 8]: bit `64 * word + bit` is set where that number of the turned vector is above nought.

        Raises:
            ValueError: They have another number of dimensions.

        Cost: 0.02 ms a picture of 512 dimensions.
        """
        if embeddings.ndim != 2 or embeddings.shape[1] != len(self.mean):
            raise ValueError(f"embeddings of {embeddings.shape} for {len(self.mean)} dimensions")
        plain = (np.ascontiguousarray(array, np.float32) for array in (embeddings, self.mean, self.matrix))
        return _signs(*plain)


@kernel
def _signs(
    embeddings: NDArray[np.float32], mean: NDArray[np.float32], matrix: NDArray[np.float32]
) -> NDArray[np.uint64]:
    """Return u64[n, 8]; sums run over the dimensions in their order, so that rounding is the same everywhere."""
    codes = np.zeros((len(embeddings), CODE_BITS // 64), np.uint64)
    total = np.empty(CODE_BITS, np.float64)
    for row in range(len(embeddings)):
        total[:] = 0
        for k in range(len(mean)):
            value = np.float64(embeddings[row, k]) - np.float64(mean[k])
            weights = matrix[k]
            for bit in range(CODE_BITS):
                total[bit] += value * np.float64(weights[bit])
        for bit in range(CODE_BITS):
            codes[row, bit // 64] |= np.uint64(total[bit] > 0) << np.uint64(bit % 64)
    return codes


def background_levels(codes: NDArray[np.uint64], background: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return how near pictures are to the background: i32[n], sums of three distances in bits.

    Args:
        codes: u64[n, 8].
        background: u64[b, 8], at least four.

    Cost: 0.01 ms a picture for 2,000 codes.
    """
    if len(background) <= max(LEVEL_RANKS):
        raise ValueError(f"a background of {len(background)} codes")
    return _levels(np.ascontiguousarray(codes, np.uint64), np.ascontiguousarray(background, np.uint64))


@kernel
def _levels(codes: NDArray[np.uint64], background: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return the levels, keeping the four smallest distances in order."""
    levels = np.empty(len(codes), np.int32)
    nearest = np.empty(4, np.int32)
    for row in range(len(codes)):
        nearest[:] = CODE_BITS
        for entry in range(len(background)):
            distance = np.int32(0)
            for word in range(CODE_BITS // 64):
                distance += np.int32(_ones(codes[row, word] ^ background[entry, word]))
            place = 3
            if distance >= nearest[place]:
                continue
            while place > 0 and nearest[place - 1] > distance:
                nearest[place] = nearest[place - 1]
                place -= 1
            nearest[place] = distance
        levels[row] = nearest[1] + nearest[2] + nearest[3]
    return levels


@inline
def _ones(word: np.uint64) -> np.uint64:
    """Return the number of ones in u64; compilers know this form and use one instruction."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


def view_boxes(height: int, width: int, inner: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """Return where each of `VIEWS` lies in a picture, as top, left, height and width.

    Args:
        height: Of the picture, in pixels.
        width: The same.
        inner: What is left of it without borders, as `trim_borders` gives it.
    """
    boxes = [(0, 0, height, width), inner]
    for top, left, tall, wide in _PARTS:
        size = max(1, height * tall // 10), max(1, width * wide // 10)
        boxes.append((min(height * top // 10, height - 1), min(width * left // 10, width - 1), *size))
    return boxes


def fit_projection(embeddings: NDArray[np.float32], seed: int) -> Projection:
    """Learn mean, whitening and rotation from the embeddings of many pictures.

    1. Estimate how the numbers vary together; with few pictures, lean towards all alike.
    2. Whiten: turn to the directions in which they vary, and divide each by how much. Keep 512 at most.
    3. Turn at random, by a seed.

    Args:
        embeddings: f32[n, d], at least 2; some thousands of all kinds are good.
        seed: Of the rotation.

    Source:
        Step 1: Ledoit, Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
    """
    mean = embeddings.mean(axis=0, dtype=np.float64)
    centred = embeddings - mean
    values, vectors = np.linalg.eigh(_shrunk_covariance(centred))
    kept = slice(max(0, len(values) - CODE_BITS), None)
    floor = max(float(values[-1]) * 1e-9, 1e-12)
    whitening = vectors[:, kept] / np.sqrt(np.maximum(values[kept], floor))
    turned = whitening @ _rotation(whitening.shape[1], seed).T
    return Projection(mean.astype(np.float32), turned.astype(np.float32))


def _shrunk_covariance(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance f64[d, d] of f64[n, d], as far towards a multiple of one as few rows advise."""
    count, dims = centred.shape
    sample = centred.T @ centred / count
    middle = np.trace(sample) / dims
    target = middle * np.eye(dims)
    apart = float(((sample - target) ** 2).sum())
    noise = float(((centred**2).sum(axis=1) ** 2).sum() / count - (sample**2).sum()) / count
    share = min(max(noise, 0.0) / apart, 1.0) if apart > 0 else 1.0
    shrunk: NDArray[np.float64] = (1 - share) * sample + share * target
    return shrunk


def _rotation(dims: int, seed: int) -> NDArray[np.float64]:
    """Return f64[512, dims], columns at right angles to each other and of length 1."""
    random = np.random.default_rng(seed).standard_normal((CODE_BITS, dims))
    basis, upper = np.linalg.qr(random)
    turned: NDArray[np.float64] = basis * np.sign(np.diag(upper))
    return turned


_PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""How strongly the gate's matrix is held to its beginning, in units of how much the embeddings vary in all."""

_HELD_OUT = 5
"""One in so many pictures decides which penalty is best; it is not learnt from."""


def fit_gate(embeddings: NDArray[np.float32], teacher: NDArray[np.float32], projection: Projection) -> Projection:
    """Learn how a gate's embeddings are led into the teacher's space.

    1. Ask the teacher where each picture belongs.
    2. Fit a matrix that leads the gate's numbers there, by least squares, held to the teacher's own matrix:
       a gate that was taught to do the same needs little change. A gate of another kind is held to nought.
    3. Take the penalty whose codes are nearest to the teacher's, on pictures that were held out.

    Args:
        embeddings: f32[n, g] of the gate.
        teacher: f32[n, d] of the same pictures.
        projection: The teacher's.
    """
    mean = embeddings.mean(axis=0, dtype=np.float64)
    inputs = embeddings - mean
    wanted = (teacher - projection.mean.astype(np.float64)) @ projection.matrix.astype(np.float64)
    start = projection.matrix.astype(np.float64)
    if len(start) != len(mean):
        start = np.zeros((len(mean), CODE_BITS))
    held = np.arange(len(inputs)) % _HELD_OUT == 0

    def fitted(rows: NDArray[np.bool_], penalty: float) -> NDArray[np.float64]:
        square = inputs[rows].T @ inputs[rows]
        ridge = penalty * np.trace(square) / len(square) * np.eye(len(square)) + 1e-12 * np.eye(len(square))
        change = inputs[rows].T @ (wanted[rows] - inputs[rows] @ start)
        solved: NDArray[np.float64] = start + np.linalg.solve(square + ridge, change)
        return solved

    def wrong_bits(penalty: float) -> int:
        return int(((inputs[held] @ fitted(~held, penalty) > 0) != (wanted[held] > 0)).sum())

    best = min(_PENALTIES, key=wrong_bits)
    return Projection(mean.astype(np.float32), fitted(np.ones(len(inputs), np.bool_), best).astype(np.float32))
