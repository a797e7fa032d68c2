"""Rows of Parquet, and of files: columns come as they are, damage costs no more than its row group."""

from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from askfirst.errors import InputError
from askfirst.io import tables
from askfirst.io.columns import ColumnChoice
from askfirst.io.files import Limits
from askfirst.io.parts import HUGGING_FACE, PartWriter
from askfirst.io.sources import plan
from askfirst.io.tables import read_unit
from askfirst.model import Medium

NO_CHOICE = ColumnChoice()


def batches(path, choice=NO_CHOICE, **limits):
    keep_columns = limits.pop("keep_columns", True)
    sizes = Limits(**limits)
    for unit in plan([str(path)], choice, sizes).units:
        yield from read_unit(unit, choice, keep_columns=keep_columns, limits=sizes)


def gaps_of(found):
    return [(gap.kind, gap.cause) for batch in found for _row, gap in sorted(batch.gaps.items())]


def parquet(path, table, **options):
    pq.write_table(pa.table(table), path, **options)
    return path


def test_parquet_batches_are_the_columns_themselves(tmp_path):
    urls = [f"https://example.org/{i}" for i in range(150_000)]
    file = parquet(tmp_path / "a.parquet", {"url": urls, "caption": urls}, row_group_size=70_000)
    found = list(batches(file, unit_rows=100_000))
    assert [len(batch) for batch in found] == [65_536, 4_464, 65_536, 4_464, 10_000]
    assert {batch.url.type for batch in found} == {pa.string()}
    assert all(batch.url.buffers()[2].address == batch.table["url"].chunk(0).buffers()[2].address for batch in found)
    assert [url for batch in found for url in batch.url.to_pylist()] == urls
    ids = [item for batch in found for item in batch.item_ids.to_pylist()]
    assert ids == [f"a.parquet#{i}" for i in range(150_000)]
    assert pa.concat_tables(batch.table for batch in found) == pq.read_table(file)


TEXTS = ["é", None, "abc"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string()),
    ],
)
def test_parquet_kinds_of_text(tmp_path, kind):
    values = pa.array([text and text.encode() for text in TEXTS], pa.binary())
    plain = values.cast(pa.string())
    array = plain.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else plain.cast(kind)
    file = parquet(tmp_path / "a.parquet", {"text": array, "url": array, "headers": array})
    (batch,) = batches(file)
    assert [batch.text.type, batch.url.type] == [pa.large_string(), pa.string()]
    assert batch.text.to_pylist() == batch.url.to_pylist() == batch.headers.to_pylist() == TEXTS
    assert len(batch.table.filter(pa.array([True, False, True]))) == 2


def test_parquet_text_of_fixed_size(tmp_path):
    file = parquet(tmp_path / "a.parquet", {"text": pa.array([b"abcd", b"\xffbcd"], pa.binary(4))})
    (batch,) = batches(file)
    assert batch.text.to_pylist() == ["abcd", None]
    assert batch.table.to_pylist() == [{"text": b"abcd"}, {"text": None}]
    assert gaps_of([batch]) == [("not-utf8", "the byte 0xFF is not utf-8")]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)])
def test_parquet_media(tmp_path, kind):
    file = parquet(tmp_path / "a.parquet", {"audio": pa.array([b"\xff\0", None], pa.binary()).cast(kind)})
    (batch,) = batches(file)
    assert (batch.media.type, batch.medium_hint, batch.path) == (pa.large_binary(), Medium.AUDIO, None)
    assert batch.media.to_pylist() == [b"\xff\0", None]


def test_parquet_bytes_and_paths_of_hugging_face(tmp_path):
    images = [{"bytes": b"x", "path": "x.jpg"}, {"bytes": None, "path": "y.jpg"}, None]
    table = pa.table({"image": images, "label": [1, 2, 3]}).replace_schema_metadata({HUGGING_FACE: "f", "pandas": "p"})
    (batch,) = batches(parquet(tmp_path / "a.parquet", table))
    assert batch.media.to_pylist() == [b"x", None, None]
    assert batch.path.to_pylist() == [None, "y.jpg", None]
    assert batch.medium_hint == Medium.IMAGE
    assert batch.table.schema.metadata == {HUGGING_FACE: b"f"}
    (batch,) = batches(tmp_path / "a.parquet", keep_columns=False)
    assert (batch.media.to_pylist(), batch.table) == ([b"x", None, None], None)


def test_parquet_rows_of_any_type_pass_through_to_every_reader(tmp_path):
    table = pa.table({"url": ["a", "b"], "l": [[1], None], "s": [{"k": "v"}, None], "d": ["x", "y"], "t": [1, 2]})
    table = table.set_column(3, "d", table["d"].dictionary_encode()).set_column(
        4, "t", table["t"].cast(pa.timestamp("us"))
    )
    file = parquet(tmp_path / "a.parquet", table)
    (batch,) = batches(file)
    with PartWriter(tmp_path, "out", batch.table.schema) as part:
        part.write(batch.table.filter(pa.array([True, False])))
    out = str(tmp_path / "out.parquet")
    assert pq.read_table(out) == pq.read_table(file).slice(0, 1)
    assert pd.read_parquet(out)["url"].to_list() == pl.read_parquet(out)["url"].to_list() == ["a"]
    assert duckdb.sql(f"select url, l, s from '{out}'").fetchall() == [("a", [1], {"k": "v"})]


def test_parquet_columns_of_one_name_and_without_nulls(tmp_path):
    schema = pa.schema([pa.field("url", pa.binary(), nullable=False), pa.field("url", pa.int64())])
    table = pa.Table.from_arrays([pa.array([b"a", b"\xff"]), pa.array([1, 2])], schema=schema)
    (batch,) = batches(parquet(tmp_path / "a.parquet", table))
    assert batch.table.to_pylist() == [{"url": b"a", "url~2": 1}, {"url": None, "url~2": None}]
    assert batch.gaps.keys() == {1}


@pytest.mark.parametrize("keep_columns", [True, False])
def test_parquet_damaged_page_costs_the_rest_of_its_row_group(tmp_path, keep_columns):
    urls = [f"{i:05}" for i in range(3000)]
    options = {"row_group_size": 1000, "write_page_checksum": True, "compression": "none", "use_dictionary": False}
    file = parquet(tmp_path / "a.parquet", {"url": urls}, **options)
    data = bytearray(file.read_bytes())
    data[data.index(b"01500")] ^= 1
    file.write_bytes(data)
    found = list(batches(file, keep_columns=keep_columns, batch_rows=400))
    values = [url for batch in found for url in batch.url.to_pylist()]
    assert values == [*urls[:1000], *[None] * 1000, *urls[2000:]]
    assert gaps_of(found) == [("corrupt", "this part of the file cannot be decoded")] * 1000
    assert max(len(batch) for batch in found) == 400
    assert all(batch.table is None or batch.table["url"].to_pylist() == batch.url.to_pylist() for batch in found)


def test_parquet_large_rows_come_a_few_at_a_time(tmp_path):
    file = parquet(tmp_path / "a.parquet", {"image": [bytes([i]) * 1000 for i in range(100)]})
    found = list(batches(file, batch_bytes=5000))
    assert max(batch.table.nbytes for batch in found) <= 5000
    assert sum(len(batch) for batch in found) == 100


def test_parquet_without_rows(tmp_path):
    assert list(batches(parquet(tmp_path / "a.parquet", {"url": pa.array([], pa.string())}))) == []


# --- files, and tables in folders


def test_files(tmp_path):
    for name in ("a.txt", "b.parquet", "c/d.csv"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(b"text\nx\n")
    files, rows = batches(tmp_path / "data")
    assert files.item_ids.to_pylist() == ["data/a.txt", "data/b.parquet"]
    assert [file.name for file in files.files] == ["a.txt", "b.parquet"]
    assert {row: gap.kind for row, gap in files.gaps.items()} == {1: "corrupt"}
    assert (files.source, files.root, files.table) == ("data", str(tmp_path / "data"), None)
    assert rows.item_ids.to_pylist() == ["data/c/d.csv#0"]
    assert (rows.source, rows.root) == ("data", str(tmp_path / "data/c"))


@pytest.mark.parametrize("first", [0, 8, 98, 999_995])
def test_row_ids(first):
    assert tables._row_ids("a/é#1", first, 200).to_pylist() == [f"a/é#1#{first + i}" for i in range(200)]
    assert tables._row_ids("a", first, 0).to_pylist() == []


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_table_that_is_gone_when_it_is_read(tmp_path, name):
    parquet(tmp_path / "a.parquet", {"url": ["x"]})
    (tmp_path / "a.csv").write_bytes(b"url\nx\n")
    unit = plan([str(tmp_path / name)], NO_CHOICE).units[0]
    (tmp_path / name).unlink()
    with pytest.raises(InputError) as caught:
        list(read_unit(unit, NO_CHOICE))
    assert caught.value.kind == "missing"
