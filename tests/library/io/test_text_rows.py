"""Rows of text tables: every row is there once, under its number; trouble costs the row it is in and no other."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.io import text_rows
from askfirst.io.columns import ColumnChoice
from askfirst.io.files import Limits
from askfirst.io.records import Records
from askfirst.io.sources import plan
from askfirst.io.tables import read_unit
from askfirst.model import Medium

NO_CHOICE = ColumnChoice()
BATCHES = [{}, {"block_bytes": 7, "unit_bytes": 20, "batch_rows": 2}]


def batches(path, choice=NO_CHOICE, **limits):
    keep_columns = limits.pop("keep_columns", True)
    sizes = Limits(**limits)
    for unit in plan([str(path)], choice, sizes).units:
        yield from read_unit(unit, choice, keep_columns=keep_columns, limits=sizes)


def read(path, choice=NO_CHOICE, **limits):
    """Return ids, rows of the table and gaps, checked to fit together."""
    ids, rows, gaps = [], [], {}
    for batch in batches(path, choice, **limits):
        found = batch.table.to_pylist()
        assert len(found) == len(batch.item_ids) == len(batch)
        gaps |= {len(ids) + row: (gap.kind, gap.cause) for row, gap in batch.gaps.items()}
        ids += batch.item_ids.to_pylist()
        rows += found
    assert ids == [f"{path.name}#{row}" for row in range(len(ids))]
    return rows, gaps


def column(path, role, choice=NO_CHOICE, **limits):
    return [value for batch in batches(path, choice, **limits) for value in getattr(batch, role).to_pylist()]


def write(path, data):
    path.write_bytes(data)
    return path


# --- CSV


@pytest.mark.parametrize("limits", BATCHES)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_csv(tmp_path, limits, end):
    file = write(tmp_path / "a.csv", end.join([b"text,n", b'"a ""b"",\nc",1', b"", b",", b'd"e,"x"y', "é,😀".encode()]))
    rows, gaps = read(file, **limits)
    assert rows == [
        {"text": 'a "b",\nc', "n": "1"},
        {"text": "", "n": ""},
        {"text": 'd"e', "n": "xy"},
        {"text": "é", "n": "😀"},
    ]
    assert gaps == {}


def test_csv_roles(tmp_path):
    file = write(tmp_path / "a.csv", b"content,URL,file_name,robots_txt,headers,x\na,b,c,d,e,f\n")
    (batch,) = batches(file)
    assert (batch.source, batch.root, batch.medium_hint) == ("a.csv", str(tmp_path), Medium.TEXT)
    assert batch.text.type == pa.large_string()
    assert [batch.text[0].as_py(), batch.url[0].as_py(), batch.path[0].as_py()] == ["a", "b", "c"]
    assert [batch.robots[0].as_py(), batch.headers[0].as_py(), batch.media] == ["d", "e", None]
    (batch,) = batches(file, ColumnChoice(text="x"), keep_columns=False)
    assert (batch.text.to_pylist(), batch.table) == (["f"], None)


@pytest.mark.parametrize("limits", BATCHES)
@pytest.mark.parametrize(
    ("line", "kind", "cause"),
    [
        (b"a", "wrong-cells", "the row has 1 cells, the header has 2"),
        (b"a,b,c", "wrong-cells", "the row has 3 cells, the header has 2"),
        (b"a,\xe9", "not-utf8", "the byte 0xE9 is not utf-8"),
        (b"a,\xed\xa0\x80", "not-utf8", "the byte 0xED is not utf-8"),
        (b"a,\0", "nul", "the row holds a NUL byte"),
        (b'"a,b', "unbalanced-quote", "a quote in the row is never closed"),
        (b"a," + b"x" * 101, "too-large", "a cell is larger than 100 bytes"),
        (b"a," + b"x" * 301, "too-large", "the row is too large to be held in memory"),
        (b'a,"' + b"x\n" * 151 + b'"', "too-large", "the row is too large to be held in memory"),
    ],
)
def test_csv_trouble_costs_one_row(tmp_path, limits, line, kind, cause):
    file = write(tmp_path / "a.csv", b"text,n\nfirst,1\n" + line + b'\n"last",2\n')
    rows, gaps = read(file, cell_bytes=100, record_bytes=300, **limits)
    assert rows == [{"text": "first", "n": "1"}, {"text": None, "n": None}, {"text": "last", "n": "2"}]
    assert gaps == {1: (kind, cause)}
    assert column(file, "text", cell_bytes=100, record_bytes=300, **limits) == ["first", None, "last"]


@pytest.mark.parametrize("limits", BATCHES)
def test_csv_quote_open_at_the_end(tmp_path, limits):
    file = write(tmp_path / "a.csv", b'text,n\na,1\nb,"2\nc,3\nd,4')
    rows, gaps = read(file, **limits)
    assert [row["text"] for row in rows] == ["a", None, "c", "d"]
    assert gaps == {1: ("unbalanced-quote", "a quote in the row is never closed")}


@pytest.mark.parametrize(
    ("data", "choice"),
    [
        ("text\né€\n".encode("utf-8-sig"), NO_CHOICE),
        ("text\né€\n".encode("utf-16"), NO_CHOICE),
        ("\ufefftext\né€\n".encode("utf-16-be"), NO_CHOICE),
        ("text\né€\n".encode("cp1252"), ColumnChoice(encoding="cp1252")),
        ("text\né€\n".encode("utf-8-sig"), ColumnChoice(encoding="latin-1")),
    ],
)
def test_csv_encodings(tmp_path, data, choice):
    assert column(write(tmp_path / "a.csv", data), "text", choice) == ["é€"]


def test_csv_of_another_encoding_loses_only_the_rows_that_need_it(tmp_path):
    file = write(tmp_path / "a.csv", b"text\ncaf\xe9\ncafe\n\x81\n")
    assert read(file)[1].keys() == {0, 2}
    assert column(file, "text", ColumnChoice(encoding="latin-1")) == ["café", "cafe", "\x81"]
    assert read(file, ColumnChoice(encoding="cp1252"))[1] == {2: ("not-cp1252", "the byte 0x81 is not cp1252")}


def test_csv_names_of_columns(tmp_path):
    file = write(tmp_path / "a.csv", b'text,,text,"a,b"\n1,2,3,4\n')
    assert read(file)[0] == [{"text": "1", "column_1": "2", "text~2": "3", "a,b": "4"}]
    assert read(write(tmp_path / "b.tsv", b"text\tn\na,b\t1\n"))[0] == [{"text": "a,b", "n": "1"}]


def test_csv_without_rows(tmp_path):
    assert read(write(tmp_path / "a.csv", b"text,n")) == ([], {})


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.text('ab",\n é', max_size=5), min_size=2, max_size=2), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 40),
)
def test_csv_is_what_the_standard_library_wrote(tmp_path_factory, rows, end, quoting, size):
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=quoting).writerows([["text", "n"], *rows])
    file = write(tmp_path_factory.getbasetemp() / "law.csv", out.getvalue().encode())
    found, gaps = read(file, block_bytes=size, unit_bytes=size, batch_rows=3)
    assert [list(row.values()) for row in found] == rows
    assert gaps == {}


LARGE = """
import resource, sys
from askfirst.io.columns import ColumnChoice
from askfirst.io.files import Limits
from askfirst.io.sources import plan
from askfirst.io.tables import read_unit
def read(path):
    limits = Limits(block_bytes=4 << 20, record_bytes=16 << 20)
    for unit in plan([path], ColumnChoice(), limits).units:
        for batch in read_unit(unit, ColumnChoice(), limits=limits):
            yield from zip(batch.text.to_pylist(), [g.kind for g in batch.gaps.values()] or [""])
list(read(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(list(read(sys.argv[2])), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 100)
"""


@pytest.mark.parametrize(
    ("name", "small", "head", "tail"),
    [
        ("a.csv", b"text\nx\n", b'text\nfirst\n"', b'"\nlast\n'),
        ("a.jsonl", b'{"text":"x"}\n', b'{"text":"first"}\n{"text":"', b'"}\n{"text":"last"}\n'),
    ],
)
def test_a_cell_of_200_megabytes_is_not_held_in_memory(tmp_path, name, small, head, tail):
    write(tmp_path / f"small-{name}", small)
    with (tmp_path / name).open("wb") as file:
        file.write(head)
        for _ in range(200):
            file.write(b"0123456 " * (1 << 17))
        file.write(tail)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    command = [sys.executable, "-c", LARGE, str(tmp_path / f"small-{name}"), str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.stdout, done.stderr) == ("[('first', ''), (None, 'too-large'), ('last', '')] True\n", "")


# --- JSON lines


def jsonl(*rows):
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()


@pytest.mark.parametrize("limits", BATCHES)
def test_jsonl_types(tmp_path, limits):
    rows = [
        {"text": "a", "i": 1, "f": 1, "b": True, "mixed": 1, "list": [1], "none": None},
        {"text": "é\n", "f": 0.5, "mixed": "x", "list": {"k": None}, "big": 2**70},
    ]
    found, gaps = read(write(tmp_path / "a.jsonl", jsonl(*rows)), **limits)
    assert found == [
        {"text": "a", "i": 1, "f": 1.0, "b": True, "mixed": "1", "list": "[1]"}
        | {"none": None, "big": None, "_unparsed": None},
        {"text": "é\n", "i": None, "f": 0.5, "b": None, "mixed": '"x"', "list": '{"k": null}'}
        | {"none": None, "big": str(2**70), "_unparsed": None},
    ]
    assert gaps == {}


@pytest.mark.parametrize("limits", [{}, {"block_bytes": 999, "unit_bytes": 9999, "batch_rows": 300}])
def test_jsonl_values_that_do_not_fit_later(tmp_path, limits):
    late = [
        ({"text": "a", "n": "x", "new": [1]}, {"n": "x", "new": [1]}, None),
        ({"text": 1, "n": 1}, {"text": 1}, "the value of 'text' does not fit its column"),
        ({"text": "a", "n": 2**70}, {"n": 2**70}, None),
        ('{"text":"\\ud800","n":1}', {"text": "\ud800"}, "the value of 'text' does not fit its column"),
        ({"text": "a", "robots_txt": "x"}, {"robots_txt": "x"}, "the value of 'robots_txt' does not fit its column"),
        ({"text": "a", "n": True}, {"n": True}, None),
        ({"text": "a", "n": 7, "_unparsed": 8}, {"_unparsed": 8}, None),
    ]
    file = write(tmp_path / "a.jsonl", jsonl(*[{"text": "t", "n": 1}] * 1000, *(line for line, _rest, _gap in late)))
    rows, gaps = read(file, **limits)
    assert [json.loads(row["_unparsed"]) for row in rows[1000:]] == [rest for _line, rest, _gap in late]
    assert gaps == {1000 + row: ("wrong-type", gap) for row, (_line, _rest, gap) in enumerate(late) if gap}
    assert [row["n"] for row in rows[1000:]] == [None, 1, None, 1, None, None, 7]


@pytest.mark.parametrize("limits", BATCHES)
@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"{", "not-json"),
        (b'{"text":"a"}{"text":"b"}', "not-json"),
        (b'{"text":"a"} null {"text":"b"}', "not-json"),
        (b'{"text":"a\tb"}', "not-json"),
        (b'{"text":"a\0b"}', "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"n":' + b"9" * 5000 + b"}", "not-json"),
        (b"[1]", "not-an-object"),
        (b"null", "not-an-object"),
        (b'{"text":"\xe9"}', "not-utf8"),
        (b'{"text":"' + b"x" * 200_000 + b'"}', "too-large"),
    ],
)
def test_jsonl_trouble_costs_one_row(tmp_path, limits, line, kind):
    file = write(tmp_path / "a.jsonl", b'{"text":"first"}\n' + line + b'\n \n{"text":"last"}')
    rows, gaps = read(file, record_bytes=150_000, **limits)
    assert [row["text"] for row in rows] == ["first", None, "last"]
    assert gaps.keys() == {1}
    assert gaps[1][0] == kind


NUMBERS = ["NaN", "-Infinity", "-Inf", "-0", "-0.0", "1e400", "9" * 400, "01", "1.", "1E+2", "12345678901234567890"]
TOKENS = st.one_of(
    st.sampled_from([*NUMBERS, '"\\ud800"', '"\\u0074"', '"}{"', "{", "}", "{}", "[1]", "nul", '"\t"']),
    (st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats() | st.text(max_size=3)).map(json.dumps),
    st.text(max_size=3).map(lambda text: json.dumps(text, ensure_ascii=False)),
)
PAIRS = st.tuples(st.sampled_from(["text", "i", "f", "b", "new", "\\u0069"]), TOKENS)
OBJECTS = st.lists(PAIRS, max_size=4).map(lambda pairs: "{" + ", ".join(f'"{k}":{v}' for k, v in pairs) + "}")
PLAIN = pa.schema(
    [("text", pa.string()), ("i", pa.int64()), ("f", pa.float64()), ("b", pa.bool_()), ("_unparsed", pa.string())]
)


def records_of(text):
    data = text.encode("utf-8", "surrogatepass")
    lengths = np.array([len(line) for line in data.split(b"\n")])
    stops = np.cumsum(lengths + 1) - 1
    return Records(np.frombuffer(data, np.uint8), stops - lengths, stops, np.zeros_like(stops), stops - lengths)


@settings(max_examples=500, deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=3), st.sampled_from(["\n", "\n", "", " null "]))
def test_jsonl_by_arrow_is_what_the_standard_library_reads(objects, between):
    records = records_of(between.join(objects))
    fast = text_rows._read_by_arrow(records, PLAIN)
    if fast is not None:
        slow = text_rows._read_one_by_one(records, 0, PLAIN, "a", frozenset())
        assert repr(fast.to_pylist()) == repr(slow.columns.to_pylist())
        assert slow.gaps == {}


def test_jsonl_is_read_by_arrow_where_nothing_speaks_against_it():
    lines = ['{"text":"\\u00e9\\n{\\"","i":-9223372036854775808,"f":1}', '{"b":true,"f":-1.5e-7}', '{"f":12}', "{}"]
    assert text_rows._read_by_arrow(records_of("\n".join(lines)), PLAIN).to_pylist() == [
        {"text": 'é\n{"', "i": -(2**63), "f": 1.0, "b": None, "_unparsed": None},
        {"text": None, "i": None, "f": -1.5e-7, "b": True, "_unparsed": None},
        {"text": None, "i": None, "f": 12.0, "b": None, "_unparsed": None},
        {"text": None, "i": None, "f": None, "b": None, "_unparsed": None},
    ]


# --- compressed


COMPRESSIONS = ("gz", "bz2", "xz", "zst")


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_compressed_tables(tmp_path, compress, kind):
    assert column(write(tmp_path / f"a.csv.{kind}", compress(f".{kind}", b"text\nx\ny\n")), "text") == ["x", "y"]
    assert column(write(tmp_path / f"a.tsv.{kind}", compress(f".{kind}", b"text\tn\nx\t1\n")), "text") == ["x"]
    assert column(write(tmp_path / f"a.jsonl.{kind}", compress(f".{kind}", b'{"text":"x"}')), "text") == ["x"]


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_compressed_table_that_is_cut_off_ends_with_a_gap(tmp_path, compress, kind):
    lines = [os.urandom(50).hex() for _ in range(20_000)]
    whole = compress(f".{kind}", "\n".join(["text", *lines]).encode())
    file = write(tmp_path / f"a.csv.{kind}", whole[: len(whole) * 9 // 10])
    rows, gaps = read(file)
    assert len(rows) > 1000
    assert [row["text"] for row in rows] == [*lines[: len(rows) - 1], None]
    cause = f"the compressed file a.csv.{kind} ends in the middle"
    assert gaps == {len(rows) - 1: ("truncated", cause)}
