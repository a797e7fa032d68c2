"""Pictures of the sentence: PNG for those who show links, SVG for print."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

__all__ = ["badge", "card", "personal_card", "rounded", "sentence_svg"]

SIZE = (1200, 630)
"""What Open Graph readers expect, in pixels."""
MARGIN = 80
PAPER, INK, SOFT, RULE, ACCENT = "#fbf8f2", "#14120f", "#5b544a", "#d8d0c1", "#b3261e"
FONT = Path(__file__).parent / "static/public/newsreader.woff2"


def rounded(n: int) -> int:
    """Return a number as a picture may keep it for a while: two digits, rounded down."""
    scale: int = 10 ** max(0, len(str(n)) - 2)
    return n // scale * scale


def can_draw(text: str) -> bool:
    """Return whether our typeface has the letters of a text."""
    return all(ord(char) < 0x180 or char in "–—‘’‚“”„…€ẞ\u202f" for char in text)


@lru_cache(maxsize=64)
def card(sentence: str, line: str, accent: str = ACCENT) -> bytes:
    """Return a PNG with a sentence and one line below it.

    Args:
        sentence: What is signed.
        line: Below it, such as `12,000 people have signed`.
        accent: Colour of the rule, `#rrggbb`.
    """
    return _draw(sentence, line, accent)


def personal_card(name: str, sentence: str, line: str, accent: str = ACCENT) -> bytes:
    """Return a PNG that says who has signed; only for those who chose to be shown by name."""
    return _draw(sentence, line, accent, name)


def _draw(sentence: str, line: str, accent: str, name: str = "") -> bytes:
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    bottom = SIZE[1] - MARGIN
    draw.line((MARGIN, bottom - 56, SIZE[0] - MARGIN, bottom - 56), fill=RULE, width=2)
    draw.rectangle((MARGIN, bottom - 58, MARGIN + 96, bottom - 54), fill=accent)
    draw.text((MARGIN, bottom - 36), line, font=_font(34, 500), fill=SOFT)
    top = MARGIN - 12
    if name:
        size = next((s for s in range(68, 25, -4) if _font(s, 600).getlength(name) <= SIZE[0] - 2 * MARGIN), 26)
        draw.text((MARGIN, top), name, font=_font(size, 600), fill=INK)
        top += size + 44
    room = bottom - 90 - top
    lines, size = _fit(sentence, room, 56 if name else 80)
    for number, words in enumerate(lines):
        draw.text((MARGIN, top + number * size * 1.16), words, font=_font(size, 400), fill=INK)
    out = BytesIO()
    image.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _fit(sentence: str, room: float, largest: int) -> tuple[list[str], int]:
    """Return lines and the largest size at which they fit."""
    for size in range(largest, 19, -2):
        lines = _wrap(sentence, _font(size, 400), SIZE[0] - 2 * MARGIN)
        if len(lines) * size * 1.16 <= room:
            return lines, size
    return lines[: int(room // (size * 1.16))], size


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@lru_cache(maxsize=64)
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(FONT), size)
    font.set_variation_by_axes([weight])
    return font


def sentence_svg(sentence: str, line: str, language: str, direction: str, accent: str = ACCENT) -> str:
    """Return the sentence as an SVG of text: it prints at any size, and can be read aloud."""
    lines, size = _fit(sentence, SIZE[1] - 2 * MARGIN - 90, 80)
    start = SIZE[0] - MARGIN if direction == "rtl" else MARGIN
    rows = "".join(
        f'<text x="{start}" y="{MARGIN + size * (0.8 + number * 1.16):.0f}" font-size="{size}">{escape(words)}</text>'
        for number, words in enumerate(lines)
    )
    low = SIZE[1] - MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE[0]} {SIZE[1]}" xml:lang="{escape(language)}" '
        f'direction="{direction}" font-family="Newsreader, Charter, Georgia, serif" fill="{INK}">'
        f'<rect width="{SIZE[0]}" height="{SIZE[1]}" fill="{PAPER}"/>{rows}'
        f'<rect x="{MARGIN}" y="{low - 57}" width="{SIZE[0] - 2 * MARGIN}" height="2" fill="{RULE}"/>'
        f'<rect x="{MARGIN}" y="{low - 58}" width="96" height="4" fill="{accent}"/>'
        f'<text x="{start}" y="{low - 8}" font-size="34" fill="{SOFT}">{escape(line)}</text></svg>\n'
    )


def badge(line: str, title: str) -> str:
    """Return a small SVG with the count, for other people's pages."""
    width = 40 + round(_font(18, 500).getlength(line))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="40" role="img"><title>{escape(title)}: '
        f'{escape(line)}</title><rect x=".5" y=".5" width="{width - 1}" height="39" fill="{PAPER}" stroke="{RULE}"/>'
        f'<rect width="4" height="40" fill="{ACCENT}"/><text x="20" y="26" font-family="Newsreader, Charter, Georgia, '
        f'serif" font-size="18" font-weight="500" fill="{INK}">{escape(line)}</text></svg>\n'
    )
