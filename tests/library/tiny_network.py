"""Tiny ONNX files, written byte by byte: a matrix that embeds pictures, and some that do not."""

from __future__ import annotations

import numpy as np

FLOAT, UINT8 = 1, 2


def number(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(place, value):
    """One field of a protobuf message: a whole number, or bytes."""
    if isinstance(value, int):
        return number(place << 3) + number(value)
    value = value.encode() if isinstance(value, str) else value
    return number(place << 3 | 2) + number(len(value)) + value


def shaped(name, kind, shape):
    dims = b"".join(field(1, field(1, one) if isinstance(one, int) else field(2, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def node(kind, inputs, output, **attributes):
    out = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            out += field(5, field(1, name) + field(3, value) + field(20, 2))
        else:
            out += field(5, field(1, name) + b"".join(field(8, one) for one in value) + field(20, 7))
    return out


def tensor(name, array, extra=b""):
    kind = {"f": FLOAT, "i": 7}[array.dtype.kind]
    dims = b"".join(field(1, size) for size in array.shape)
    return dims + field(2, kind) + field(8, name) + field(9, array.tobytes()) + extra


def model(nodes, inputs, outputs, tensors=()):
    graph = b"".join(field(1, one) for one in nodes) + field(2, "tiny")
    graph += b"".join(field(5, one) for one in tensors)
    graph += b"".join(field(11, one) for one in inputs) + b"".join(field(12, one) for one in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def weights(side, dims, seed, noise=0.0):
    """f32[3 * side * side, dims] without a mean, so that brightness counts little."""
    dice = np.random.default_rng(seed)
    out = dice.standard_normal((3 * side * side, dims))
    out += noise * np.random.default_rng(seed + 1).standard_normal(out.shape)
    return (out - out.mean(axis=0)).astype("<f4")


def matrix_network(side=16, dims=48, seed=0, noise=0.0):
    """u8[1, side, side, 3] times a matrix."""
    nodes = [
        node("Cast", ["image"], "numbers", to=FLOAT),
        node("Flatten", ["numbers"], "row", axis=1),
        node("MatMul", ["row", "weights"], "embedding"),
    ]
    image, embedding = shaped("image", UINT8, [1, side, side, 3]), shaped("embedding", FLOAT, [1, dims])
    return model(nodes, [image], [embedding], [tensor("weights", weights(side, dims, seed, noise))])


def means_network(layout="uint8-nhwc"):
    """The mean of each colour, for squares of any size."""
    if layout == "uint8-nhwc":
        image, shape, axes = UINT8, ["batch", "height", "width", 3], [1, 2]
    else:
        image, shape, axes = FLOAT, ["batch", 3, "height", "width"], [2, 3]
    nodes = [
        node("Cast", ["image"], "numbers", to=FLOAT),
        node("ReduceMean", ["numbers"], "embedding", axes=axes, keepdims=0),
    ]
    return model(nodes, [shaped("image", image, shape)], [shaped("embedding", FLOAT, ["batch", 3])])


def external_network():
    """A matrix whose numbers are in another file."""
    elsewhere = field(14, 1) + field(13, field(1, "location") + field(2, "/etc/passwd"))
    dims = field(1, 3) + field(1, 3) + field(2, FLOAT) + field(8, "weights") + elsewhere
    nodes = [node("MatMul", ["image", "weights"], "embedding")]
    return model(nodes, [shaped("image", FLOAT, [1, 3])], [shaped("embedding", FLOAT, [1, 3])], [dims])


def unfit_networks():
    """ONNX files that run, and embed no pictures, each with what is said of it."""

    def cast(shape, kind, out):
        nodes = [node("Cast", ["image"], "embedding", to=FLOAT)]
        return model(nodes, [shaped("image", kind, shape)], [shaped("embedding", FLOAT, out)])

    return {
        "one dimension": cast([5], UINT8, [5]),
        "two channels": cast([1, 8, 8, 2], UINT8, [1, 8, 8, 2]),
        "oblong": cast([1, 3, 16, 32], FLOAT, [1, 3, 16, 32]),
        "four dimensions out": cast([1, 3, 16, 16], FLOAT, [1, 3, 16, 16]),
        "doubles": cast([1, 3, 16, 16], 11, [1, 3, 16, 16]),
    }


def blobs(seed, side=96):
    """A picture of smooth coloured spots: u8[side, side, 3]. Every seed has its own."""
    corners = np.random.default_rng(seed).integers(0, 256, (9, 9, 3)).astype(np.float64)
    at = np.linspace(0, 8, side)
    low = np.minimum(at.astype(int), 7)
    part = (at - low)[:, None, None]
    rows = corners[low] * (1 - part) + corners[low + 1] * part
    part = (at - low)[None, :, None]
    return (rows[:, low] * (1 - part) + rows[:, low + 1] * part).round().astype(np.uint8)
