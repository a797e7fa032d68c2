"""The parts an image file is made of: segments, chunks, tags. Nothing here decodes a picture."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from askfirst.errors import MalformedMediaError

__all__ = ["XMP_SIZE_MAX_BYTES", "JpegHead", "find_xmp", "png_picture", "read_jpeg_head", "sniff"]

XMP_SIZE_MAX_BYTES = 1 << 20
"""A longer packet is cut here; cut XML is malformed, and the reader of signals says so."""

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PACKET_STARTS = (b"<?xpacket begin", b"<x:xmpmeta")
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"  # XMP part 3, 1.1.3
_PNG_XMP = b"XML:com.adobe.xmp\0"  # XMP part 3, 1.1.5
_PNG_RAW_XMP = b"Raw profile type xmp\0"  # as ImageMagick writes it: hexadecimal digits
_GIF_XMP = b"XMP DataXMP"  # XMP part 3, 1.1.2
_TIFF_XMP = 700  # XMP part 3, 1.1.7

_PNG_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_BITMAP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}
"""Sizes of the header that follows the 14 bytes of a BMP file. Source: the Windows GDI reference."""

_BRANDS = {
    b"avif": "avif",
    b"avis": "avif",
    b"heic": "heic",
    b"heix": "heic",
    b"heim": "heic",
    b"heis": "heic",
    b"hevc": "heic",
    b"hevx": "heic",
}
_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (_PNG_MAGIC, "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\xff\x0a", "jpeg-xl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jpeg-xl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg-2000"),
    (b"\xff\x4f\xff\x51", "jpeg-2000"),
    (b"8BPS", "photoshop"),
    (b"\0\0\1\0", "icon"),
)


@dataclass(frozen=True, slots=True)
class JpegHead:
    """What the frame header of a JPEG says.

    Args:
        width: Pixels.
        height: Pixels.
        components: 1 grey, 3 colour, 4 the four printing inks.
        is_progressive: Whether the picture comes in several scans.
    """

    width: int
    height: int
    components: int
    is_progressive: bool


def sniff(data: bytes) -> str | None:
    """Return the image format by the first bytes, or None where they are no image's.

    Returns:
        One of the formats that `open_image` reads, or another one that it names when it refuses.
    """
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        size = min(int.from_bytes(data[:4], "big"), 256, len(data))
        brands = [data[8:12], *(data[at : at + 4] for at in range(16, size - 3, 4))]
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BITMAP_HEADERS:
        return "bmp"
    return None


def read_jpeg_head(data: bytes) -> JpegHead:
    """Return the size of a JPEG without decoding it.

    Raises:
        MalformedMediaError: There is no frame header.

    Source: ITU-T T.81, B.2.2.
    """
    for marker, start, end in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC} and end - start >= 6:
            height = int.from_bytes(data[start + 1 : start + 3], "big")
            width = int.from_bytes(data[start + 3 : start + 5], "big")
            return JpegHead(width, height, data[start + 5], marker & 3 == 2)
    raise MalformedMediaError("the JPEG ends before its picture begins", kind="truncated", advice="get the file again")


def png_picture(data: bytes) -> bytes:
    """Return a PNG with only the chunks that make its first picture, each with its checksum proved.

    What is left out cannot do harm: texts that unpack to gigabytes, colour profiles, animation.

    Raises:
        MalformedMediaError: A checksum is wrong, or the file ends before its end.

    Source: PNG third edition, clauses 5.3 and 5.6.
    """
    parts = [_PNG_MAGIC]
    for kind, start, end in _png_chunks(data):
        if kind not in _PNG_NEEDED:
            continue
        checksum = data[end : end + 4]
        if len(checksum) < 4:
            break
        if zlib.crc32(data[start - 4 : end]).to_bytes(4, "big") != checksum:
            raise MalformedMediaError(
                "the PNG is damaged: a checksum is wrong", kind="corrupt", advice="get the file again"
            )
        parts.append(data[start - 8 : end + 4])
        if kind == b"IEND":
            return b"".join(parts)
    raise MalformedMediaError("the PNG ends before its end", kind="truncated", advice="get the file again")


def find_xmp(data: bytes) -> bytes | None:
    """Return the XMP of an image file, several packets one after the other, without decoding the picture.

    1. Look where the format keeps XMP: JPEG APP1, PNG text, WebP and GIF blocks, TIFF tag 700.
    2. Where nothing is there, look for the beginning of a packet in what is not picture data.

    Returns:
        Packets as they are stored, at most 1 MiB each; None where there are none.

    Cost: microseconds for JPEG, PNG and WebP; one pass over the bytes otherwise.

    Source: ISO 16684-3 (XMP specification part 3).
    """
    kind = sniff(data)
    finders = {"jpeg": _jpeg_xmp, "png": _png_xmp, "webp": _webp_xmp, "gif": _gif_xmp, "tiff": _tiff_xmp}
    packets = list(finders[kind](data)) if kind in finders else []
    if not packets and kind not in {"jpeg", "png"}:
        packets = list(_scan(data))
    distinct = dict.fromkeys(packet[:XMP_SIZE_MAX_BYTES] for packet in packets if packet.strip(b"\0 \r\n\t"))
    return b"\n".join(distinct) or None


def _scan(data: bytes) -> Iterator[bytes]:
    """Yield the first packet that begins anywhere, up to where it ends."""
    start = min((at for at in map(data.find, _PACKET_STARTS) if at >= 0), default=-1)
    if start >= 0:
        window = data[start : start + XMP_SIZE_MAX_BYTES]
        end = window.find(b"</x:xmpmeta>")
        yield window[: end + 12] if end >= 0 else window


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of every segment before the first scan."""
    at, size = 2, len(data)
    while at + 4 <= size:
        if data[at] != 0xFF:
            # Bytes between segments are wrong, yet harmless: decoders go on at the next marker.
            at = data.find(b"\xff", at)
            if at < 0:
                return
            continue
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in {0x00, 0x01} or 0xD0 <= marker <= 0xD8:
            at += 2
        elif marker in {0xD9, 0xDA}:
            return
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            end = at + 2 + length
            if length < 2 or end > size:
                return
            yield marker, at + 4, end
            at = end


def _jpeg_xmp(data: bytes) -> Iterator[bytes]:
    for marker, start, end in _jpeg_segments(data):
        if not 0xE0 <= marker <= 0xEF:
            continue
        if data.startswith(_JPEG_XMP, start, end):
            yield data[start + len(_JPEG_XMP) : end]
        elif any(data.find(begin, start, end) >= 0 for begin in _PACKET_STARTS):
            yield from _scan(data[start:end])


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the content of every chunk, also of one that is cut off."""
    at = len(_PNG_MAGIC)
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at + 8, at + 8 + size
        at += 12 + size


def _png_xmp(data: bytes) -> Iterator[bytes]:
    for kind, start, end in _png_chunks(data):
        if kind == b"iTXt" and data.startswith(_PNG_XMP, start, end):
            fields = data[start + len(_PNG_XMP) : end]
            text = fields[2:].split(b"\0", 2)[-1]
            yield _inflate(text) if fields[:1] == b"\1" else text
        elif kind in {b"tEXt", b"zTXt"} and data.startswith(_PNG_RAW_XMP, start, end):
            text = data[start + len(_PNG_RAW_XMP) : end]
            digits = re.sub(rb"\s", b"", (_inflate(text[1:]) if kind == b"zTXt" else text).partition(b"xmp")[2])
            # The decimal length stands before the digits, and both are digits: the packet's "<" parts them.
            packet = digits[digits.find(b"3c") :][: 2 * XMP_SIZE_MAX_BYTES]
            yield (
                bytes.fromhex(packet[: len(packet) // 2 * 2].decode("ascii", "replace")) if _is_hex(packet) else b"?"
            )
        elif kind in {b"tEXt", b"iTXt"}:
            yield from _scan(data[start:end])


def _is_hex(digits: bytes) -> bool:
    return re.fullmatch(rb"[0-9a-fA-F]+", digits) is not None


def _inflate(data: bytes) -> bytes:
    """Unpack at most 1 MiB; what cannot be unpacked gives what came before, which is no complete packet."""
    unpacker = zlib.decompressobj()
    try:
        return unpacker.decompress(data, XMP_SIZE_MAX_BYTES)
    except zlib.error:
        return b"<unreadable compressed XMP"


def _webp_xmp(data: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"XMP ":
            yield data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _gif_xmp(data: bytes) -> Iterator[bytes]:
    """The packet stands in the open after its name; a ramp of 257 bytes and a nought follow it."""
    start = data.find(b"\x21\xff\x0b" + _GIF_XMP)
    if start >= 0:
        window = data[start + 14 : start + 14 + XMP_SIZE_MAX_BYTES]
        end = window.find(b"\x01\xff\xfe\xfd")
        yield window[:end] if end >= 0 else window


def _tiff_xmp(data: bytes) -> Iterator[bytes]:
    """Read the first directory of a TIFF or BigTIFF. Source: TIFF 6.0, section 2."""
    order = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]  # a plain str to mypy

    word, count_size, entry_size = (8, 8, 20) if number(2, 2) == 43 else (4, 2, 12)
    first = number(word, word)
    for at in range(first + count_size, first + count_size + entry_size * number(first, count_size), entry_size):
        if at + entry_size > len(data):
            return
        if number(at, 2) == _TIFF_XMP:
            count = number(at + 4, word)
            place = at + 4 + word if count <= word else number(at + 4 + word, word)
            yield data[place : place + min(count, XMP_SIZE_MAX_BYTES)]
            return
