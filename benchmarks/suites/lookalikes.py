"""Hard truths: pictures that look alike and are not copies of each other. No two of a set may be matched.

Every picture of a set is a work of its own; it is asked for again as a JPEG of quality 70. It may be found
itself, or nothing: any other work of its set is a false match.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from suites import images, media

MOST = 400
"""At most so many pictures in a set."""

_SIZE = (480, 360)


def _scenes(pattern: str) -> Callable[[Path], list[Image.Image]]:
    def load(cache: Path) -> list[Image.Image]:
        folder = media.fetch(next(s for s in media.PICTURES if s.name == "opencv-doc"), cache)
        if folder is None:
            return []
        files = sorted(f for f in folder.rglob("*") if re.search(pattern, f.as_posix()) and f.is_file())
        return [Image.open(f).convert("RGB") for f in files]

    return load


def _prepared(source: str) -> Callable[[Path], list[Image.Image]]:
    def load(cache: Path) -> list[Image.Image]:
        found = [p for p in media.pictures(cache) if p.name.startswith(f"{source}/")]
        step = max(1, len(found) // MOST)
        return [Image.open(p.file).convert("RGB") for p in found[::step][:MOST]]

    return load


def _blank(_cache: Path) -> list[Image.Image]:
    """Give plain areas, soft gradients and vignettes, of every grey and some colours."""
    out = [Image.new("RGB", _SIZE, (v, v, v)) for v in range(0, 256, 15)]
    out += [Image.new("RGB", _SIZE, colour) for colour in ("navy", "teal", "maroon", "gold", "olive", "plum")]
    x, y = np.linspace(-1, 1, _SIZE[0])[None], np.linspace(-1, 1, _SIZE[1])[:, None]
    for k in range(12):
        slant = np.cos(k) * x + np.sin(k) * y
        round_ = 1 - np.hypot(x - 0.05 * k, y) / 2
        for plane in (slant, round_):
            scaled = 40 + 8 * k + (60 + 6 * k) * (plane - plane.min()) / (plane.max() - plane.min())
            out.append(Image.fromarray(scaled.astype(np.uint8)).convert("RGB"))
    return out


def _patterns(_cache: Path) -> list[Image.Image]:
    """Give stripes and boards of every period, ruled and squared paper."""
    x, y = np.arange(_SIZE[0])[None], np.arange(_SIZE[1])[:, None]
    out = []
    for period in range(4, 84, 4):
        board, stripes, slanted = (x // period + y // period) % 2, x // period % 2 + 0 * y, (x + y) // period % 2
        lined = np.where((x % period < 2) | (y % (2 * period) < 2), 0.4, 0.95)
        out += [Image.fromarray((255 * plane).astype(np.uint8)) for plane in (board, stripes, slanted, lined)]
    return [image.convert("RGB") for image in out]


def _noise(_cache: Path) -> list[Image.Image]:
    """Give white noise, grains of several sizes, and clouds: noise whose power falls with frequency."""
    out = []
    for k in range(40):
        rng = images.generator("noise", str(k))
        grain = 1 + k % 8
        small = rng.integers(0, 256, (_SIZE[1] // grain, _SIZE[0] // grain), np.uint8)
        out.append(Image.fromarray(small).resize(_SIZE, Image.Resampling.NEAREST).convert("RGB"))
        spectrum = np.fft.fft2(rng.normal(size=(_SIZE[1], _SIZE[0])))
        radius = np.hypot(np.fft.fftfreq(_SIZE[1])[:, None], np.fft.fftfreq(_SIZE[0])[None]) + 1e-3
        cloud = np.fft.ifft2(spectrum / radius ** (1 + k % 3 / 2)).real
        cloud = (cloud - cloud.min()) / np.ptp(cloud) * 255
        out.append(Image.fromarray(cloud.astype(np.uint8)).convert("RGB"))
    return out


def _pages(_cache: Path) -> list[Image.Image]:
    """Give pages of one layout with other words."""
    out, font = [], ImageFont.load_default(15)
    syllables = ["ba", "de", "ki", "lo", "mu", "na", "pe", "ri", "so", "ta", "vu", "wo", "ze", "shi", "gra", "plo"]
    for k in range(40):
        rng = images.generator("page", str(k))
        page = Image.new("RGB", (420, 594), "white")
        pen = ImageDraw.Draw(page)
        for line in range(28):
            text = ""
            while pen.textlength(text, font) < (330 if line % 7 < 6 else 150):
                text += "".join(rng.choice(syllables, rng.integers(1, 4))) + " "
            pen.text((36, 40 + 18 * line), text, "black", font)
        out.append(page)
    return out


def _screens(cache: Path) -> list[Image.Image]:
    """Give one made-up application showing other pictures."""
    found = [p for p in media.pictures(cache) if p.group == "diverse"][::9][:60]
    return [
        images.screenshot(images.fit(Image.open(p.file).convert("RGB"), 540), images.generator("one screen"))
        for p in found
    ]


def _floors(cache: Path) -> list[Image.Image]:
    """Give other things on one floor of planks; a thing takes about half of the picture."""
    rng = images.generator("floor")
    floor = np.full((480, 480, 3), (165, 120, 80), np.float32)
    for row in range(8):
        floor[60 * row : 60 * row + 60] += rng.normal(0, 14)
        floor[60 * row : 60 * row + 2] -= 60
    floor += rng.normal(0, 6, (480, 480, 1)).astype(np.float32)
    ground = Image.fromarray(np.clip(floor, 0, 255).astype(np.uint8))
    out = []
    for picture in [p for p in media.pictures(cache) if p.name.startswith("tuxpaint")][::3][:60]:
        thing = ImageOps.contain(Image.open(picture.file).convert("RGB"), (400, 400))
        mask = thing.convert("L").point(lambda v: 255 if v < 245 else 0).filter(ImageFilter.MedianFilter(3))
        laid = ground.copy()
        laid.paste(thing, ((480 - thing.width) // 2, (480 - thing.height) // 2), mask)
        out.append(laid)
    return out


SETS: dict[str, Callable[[Path], list[Image.Image]]] = {
    "one chessboard, other poses": _scenes(r"examples/data/left\d\d\.jpg"),
    "one wall, two viewpoints": _scenes(r"examples/data/graf[13]\.png"),
    "one head, two poses": _scenes(r"examples/data/Blender_Suzanne[12]\.jpg"),
    "garments on the same floors": _prepared("clothing-dataset-small"),
    "deep sky": _prepared("stellarium-data"),
    "things on one floor of planks": _floors,
    "one application, other pictures": _screens,
    "pages of one layout": _pages,
    "stripes, boards, squared paper": _patterns,
    "blank, gradients": _blank,
    "noise, clouds": _noise,
}


def pairs(cache: Path, name: str) -> tuple[list[bytes], list[bytes]]:
    """Return the works of a set, and the same pictures as they are asked for; no two different ones may match."""
    works, asked = [], []
    for image in SETS[name](cache):
        whole = images.fit(image)
        out = io.BytesIO()
        whole.save(out, "PNG")
        works.append(out.getvalue())
        asked.append(images.file_of(whole, quality=70))
    return works, asked
