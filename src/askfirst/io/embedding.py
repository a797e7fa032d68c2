"""Networks that turn pictures into numbers: any ONNX export of an image embedding, in a folder that says what it is.

A model folder holds `model.json`, the network (`teacher.onnx`), perhaps a smaller one before it (`gate.onnx`), and
arrays; `model.json` has the SHA-256 of each, so that its own SHA-256, the model's id, names all of it. Networks
are run by onnxruntime on one thread, on the processor. Picture in, numbers out:

* either u8[1, height, width, 3], red, green and blue as they are, the network does the rest;
* or f32[1, 3, height, width], each colour less its mean and divided by its deviation over ImageNet.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import InputError, SnapshotCorruptError, VersionUnsupportedError
from askfirst.fingerprint.descriptor import (
    ALGORITHM,
    CODE_BITS,
    LEVEL_RANKS,
    DescriptorQuery,
    Projection,
    background_levels,
    view_boxes,
)
from askfirst.fingerprint.image import QUALITY_MIN, SIDE_MIN, hash_image, trim_borders
from askfirst.fingerprint.resize import resize_colour
from askfirst.io.files import read_path
from askfirst.io.image_pixels import grey_of_colour
from askfirst.io.onnx_file import refuse_external_data

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["ARRAYS", "MODEL_NAME", "SCHEMA", "Embedder", "Network", "model_id_of"]

SCHEMA = "askfirst/model/v0"
MODEL_NAME = "model.json"

ARRAYS = ("background", "gate_matrix", "gate_mean", "matrix", "mean")
"""The arrays a model folder may hold, as `NAME.npy`; those of the gate only where there is one."""

_LIMIT_BYTES = 2 << 30
"""No larger network is read: ONNX files cannot be larger."""

_SIDE_PX = (16, 1024)

_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Source: the values of torchvision's models, which nearly every export follows."""

_AGAIN = "fetch the model folder again, or make it again with `askfirst model fit`"


@dataclass(frozen=True, slots=True)
class Network:
    """A network that is ready to run.

    Args:
        layout: `uint8-nhwc` or `float32-nchw`.
        side_px: Side of the square it looks at.
        dims: Numbers it returns.
    """

    layout: str
    side_px: int
    dims: int
    _session: InferenceSession

    @classmethod
    def open(cls, data: bytes, side_px: int) -> Network:
        """Make a network ready to run.

        1. Refuse what reads other files.
        2. See what goes in and what comes out.
        3. Run it once on a grey square, to see that it does.

        Args:
            data: The ONNX file.
            side_px: Side of the square that it shall look at, where it leaves that open.

        Raises:
            InputError: kind `reader-missing` without onnxruntime; `network` where it is no ONNX file, or no embedding.
        """
        refuse_external_data(data)
        session = _open_session(data)
        layout, fixed_px = _layout_of(session)
        network = cls(layout, fixed_px or side_px, 0, session)
        if not _SIDE_PX[0] <= network.side_px <= _SIDE_PX[1]:
            raise InputError(
                f"a network that looks at {network.side_px} pixels",
                kind="network",
                advice=f"use a side of {_SIDE_PX[0]} to {_SIDE_PX[1]} pixels",
            )
        numbers = network.run(np.full((network.side_px, network.side_px, 3), 128, np.uint8))
        return cls(layout, network.side_px, len(numbers), session)

    def embed(self, rgb: NDArray[np.uint8], box: tuple[int, int, int, int] | None = None) -> NDArray[np.float32]:
        """Return what the network sees in a picture, or in a part of it: f32[d] of length 1.

        Args:
            rgb: u8[height, width, 3]; sides of about `side_px` are enough.
            box: Top, left, height and width of the part.
        """
        box = (0, 0, *rgb.shape[:2]) if box is None else box
        numbers = self.run(resize_colour(rgb, box, self.side_px)).astype(np.float64)
        length = float(np.sqrt((numbers * numbers).sum()))
        return (numbers / length if 0 < length < np.inf else np.zeros(len(numbers))).astype(np.float32)

    def run(self, square: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's numbers for a square of its size, as they are."""
        from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415  # an extra

        picture: NDArray[Any] = square[None]
        if self.layout == "float32-nchw":
            levels = (square.astype(np.float32) / np.float32(255) - _IMAGENET_MEAN) / _IMAGENET_DEVIATION
            picture = np.ascontiguousarray(levels.transpose(2, 0, 1)[None])
        try:
            numbers = self._session.run(None, {self._session.get_inputs()[0].name: picture})[0]
        except (state.Fail, state.RuntimeException, state.InvalidArgument) as error:
            raise _no_network(f"it does not run on a square of {self.side_px} pixels") from error
        if numbers.dtype != np.float32 or numbers.ndim != 2 or len(numbers) != 1 or not np.isfinite(numbers).all():
            raise _no_network(
                f"what comes out is {numbers.dtype} {'x'.join(map(str, numbers.shape))}, not one row of numbers"
            )
        row: NDArray[np.float32] = numbers[0]
        return row


def _open_session(data: bytes) -> InferenceSession:
    """Return onnxruntime's session: one thread, the processor only, silent."""
    try:
        import onnxruntime  # noqa: PLC0415  # an extra: most audits need none
        from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415
    except ImportError as error:
        raise InputError(
            "onnxruntime, which runs networks, is not installed",
            kind="reader-missing",
            advice="pip install 'askfirst[images]'",
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except (
        state.Fail,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.InvalidArgument,
        state.NotImplemented,
    ) as error:
        raise _no_network("onnxruntime cannot read it") from error


def _layout_of(session: InferenceSession) -> tuple[str, int]:
    """Return the layout of a network's input, and its side in pixels; nought where it takes any."""
    inputs = session.get_inputs()
    if len(inputs) == 1 and len(inputs[0].shape) == 4:
        batch, *sides = (size if isinstance(size, int) and size > 0 else 0 for size in inputs[0].shape)
        layouts = {("tensor(uint8)", 2): "uint8-nhwc", ("tensor(float)", 0): "float32-nchw"}
        for (kind, channel), layout in layouts.items():
            tall, wide = (size for place, size in enumerate(sides) if place != channel)
            if inputs[0].type == kind and sides[channel] in {0, 3} and batch in {0, 1} and tall == wide:
                return layout, tall
    found = ", ".join(f"{one.type} {one.shape}" for one in inputs)
    raise _no_network(f"it takes {found}")


def _no_network(why: str) -> InputError:
    return InputError(
        f"this is no network that embeds pictures: {why}",
        kind="network",
        advice="export one from uint8 [1, height, width, 3] or float [1, 3, height, width] to float [1, d]",
    )


def model_id_of(model_json: bytes) -> str:
    """Return the id of a model: SHA-256 of its `model.json` in hexadecimal."""
    return hashlib.sha256(model_json).hexdigest()


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model folder, open: pictures in, codes out.

    Args:
        model_id: Names the model; registers store it, and codes of two models are never compared.
        teacher: The network whose codes count.
        projection: Its projection.
        gate: A smaller network, or None.
        gate_projection: The gate's projection into the teacher's space.
        background: u64[b, 8], codes of pictures that are no works.
        level: Level of a picture like most of the background, as `background_levels` gives it.
    """

    model_id: str
    teacher: Network
    projection: Projection
    gate: Network | None
    gate_projection: Projection | None
    background: NDArray[np.uint64]
    level: int

    @classmethod
    def load(cls, folder: Path) -> Embedder:
        """Open a model folder.

        Raises:
            SnapshotCorruptError: A file is missing, or not the one that `model.json` names.
            VersionUnsupportedError: `model.json` is of another version.
            InputError: kind `reader-missing` without onnxruntime; `network` where one does not run here.

        Cost: 0.3 s with a network of 28 MB.
        """
        text = _read(folder, MODEL_NAME)
        described = _parse(text)
        files = {name: _verified(folder, name, entry) for name, entry in described["files"].items()}
        gate = described["networks"].get("gate")
        try:
            arrays = {name: _array(f"{name}.npy", files) for name in ARRAYS if f"{name}.npy" in files}
            return cls(
                model_id=model_id_of(text),
                teacher=_described_network(files, described["networks"]["teacher"]),
                projection=Projection(arrays["mean"], arrays["matrix"]),
                gate=_described_network(files, gate) if gate else None,
                gate_projection=Projection(arrays["gate_mean"], arrays["gate_matrix"]) if gate else None,
                background=arrays["background"],
                level=int(described["level"]),
            )
        except (EOFError, KeyError, TypeError, ValueError) as error:
            raise _corrupt(MODEL_NAME, "a description of every network and array", str(error)) from error

    def embed(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the teacher sees in u8[height, width, 3]: f32[d] of length 1."""
        return self.teacher.embed(rgb)

    def describe(
        self, rgb: NDArray[np.uint8], views: tuple[int, ...] = (0,), *, use_gate: bool = False
    ) -> DescriptorQuery:
        """Return the codes of a picture, or of parts of it; parts with too little detail have none.

        Args:
            rgb: u8[height, width, 3].
            views: Indices into `VIEWS`; a picture without borders has no view without them.
            use_gate: By the gate instead of the teacher; by the teacher where there is no gate.

        Cost: with the models that were measured, 4 ms a view by the gate, 23 ms by the teacher.
        """
        network, projection = self.teacher, self.projection
        if use_gate and self.gate is not None and self.gate_projection is not None:
            network, projection = self.gate, self.gate_projection
        grey = grey_of_colour(np.ascontiguousarray(rgb))
        height, width = grey.shape
        boxes = view_boxes(height, width, trim_borders(grey) if 1 in views else (0, 0, height, width))
        kept = [view for view in views if (view != 1 or boxes[1] != boxes[0]) and _has_detail(grey, boxes[view])]
        if not kept:
            return DescriptorQuery.empty()
        codes = projection.codes(np.stack([network.embed(rgb, boxes[view]) for view in kept]))
        return DescriptorQuery(codes, np.array(kept, np.uint8), background_levels(codes, self.background))


def _has_detail(grey: NDArray[np.uint8], box: tuple[int, int, int, int]) -> bool:
    """Return whether a part of a picture says enough to be known again: skies and walls are all alike."""
    top, left, height, width = box
    return (
        hash_image(grey[top : top + height, left : left + width])[1] >= QUALITY_MIN and min(height, width) >= SIDE_MIN
    )


def _described_network(files: dict[str, bytes], described: dict[str, Any]) -> Network:
    """Return a network, if it is as it was described."""
    network = Network.open(files[described["file"]], described["side_px"])
    found = (network.layout, network.side_px, network.dims)
    expected = (described["layout"], described["side_px"], described["dims"])
    if found != expected:
        raise _corrupt(described["file"], str(expected), str(found))
    return network


def _parse(text: bytes) -> dict[str, Any]:
    """Return what `model.json` says, if it is of this version."""
    kinds = {"files": dict, "networks": dict, "level": int}
    try:
        described = json.loads(text)
        schema, algorithm = described["schema"], described["algorithm"]
        is_whole = all(isinstance(described[key], kind) for key, kind in kinds.items())
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _corrupt(MODEL_NAME, "a description of a model", "something else") from error
    if (schema, algorithm) == (SCHEMA, ALGORITHM):
        if not is_whole:
            raise _corrupt(MODEL_NAME, "a description of a model", "something else")
        return {key: described[key] for key in kinds}
    raise VersionUnsupportedError(
        "the model folder was written for another version of this program",
        path=MODEL_NAME,
        expected=f"{SCHEMA}, {ALGORITHM}",
        found=f"{schema}, {algorithm}",
        advice="update this program, or make the model folder again",
    )


def _verified(folder: Path, name: str, entry: Any) -> bytes:
    """Return the bytes of a file, if they are the ones that `model.json` names."""
    if "/" in name or name.startswith("."):
        raise _corrupt(MODEL_NAME, "names of files in the folder", name)
    data = _read(folder, name)
    found = hashlib.sha256(data).hexdigest()
    if not isinstance(entry, dict) or entry.get("sha256") != found:
        expected = str(entry.get("sha256")) if isinstance(entry, dict) else "a digest"
        raise _corrupt(name, expected, found)
    return data


def _read(folder: Path, name: str) -> bytes:
    try:
        return read_path(folder / name, _LIMIT_BYTES)
    except InputError as error:
        raise SnapshotCorruptError(
            f"{error.message} in the model folder", path=name, expected="a file", found=error.kind, advice=_AGAIN
        ) from error


def _array(name: str, files: dict[str, bytes]) -> NDArray[Any]:
    """Return an array that was stored by numpy, without ever running what might be in the file."""
    array = np.load(io.BytesIO(files[name]), allow_pickle=False)
    expected = ("<u8", 2) if name == "background.npy" else ("<f4", 1 if "mean" in name else 2)
    is_fit = name != "background.npy" or (array.shape[1:] == (CODE_BITS // 64,) and len(array) > max(LEVEL_RANKS))
    if (array.dtype, array.ndim) != (np.dtype(expected[0]), expected[1]) or not is_fit:
        raise _corrupt(name, str(expected), f"{array.dtype.str} {'x'.join(map(str, array.shape))}")
    return np.ascontiguousarray(array)


def _corrupt(name: str, expected: str, found: str) -> SnapshotCorruptError:
    return SnapshotCorruptError(
        f"{name} of the model folder is not what it should be", path=name, expected=expected, found=found, advice=_AGAIN
    )
