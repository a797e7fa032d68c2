"""Bytes to characters: which encoding a text, a page or an XML part is written in."""

from __future__ import annotations

import codecs
import re

from askfirst.errors import MalformedMediaError

__all__ = ["decode_markup", "decode_text", "is_texty", "unbroken"]

# UTF-32 stands first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\x0c\r\x1a\x1b"))
"""Bytes that no text file holds. Kept: tab, line ends, form feed, escape and the old end mark."""

WESTERN_HIGH_SHARE_MAX = 0.3
"""Share of non-ASCII bytes above which bytes are not Western European text. French has about 0.04."""

_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']"""
    rb"""|<meta[^>]{0,400}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)

# Labels that pages declare, and what browsers read them as. Only codecs of text whose cost is linear: Python
# also knows "idna", "unicode_escape" and others that a hostile page could name.
# Source: WHATWG Encoding, section 4.2.
_BROWSER_NAMES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "macintosh": "mac_roman",
    **{f"windows-125{n}": f"cp125{n}" for n in range(9)},
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
}


def is_texty(head: bytes) -> bool:
    """Tell whether bytes can be the beginning of a text file: a byte-order mark, or no control characters."""
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return True
    return len(head.translate(None, _CONTROLS)) == len(head)


def decode_text(data: bytes) -> str:
    r"""Decode a plain text file; line ends become `\n`, the byte-order mark is dropped.

    A file with a mark is what its mark says; any other is UTF-8, or, where it is not valid UTF-8,
    windows-1252, which holds every text in Latin-1: novels of the nineties must be readable. Bytes that are
    mostly not ASCII are none of these and are refused rather than read as other letters.

    Args:
        data: All bytes of the file.

    Returns:
        The characters.

    Raises:
        MalformedMediaError: kind `binary` (control characters), `encoding` (not an encoding read here) or
            `corrupt` (invalid after a byte-order mark).
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _with_plain_line_ends(_decode_marked(data[len(mark) :], name))
    if not is_texty(data):
        raise MalformedMediaError(
            "the file holds control characters and is not text",
            kind="binary",
            advice="check that its name fits what it is",
        )
    try:
        return _with_plain_line_ends(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        visible = len(data) - sum(data.count(space) for space in b" \t\r\n")
        high = len(data) - len(data.translate(None, bytes(range(128, 256))))
        if high > WESTERN_HIGH_SHARE_MAX * visible:
            raise MalformedMediaError(
                "the text is neither UTF-8 nor Western European",
                kind="encoding",
                advice="save it as UTF-8",
            ) from error
        return _with_plain_line_ends(data.decode("cp1252", "replace"))


def decode_markup(data: bytes) -> str:
    """Decode an HTML or XHTML page the way a browser does: mark, declaration, UTF-8, windows-1252.

    Invalid bytes become U+FFFD: a page with one bad byte is still a page.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    declared = _DECLARED.search(data, 0, 1024)
    if declared:
        label = (declared[1] or declared[2]).decode("ascii", "replace").lower()
        if label in _BROWSER_NAMES:
            return data.decode(_BROWSER_NAMES[label], "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if declared:  # says UTF-8, or an encoding unknown here
            return data.decode("utf-8", "replace")
        return data.decode("cp1252", "replace")


def unbroken(text: str) -> str:
    """Return text in which no half of a surrogate pair stands alone: pairs are joined, halves are U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _decode_marked(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise MalformedMediaError(
            f"the text has a byte-order mark of {name.upper()} and is not valid {name.upper()}",
            kind="corrupt",
            advice="save it as UTF-8",
        ) from error


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
