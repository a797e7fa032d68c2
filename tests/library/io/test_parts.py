"""Parts: whole or not there, the same bytes for the same rows, one table for a folder."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from askfirst.errors import FormatError, InputError
from askfirst.io.files import Limits
from askfirst.io.parts import HUGGING_FACE, PartWriter, open_parquet, read_groups, unify_parts

SCHEMA = pa.schema([("item_id", pa.string()), ("n", pa.int64())])


def rows(start, stop):
    return pa.table({"item_id": [f"data#{i}" for i in range(start, stop)], "n": range(start, stop)})


def write(folder, name, *tables):
    with PartWriter(folder, name, tables[0].schema) as part:
        for table in tables:
            part.write(table)


def test_part_can_be_read_by_everybody(tmp_path):
    write(tmp_path, "a", rows(0, 3), rows(3, 5))
    file = str(tmp_path / "a.parquet")
    wanted = rows(0, 5).to_pylist()
    assert pq.read_table(file).to_pylist() == wanted
    assert pd.read_parquet(file).to_dict("records") == wanted
    assert pl.read_parquet(file).to_dicts() == wanted
    assert duckdb.sql(f"select * from '{file}'").fetchall() == [tuple(row.values()) for row in wanted]
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_part_without_rows(tmp_path):
    with PartWriter(tmp_path, "a", SCHEMA):
        pass
    assert pq.read_table(tmp_path / "a.parquet").schema == SCHEMA


def test_part_has_the_same_bytes(tmp_path):
    write(tmp_path, "a", rows(0, 100_000), rows(100_000, 300_000))
    write(tmp_path, "b", rows(0, 50_000), rows(50_000, 300_000))
    write(tmp_path, "c", *(rows(i, i + 1000) for i in range(0, 300_000, 1000)))
    first = (tmp_path / "a.parquet").read_bytes()
    assert (tmp_path / "b.parquet").read_bytes() == first
    assert (tmp_path / "c.parquet").read_bytes() == first
    footer = pq.read_metadata(tmp_path / "a.parquet")
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [
        65_536,
        65_536,
        65_536,
        65_536,
        37_856,
    ]


def test_part_of_large_rows_is_not_held_in_memory(tmp_path):
    large = pa.table({"bytes": [b"x" * (20 << 20)]})
    write(tmp_path, "a", *[large] * 8)
    assert pq.read_metadata(tmp_path / "a.parquet").num_row_groups == 2


def test_part_is_not_there_before_the_end(tmp_path):
    with PartWriter(tmp_path, "a", SCHEMA) as part:
        part.write(rows(0, 200_000))
        assert not (tmp_path / "a.parquet").exists()
    assert (tmp_path / "a.parquet").exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_part_leaves_nothing_after_an_error(tmp_path, error):
    def fail():
        with PartWriter(tmp_path, "a", SCHEMA) as part:
            part.write(rows(0, 200_000))
            raise error

    with pytest.raises(error):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_part_of_another_schema_leaves_nothing(tmp_path):
    def fail():
        with PartWriter(tmp_path, "a", SCHEMA) as part:
            part.write(pa.table({"x": range(200_000)}))

    with pytest.raises(ValueError, match="schema"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_part_in_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        PartWriter(tmp_path / "nothing", "a", SCHEMA).__enter__()


FULL = """
import resource, signal, sys
import pyarrow as pa
from askfirst.errors import ConfigError
from askfirst.io.parts import PartWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
table = pa.table({"n": range(500_000)})
try:
    with PartWriter(sys.argv[1], "a", table.schema) as part:
        part.write(table)
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize("limit_bytes", [0, 1000, 1_000_000])
def test_part_on_a_full_disk(tmp_path, limit_bytes):
    # What a process may write is limited, which fails like a full disk: at the beginning, or at any time later.
    command = [sys.executable, "-c", FULL, str(tmp_path), str(limit_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=child_environment())
    assert (done.stdout, done.stderr) == (
        "disk full while writing a.parquet: free some space, or choose another folder\n",
        "",
    )
    assert list(tmp_path.iterdir()) == []


def child_environment():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}


def read_all(folder):
    return [pq.read_table(file).to_pylist() for file in sorted(Path(folder).iterdir())]


def test_unify_leaves_equal_parts_alone(tmp_path):
    write(tmp_path, "a", rows(0, 3))
    write(tmp_path, "b", rows(3, 4).replace_schema_metadata({"pandas": "x"}))
    before = [file.stat().st_ino for file in sorted(tmp_path.iterdir())]
    unify_parts(tmp_path)
    assert [file.stat().st_ino for file in sorted(tmp_path.iterdir())] == before


def test_unify_gives_all_parts_all_columns(tmp_path):
    write(tmp_path, "a", pa.table({"n": [1, None], "x": ["a", "b"]}))
    write(tmp_path, "b", pa.table({"y": [[1]], "n": [0.5]}))
    unify_parts(tmp_path)
    assert read_all(tmp_path) == [
        [{"n": 1.0, "x": "a", "y": None}, {"n": None, "x": "b", "y": None}],
        [{"n": 0.5, "x": None, "y": [1]}],
    ]
    pattern = str(tmp_path / "*.parquet")
    assert len(pl.read_parquet(pattern)) == 3
    assert duckdb.sql(f"select sum(n) from '{pattern}'").fetchall() == [(1.5,)]
    before = [file.read_bytes() for file in sorted(tmp_path.iterdir())]
    unify_parts(tmp_path)
    assert [file.read_bytes() for file in sorted(tmp_path.iterdir())] == before


DAY = dt.date(2026, 1, 2)


@pytest.mark.parametrize(
    ("one", "other", "kind", "values"),
    [
        (pa.array([1], pa.int8()), pa.array([2], pa.int64()), pa.int64(), [1, 2]),
        (pa.array([1], pa.uint8()), pa.array([-2], pa.int8()), pa.int64(), [1, -2]),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([-2]), pa.string(), [str(2**64 - 1), "-2"]),
        (pa.array([2**53 + 1]), pa.array([0.5], pa.float32()), pa.float64(), [2.0**53, 0.5]),
        (pa.nulls(1), pa.array([2]), pa.int64(), [None, 2]),
        (pa.array(["x"]), pa.array([2]), pa.string(), ["x", "2"]),
        (pa.array(["x"]), pa.array(["y"], pa.large_string()), pa.string(), ["x", "y"]),
        (pa.array(["x"]), pa.array(["y"]).dictionary_encode(), pa.string(), ["x", "y"]),
        (pa.array([True]), pa.array([0.5]), pa.string(), ["true", "0.5"]),
        (pa.array(["x"]), pa.array([b"\xff\x00a"]), pa.string(), ["x", "\\xff\x00a"]),
        (pa.array([DAY]), pa.array([1]), pa.string(), ["2026-01-02", "1"]),
        (pa.array([[1]]), pa.array([["é"]]), pa.string(), ["[1]", '["é"]']),
        (pa.array([{"a": b"x", "d": DAY}]), pa.array([1]), pa.string(), ['{"a": "x", "d": "2026-01-02"}', "1"]),
    ],
)
def test_unify_types(tmp_path, one, other, kind, values):
    write(tmp_path, "a", pa.table({"x": one}))
    write(tmp_path, "b", pa.table({"x": other}))
    unify_parts(tmp_path)
    whole = pa.concat_tables(pq.read_table(file) for file in sorted(tmp_path.iterdir()))
    assert whole.schema.field("x").type == kind
    assert whole["x"].to_pylist() == values


@pytest.mark.parametrize(
    ("features", "kept"), [(("f", "f"), b"f"), (("f", "g"), None), (("f", None), None), ((None, None), None)]
)
@pytest.mark.parametrize("column", ["n", "m"])
def test_unify_keeps_features_where_all_agree(tmp_path, features, kept, column):
    for name, said in zip(("n", column), features, strict=True):
        metadata = {HUGGING_FACE: said} if said else None
        write(tmp_path, f"{name}{len(list(tmp_path.iterdir()))}", pa.table({name: [1]}, metadata=metadata))
    unify_parts(tmp_path)
    found = {(pq.read_schema(file).metadata or {}).get(HUGGING_FACE) for file in tmp_path.iterdir()}
    assert found == {kept}


def test_unify_removes_what_a_killed_writer_left(tmp_path):
    writer = PartWriter(tmp_path, "a", SCHEMA).__enter__()
    assert len(list(tmp_path.iterdir())) == 1
    unify_parts(tmp_path)
    assert list(tmp_path.iterdir()) == []
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)


def test_unify_names_a_damaged_part(tmp_path):
    write(tmp_path, "a", rows(0, 1000))
    write(tmp_path, "b", pa.table({"x": [1]}))
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[100] ^= 1
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(FormatError) as caught:
        unify_parts(tmp_path)
    assert caught.value.path == "a.parquet"
    assert (tmp_path / "a.parquet").read_bytes() == bytes(data)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_read_groups_are_bounded(tmp_path):
    table = pa.table({"bytes": [bytes([i]) * (i * 100) for i in range(200)]})
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False)
    file = open_parquet(str(tmp_path / "a.parquet"), "a")
    batches = list(read_groups(file, [0], limits=Limits(batch_rows=50, batch_bytes=30_000)))
    assert max(batch.nbytes for batch in batches) <= 30_000
    assert max(len(batch) for batch in batches) <= 50
    assert pa.Table.from_batches(batches) == table


def test_open_parquet_without_a_file(tmp_path):
    with pytest.raises(InputError) as caught:
        open_parquet(str(tmp_path / "a.parquet"), "a.parquet")
    assert caught.value.kind == "missing"
