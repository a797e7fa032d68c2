"""Records of a text table: they are the same however a file is cut."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.io.files import Limits, Stream
from askfirst.io.records import BAD_QUOTE, LINES, OK, TOO_LONG, UNCLOSED, Dialect, read_records

EVERYTHING = 2**62
CSV = Dialect(",")


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


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("block", [1, 64])
def test_records_too_long_are_skipped(tmp_path, compress, suffix, block):
    data = b'a\n"' + b"x\n" * 50 + b'"\nb\n"' + b"y\n" * 50 + b'"z\nc'
    (tmp_path / f"a.csv{suffix}").write_bytes(compress(suffix, data))
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
