"""Make a model folder: learn from many pictures how a network's numbers become codes."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askfirst.canonical import canonical_json
from askfirst.errors import InputError
from askfirst.fingerprint.descriptor import (
    ALGORITHM,
    LEVEL_RANKS,
    Projection,
    background_levels,
    fit_gate,
    fit_projection,
)
from askfirst.fingerprint.image import QUALITY_MIN, SIDE_MIN, hash_image
from askfirst.io.embedding import MODEL_NAME, SCHEMA, Network, model_id_of
from askfirst.io.files import read_path
from askfirst.io.images import open_image

__all__ = ["IMAGES_MIN", "FittedModel", "fit_model"]

IMAGES_MIN = 64
"""Pictures below which nothing can be said of how they vary; some thousands of all kinds are good."""

_BACKGROUND = 2000
"""Pictures of the background at most: levels hardly change with more."""

_SAME = 0.9
"""Two pictures whose embeddings have a larger product are one: the background has it once."""

_SIDE_PX, _GATE_SIDE_PX = 288, 224
"""What a network looks at where it leaves that open: SSCD's size, and that of its students."""

_SEED = 0


@dataclass(frozen=True, slots=True)
class FittedModel:
    """What was made.

    Args:
        model_id: SHA-256 of its `model.json`.
        images: Pictures that were learnt from, each once.
        skipped: Files that are no picture, or have too little detail, or were there before.
    """

    model_id: str
    images: int
    skipped: int


def fit_model(onnx: Path, images: Iterable[Path], out: Path, *, gate: Path | None = None) -> FittedModel:
    """Learn mean, whitening, rotation and background from pictures, and write a model folder.

    1. See that the networks are networks, and that there is a place to write to.
    2. Look at every picture, by both networks, in the order of their digests: the order of the files counts nothing.
    3. Learn the teacher's projection, and the gate's into the same space.
    4. Take pictures of all kinds as the background.
    5. Write everything into a folder beside `out`, and move it there.

    Args:
        onnx: The network whose codes count.
        images: Files of pictures that are no works, of all kinds; what cannot be read is skipped.
        out: The model folder; must not be there, or be empty.
        gate: A smaller network to put before it.

    Raises:
        InputError: kind `network`, `reader-missing`, `few-images`, or `out` holds something.

    Cost: 30 ms a picture.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} holds something already", kind="exists", advice="choose another folder for --out")
    data = {"teacher.onnx": read_path(onnx, 2 << 30)}
    networks = {"teacher": Network.open(data["teacher.onnx"], _SIDE_PX)}
    if gate is not None:
        data["gate.onnx"] = read_path(gate, 2 << 30)
        networks["gate"] = Network.open(data["gate.onnx"], _GATE_SIDE_PX)
    seen = _look(networks, images)
    arrays, level = _learn(seen)
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        data[f"{name}.npy"] = buffer.getvalue()
    text = canonical_json(_describe(networks, data, seen.digests, level)) + b"\n"
    _write(out, {**data, MODEL_NAME: text})
    return FittedModel(model_id_of(text), len(seen.digests), seen.skipped)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the networks saw: SHA-256 of the files, ascending, and f32[n, d] for each network."""

    digests: list[bytes]
    embeddings: dict[str, NDArray[np.float32]]
    skipped: int


def _look(networks: dict[str, Network], images: Iterable[Path]) -> _Seen:
    """Return the embeddings of every picture with some detail, each file once."""
    rows: dict[bytes, dict[str, NDArray[np.float32]]] = {}
    skipped = 0
    side_px = max(network.side_px for network in networks.values())
    for path in images:
        try:
            data = read_path(path)
            digest = hashlib.sha256(data).digest()
            picture = None if digest in rows else open_image(data, colour_px=side_px)
        except InputError:
            picture = None
        if picture is None or picture.rgb is None or not _has_detail(picture.grey):
            skipped += 1
            continue
        rows[digest] = {name: network.embed(picture.rgb) for name, network in networks.items()}
    if len(rows) < IMAGES_MIN:
        raise InputError(
            f"{len(rows)} pictures are too few to learn from, {skipped} files were left out",
            kind="few-images",
            advice=f"give at least {IMAGES_MIN}; some thousands of all kinds are good",
        )
    digests = sorted(rows)
    embeddings = {name: np.stack([rows[digest][name] for digest in digests]) for name in networks}
    return _Seen(digests, embeddings, skipped)


def _has_detail(grey: NDArray[np.uint8]) -> bool:
    return hash_image(grey)[1] >= QUALITY_MIN and min(grey.shape) >= SIDE_MIN


def _learn(seen: _Seen) -> tuple[dict[str, NDArray[Any]], int]:
    """Return the arrays of a model folder, and the level of an ordinary picture."""
    teacher = seen.embeddings["teacher"]
    projection = fit_projection(teacher, _SEED)
    background = projection.codes(teacher[_different(teacher)])
    if len(background) <= max(LEVEL_RANKS):
        raise InputError(
            "these pictures are all alike to this network", kind="few-images", advice="give pictures of all kinds"
        )
    arrays: dict[str, NDArray[Any]] = {**_stored(projection), "background": background}
    if "gate" in seen.embeddings:
        gate = fit_gate(seen.embeddings["gate"], teacher, projection)
        arrays |= {f"gate_{name}": array for name, array in _stored(gate).items()}
    return arrays, int(np.median(background_levels(background, background)))


def _stored(projection: Projection) -> dict[str, NDArray[np.float32]]:
    return {"mean": projection.mean.astype("<f4"), "matrix": projection.matrix.astype("<f4")}


def _different(embeddings: NDArray[np.float32]) -> list[int]:
    """Return the first rows of which none is like another one, as many as a background has."""
    kept: list[int] = []
    for row in range(len(embeddings)):
        if len(kept) == _BACKGROUND:
            break
        if not kept or float((embeddings[kept] @ embeddings[row]).max()) <= _SAME:
            kept.append(row)
    return kept


def _describe(networks: dict[str, Network], data: dict[str, bytes], digests: list[bytes], level: int) -> dict[str, Any]:
    """Return what `model.json` says."""
    return {
        "schema": SCHEMA,
        "algorithm": ALGORITHM,
        "networks": {
            name: {
                "file": f"{name}.onnx",
                "layout": network.layout,
                "side_px": network.side_px,
                "dims": network.dims,
            }
            for name, network in networks.items()
        },
        "files": {
            name: {"sha256": hashlib.sha256(one).hexdigest(), "size_bytes": len(one)} for name, one in data.items()
        },
        "images": {"count": len(digests), "sha256": hashlib.sha256(b"".join(digests)).hexdigest()},
        "level": level,
        "seed": _SEED,
    }


def _write(out: Path, files: dict[str, bytes]) -> None:
    """Write a folder as a whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for name, data in files.items():
            (folder / name).write_bytes(data)
        folder.chmod(0o755)
        folder.replace(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
