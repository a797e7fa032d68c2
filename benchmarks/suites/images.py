"""Forty-six ways to change a picture, in ten families, after what people do to pictures on the web.

In the style of DISC21 (Douze and others, 2021) and AugLy (Papakipos and Bitton, 2022), made of Pillow and numpy
alone. Everything random comes from a seed made of the suite's seed, the transformation's name and the picture's
name, so the same pictures give the same queries. A query is a JPEG of at most 768 pixels on its longer side,
quality 85, unless its transformation is about files.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

QUERY_SIDE_PX = 768
SEED = 4

Change = Callable[[Image.Image, np.random.Generator, Sequence[Image.Image]], Image.Image | bytes]
"""Takes the picture, a generator and four other pictures; gives a picture, or a finished file."""

_WORDS = ("when you see it", "not for sale", "summer 2024", "good morning", "breaking news", "swipe up", "wait for it")
_TURN = Image.Transpose
_BICUBIC = Image.Resampling.BICUBIC


@dataclass(frozen=True, slots=True)
class Transformation:
    name: str
    family: str
    change: Change


def file_of(image: Image.Image, kind: str = "JPEG", **options: int) -> bytes:
    """Return a picture as a file; a JPEG of quality 85 unless told otherwise."""
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 85} if kind == "JPEG" and not options else options))
    return out.getvalue()


def fit(image: Image.Image, side_px: int = QUERY_SIDE_PX) -> Image.Image:
    """Return a picture scaled down, if need be, so that its longer side has so many pixels."""
    scale = side_px / max(image.size)
    return image if scale >= 1 else image.resize(_times(image.size, scale), Image.Resampling.LANCZOS)


def generator(*names: str) -> np.random.Generator:
    """Return the generator for one transformation of one picture."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256("/".join(names).encode()).digest()[:8], "big"))


def query(transformation: Transformation, name: str, image: Image.Image, others: Sequence[Image.Image]) -> bytes:
    """Return a file: the picture, scaled and then changed.

    Args:
        transformation: One of `TRANSFORMATIONS`.
        name: Of the picture; seeds what is random.
        image: RGB.
        others: Four other pictures, for collages and backgrounds.
    """
    rng = generator(str(SEED), transformation.name, name)
    changed = transformation.change(fit(image), rng, [fit(other) for other in others])
    return changed if isinstance(changed, bytes) else file_of(fit(changed.convert("RGB")))


def _times(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _pixels(image: Image.Image, step: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Image.Image:
    values = step(np.asarray(image, np.float32))
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _font(image: Image.Image, share: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(max(10, round(share * min(image.size))))


def _gif(image: Image.Image, colours: int) -> bytes:
    return file_of(image.quantize(colours, dither=Image.Dither.FLOYDSTEINBERG), "GIF")


def _thumb(image: Image.Image, side_px: int) -> Image.Image:
    return image.resize(_times(image.size, side_px / max(image.size)), Image.Resampling.LANCZOS)


def _tint(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    gains = rng.uniform(0.7, 1.3, 3).astype(np.float32)
    return ImageEnhance.Brightness(_pixels(image, lambda p: p * gains)).enhance(float(rng.uniform(0.85, 1.15)))


def _noise(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return _pixels(image, lambda p: p + rng.normal(0, 25, p.shape).astype(np.float32))


def _pixelate(image: Image.Image) -> Image.Image:
    small = image.resize(_times(image.size, 64 / max(image.size)), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def _rotate(image: Image.Image, degrees: float, rng: np.random.Generator) -> Image.Image:
    sign = 1 if rng.random() < 0.5 else -1
    return image.rotate(sign * degrees, _BICUBIC, expand=True, fillcolor=(0, 0, 0))


def _warp(image: Image.Image, corners: NDArray[np.float64], size: tuple[int, int], back: Image.Image) -> Image.Image:
    """Lay a picture on another with its corners (top left, clockwise, x and y) at given places."""
    width, height = image.size
    here = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    rows = []
    for (x, y), (u, v) in zip(corners, here, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solved = np.linalg.solve(np.array(rows), here.reshape(-1))
    warped = image.transform(size, Image.Transform.PERSPECTIVE, tuple(solved), _BICUBIC)
    mask = Image.new("L", image.size, 255).transform(size, Image.Transform.PERSPECTIVE, tuple(solved), _BICUBIC)
    out = back.resize(size, _BICUBIC)
    out.paste(warped, mask=mask)
    return out


def _perspective(image: Image.Image, rng: np.random.Generator, back: Image.Image | None, most: float) -> Image.Image:
    width, height = image.size
    inward = rng.uniform(most / 4, most, (4, 2)) * (width, height)
    signs = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64) + signs * inward
    return _warp(image, corners, image.size, back or Image.new("RGB", image.size))


def _crop(image: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Cut out a rectangle of this share of the area, of the same shape, at a random place."""
    width, height = _times(image.size, share**0.5)
    x, y = int(rng.integers(0, image.width - width + 1)), int(rng.integers(0, image.height - height + 1))
    return image.crop((x, y, x + width, y + height))


def _caption(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    out, font = image.copy(), _font(image, 0.11)
    words, place = str(rng.choice(_WORDS)), float(rng.uniform(0.1, 0.8))
    ImageDraw.Draw(out).text(
        (0.06 * image.width, place * image.height), words, "white", font, stroke_width=3, stroke_fill="black"
    )
    return out


def _logo(image: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Lay a disc with letters on the picture, as wide as this share of the shorter side, in a corner."""
    side = round(share * min(image.size))
    badge = Image.new("RGB", (side, side), tuple(int(v) for v in rng.integers(0, 256, 3)))
    ImageDraw.Draw(badge).text((side / 2, side / 2), "AB", "white", ImageFont.load_default(max(8, side // 2)), "mm")
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), 255)
    out, right, low = image.copy(), rng.random() < 0.5, rng.random() < 0.5
    edge = side // 8
    out.paste(badge, (image.width - side - edge if right else edge, image.height - side - edge if low else edge), mask)
    return out


def _tiles(image: Image.Image) -> Image.Image:
    """Write half-transparent words all over the picture, slanted."""
    side = 2 * max(image.size)
    layer, font = Image.new("L", (side, side)), _font(image, 0.06)
    pen, step = ImageDraw.Draw(layer), max(40, min(image.size) // 4)
    for y in range(0, side, step):
        for x in range(0, side, 2 * step):
            pen.text((x + y % (2 * step), y), "preview", 115, font)
    layer = layer.rotate(30, _BICUBIC)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    out = image.copy()
    out.paste("white", mask=layer.crop((left, top, left + image.width, top + image.height)))
    return out


def _border(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.expand(image, round(0.1 * max(image.size)), tuple(int(v) for v in rng.integers(0, 256, 3)))


def _meme(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    band = round(0.2 * image.height)
    out = Image.new("RGB", (image.width, image.height + 2 * band), "white")
    out.paste(image, (0, band))
    pen, font = ImageDraw.Draw(out), _font(image, 0.1)
    for y in (band / 2, image.height + 1.5 * band):
        pen.text((image.width / 2, y), str(rng.choice(_WORDS)), "black", font, "mm")
    return out


def screenshot(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Show the picture in a made-up application on a telephone, 540 x 1,080 pixels."""
    dark = rng.random() < 0.5
    back, ink, grey = ((18, 18, 18), "white", (60, 60, 60)) if dark else ((250, 250, 250), "black", (210, 210, 210))
    out = Image.new("RGB", (540, 1080), back)
    pen = ImageDraw.Draw(out)
    pen.text((20, 8), "12:41", ink, ImageFont.load_default(20))
    pen.rectangle((470, 12, 510, 28), outline=ink)
    pen.ellipse((16, 56, 72, 112), tuple(int(v) for v in rng.integers(40, 220, 3)))
    pen.text((86, 62), f"user_{int(rng.integers(100, 999))}", ink, ImageFont.load_default(24))
    small = image.resize(_times(image.size, min(540 / image.width, 760 / image.height)), Image.Resampling.LANCZOS)
    out.paste(small, ((540 - small.width) // 2, 128))
    y = 128 + small.height + 16
    for x in (20, 76, 132):
        pen.ellipse((x, y, x + 36, y + 36), outline=ink, width=3)
    for i in range(3):
        pen.rounded_rectangle((20, y + 60 + 34 * i, int(rng.integers(200, 520)), y + 80 + 34 * i), 8, grey)
    return out


def _photo_of_screen(image: Image.Image, rng: np.random.Generator, back: Image.Image) -> Image.Image:
    """Show the picture on a lit screen seen from the side: lines, a bezel, a slant, softness, a reflection."""
    lines = (1 - 0.18 * (np.arange(image.height) % 3 == 0))[:, None, None].astype(np.float32)
    framed = ImageOps.expand(_pixels(image, lambda p: p * lines), round(0.03 * max(image.size)), (12, 12, 14))
    out = _perspective(framed, rng, back.filter(ImageFilter.GaussianBlur(6)), 0.16)
    light = np.linspace(0, 1, out.width, dtype=np.float32)[None, :, None] * float(rng.uniform(20, 50))
    gains = np.array([0.95, 1.0, 1.08], np.float32)
    return _pixels(out.filter(ImageFilter.GaussianBlur(1)), lambda p: p * 0.9 * gains + light)


def _on_top(image: Image.Image, share: float, rng: np.random.Generator, back: Image.Image) -> Image.Image:
    """Lay the picture on another, so that it takes about this share of the area."""
    out = ImageOps.fit(back, (QUERY_SIDE_PX, round(0.75 * QUERY_SIDE_PX)), Image.Resampling.LANCZOS)
    factor = (share * out.width * out.height / (image.width * image.height)) ** 0.5
    factor = min(factor, out.width / image.width, out.height / image.height)
    small = image.resize(_times(image.size, factor), Image.Resampling.LANCZOS)
    x, y = int(rng.integers(0, out.width - small.width + 1)), int(rng.integers(0, out.height - small.height + 1))
    out.paste(small, (x, y))
    return out


def _collage(image: Image.Image, rng: np.random.Generator, others: Sequence[Image.Image]) -> Image.Image:
    """Put the picture beside one other, or among three; each fills its square cell and loses its edges."""
    cell = (QUERY_SIDE_PX // 2, QUERY_SIDE_PX // 2)
    cells = [image, *others]
    rows = len(cells) // 2
    order = rng.permutation(len(cells))
    out = Image.new("RGB", (2 * cell[0], rows * cell[1]), "white")
    for place, which in enumerate(order):
        out.paste(
            ImageOps.fit(cells[which], cell, Image.Resampling.LANCZOS),
            (place % 2 * cell[0], place // 2 * cell[1]),
        )
    return out


def _combination_a(image: Image.Image, rng: np.random.Generator) -> bytes:
    return file_of(_caption(_crop(image, 0.7, rng).transpose(_TURN.FLIP_LEFT_RIGHT), rng), quality=30)


def _combination_b(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return _border(_rotate(ImageEnhance.Brightness(image).enhance(1.3), 8, rng), rng)


def _combination_c(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return screenshot(_tint(_crop(image, 0.8, rng).transpose(_TURN.FLIP_LEFT_RIGHT), rng), rng)


_CHANGES: dict[str, dict[str, Change]] = {
    "codec, photometric": {
        "jpeg 60": lambda i, _r, _o: file_of(i, quality=60),
        "jpeg 20": lambda i, _r, _o: file_of(i, quality=20),
        "jpeg 8": lambda i, _r, _o: file_of(i, quality=8),
        "webp 40": lambda i, _r, _o: file_of(i, "WEBP", quality=40),
        "gif 32 colours": lambda i, _r, _o: _gif(i, 32),
        "half size": lambda i, _r, _o: i.resize(_times(i.size, 0.5), Image.Resampling.BILINEAR),
        "thumbnail 64 px": lambda i, _r, _o: _thumb(i, 64),
        "grey": lambda i, _r, _o: i.convert("L"),
        "brighter 1.5": lambda i, _r, _o: ImageEnhance.Brightness(i).enhance(1.5),
        "darker 0.5": lambda i, _r, _o: ImageEnhance.Brightness(i).enhance(0.5),
        "contrast 1.7": lambda i, _r, _o: ImageEnhance.Contrast(i).enhance(1.7),
        "saturation 2.5": lambda i, _r, _o: ImageEnhance.Color(i).enhance(2.5),
        "tint": lambda i, r, _o: _tint(i, r),
        "noise 25": lambda i, r, _o: _noise(i, r),
    },
    "filter": {
        "blur 6 px": lambda i, _r, _o: i.filter(ImageFilter.GaussianBlur(6)),
        "pixelate 64": lambda i, _r, _o: _pixelate(i),
        "invert": lambda i, _r, _o: ImageOps.invert(i),
        "edges": lambda i, _r, _o: i.filter(ImageFilter.FIND_EDGES),
    },
    "flip, quarter turn": {
        "mirror": lambda i, _r, _o: i.transpose(_TURN.FLIP_LEFT_RIGHT),
        "turn 90": lambda i, _r, _o: i.transpose(_TURN.ROTATE_90),
        "turn 180": lambda i, _r, _o: i.transpose(_TURN.ROTATE_180),
    },
    "rotation, perspective, aspect": {
        "rotate 15": lambda i, r, _o: _rotate(i, 15, r),
        "rotate 45": lambda i, r, _o: _rotate(i, 45, r),
        "perspective": lambda i, r, _o: _perspective(i, r, None, 0.2),
        "aspect 2:3": lambda i, _r, _o: i.resize((i.width, max(1, 2 * i.height // 3)), _BICUBIC),
    },
    "crop 90-70": {
        "crop 90 %": lambda i, r, _o: _crop(i, 0.9, r),
        "crop 70 %": lambda i, r, _o: _crop(i, 0.7, r),
    },
    "crop 50-15": {
        "crop 50 %": lambda i, r, _o: _crop(i, 0.5, r),
        "crop 30 %": lambda i, r, _o: _crop(i, 0.3, r),
        "crop 15 %": lambda i, r, _o: _crop(i, 0.15, r),
    },
    "text, logo, watermark": {
        "caption": lambda i, r, _o: _caption(i, r),
        "logo 12 %": lambda i, r, _o: _logo(i, 0.12, r),
        "logo 25 %": lambda i, r, _o: _logo(i, 0.25, r),
        "watermark tiles": lambda i, _r, _o: _tiles(i),
    },
    "border, meme, screen": {
        "border 10 %": lambda i, r, _o: _border(i, r),
        "meme": lambda i, r, _o: _meme(i, r),
        "phone screenshot": lambda i, r, _o: screenshot(i, r),
        "photo of a screen": lambda i, r, o: _photo_of_screen(i, r, o[0]),
    },
    "overlay, collage": {
        "overlay 60 %": lambda i, r, o: _on_top(i, 0.6, r, o[0]),
        "overlay 30 %": lambda i, r, o: _on_top(i, 0.3, r, o[0]),
        "overlay 12 %": lambda i, r, o: _on_top(i, 0.12, r, o[0]),
        "collage 2": lambda i, r, o: _collage(i, r, o[:1]),
        "collage 4": lambda i, r, o: _collage(i, r, o[:3]),
    },
    "combination": {
        "crop, mirror, caption, jpeg 30": lambda i, r, _o: _combination_a(i, r),
        "brighter, rotate 8, border": lambda i, r, _o: _combination_b(i, r),
        "crop, mirror, tint, screenshot": lambda i, r, _o: _combination_c(i, r),
    },
}

TRANSFORMATIONS: tuple[Transformation, ...] = tuple(
    Transformation(name, family, change) for family, changes in _CHANGES.items() for name, change in changes.items()
)
FAMILIES: tuple[str, ...] = tuple(_CHANGES)
assert len(TRANSFORMATIONS) == 46
