"""From the bytes of an image file to grey values: the only place where pictures are decoded.

JPEG files are decoded by simplejpeg, at the smallest of the sizes its decoder offers for free that keeps both
sides at 256 pixels or more. Everything else, and a JPEG that simplejpeg does not know, goes through Pillow,
from a list of formats. What comes out is grey by one rule of ours, whatever the file:

    grey = (299 * red + 587 * green + 114 * blue + 500) // 1000         (ITU-R BT.601-7, 2.5.1)

laid over white where the image is transparent: `(grey * alpha + 255 * (255 - alpha) + 127) // 255`. The inks
of printing turn into light as `(255 - ink) * (255 - black)`, divided by 255 and rounded. Of 16 bits the upper
8 count; wider numbers are stretched from the lowest to the highest. A JPEG's own luminance is taken as it is.
Of an animation, the first picture counts. A note in the file that the picture lies on its side is left aside:
whoever compares pictures tries all orientations.
"""

from __future__ import annotations

import importlib.util
import io
import os
import re
import struct
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, TiffImagePlugin, WebPImagePlugin

from askfirst.errors import InputError, MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.io.image_parts import JpegHead, find_xmp, png_picture, read_jpeg_head, sniff
from askfirst.io.image_pixels import grey_of, grey_of_colour, grey_of_light, has_alpha, is_wide, rgb_of, rgb_of_light

__all__ = ["FORMATS", "ImageLimits", "OpenedImage", "find_xmp", "open_image", "sniff", "thumbnail"]

_HAS_AVIF = importlib.util.find_spec("PIL._avif") is not None

FORMATS = ("jpeg", "png", "webp", "gif", "tiff", "bmp", *(("avif",) if _HAS_AVIF else ()))
"""The formats that are read, as `sniff` names them; AVIF from Pillow 11.3 on."""

_PLUGINS = (BmpImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""Imported so that Pillow knows these formats at once, and need not look through all of its own."""

_SIDE_MIN = 256
"""Pixels a scaled JPEG keeps on its shorter side: four for each cell of the fingerprint."""

_SCANS_MAX = 200
"""A progressive JPEG has about ten scans; thousands are an attack on the decoder's time."""

_JPEG_DAMAGE = ("premature end", "bad huffman", "bad arithmetic", "instead of rst")
"""What simplejpeg says of a picture that is not all there; decoders go on in grey, and so do not we."""

_AGAIN = "get the file again"

_COMPLAINT = re.compile(rb"^[\w.]+: .+\.\n?", re.MULTILINE)
"""A line that libtiff writes to the error output."""

# What Pillow's readers raise on damaged files: the first five were seen, the others stand in their source.
_PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    TypeError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is refused before anything is decoded.

    Args:
        size_bytes: Largest file.
        pixels: Largest picture. Above 178 million Pillow refuses whatever stands here.
        side_px: Longest side.
    """

    size_bytes: int = 256 << 20
    pixels: int = 100_000_000
    side_px: int = 65_535


@dataclass(frozen=True, slots=True)
class OpenedImage:
    """A picture as it is compared.

    Args:
        grey: u8[height, width], read-only use; a large JPEG comes scaled down.
        width: Pixels of the picture in the file.
        height: The same.
        format: One of `FORMATS`.
        xmp: XMP packets, as `find_xmp` returns them.
        rgb: u8[height, width, 3], red, green and blue where they were asked for; its size may differ from `grey`'s.
    """

    grey: NDArray[np.uint8]
    width: int
    height: int
    format: str
    xmp: bytes | None
    rgb: NDArray[np.uint8] | None = None


_LIMITS = ImageLimits()


def open_image(
    data: bytes, *, limits: ImageLimits = _LIMITS, colour_px: int = 0, exact_grey: bool = True
) -> OpenedImage:
    """Decode an image file of any format in `FORMATS`, by its bytes and never by its name.

    1. Refuse what is empty, too long, or no image.
    2. Read its size and refuse what is too large.
    3. Decode it all, or refuse it: half a picture is none.

    Args:
        data: The file.
        limits: What is refused.
        colour_px: Return colours too, with at least so many pixels on the shorter side where the file has them;
            nought for grey alone.
        exact_grey: Decode a JPEG a second time for its colours, so that its grey is the same with and without them.
            Otherwise its grey follows from its colours: four bits of the fingerprint may differ, most often none.

    Raises:
        MalformedMediaError: kind `empty`, `truncated`, `corrupt` or `not-an-image`.
        TooLargeError: kind `too-many-bytes`, `too-many-pixels`, `too-long-side` or `too-many-scans`.
        UnsupportedMediumError: kind `unsupported-format`.

    Cost: 2 ms for a JPEG of a million pixels, 12 ms for a PNG; another 2 ms for a
        JPEG's colours, or half a millisecond where grey follows from them.
    """
    name = _readable_format(data, limits)
    with _clean_errors(name, limits):
        if name == "jpeg":
            head = read_jpeg_head(data)
            _check_size(head.width, head.height, limits)
            grey, rgb = _open_jpeg(data, head, colour_px, exact_grey=exact_grey)
            if grey is not None:
                return OpenedImage(grey, head.width, head.height, name, find_xmp(data), rgb)
        with _pillow(data, name, limits) as image:
            grey = grey_of(image)
            rgb = rgb_of(image) if colour_px else None
            return OpenedImage(grey, image.width, image.height, name, find_xmp(data), rgb)


def thumbnail(data: bytes, side_px: int, *, limits: ImageLimits = _LIMITS) -> bytes:
    """Return a small JPEG of an image file, in colour and the right way up, for people to look at.

    Args:
        data: The file.
        side_px: Longest side of the small picture, in pixels.
        limits: What is refused.

    Raises:
        InputError: As `open_image`.
    """
    name = _readable_format(data, limits)
    with _clean_errors(name, limits), _pillow(data, name, limits) as image:
        if name == "jpeg":
            image.draft("RGB", (2 * side_px, 2 * side_px))
        if is_wide(image):
            small = Image.fromarray(grey_of(image))
        else:
            small = Image.new("RGB", image.size, "white")
            colour = image.convert("RGBA") if has_alpha(image) else image.convert("RGB")
            small.paste(colour, mask=colour if colour.mode == "RGBA" else None)
        small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        turn = _ORIENTATIONS.get(_orientation(image))
        out = io.BytesIO()
        (small.transpose(turn) if turn is not None else small).save(out, "JPEG", quality=82)
        return out.getvalue()


# Exif tag 274: how to turn what is stored so that it stands upright. Source: Exif 2.32, 4.6.4.
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(274, 1))
    except _PILLOW_ERRORS:  # a picture is shown as it lies when its notes are damaged
        return 1


def _readable_format(data: bytes, limits: ImageLimits) -> str:
    """Return the format of a file that may be decoded."""
    if not data:
        raise MalformedMediaError("the image is empty", kind="empty", advice=_AGAIN)
    if len(data) > limits.size_bytes:
        raise TooLargeError(
            f"the image has {len(data):,} bytes, more than {limits.size_bytes:,}",
            limit=limits.size_bytes,
            kind="too-many-bytes",
            advice="save it smaller, or raise the limit",
        )
    name = sniff(data)
    if name is None:
        begins = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        found = "a web page, not an image" if begins.startswith((b"<!doctype html", b"<html")) else "not an image"
        raise MalformedMediaError(f"this is {found}", kind="not-an-image", advice="look at what was downloaded")
    if name not in FORMATS:
        raise UnsupportedMediumError(
            f"no reader for {name} images", kind="unsupported-format", advice="convert it to PNG or JPEG"
        )
    return name


def _check_size(width: int, height: int, limits: ImageLimits) -> None:
    """Refuse a picture by what its header says."""
    if width < 1 or height < 1:
        raise MalformedMediaError("the image has no pixels", kind="corrupt", advice=_AGAIN)
    size = f"{width:,} x {height:,} pixels"
    if width * height > limits.pixels:
        raise TooLargeError(
            f"the image says it has {size}, more than {limits.pixels:,} in all",
            limit=limits.pixels,
            kind="too-many-pixels",
            advice="save it smaller, or raise the limit",
        )
    if max(width, height) > limits.side_px:
        raise TooLargeError(
            f"the image says it has {size}, more than {limits.side_px:,} on one side",
            limit=limits.side_px,
            kind="too-long-side",
            advice="cut it into parts, or raise the limit",
        )


@contextmanager
def _clean_errors(name: str, limits: ImageLimits) -> Iterator[None]:
    """Translate what decoders raise into one clear line."""
    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise TooLargeError(
            f"the {name.upper()} image has more pixels than can be decoded",
            limit=limits.pixels,
            kind="too-many-pixels",
            advice="save it smaller",
        ) from error
    except _PILLOW_ERRORS as error:
        said = str(error).lower()
        if "truncated" in said or "premature end" in said or isinstance(error, EOFError):
            raise MalformedMediaError(
                f"the {name.upper()} image ends before its end", kind="truncated", advice=_AGAIN
            ) from error
        raise MalformedMediaError(
            f"the {name.upper()} image is damaged and cannot be decoded", kind="corrupt", advice=_AGAIN
        ) from error


def _open_jpeg(
    data: bytes, head: JpegHead, colour_px: int, *, exact_grey: bool
) -> tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None]:
    """Return grey values and colours of a JPEG, scaled; no grey where simplejpeg does not know its kind."""
    if head.is_progressive and data.count(b"\xff\xda") > _SCANS_MAX:
        raise TooLargeError(
            f"the JPEG has more than {_SCANS_MAX} scans", limit=_SCANS_MAX, kind="too-many-scans", advice=_AGAIN
        )
    # Printing inks are stored inverted in practice: the numbers are light already.
    has_inks = head.components == 4
    grey = None
    if exact_grey or not colour_px:
        pixels = _decode_jpeg(data, head, "CMYK" if has_inks else "GRAY", _SIDE_MIN)
        if pixels is not None:
            grey = grey_of_light(pixels) if has_inks else pixels[:, :, 0]
        if grey is None or not colour_px:
            return grey, None
    pixels = _decode_jpeg(data, head, "CMYK" if has_inks else "RGB", max(colour_px, _SIDE_MIN))
    if pixels is None:
        return None, None
    rgb = rgb_of_light(pixels) if has_inks else pixels
    return (grey_of_colour(rgb) if grey is None else grey), rgb


def _decode_jpeg(data: bytes, head: JpegHead, kind: str, side_px: int) -> NDArray[np.uint8] | None:
    """Return u8[height, width, channels], scaled; None where simplejpeg does not know this kind of JPEG."""
    side = side_px if min(head.width, head.height) > side_px else 0
    pixels: NDArray[np.uint8] | None = None
    try:
        pixels = simplejpeg.decode_jpeg(data, kind, min_height=side, min_width=side)
    except ValueError as error:
        if any(damage in str(error).lower() for damage in _JPEG_DAMAGE):
            raise
    return pixels


@contextmanager
def _pillow(data: bytes, name: str, limits: ImageLimits) -> Iterator[Image.Image]:
    """Open an image in Pillow, with its size checked; its warnings are about notes, not about the picture."""
    if name == "webp" and len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise MalformedMediaError("the WEBP image ends before its end", kind="truncated", advice=_AGAIN)
    if name == "png":
        _check_size(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"), limits)
        data = png_picture(data)
    with warnings.catch_warnings(), _listening(name):
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=[name]) as image:
            _check_size(image.width, image.height, limits)
            yield image


@contextmanager
def _listening(name: str) -> Iterator[None]:
    """Refuse a TIFF that libtiff complains about: it writes to the error output and goes on with what it has.

    Lines of anybody else that are written meanwhile are passed on.
    """
    try:
        saved = os.dup(2) if name == "tiff" else -1
    except OSError:  # there is no error output: nobody sees the complaints
        saved = -1
    if saved < 0:
        yield
        return
    with tempfile.TemporaryFile() as heard:
        try:
            os.dup2(heard.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            heard.seek(0)
            others, complaints = _COMPLAINT.subn(b"", heard.read())
            if others:
                os.write(2, others)
    if complaints:
        raise MalformedMediaError("the TIFF image is damaged", kind="corrupt", advice=_AGAIN)
