"""`url_v0` by the column: kernels and `normalise` say the same, whatever the column holds."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import InputError
from askfirst.fingerprint import url_scan
from askfirst.fingerprint.url import EXTENSIONS, TRACKING, medium_of, normalise, url_key
from askfirst.fingerprint.url_scan import UrlScan, scan_urls
from askfirst.model import MEDIA, Medium

VECTORS = json.loads(files("askfirst").joinpath("vectors/url_v0.json").read_text("utf-8"))
NO_URL = (False, "", 0, 0, Medium.OTHER)

_SIGNS = "/ \\ . .. /. /.. %2e %2E %41 %2f %zz % %4 ? & # @ : :80 :8080 :0 ; = + ! ' ( ~ | ^ { - _"
_NAMES = "http:// https:// ftp:// HTTP: // www. WWW. example Org .org co.uk com x h.1 09 0x7f 1.2.3.4"
_PARTS = "utm_source= UTM_x fbclid %75tm_a=1 u%74m_b=2 mc_eid a b=c jpg .jpg .JPEG .mp3 [::1] xn--tda"
_RARE = (" ", "\t", "\n", "\x00", "\x7f", "é", "ü", "\u00a0", "\u3000", "\u200b", "\ufeff", "😀", "。", "\u00ad")
PIECES = (*_SIGNS.split(), *_NAMES.split(), *_PARTS.split(), *_RARE)
BEGINNINGS = ("", "http://example.org", "https://www.Example.org/", "hTTps://a.b.c", "http://www.www.x.y?", "//x.y")
NASTY = st.builds(
    lambda beginning, pieces: beginning + "".join(pieces),
    st.sampled_from(BEGINNINGS),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(st.characters(codec="utf-8"), max_size=3)), max_size=10),
)


def expected(url: str) -> tuple[bool, str, int, int, Medium]:
    try:
        found = normalise(url)
    except InputError:
        return NO_URL
    return True, found.text, url_key(found.host), len(found.host), medium_of(found)


def rows(scan: UrlScan) -> list[tuple[bool, str, int, int, Medium]]:
    return [
        (
            bool(scan.valid[i]),
            scan.text(i),
            int(scan.host_key[i]),
            int(scan.host_length[i]),
            MEDIA[scan.medium[i]],
        )
        for i in range(len(scan.valid))
    ]


def from_bytes(values: list[bytes]) -> pa.StringArray:
    """Make a column of bytes that need not be UTF-8."""
    return pa.array(values, pa.binary()).view(pa.string())


def test_scan_of_the_vectors_equals_the_vectors():
    cases = VECTORS["cases"]
    scan = scan_urls(pa.array([case["url"] for case in cases]))
    assert [scan.text(i) for i in range(len(cases))] == [case["normal"] for case in cases]
    assert [f"{key:016x}" for key in scan.host_key.tolist()] == [case["host_key"] for case in cases]
    assert [MEDIA[code] for code in scan.medium] == [case["medium"] for case in cases]
    assert scan.valid.all()


def test_scan_of_what_is_no_address_is_not_valid():
    assert rows(scan_urls(pa.array(VECTORS["refused"]))) == [NO_URL] * len(VECTORS["refused"])


@settings(max_examples=400, deadline=None)
@given(st.lists(NASTY, max_size=8))
def test_kernels_and_normalise_give_the_same(urls):
    assert rows(scan_urls(pa.array(urls, pa.string()))) == [expected(url) for url in urls]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=6))
def test_bytes_that_are_not_utf8_give_the_same(values):
    urls = [b"http://example.org/" + value for value in values] + values
    wanted = [expected(url.decode("utf-8", "surrogateescape")) for url in urls]
    assert rows(scan_urls(from_bytes(urls))) == wanted


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_in_every_part_gives_the_same(byte):
    one = bytes([byte])
    urls = [
        one + b"http://example.org/a",
        b"ht" + one + b"tp://example.org/a",
        b"http://" + one + b"example.org/a",
        b"http://exam" + one + b"ple.org/a",
        b"http://example.org" + one + b"a",
        b"http://example.org/a" + one + b"b/long/enough/for/eight",
        b"http://example.org/a?" + one + b"b=1&" + one,
        b"http://example.org/a?b" + one + b"c=long/enough",
        b"http://example.org/%" + one + b"1%4" + one,
        b"http://example.org/a#" + one,
        b"http://example.org/a" + one,
    ]
    wanted = [expected(url.decode("utf-8", "surrogateescape")) for url in urls]
    assert rows(scan_urls(from_bytes(urls))) == wanted


@pytest.mark.parametrize("length", range(24))
def test_every_length_of_path_and_host_gives_the_same(length):
    urls = [
        "http://example.org/" + "a" * length,
        "http://example.org/" + "a" * length + "?b",
        "http://" + "h" * length + ".org",
        "h" * length,
        "http://example.org/a" + "%20" * length + ".jpg",
        "http://example.org/" + "x" * length + "/../y",
    ]
    assert rows(scan_urls(pa.array(urls))) == [expected(url) for url in urls]


@pytest.mark.parametrize("space", ["\u00a0", "\u200b", "\u3000", "\ufeff", "\x1f", "\x00", "\x7f", "\u2003"])
def test_white_space_at_one_end_gives_the_same(space):
    urls = [f"http://example.org/a{space}", f"{space}http://example.org/a", f"http://example.org{space}"]
    assert rows(scan_urls(pa.array(urls))) == [expected(url) for url in urls]


@pytest.mark.parametrize("name", ["utm_", *sorted(TRACKING)])
def test_every_tracking_parameter_is_dropped_in_every_case(name):
    urls = [
        f"http://example.org/?{spelt}=1" for spelt in (name, name.upper(), name.title(), f"%{ord(name[0]):x}{name[1:]}")
    ]
    urls += [f"http://example.org/?a=1&{name}", f"http://example.org/?{name[0]}", f"http://example.org/?{name[:2]}"]
    scan = scan_urls(pa.array(urls))
    assert [scan.text(i) for i in range(5)] == ["example.org/"] * 4 + ["example.org/?a=1"]
    assert rows(scan) == [expected(url) for url in urls]


@pytest.mark.parametrize("length", [252, 253, 254])
def test_host_of_at_most_253_characters_is_one(length):
    host = ("h" * 50 + ".") * 4 + "h" * (length - 204)
    urls = [f"http://{host}/", f"http://www.{host[4:]}/a", f"http://{host[:-1]}./", f"http://{host}"]
    scan = scan_urls(pa.array(urls))
    assert scan.valid.tolist() == [length <= 253] * 4
    assert rows(scan) == [expected(url) for url in urls]


def test_rows_do_not_read_into_the_next():
    urls = ["http://example.org/%4", "1.example/", "http://example.org/%", "41.example/?u", "tm_x", "http://", "a.b/"]
    assert rows(scan_urls(pa.array(urls))) == [expected(url) for url in urls]


def test_every_extension_has_its_medium_and_no_other():
    names = [*EXTENSIONS, *(e.upper() for e in EXTENSIONS), "", "x", "jp", "jpgx", "mp5", "4pm", "htmlx", "7z"]
    scan = scan_urls(pa.array([f"http://example.org/a/b.{name}" for name in names]))
    assert [MEDIA[code] for code in scan.medium] == [EXTENSIONS.get(n.lower(), Medium.OTHER) for n in names]


def test_ordinary_rows_are_left_to_the_kernels(monkeypatch):
    def unexpected(url: str) -> None:
        raise AssertionError(url)

    monkeypatch.setattr(url_scan.scalar, "normalise", unexpected)
    urls = [
        "https://cdn.example.org/photos/2019/IMG_0012.jpg",
        "http://WWW.Example.org/a%20b/é%c3.png?w=300&h=2#top",
        "example.org",
        "http://example.org#a",
        "https://example.org/a?b=%2F&c",
        "images/cat.jpg",
        "",
    ]
    scan = scan_urls(pa.array(urls))
    assert [scan.text(i) for i in range(7)] == [
        "cdn.example.org/photos/2019/IMG_0012.jpg",
        "example.org/a%20b/%C3%A9%C3.png?w=300&h=2",
        "example.org/",
        "example.org/",
        "example.org/a?b=/&c",
        "",
        "",
    ]


def test_nulls_are_not_valid_even_with_an_address_below():
    offsets = pa.py_buffer(np.array([0, 11, 22], np.int32))
    data = pa.py_buffer(b"http://a.b/http://a.b/")
    column = pa.StringArray.from_buffers(2, offsets, data, pa.py_buffer(b"\x02"))
    assert column.to_pylist() == [None, "http://a.b/"]
    assert scan_urls(column).valid.tolist() == [False, True]
    assert scan_urls(pa.array([None, None], pa.string())).valid.tolist() == [False, False]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_slices_and_large_strings_give_their_rows(kind):
    column = pa.array(["http://a.b/1", None, "http://u@c.d/2", "http://e.f/3", "http://g.h/4"], kind)
    scan = scan_urls(column.slice(1, 3))
    assert [scan.text(i) for i in range(3)] == ["", "c.d/2", "e.f/3"]


def test_empty_column_gives_no_rows():
    assert rows(scan_urls(pa.array([], pa.string()))) == []
    assert rows(scan_urls(pa.array(["http://a.b/"]).slice(1))) == []


def test_column_of_numbers_is_an_error():
    with pytest.raises(TypeError, match="string or large_string array, not as Int64Array"):
        scan_urls(pa.array([1]))


def test_rows_that_grow_threefold_find_room():
    urls = ["http://a.b/" + "ü" * 500] * 50 + ["http://a.b/" + "\x01" * 999] * 50
    assert rows(scan_urls(pa.array(urls))) == [expected(url) for url in urls]


def test_odd_rows_that_grow_find_room():
    urls = ["http://u@a.b/" + "\x01" * 3000] * 9 + ["http://ü.b/" + "|" * 9]
    assert rows(scan_urls(pa.array(urls))) == [expected(url) for url in urls]


def test_address_longer_than_65536_bytes_is_not_valid():
    base = "http://example.org/"
    urls = [base + "a" * (65_536 - len(base)), base + "a" * (65_537 - len(base)), base + "ü" * 50_000]
    assert scan_urls(pa.array(urls)).valid.tolist() == [True, False, False]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=8), st.binary(max_size=64))
def test_damaged_offsets_are_survived(damaged, data):
    data = b"http://a.b/" + data
    offsets = np.array([0, *damaged, len(data)], np.int32)
    rows_of = len(damaged) + 1
    scan = scan_urls(pa.StringArray.from_buffers(rows_of, pa.py_buffer(offsets), pa.py_buffer(data)))
    assert len(scan.valid) == rows_of


def test_rows_that_overlap_are_survived():
    text = b"http://a.b/" + b"c" * 900
    offsets = np.array([0, len(text)] * 20 + [0], np.int32)
    column = pa.StringArray.from_buffers(40, pa.py_buffer(offsets), pa.py_buffer(text))
    scan = scan_urls(column)
    assert {scan.text(i) for i in range(0, 40, 2)} == {text[7:].decode()}
    assert not scan.valid[1::2].any()
