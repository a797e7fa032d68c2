"""Image files of every kind, and everything that can be wrong with one."""

from __future__ import annotations

import importlib.util
import io
import os
import random
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from askfirst.errors import InputError, MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.io.image_parts import XMP_SIZE_MAX_BYTES
from askfirst.io.images import FORMATS, ImageLimits, find_xmp, open_image, sniff, thumbnail

PHOTOS = Path(importlib.util.find_spec("skimage").submodule_search_locations[0]) / "data"
HEIGHT, WIDTH = 48, 56
XMP = b'<?xpacket begin="" id="W5M0"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><a>no</a></x:xmpmeta><?xpacket end="w"?>'


def colours():
    """Blocks of colour that JPEG keeps nearly as they are."""
    blocks = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3))
    return np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)


def grey_of(array):
    """The rule, in Python's integers."""
    return np.array(
        [[(299 * r + 587 * g + 114 * b + 500) // 1000 for r, g, b in row] for row in array[..., :3].tolist()], np.uint8
    )


def saved(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


PICTURE = Image.fromarray(colours())
SEEN_THROUGH = PICTURE.copy()
SEEN_THROUGH.putalpha(Image.fromarray(colours()[:, :, 0]))
TURNED = PICTURE.transpose(Image.Transpose.ROTATE_180)
WIDE = (colours()[:, :, 0].astype(np.uint16) << 8) + 77

FILES = {
    "jpeg": saved(PICTURE, "JPEG", quality=95),
    "jpeg-progressive": saved(PICTURE, "JPEG", quality=95, progressive=True),
    "jpeg-grey": saved(PICTURE.convert("L"), "JPEG", quality=95),
    "jpeg-cmyk": saved(PICTURE.convert("CMYK"), "JPEG", quality=95),
    "png": saved(PICTURE, "PNG"),
    "png-alpha": saved(SEEN_THROUGH, "PNG"),
    "png-palette": saved(PICTURE.quantize(64), "PNG"),
    "png-16": saved(Image.fromarray(WIDE), "PNG"),
    "png-1": saved(PICTURE.convert("1"), "PNG"),
    "gif": saved(PICTURE.quantize(64), "GIF"),
    "gif-animated": saved(PICTURE.quantize(64), "GIF", save_all=True, append_images=[TURNED]),
    "webp": saved(PICTURE, "WEBP", quality=95),
    "webp-lossless": saved(SEEN_THROUGH, "WEBP", lossless=True, exact=True),
    "webp-animated": saved(PICTURE, "WEBP", lossless=True, save_all=True, append_images=[TURNED]),
    "tiff": saved(PICTURE, "TIFF"),
    "tiff-lzw": saved(PICTURE, "TIFF", compression="tiff_lzw"),
    "tiff-deflate": saved(SEEN_THROUGH, "TIFF", compression="tiff_adobe_deflate"),
    "tiff-fax": saved(PICTURE.convert("1"), "TIFF", compression="group4"),
    "tiff-cmyk": saved(PICTURE.convert("CMYK"), "TIFF"),
    "tiff-float": saved(Image.fromarray(colours()[:, :, 0].astype(np.float32)), "TIFF"),
    "bmp": saved(PICTURE, "BMP"),
    "bmp-palette": saved(PICTURE.quantize(64), "BMP"),
    **({"avif": saved(PICTURE, "AVIF", quality=95)} if "avif" in FORMATS else {}),
}


def failure(data, **options):
    with pytest.raises(InputError) as error:
        open_image(data, **options)
    assert "\n" not in str(error.value)
    assert error.value.advice
    return type(error.value), error.value.kind, error.value.message


# --- formats and grey --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_opens_with_its_size_and_format(name):
    opened = open_image(FILES[name])
    assert (opened.grey.shape, opened.grey.dtype, opened.grey.flags.c_contiguous) == ((HEIGHT, WIDTH), np.uint8, True)
    assert (opened.width, opened.height, opened.format, opened.xmp) == (WIDTH, HEIGHT, name.partition("-")[0], None)
    assert sniff(FILES[name]) == opened.format


@pytest.mark.parametrize("name", ["png", "webp-animated", "tiff", "tiff-lzw", "bmp"])
def test_grey_of_colour_follows_the_rule(name):
    assert np.array_equal(open_image(FILES[name]).grey, grey_of(colours()))


@pytest.mark.parametrize("name", ["png-alpha", "webp-lossless", "tiff-deflate"])
def test_transparency_is_laid_over_white(name):
    grey, alpha = grey_of(colours()).astype(int), colours()[:, :, 0].astype(int)
    assert np.array_equal(open_image(FILES[name]).grey, (grey * alpha + 255 * (255 - alpha) + 127) // 255)


@pytest.mark.parametrize("name", ["png-palette", "gif", "gif-animated", "bmp-palette"])
def test_palette_is_looked_up_and_the_first_picture_counts(name):
    assert np.array_equal(open_image(FILES[name]).grey, grey_of(np.asarray(PICTURE.quantize(64).convert("RGB"))))


def test_transparent_colour_of_a_palette_is_white():
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.paste(1, (0, 0, 10, 20))
    for kind in ("PNG", "GIF"):
        grey = open_image(saved(palette, kind, transparency=0)).grey
        assert np.unique(grey[:, 10:]).tolist() == [255]
        assert np.unique(grey[:, :10]).tolist() == [124]


def test_of_sixteen_bits_the_upper_eight_count():
    assert np.array_equal(open_image(FILES["png-16"]).grey, colours()[:, :, 0])
    assert np.array_equal(open_image(saved(Image.fromarray(WIDE), "TIFF")).grey, colours()[:, :, 0])


def test_wide_numbers_are_stretched():
    values = np.array([[-1.5, 0.0, 98.5], [np.nan, np.inf, -np.inf]], np.float32)
    assert open_image(saved(Image.fromarray(values), "TIFF")).grey.tolist() == [[0, 3, 255], [3, 3, 3]]
    whole = np.array([[-(2**20), 0, 2**20]], np.int32)
    assert open_image(saved(Image.fromarray(whole), "TIFF")).grey.tolist() == [[0, 127, 255]]
    flat = np.full((3, 3), 7.0, np.float32)
    assert open_image(saved(Image.fromarray(flat), "TIFF")).grey.tolist() == [[0, 0, 0]] * 3


def test_one_bit_is_black_and_white():
    expected = np.asarray(PICTURE.convert("1")) * np.uint8(255)
    assert np.array_equal(open_image(FILES["png-1"]).grey, expected)
    assert np.array_equal(open_image(FILES["tiff-fax"]).grey, expected)


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "jpeg-grey", "jpeg-cmyk", "webp", "tiff-cmyk"])
def test_lossy_and_printing_formats_look_the_same(name):
    apart = np.abs(open_image(FILES[name]).grey.astype(int) - grey_of(colours()))
    assert np.median(apart) <= 3


def test_large_jpeg_is_scaled_and_keeps_256_pixels():
    photo = Image.open(PHOTOS / "retina.jpg").convert("RGB")
    sizes = {}
    for size in ((1411, 1411), (2000, 400), (600, 255), (4096, 2048)):
        opened = open_image(saved(photo.resize(size), "JPEG"))
        assert (opened.width, opened.height) == size
        sizes[size] = opened.grey.shape
    assert sizes == {
        (1411, 1411): (353, 353),
        (2000, 400): (300, 1500),
        (600, 255): (255, 600),
        (4096, 2048): (256, 512),
    }


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_printing_inks_of_photographs_keep_their_light(kind):
    photo = Image.open(PHOTOS / "coffee.png").convert("RGB")
    plain = open_image(saved(photo, kind)).grey.astype(int)
    inks = open_image(saved(photo.convert("CMYK"), kind)).grey.astype(int)
    assert np.abs(plain - inks).mean() < 2


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_smallest_pictures_open(kind, size):
    opened = open_image(saved(PICTURE.resize(size), kind))
    assert (opened.width, opened.height, opened.grey.shape) == (*size, size[::-1])


def test_bytes_between_segments_and_after_the_end_do_no_harm():
    plain = open_image(FILES["jpeg"]).grey
    assert np.array_equal(open_image(FILES["jpeg"] + b"\0" * 1000).grey, plain)
    at = FILES["jpeg"].index(b"\xff\xdb")
    between = open_image(FILES["jpeg"][:at] + b"\0\0\0" + FILES["jpeg"][at:]).grey
    assert np.abs(between.astype(int) - plain).mean() < 1


# --- what is refused ---------------------------------------------------------------------------------------


def test_file_without_bytes_is_empty():
    assert failure(b"") == (MalformedMediaError, "empty", "the image is empty")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "this is a web page, not an image"),
        (b"\xef\xbb\xbf\n  <html>", "this is a web page, not an image"),
        (b"\0" * 100, "this is not an image"),
        (b"hello", "this is not an image"),
        (b"\xff\xd8", "this is not an image"),
        (b"BM but not a bitmap", "this is not an image"),
    ],
)
def test_what_is_no_image_is_said_to_be_none(data, message):
    assert failure(data) == (MalformedMediaError, "not-an-image", message)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", "heic"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "jpeg-xl"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg-2000"),
        (b"8BPS\0\1", "photoshop"),
        (b"\0\0\1\0\1\0", "icon"),
    ],
)
def test_image_format_without_a_reader_is_named(data, name):
    assert failure(data) == (UnsupportedMediumError, "unsupported-format", f"no reader for {name} images")


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_size(width, height, *, data=b""):
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def header_bombs():
    yield "png", png_of_size(60_000, 60_000, data=zlib.compress(bytes(1_000_000)))
    jpeg = FILES["jpeg"]
    at = jpeg.index(b"\xff\xc0") + 5
    yield "jpeg", jpeg[:at] + struct.pack(">HH", 60_000, 60_000) + jpeg[at + 4 :]
    yield "gif", FILES["gif"][:6] + struct.pack("<HH", 60_000, 60_000) + FILES["gif"][10:]
    yield "bmp", FILES["bmp"][:18] + struct.pack("<ii", 60_000, 60_000) + FILES["bmp"][26:]
    tiff = FILES["tiff"]
    for tag in (256, 257):
        at = tiff.index(struct.pack("<HHI", tag, 3, 1)) if struct.pack("<HHI", tag, 3, 1) in tiff else -1
        at = at if at >= 0 else tiff.index(struct.pack("<HHI", tag, 4, 1))
        tiff = tiff[:at] + struct.pack("<HHII", tag, 4, 1, 60_000) + tiff[at + 12 :]
    yield "tiff", tiff


BOMBS = dict(header_bombs())


@pytest.mark.parametrize("name", BOMBS)
def test_picture_of_3600_million_pixels_is_refused_by_its_header(name):
    start = time.process_time()
    found = failure(BOMBS[name])
    assert found[:2] == (TooLargeError, "too-many-pixels")
    assert time.process_time() - start < 0.5


def test_size_is_refused_in_words_with_the_limit():
    assert failure(png_of_size(60_000, 60_000)) == (
        TooLargeError,
        "too-many-pixels",
        "the image says it has 60,000 x 60,000 pixels, more than 100,000,000 in all",
    )
    assert failure(png_of_size(70_000, 3)) == (
        TooLargeError,
        "too-long-side",
        "the image says it has 70,000 x 3 pixels, more than 65,535 on one side",
    )
    assert failure(FILES["png"], limits=ImageLimits(size_bytes=50)) == (
        TooLargeError,
        "too-many-bytes",
        f"the image has {len(FILES['png'])} bytes, more than 50",
    )


@pytest.mark.parametrize("name", FILES)
def test_limits_hold_for_every_format(name):
    pixels = WIDTH * HEIGHT
    assert open_image(FILES[name], limits=ImageLimits(pixels=pixels, side_px=WIDTH)).width == WIDTH
    assert failure(FILES[name], limits=ImageLimits(pixels=pixels - 1))[1] == "too-many-pixels"
    assert failure(FILES[name], limits=ImageLimits(side_px=WIDTH - 1))[1] == "too-long-side"


def test_png_without_pixels_is_corrupt():
    assert failure(png_of_size(0, 5))[:2] == (MalformedMediaError, "corrupt")


def photo_files():
    photo = Image.open(PHOTOS / "coffee.png").convert("RGB")
    return {
        "jpeg": saved(photo, "JPEG"),
        "jpeg-progressive": saved(photo, "JPEG", progressive=True),
        "jpeg-cmyk": saved(photo.convert("CMYK"), "JPEG"),
        "png": saved(photo, "PNG"),
        "gif": saved(photo, "GIF"),
        "webp": saved(photo, "WEBP"),
        "tiff": saved(photo, "TIFF"),
        "tiff-lzw": saved(photo, "TIFF", compression="tiff_lzw"),
        "tiff-jpeg": saved(photo, "TIFF", compression="jpeg"),
        "bmp": saved(photo, "BMP"),
        **({"avif": saved(photo, "AVIF")} if "avif" in FORMATS else {}),
    }


PHOTO_FILES = photo_files()


@pytest.mark.parametrize("name", PHOTO_FILES)
def test_half_a_file_is_never_a_picture(name, capfd):
    data = PHOTO_FILES[name]
    kinds = {failure(data[: int(len(data) * share)])[1] for share in (0.1, 0.5, 0.9, 0.99)}
    assert kinds <= ({"truncated", "corrupt"} if name in {"avif", "tiff-lzw", "tiff-jpeg"} else {"truncated"})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "jpeg-cmyk"])
def test_half_a_jpeg_with_an_end_put_on_is_never_a_picture(name):
    data = PHOTO_FILES[name]
    for share in (0.2, 0.5, 0.9):
        assert failure(data[: int(len(data) * share)] + b"\xff\xd9")[:2] == (MalformedMediaError, "truncated")


def test_png_with_a_wrong_checksum_is_corrupt():
    at = FILES["png"].index(b"IDAT") + 20
    changed = FILES["png"][:at] + bytes([FILES["png"][at] ^ 1]) + FILES["png"][at + 1 :]
    assert failure(changed) == (MalformedMediaError, "corrupt", "the PNG is damaged: a checksum is wrong")


def test_jpeg_of_thousands_of_scans_is_refused():
    data = FILES["jpeg-progressive"]
    at = data.rindex(b"\xff\xda")
    assert failure(data[:at] + data[at:-2] * 300 + data[-2:])[:2] == (TooLargeError, "too-many-scans")


def test_complaints_of_libtiff_refuse_the_picture_and_stay_off_the_error_output(capfd):
    damaged = FILES["tiff-fax"][:8] + b"\xa5" * 32 + FILES["tiff-fax"][40:]
    Image.open(io.BytesIO(damaged)).load()
    assert capfd.readouterr().err.startswith("Fax4Decode: Bad code word")
    assert failure(damaged) == (MalformedMediaError, "corrupt", "the TIFF image is damaged")
    assert capfd.readouterr() == ("", "")


def test_words_of_others_on_the_error_output_are_passed_on(capfd, monkeypatch):
    decode = Image.Image.getchannel

    def talk(*arguments):
        os.write(2, b"somebody else speaks\n")
        return decode(*arguments)

    monkeypatch.setattr(Image.Image, "getchannel", talk)
    lab = saved(PICTURE.convert("LAB"), "TIFF")
    assert open_image(lab).grey.shape == (HEIGHT, WIDTH)
    assert capfd.readouterr() == ("", "somebody else speaks\n")


def test_tiff_opens_where_there_is_no_error_output():
    saved_output = os.dup(2)
    os.close(2)
    try:
        grey = open_image(FILES["tiff"]).grey
    finally:
        os.dup2(saved_output, 2)
        os.close(saved_output)
    assert np.array_equal(grey, grey_of(colours()))


def test_mislabelled_file_goes_by_its_bytes(tmp_path):
    path = tmp_path / "poem.png"
    path.write_bytes(FILES["jpeg"])
    assert open_image(path.read_bytes()).format == "jpeg"


# --- texts in files ----------------------------------------------------------------------------------------


def with_png_text(chunk):
    at = FILES["png"].index(b"IDAT") - 4
    return FILES["png"][:at] + chunk + FILES["png"][at:]


def itxt(text, *, compressed=False):
    flag = b"\1\0" if compressed else b"\0\0"
    return png_chunk(b"iTXt", b"XML:com.adobe.xmp\0" + flag + b"\0\0" + (zlib.compress(text) if compressed else text))


def with_webp_chunk(content):
    data = FILES["webp-animated"] + b"XMP " + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def with_gif_block(content):
    ramp = bytes([1, *range(255, -1, -1), 0])
    at = FILES["gif"].index(b"\x2c", 13 + 3 * 64)
    return FILES["gif"][:at] + b"\x21\xff\x0bXMP DataXMP" + content + ramp + FILES["gif"][at:]


def with_jpeg_segment(content, marker=0xE1):
    return FILES["jpeg"][:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + FILES["jpeg"][2:]


def raw_profile(text):
    digits = text.hex().encode()
    lines = b"\n".join(digits[k : k + 72] for k in range(0, len(digits), 72))
    return b"\nxmp\n%8d\n" % len(text) + lines + b"\n"


TIFF_INFO = {700: XMP}
WITH_XMP = {
    "jpeg": with_jpeg_segment(b"http://ns.adobe.com/xap/1.0/\0" + XMP),
    "jpeg, in another segment": with_jpeg_segment(b"whatever\0" + XMP, marker=0xED),
    "png": with_png_text(itxt(XMP)),
    "png, compressed": with_png_text(itxt(XMP, compressed=True)),
    "png, under another name": with_png_text(png_chunk(b"tEXt", b"Comment\0" + XMP)),
    "png, as hexadecimal digits": with_png_text(png_chunk(b"tEXt", b"Raw profile type xmp\0" + raw_profile(XMP))),
    "png, as compressed digits": with_png_text(
        png_chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(raw_profile(XMP)))
    ),
    "webp": with_webp_chunk(XMP),
    "gif": with_gif_block(XMP),
    "tiff": saved(PICTURE, "TIFF", tiffinfo=TIFF_INFO),
    "bmp, at the end": FILES["bmp"] + XMP,
}
WHOLE = XMP[XMP.index(b"<?xpacket begin") : XMP.index(b"</x:xmpmeta>") + 12]


@pytest.mark.parametrize("name", WITH_XMP)
def test_xmp_is_found_where_the_format_keeps_it(name):
    opened = open_image(WITH_XMP[name])
    assert (opened.xmp, opened.grey.shape) == (find_xmp(WITH_XMP[name]), (HEIGHT, WIDTH))
    assert opened.xmp in {XMP, WHOLE}


@pytest.mark.parametrize("name", FILES)
def test_file_without_xmp_has_none(name):
    assert find_xmp(FILES[name]) is None


def test_bigtiff_and_both_byte_orders_keep_their_xmp():
    big = saved(PICTURE, "TIFF", big_tiff=True, tiffinfo=TIFF_INFO)
    assert (big[:4], find_xmp(big)) == (b"II+\0", XMP)
    entry = struct.pack(">HHII", 700, 1, len(XMP), 26)
    assert find_xmp(b"MM\0*" + struct.pack(">IH", 8, 1) + entry + b"\0" * 4 + XMP) == XMP


def test_two_packets_come_one_after_the_other_and_the_same_one_once():
    other = XMP.replace(b"no", b"yes")
    assert find_xmp(with_png_text(itxt(XMP) + itxt(other))) == XMP + b"\n" + other
    assert find_xmp(with_png_text(itxt(XMP) + itxt(XMP, compressed=True))) == XMP


def test_huge_text_does_not_stop_the_picture_and_is_cut():
    bomb = itxt(b"<x:xmpmeta>" + b" " * 50_000_000, compressed=True)
    start = time.process_time()
    opened = open_image(with_png_text(bomb + png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))))
    assert time.process_time() - start < 2
    assert (opened.grey.shape, len(opened.xmp)) == ((HEIGHT, WIDTH), XMP_SIZE_MAX_BYTES)
    plain = open_image(with_png_text(itxt(b"<x:xmpmeta>" + b"a" * 3_000_000)))
    assert (plain.grey.shape, len(plain.xmp)) == ((HEIGHT, WIDTH), XMP_SIZE_MAX_BYTES)


def test_xmp_that_cannot_be_unpacked_is_not_passed_over():
    broken = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + b"not compressed at all")
    assert find_xmp(with_png_text(broken)) == b"<unreadable compressed XMP"


def test_xmp_of_a_file_that_is_no_image_is_found_too():
    assert find_xmp(b"some other container " + XMP + b" and more") == WHOLE
    assert find_xmp(b"") is None


# --- thumbnails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_thumbnail_is_a_small_jpeg(name):
    small = Image.open(io.BytesIO(thumbnail(FILES[name], 28)))
    assert (small.format, small.size) == ("JPEG", (28, 24))


def test_thumbnail_keeps_colour_lies_on_white_and_stands_upright():
    red = Image.new("RGBA", (400, 200), (255, 0, 0, 0))
    red.paste((255, 0, 0, 255), (0, 0, 200, 200))
    small = Image.open(io.BytesIO(thumbnail(saved(red, "PNG"), 100)))
    assert (small.size, small.mode) == ((100, 50), "RGB")
    left, right = np.asarray(small)[25, 25].tolist(), np.asarray(small)[25, 75].tolist()
    assert np.abs(np.array([*left, *right]) - [254, 0, 0, 255, 255, 255]).max() <= 4
    exif = Image.Exif()
    exif[274] = 6
    turned = thumbnail(saved(PICTURE.resize((400, 200)), "JPEG", exif=exif), 100)
    assert Image.open(io.BytesIO(turned)).size == (50, 100)


def test_thumbnail_refuses_what_cannot_be_opened():
    for data in (b"", b"<html>", FILES["png"][:60], png_of_size(60_000, 60_000)):
        with pytest.raises(InputError):
            thumbnail(data, 100)


# --- damage ------------------------------------------------------------------------------------------------

FRAGMENTS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\1\0\0\0", b"\xff\xda", b"IDAT")


def mutated(dice, data):
    """A few bytes changed, cut, repeated or put in, mostly where the headers are."""
    out = bytearray(data)
    if dice.random() < 0.15:
        del out[dice.randrange(len(out)) :]
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = dice.randrange(min(len(out), dice.choice((40, 200, 1 << 20))) or 1)
        match dice.randrange(5):
            case 0:
                out[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                out[at : at + 1] = bytes([out[at] ^ 1 << dice.randrange(8)]) if out else b""
            case 2:
                del out[at : at + dice.choice((1, 2, 4, 20))]
            case 3:
                out[at:at] = dice.randbytes(dice.choice((1, 4, 10)))
            case _:
                out[at : at + 4] = dice.choice(FRAGMENTS)
    return bytes(out)


def answer(function, *arguments, **options):
    """What a function returns, or the error that it is allowed to raise; any other one fails the test."""
    try:
        return function(*arguments, **options)
    except InputError as error:
        return error


@pytest.mark.parametrize("name", FILES)
def test_damaged_copies_open_or_are_refused_in_one_line(name, capfd):
    """100 copies of each kind; with the two tests below more than 2,000."""
    dice = random.Random(name)
    refused = 0
    for _ in range(100):
        found = answer(open_image, mutated(dice, FILES[name]), limits=ImageLimits(pixels=1_000_000))
        if isinstance(found, InputError):
            refused += 1
            assert (str(found).count("\n"), found.kind != "", found.advice != "") == (0, True, True)
        else:
            assert found.grey.shape[0] <= found.height
    assert refused > 10
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", WITH_XMP)
def test_damaged_notes_do_not_stop_the_search_for_xmp(name):
    dice = random.Random(name)
    for _ in range(200):
        packet = find_xmp(mutated(dice, WITH_XMP[name]))
        assert packet is None or 0 < len(packet) <= XMP_SIZE_MAX_BYTES


@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "webp", "tiff", "bmp"])
def test_thumbnails_of_damaged_copies_open_or_are_refused(name):
    dice = random.Random(name)
    for _ in range(40):
        found = answer(thumbnail, mutated(dice, FILES[name]), 20, limits=ImageLimits(pixels=1_000_000))
        assert isinstance(found, (bytes, InputError))


# --- colours -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_colours_leave_grey_as_it_is(name):
    plain, coloured = open_image(FILES[name]), open_image(FILES[name], colour_px=HEIGHT)
    assert plain.rgb is None
    assert np.array_equal(plain.grey, coloured.grey)
    assert (coloured.rgb.dtype, coloured.rgb.shape) == (np.uint8, (HEIGHT, WIDTH, 3))


@pytest.mark.parametrize("name", FILES)
def test_grey_may_follow_from_the_colours(name):
    plain, coloured = open_image(FILES[name]), open_image(FILES[name], colour_px=HEIGHT, exact_grey=False)
    apart = np.abs(plain.grey.astype(int) - coloured.grey.astype(int))
    assert apart.max() <= (16 if name.startswith("jpeg") else 0)
    assert np.median(apart) == 0
    assert coloured.rgb.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("name", ["png", "webp-lossless", "tiff", "tiff-lzw", "bmp"])
def test_colours_are_those_of_the_file(name):
    expected = colours()
    if name == "webp-lossless":
        alpha = expected[:, :, :1].astype(int)
        expected = (expected * alpha + 255 * (255 - alpha) + 127) // 255
    assert np.array_equal(open_image(FILES[name], colour_px=1).rgb, expected)


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive"])
def test_colours_of_a_jpeg_are_nearly_those_of_the_picture(name):
    apart = np.abs(open_image(FILES[name], colour_px=256).rgb.astype(int) - colours())
    assert np.median(apart) <= 4


def test_inks_become_light():
    shades = np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 0, 0, 255], [0, 51, 102, 128]]], np.uint8)
    tiff = saved(Image.fromarray(shades, "CMYK"), "TIFF")
    expected = [[[255, 255, 255], [0, 255, 255], [0, 0, 0], [127, 102, 76]]]
    assert open_image(tiff, colour_px=1).rgb.tolist() == expected


@pytest.mark.parametrize("name", ["jpeg-grey", "png-16", "png-1", "tiff-fax", "tiff-float"])
def test_picture_without_colours_is_grey_in_all_three(name):
    opened = open_image(FILES[name], colour_px=256)
    assert np.array_equal(opened.rgb, np.repeat(opened.grey[:, :, None], 3, axis=2))


def test_large_jpeg_comes_scaled_to_what_is_asked_for():
    data = saved(PICTURE.resize((1600, 1200)), "JPEG", quality=90)
    shapes = {px: open_image(data, colour_px=px).rgb.shape for px in (288, 480, 5000)}
    assert shapes == {288: (300, 400, 3), 480: (600, 800, 3), 5000: (1200, 1600, 3)}
    assert open_image(data, colour_px=480).grey.shape == open_image(data).grey.shape == (300, 400)
