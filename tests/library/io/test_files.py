"""Reading one file: what may not be read is not, and a stream gives what can be read of a damaged one."""

from __future__ import annotations

import codecs
import ctypes
import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from askfirst.errors import InputError, TooLargeError
from askfirst.io.files import Stream, read_file, read_path


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


SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
PLAIN = os.urandom(1_200_000)


def drain(stream, size=1000):
    return b"".join(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_stream_decompresses(tmp_path, compress, suffix):
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(compress(suffix, PLAIN) * 2)  # two in a row are one
    with Stream(str(file), "a") as stream:
        assert drain(stream) == PLAIN * 2
        stream.seek(1_199_999)
        assert drain(stream, 7_000) == (PLAIN * 2)[1_199_999:]
        assert not stream.is_direct


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_stream_cut_off_gives_what_there_is_and_then_fails(tmp_path, compress, suffix):
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(compress(suffix, PLAIN)[:1_100_000])
    with Stream(str(file), "a.csv") as stream:
        pieces = []
        with pytest.raises(InputError, match=r"a\.csv ends in the middle") as caught:
            pieces.extend(iter(lambda: stream.read(1 << 18), None))
    assert caught.value.kind == "truncated"
    assert PLAIN.startswith(b"".join(pieces))
    assert len(pieces) >= 3  # a compressor's block may be 900 kB


@pytest.mark.parametrize("suffix", SUFFIXES)
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
