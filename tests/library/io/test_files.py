"""Reading one file: what may not be read is not, and records are the same however a file is cut."""

from __future__ import annotations

import bz2
import codecs
import ctypes
import gzip
import lzma
import os
import re
import shutil
import socket
import tempfile
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import InputError, TooLargeError
from askfirst.io.files import (
    BAD_QUOTE,
    LINES,
    OK,
    TOO_LONG,
    UNCLOSED,
    Dialect,
    Limits,
    Stream,
    read_file,
    read_path,
    read_records,
)

EVERYTHING = 2**62
CSV = Dialect(",")


@contextmanager
def powerless_folder():
    """A folder that others may enter, entered without root's power over permissions."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    libc = ctypes.CDLL(None)
    try:
        yield folder, lambda: libc.setfsuid(65534)
    finally:
        libc.setfsuid(os.geteuid())
        shutil.rmtree(folder)


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "data"
    (root / "inner").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"a")
    (root / "inner" / "b.txt").write_bytes(b"bb")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (root / "inner" / "link.txt").symlink_to("../a.txt")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "folder-out").symlink_to("..")
    (root / "folder-in").symlink_to("inner")
    (root / "broken").symlink_to("nothing")
    (root / "circle").symlink_to("circle")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.txt", b"a"),
        ("inner/b.txt", b"bb"),
        ("./inner//b.txt", b"bb"),
        ("inner/link.txt", b"a"),
        ("folder-in/b.txt", b"bb"),
        ("folder-in/link.txt", b"a"),
    ],
)
def test_read_file_inside(tree, path, data):
    assert read_file(path, str(tree), 100) == data


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/etc/passwd", "outside"),
        ("../secret.txt", "outside"),
        ("inner/../../secret.txt", "outside"),
        ("inner/../a.txt", "outside"),
        ("out.txt", "outside"),
        ("folder-out/secret.txt", "outside"),
        ("folder-in/../../secret.txt", "outside"),
        ("circle", "outside"),
        ("broken", "missing"),
        ("nothing", "missing"),
        ("a.txt/b", "missing"),
        ("a\0.txt", "missing"),
        ("", "missing"),
        ("x" * 5000, "missing"),
        ("inner", "not-a-file"),
        ("pipe", "not-a-file"),
    ],
)
def test_read_file_refuses(tree, path, kind):
    with pytest.raises(InputError) as caught:
        read_file(path, str(tree), 100)
    assert caught.value.kind == kind
    assert str(tree) not in str(caught.value)
    assert len(str(caught.value)) < 320


def test_read_file_refuses_a_socket(tree):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tree / "socket"))
    with pytest.raises(InputError) as caught:
        read_file("socket", str(tree), 100)
    assert caught.value.kind == "not-a-file"


def test_read_file_root_may_be_a_link(tree, tmp_path):
    (tmp_path / "alias").symlink_to("data")
    assert read_file("inner/link.txt", str(tmp_path / "alias"), 100) == b"a"


def test_read_file_name_that_is_not_utf8(tree):
    name = os.fsdecode(b"\xff.txt")
    (tree / name).write_bytes(b"x")
    assert read_file(name, str(tree), 100) == b"x"


def test_read_file_limit(tree):
    assert read_file("inner/b.txt", str(tree), 2) == b"bb"
    with pytest.raises(TooLargeError) as caught:
        read_file("inner/b.txt", str(tree), 1)
    assert (caught.value.limit, caught.value.kind) == (1, "too-large")


def test_read_file_larger_than_it_says():
    with pytest.raises(TooLargeError):  # the kernel says that this file has 0 bytes
        read_file("self/status", "/proc/", 10)


def test_read_file_without_permission():
    with powerless_folder() as (folder, give_up_power):
        (folder / "closed.txt").write_bytes(b"x")
        (folder / "closed.txt").chmod(0)
        (folder / "closed").mkdir(0o700)
        give_up_power()
        for path in ("closed.txt", "closed/x"):
            with pytest.raises(InputError) as caught:
                read_file(path, str(folder), 10)
            assert caught.value.kind == "no-permission"


def test_read_path_follows_links(tree):
    assert read_path(tree / "out.txt") == b"secret"


@pytest.mark.parametrize(("name", "kind"), [("nothing", "missing"), ("pipe", "not-a-file"), ("inner", "not-a-file")])
def test_read_path_refuses(tree, name, kind):
    with pytest.raises(InputError) as caught:
        read_path(tree / name)
    assert caught.value.kind == kind
    assert str(caught.value).startswith(name)


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return sink.getvalue().to_pybytes()


COMPRESSORS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}
PLAIN = os.urandom(1_200_000)


def drain(stream, size=1000):
    return b"".join(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_stream_decompresses(tmp_path, suffix):
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(COMPRESSORS[suffix](PLAIN) * 2)  # two in a row are one
    with Stream(str(file), "a") as stream:
        assert drain(stream) == PLAIN * 2
        stream.seek(1_199_999)
        assert drain(stream, 7_000) == (PLAIN * 2)[1_199_999:]
        assert not stream.is_direct


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_stream_cut_off_gives_what_there_is_and_then_fails(tmp_path, suffix):
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(COMPRESSORS[suffix](PLAIN)[:1_100_000])
    with Stream(str(file), "a.csv") as stream:
        pieces = []
        with pytest.raises(InputError, match=r"a\.csv ends in the middle") as caught:
            pieces.extend(iter(lambda: stream.read(1 << 18), None))
    assert caught.value.kind == "truncated"
    assert PLAIN.startswith(b"".join(pieces))
    assert len(pieces) >= 3  # a compressor's block may be 900 kB


@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_stream_that_is_not_what_its_name_says(tmp_path, suffix):
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(b"text\nnot compressed at all\n" * 10)
    with pytest.raises(InputError) as caught:
        Stream(str(file), "a.csv")
    assert caught.value.kind == "corrupt"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfabc", "abc"),
        ("\ufeffaé😀".encode("utf-16-le"), "aé😀"),
        ("\ufeffaé😀".encode("utf-16-be"), "aé😀"),
    ],
)
def test_stream_byte_order_marks(tmp_path, data, text):
    file = tmp_path / "a.csv"
    file.write_bytes(data)
    with Stream(str(file), "a") as stream:
        assert stream.has_mark
        assert drain(stream, 1).decode() == text
        stream.seek(stream.start)
        assert drain(stream).decode() == text


def test_stream_utf16_flaws_are_not_utf8_either(tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes(codecs.BOM_UTF16_LE + b"a\0\x00\xd8b\0c")
    with Stream(str(file), "a") as stream:
        assert drain(stream) == b"a\xed\xa0\x80b\xff"


@pytest.mark.parametrize("kind", ["missing", "not-a-file"])
def test_stream_refuses(tree, kind):
    with pytest.raises(InputError) as caught:
        Stream(str(tree / {"missing": "nothing", "not-a-file": "pipe"}[kind]), "a.csv")
    assert caught.value.kind == kind


def records(path, dialect=CSV, start=0, stop=EVERYTHING, **limits):
    with Stream(str(path), "a") as stream:
        return [
            (offset, flag, bytes(part.data[begin:end]) if flag == OK else b"")
            for part in read_records(stream, start, stop, dialect, Limits(**limits))
            for offset, flag, begin, end in zip(part.offsets, part.flags, part.starts, part.stops, strict=True)
        ]


def reference(text):
    """Return what `records` should, in the plainest way."""
    found, at = [], 0
    while at < len(text):
        flag, end = OK, at
        while True:  # over cells
            quoted = re.compile('"(?:[^"]|"")*').match(text, end)
            if quoted:
                newline = text.find("\n", end, quoted.end())
                if quoted.end() == len(text):
                    flag = UNCLOSED
                elif newline >= 0 and not re.compile("[,\r\n]|$").match(text, quoted.end() + 1):
                    flag = BAD_QUOTE
                if flag != OK:
                    end = newline if newline >= 0 else len(text)
                    break
            end = re.compile("[^,\n]*").match(text, quoted.end() + 1 if quoted else end).end()
            if text[end : end + 1] != ",":
                break
            end += 1
        if text[at:end].strip("\r"):
            found.append((at, flag, text[at:end].rstrip("\r").encode() if flag == OK else b""))
        at = end + 1
    return found


@settings(max_examples=400, deadline=None)
@given(st.text('ab",\n\r', max_size=40), st.integers(1, 9), st.integers(1, 4))
def test_records_follow_the_reference_whatever_the_blocks(tmp_path_factory, text, block, rows):
    file = tmp_path_factory.getbasetemp() / "records.csv"
    file.write_text(text, newline="")
    assert records(file) == reference(text)
    assert records(file, block_bytes=block, batch_rows=rows, batch_bytes=5) == reference(text)


@settings(max_examples=100, deadline=None)
@given(st.text('ab",\n', max_size=40), st.integers(1, 9), st.integers(1, 9))
def test_records_of_ranges_are_those_of_the_whole(tmp_path_factory, text, block, longest):
    file = tmp_path_factory.getbasetemp() / "ranges.csv"
    file.write_text(text)
    whole = records(file, record_bytes=longest)
    cuts = [0, *(offset for offset, _flag, _data in whole[::2]), EVERYTHING]
    limits = {"block_bytes": block, "record_bytes": longest}
    assert [r for start, stop in pairwise(cuts) for r in records(file, CSV, start, stop, **limits)] == whole


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'a,"b\nc,d\ne,f\n', [(0, UNCLOSED, b""), (5, OK, b"c,d"), (9, OK, b"e,f")]),
        (b'a,"b\nc,d\ne,"f"\n', [(0, BAD_QUOTE, b""), (5, OK, b"c,d"), (9, OK, b'e,"f"')]),
        (b'a,"b\nc"\n', [(0, OK, b'a,"b\nc"')]),
        (b'5" disk,"x"y\n', [(0, OK, b'5" disk,"x"y')]),
        (b"\n\r\na\r\n\n", [(3, OK, b"a")]),
        (b'""\n', [(0, OK, b'""')]),
        (b'"', [(0, UNCLOSED, b"")]),
    ],
)
def test_records_of_a_csv(tmp_path, data, found):
    (tmp_path / "a.csv").write_bytes(data)
    assert records(tmp_path / "a.csv") == found


def test_records_of_lines(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b' {"a":1} \t\r\n\n  \t\n"\n[]')
    assert records(tmp_path / "a.jsonl", LINES) == [(0, OK, b' {"a":1}'), (17, OK, b'"'), (19, OK, b"[]")]


@pytest.mark.parametrize("suffix", ["", *COMPRESSORS])
@pytest.mark.parametrize("block", [1, 64])
def test_records_too_long_are_skipped(tmp_path, suffix, block):
    data = b'a\n"' + b"x\n" * 50 + b'"\nb\n"' + b"y\n" * 50 + b'"z\nc'
    (tmp_path / f"a.csv{suffix}").write_bytes(COMPRESSORS.get(suffix, bytes)(data))
    found = records(tmp_path / f"a.csv{suffix}", record_bytes=10, block_bytes=block)
    assert found[:3] == [(0, OK, b"a"), (2, TOO_LONG, b""), (105, OK, b"b")]
    assert found[3] == (107, BAD_QUOTE, b"")  # a quote that was none: the lines behind it are records
    assert [record[1:] for record in found[4:]] == [*[(OK, b"y")] * 49, (UNCLOSED, b""), (OK, b"c")]


@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("latin-1", b"caf\xe9,\x80\nx", ["café,\x80".encode(), b"x"]),
        ("cp1252", b"caf\xe9,\x80\nx", ["café,€".encode(), b"x"]),
        ("cp1252", b"\x81\n\xe9", [b"\x81", "é".encode()]),
    ],
)
def test_records_of_other_encodings(tmp_path, encoding, data, text):
    (tmp_path / "a.csv").write_bytes(data)
    assert [record[2] for record in records(tmp_path / "a.csv", Dialect(",", encoding))] == text
