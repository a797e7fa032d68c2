"""A statement's own colour, made readable on paper and in the dark."""

from __future__ import annotations

import re

__all__ = ["DEFAULT", "contrast", "readable", "sheet"]

DEFAULT = "#b3261e"
PAPER = "#fbf8f2"
NIGHT = "#151310"
ENOUGH = 4.5
"""Contrast of text with what is behind it. Source: WCAG 2.2, 1.4.3."""


def sheet(accent: str) -> str:
    """Return a style sheet that sets a statement's colour; the site's own where it is none."""
    colour = accent.lower() if re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else DEFAULT
    day, night = readable(colour, PAPER), readable(colour, NIGHT)
    rules = f":root{{--accent:{day};--on:{_on(day)}}}"
    return f"{rules}@media(prefers-color-scheme:dark){{:root{{--accent:{night};--on:{_on(night)}}}}}\n"


def readable(colour: str, behind: str) -> str:
    """Return the nearest shade of a colour that can be read on a background."""
    goal = 0 if _light(behind) > 0.2 else 255
    red, green, blue = _parts(colour)
    for step in range(101):
        mixed = [round(part + (goal - part) * step / 100) for part in (red, green, blue)]
        shade = "#{:02x}{:02x}{:02x}".format(*mixed)
        if contrast(shade, behind) >= ENOUGH:
            return shade
    return "#000000" if goal == 0 else "#ffffff"


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21. Source: WCAG 2.2, contrast ratio."""
    dark, bright = sorted((_light(one), _light(other)))
    return (bright + 0.05) / (dark + 0.05)


def _on(colour: str) -> str:
    return "#ffffff" if contrast(colour, "#ffffff") >= ENOUGH else "#14120f"


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _light(colour: str) -> float:
    shares = [part / 255 for part in _parts(colour)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
