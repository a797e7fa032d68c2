"""What other projects make of a picture file: bits, and the nearest of many bits."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from suites.scoring import Answers

Coder = Callable[[bytes], NDArray[np.uint8]]
"""From a file to u8[k, bytes]: k codes, any of which may match."""


def _rgb(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    return image.convert("RGB")


def pdq(data: bytes) -> NDArray[np.uint8]:
    """PDQ of the picture as it is, at most 512 pixels wide as its authors advise."""
    import pdqhash

    image = _rgb(data)
    image.thumbnail((512, 512))
    return np.packbits(np.asarray(pdqhash.compute(np.asarray(image))[0], np.uint8))[None]


def pdq_dihedral(data: bytes) -> NDArray[np.uint8]:
    """PDQ of the picture turned and mirrored in all eight ways; the first is the picture as it is."""
    import pdqhash

    image = _rgb(data)
    image.thumbnail((512, 512))
    codes, _quality = pdqhash.compute_dihedral(np.asarray(image))
    return np.packbits(np.asarray(codes, np.uint8), axis=1)


def _imagehash(kind: str) -> Coder:
    def code(data: bytes) -> NDArray[np.uint8]:
        import imagehash

        return np.packbits(getattr(imagehash, kind)(_rgb(data)).hash.reshape(-1))[None]

    return code


def _iscc(bits: int) -> Coder:
    def code(data: bytes) -> NDArray[np.uint8]:
        """As the ISCC SDK does: over white, borders off, 32 x 32 grey, bicubic."""
        import iscc_lib

        image = _rgb(data)
        box = ImageChops.difference(image, Image.new("RGB", image.size, image.getpixel((0, 0)))).getbbox()
        grey = (image.crop(box) if box else image).convert("L").resize((32, 32), Image.Resampling.BICUBIC)
        digest = iscc_lib.iscc_decode(iscc_lib.gen_image_code_v0(grey.tobytes(), bits)["iscc"])[4]
        return np.frombuffer(digest, np.uint8)[None]

    return code


PEERS: dict[str, tuple[str, Coder, int, bool]] = {
    "imagehash phash 64": ("imagehash", _imagehash("phash"), 8, False),
    "imagehash dhash 64": ("imagehash", _imagehash("dhash"), 8, False),
    "imagehash whash 64": ("imagehash", _imagehash("whash"), 8, False),
    "ISCC image code 64": ("iscc_lib", _iscc(64), 8, False),
    "ISCC image code 256": ("iscc_lib", _iscc(256), 32, False),
    "PDQ (pdqhash)": ("pdqhash", pdq, 32, False),
    "PDQ, 8 orientations": ("pdqhash", pdq_dihedral, 32, True),
}
"""The module it needs; its coder; bytes a work; whether only the query is coded in several ways."""


def installed() -> dict[str, tuple[Coder, int, bool]]:
    """Return the peers whose modules are here."""
    return {name: (coder, size, many) for name, (module, coder, size, many) in PEERS.items() if find_spec(module)}


def nearest(queries: list[NDArray[np.uint8]], works: NDArray[np.uint8]) -> Answers:
    """Return the nearest of u8[n, bytes] for each query, by Hamming distance over all of its codes.

    The score is 1 less the share of bits that differ.
    """
    bits = 8 * works.shape[1]
    wide = np.ascontiguousarray(works).view(np.uint64)
    work, score = np.full(len(queries), -1, np.int64), np.full(len(queries), -np.inf)
    for i, codes in enumerate(queries):
        if not len(codes):
            continue
        keys = np.ascontiguousarray(codes).view(np.uint64)
        distance = np.bitwise_count(keys[:, None, :] ^ wide[None, :, :]).sum(2, dtype=np.int64).min(0)
        work[i] = int(distance.argmin())
        score[i] = 1 - float(distance[work[i]]) / bits
    return Answers(work, score)


class RawEmbedding:
    """The cosine of a network's own numbers, with nothing learnt on top: what SSCD's authors publish."""

    def __init__(self, model: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        (self.entry,) = (node.name for node in self.session.get_inputs())

    def __call__(self, data: bytes) -> NDArray[np.float32]:
        image = _rgb(data).resize((288, 288), Image.Resampling.BILINEAR)
        (numbers,) = self.session.run(None, {self.entry: np.asarray(image)[None]})
        return np.asarray(numbers[0] / np.linalg.norm(numbers[0]), np.float32)


def nearest_cosine(queries: NDArray[np.float32], works: NDArray[np.float32]) -> Answers:
    """Return the work of the largest cosine for each query."""
    cosines = queries @ works.T
    return Answers(cosines.argmax(1), cosines.max(1).astype(np.float64))
