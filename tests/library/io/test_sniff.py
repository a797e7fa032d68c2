"""What a file is: bytes first, then its name."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from askfirst.io.sniff import HEAD_SIZE_BYTES, Format, format_of, medium_of, suffix_of
from askfirst.model import Medium

ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_SOUND = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
ASF_FILM = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")

MAGIC = [
    ("jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\0", Medium.IMAGE),
    ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Medium.IMAGE),
    ("gif 87", b"GIF87a\1\0\1\0", Medium.IMAGE),
    ("gif 89", b"GIF89a\1\0\1\0", Medium.IMAGE),
    ("webp", b"RIFF\x1a\0\0\0WEBPVP8L", Medium.IMAGE),
    ("tiff little-endian", b"II*\0\x08\0\0\0", Medium.IMAGE),
    ("tiff big-endian", b"MM\0*\0\0\0\x08", Medium.IMAGE),
    ("bigtiff", b"II+\0\x08\0\0\0", Medium.IMAGE),
    ("bmp", b"BM" + bytes([70, 0, 0, 0]) + bytes(4) + b"\x36\0\0\0" + b"\x28\0\0\0", Medium.IMAGE),
    ("avif", b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", Medium.IMAGE),
    ("avif by compatible brand", b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Medium.IMAGE),
    ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Medium.OTHER),
    ("mp3 with tag", b"ID3\x04\0\0\0\0\0\0", Medium.AUDIO),
    ("mp3 frame", b"\xff\xfb\x90\x64" + bytes(8), Medium.AUDIO),
    ("mp3 frame without checksum bit", b"\xff\xfa\x90\x64" + bytes(8), Medium.AUDIO),
    ("mpeg layer II frame", b"\xff\xfd\x90\x64" + bytes(8), Medium.AUDIO),
    ("wav", b"RIFF\x24\0\0\0WAVEfmt ", Medium.AUDIO),
    ("large wav", b"RF64\xff\xff\xff\xffWAVEds64", Medium.AUDIO),
    ("flac", b"fLaC\0\0\0\x22", Medium.AUDIO),
    ("ogg vorbis", b"OggS\0\2" + bytes(22) + b"\x01vorbis", Medium.AUDIO),
    ("opus", b"OggS\0\2" + bytes(22) + b"OpusHead", Medium.AUDIO),
    ("ogg theora", b"OggS\0\2" + bytes(22) + b"\x80theora", Medium.VIDEO),
    ("m4a", b"\0\0\0\x1cftypM4A \0\0\2\0", Medium.AUDIO),
    ("aac adts", b"\xff\xf1\x50\x80" + bytes(8), Medium.AUDIO),
    ("aac adif", b"ADIF" + bytes(8), Medium.AUDIO),
    ("aiff", b"FORM\0\0\0\x2eAIFFCOMM", Medium.AUDIO),
    ("aifc", b"FORM\0\0\0\x2eAIFCFVER", Medium.AUDIO),
    ("mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", Medium.VIDEO),
    ("mov", b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", Medium.VIDEO),
    ("old mov", b"\0\0\x10\0moov\0\0\0\x6cmvhd", Medium.VIDEO),
    ("webm", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1", Medium.VIDEO),
    ("avi", b"RIFF\x24\0\0\0AVI LIST", Medium.VIDEO),
    ("mpeg program stream", b"\0\0\x01\xba\x44", Medium.VIDEO),
    ("mpeg video", b"\0\0\x01\xb3\x14", Medium.VIDEO),
    ("mpeg transport stream", (b"\x47\x40\x11\x10" + bytes(184)) * 5, Medium.VIDEO),
    ("mpeg transport stream of a disc", (b"\1\2\3\4\x47\x40\x11\x10" + bytes(184)) * 5, Medium.VIDEO),
    ("amr", b"#!AMR\n\x3c", Medium.AUDIO),
    ("amr wide", b"#!AMR-WB\n\x3c", Medium.AUDIO),
    ("caf", b"caff\0\1\0\0desc", Medium.AUDIO),
    ("sun", b".snd\0\0\0\x18\xff\xff\xff\xff", Medium.AUDIO),
    ("voc", b"Creative Voice File\x1a\x1a\0\x0a\1", Medium.AUDIO),
    ("wave64", b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", Medium.AUDIO),
    ("wavpack", b"wvpk\x20\0\0\0\x10\4", Medium.AUDIO),
    ("monkey's audio", b"MAC \x96\x0f\0\0", Medium.AUDIO),
    ("tta", b"TTA1\1\0\2\0\x10\0", Medium.AUDIO),
    ("realmedia", b".RMF\0\0\0\x12\0\0", Medium.VIDEO),
    ("ivf", b"DKIF\0\0\x20\0VP80", Medium.VIDEO),
    ("flash video", b"FLV\1\5\0\0\0\x09", Medium.VIDEO),
    ("flash video of sound only", b"FLV\1\4\0\0\0\x09", Medium.AUDIO),
    ("windows media", ASF + bytes(14), Medium.VIDEO),
    ("windows media of sound only", ASF + bytes(14) + ASF_SOUND + bytes(40), Medium.AUDIO),
    ("windows media with both", ASF + bytes(14) + ASF_SOUND + bytes(40) + ASF_FILM + bytes(40), Medium.VIDEO),
    ("matroska of sound only", b"\x1a\x45\xdf\xa3" + bytes(40) + b"\x86\x86A_OPUS" + bytes(9), Medium.AUDIO),
    ("matroska with both", b"\x1a\x45\xdf\xa3\x86\x86A_OPUS\x86\x85V_VP9" + bytes(9), Medium.VIDEO),
    ("ogg with pictures later", b"OggS\0\2" + bytes(900) + b"\x80theora", Medium.VIDEO),
    ("3gp", b"\0\0\0\x18ftyp3gp4\0\0\2\0", Medium.VIDEO),
    ("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", Medium.TEXT),
    ("pdf after a preamble", b"\0\0junk\n%PDF-1.4\n", Medium.TEXT),
    ("html", b"<!DOCTYPE html><p>Hi", Medium.TEXT),
    ("xhtml", b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', Medium.TEXT),
    ("utf-8 text", "Ein schöner Tag.\n".encode(), Medium.TEXT),
    ("utf-8 text cut inside a letter", "schön".encode()[:4], Medium.TEXT),
    ("latin-1 text", "Ein schöner Tag.\n".encode("latin-1"), Medium.TEXT),
    ("utf-16 text", "Ein schöner Tag.\n".encode("utf-16"), Medium.TEXT),
    ("text that begins like a bitmap", b"BMW was founded in Munich.", Medium.TEXT),
    ("subtitles", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", Medium.TEXT),
    ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', Medium.OTHER),
    ("rtf", b"{\\rtf1\\ansi Hello}", Medium.OTHER),
    ("old word document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), Medium.OTHER),
    ("elf program", b"\x7fELF\2\1\1" + bytes(20), Medium.OTHER),
]


@pytest.mark.parametrize(("head", "medium"), [m[1:] for m in MAGIC], ids=[m[0] for m in MAGIC])
def test_medium_of_goes_by_bytes_without_a_name(head, medium):
    assert medium_of(head, "") == medium


KNOWN = [m for m in MAGIC if m[0] != "elf program"]  # unknown bytes go by their name: see the next test


@pytest.mark.parametrize("name", ["a.txt", "a.jpg", "a.mp3", "a.mp4", "a.epub", "a", "a.xyz"])
@pytest.mark.parametrize(("head", "medium"), [m[1:] for m in KNOWN], ids=[m[0] for m in KNOWN])
def test_medium_of_mislabelled_file_goes_by_its_bytes(head, medium, name):
    assert medium_of(head, name) == medium


SUFFIXES = {
    Medium.TEXT: "txt md markdown html htm xhtml pdf epub docx odt srt vtt",
    Medium.IMAGE: "jpg jpeg png gif webp tif tiff bmp avif",
    Medium.AUDIO: "mp3 wav flac ogg opus m4a aac aif aiff amr caf wma mka wv ape tta w64 voc au ac3",
    Medium.VIDEO: "mp4 mov webm mkv avi mpg mpeg wmv asf flv f4v 3gp 3g2 ts m2ts mts ogv vob rm ivf m1v",
    Medium.OTHER: "exe parquet zip docu jpgx",
}


@pytest.mark.parametrize(("medium", "suffix"), [(m, s) for m, words in SUFFIXES.items() for s in words.split()])
def test_medium_of_unknown_or_no_bytes_goes_by_the_name(medium, suffix):
    assert medium_of(b"\0\1\2\3\4\5\6\7", f"dir.d/Work.{suffix.upper()}") == medium
    assert medium_of(b"", f"C:\\works\\work.{suffix}") == medium


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_medium_of_real_pictures(file_format):
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 20, 20)).save(stream, file_format)
    assert medium_of(stream.getvalue()[:HEAD_SIZE_BYTES], "poem.txt") == Medium.IMAGE


def archive(*names: str, first: str = "") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as members:
        if first:
            members.writestr("mimetype", first, compress_type=zipfile.ZIP_STORED)
        for name in names:
            members.writestr(name, "x" * 50)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (archive(first="application/epub+zip"), "", Format.EPUB),
        (archive("META-INF/container.xml"), "", Format.EPUB),
        (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "", Format.DOCX),
        (archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "a.xlsx", Format.ZIP),
        (archive(first="application/vnd.oasis.opendocument.text"), "", Format.ODT),
        (archive("content.xml"), "a.odt", Format.ODT),
        (archive("a.txt"), "a.epub", Format.EPUB),
        (archive("a.txt"), "a.zip", Format.ZIP),
        (archive("a.txt"), "a.jpg", Format.ZIP),
        (b"# Title\n", "a.md", Format.MARKDOWN),
        (b"<div align=center>\n\n# Title\n", "a.md", Format.MARKDOWN),
        (b"<p>Hi", "a.html", Format.HTML),
        (b"<p>Hi", "a.txt", Format.PLAIN),
        (b"<!-- x -->\n<HTML lang=de>", "a.txt", Format.HTML),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "a.srt", Format.SUBTITLES),
        (b'{"a": 1}', "a.json", Format.PLAIN),
    ],
)
def test_format_of_tells_documents_apart(data, name, expected):
    assert format_of(data[:HEAD_SIZE_BYTES], name) == expected


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("A.TXT", "txt"), (".epub", "epub"), ("pdf", "pdf"), ("a.b/c", "c"), ("", ""), ("x.tar.gz", "gz")],
)
def test_suffix_of(name, suffix):
    assert suffix_of(name) == suffix


@given(st.binary(max_size=600), st.text(max_size=12))
def test_medium_of_any_bytes_and_name_gives_a_medium(head, name):
    assert medium_of(head, name) in set(Medium)


@given(st.sampled_from(MAGIC), st.binary(max_size=40))
def test_medium_of_does_not_depend_on_what_follows_the_head(case, tail):
    """Text is the exception: a control character later in the head shows that it is none."""
    _, head, medium = case
    if medium is not Medium.TEXT and len(head) > 20:
        assert medium_of(head + tail, "") == medium
