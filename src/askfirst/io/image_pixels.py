"""From decoded pictures of any kind to grey values and to red, green and blue: the rules on top of `images`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askfirst.jit import kernel

__all__ = ["grey_of", "grey_of_colour", "grey_of_light", "has_alpha", "is_wide", "rgb_of", "rgb_of_light"]


def is_wide(image: Image.Image) -> bool:
    """Return whether a picture's values are numbers of more than 8 bits."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;")


def has_alpha(image: Image.Image) -> bool:
    """Return whether a picture says how transparent it is."""
    return image.mode in {"LA", "PA", "La", "RGBA", "RGBa"} or "transparency" in image.info


def grey_of(image: Image.Image) -> NDArray[np.uint8]:
    """Return u8[height, width] by the rules on top of `images`."""
    if is_wide(image):
        return _grey_of_numbers(np.asarray(image))
    if image.mode == "CMYK":
        return grey_of_light(255 - np.asarray(image))
    if image.mode in {"YCbCr", "LAB"}:
        return np.asarray(image.getchannel(0))
    if has_alpha(image):
        return grey_of_colour(np.asarray(image.convert("RGBA")))
    if image.mode in {"1", "L"}:
        return np.asarray(image.convert("L"))
    return grey_of_colour(np.asarray(image.convert("RGB")))


def _grey_of_numbers(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return grey for wide numbers: the upper 8 of 16 bits, or a stretch from the lowest to the highest."""
    wide = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(wide.min()), float(wide.max())
    if values.dtype.kind in "iu" and low >= 0 and high <= 65535:
        return (wide.astype(np.uint16) >> 8).astype(np.uint8)
    return np.floor((wide - low) * 255 / (high - low) if high > low else wide * 0).astype(np.uint8)


@kernel
def grey_of_colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey for u8[height, width, 3 or 4]: red, green, blue and, if there is one, alpha over white."""
    height, width, channels = pixels.shape
    grey = np.empty((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            value = 299 * np.int32(pixels[y, x, 0]) + 587 * np.int32(pixels[y, x, 1])
            value = (value + 114 * np.int32(pixels[y, x, 2]) + 500) // 1000
            if channels == 4:
                alpha = np.int32(pixels[y, x, 3])
                value = (value * alpha + 255 * (255 - alpha) + 127) // 255
            grey[y, x] = value
    return grey


@kernel
def grey_of_light(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey for u8[height, width, 4]: what cyan, magenta, yellow and black let through, 255 for all."""
    height, width, _ = pixels.shape
    grey = np.empty((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            black = np.int32(pixels[y, x, 3])
            red = (np.int32(pixels[y, x, 0]) * black + 127) // 255
            green = (np.int32(pixels[y, x, 1]) * black + 127) // 255
            blue = (np.int32(pixels[y, x, 2]) * black + 127) // 255
            grey[y, x] = (299 * red + 587 * green + 114 * blue + 500) // 1000
    return grey


def rgb_of(image: Image.Image) -> NDArray[np.uint8]:
    """Return u8[height, width, 3]: red, green and blue by the same rules as grey."""
    if image.mode == "CMYK":
        return rgb_of_light(255 - np.asarray(image))
    if is_wide(image) or image.mode in {"LAB", "1", "L"}:
        return np.repeat(grey_of(image)[:, :, None], 3, axis=2)
    if has_alpha(image):
        return _rgb_over_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


@kernel
def _rgb_over_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return u8[height, width, 3] for red, green, blue and alpha."""
    height, width, _ = pixels.shape
    rgb = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            alpha = np.int32(pixels[y, x, 3])
            for channel in range(3):
                rgb[y, x, channel] = (np.int32(pixels[y, x, channel]) * alpha + 255 * (255 - alpha) + 127) // 255
    return rgb


@kernel
def rgb_of_light(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return u8[height, width, 3] for what cyan, magenta, yellow and black let through."""
    height, width, _ = pixels.shape
    rgb = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for channel in range(3):
                rgb[y, x, channel] = (np.int32(pixels[y, x, channel]) * np.int32(pixels[y, x, 3]) + 127) // 255
    return rgb
