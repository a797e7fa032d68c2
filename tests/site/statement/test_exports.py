"""Exports: nothing that a spreadsheet runs, nothing that was not asked for, everything that was."""

import io
import json

import pyarrow.parquet as pq
import pytest

from askfirst_site.statement import exports, queries
from askfirst_site.statement.models import Signature

FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "=cmd|'/C calc'!A0", "\t=1", "\r=1", "|calc", "%0A=1"]


@pytest.fixture
def rows(world):
    for formula in FORMULAS:
        signature = world.signed(role="writer")
        # Past the actions, which clean names: the export does not rely on them.
        Signature.objects.filter(pk=signature.pk).update(role=formula, name=f"{formula} Ada")
    world.sign(name="Never Confirmed")
    world.check()
    return world


def test_csv_has_no_cell_that_runs(rows):
    import csv

    text = "".join(exports.csv_lines(rows.statement))
    table = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert table[0] == exports.COLUMNS
    assert len(table) == len(FORMULAS) + 1
    for row in table[1:]:
        assert not any(cell[:1] in set("=+-@|%\t\r") for cell in row)
    assert "mailbox.example" not in text
    assert "Never" not in text


def test_json_is_exact(rows):
    found = json.loads("".join(exports.json_lines(rows.statement)))
    assert (found["statement"], [row["role"] for row in found["signatures"]]) == ("makers-first", FORMULAS)


def test_parquet_reads_back(rows):
    table = pq.read_table(io.BytesIO(b"".join(exports.parquet_parts(rows.statement))))
    assert table.column_names == exports.COLUMNS
    assert table.column("role").to_pylist() == FORMULAS
    assert table.column("position").to_pylist() == list(range(1, len(FORMULAS) + 1))


def test_empty_exports_are_whole(world):
    assert "".join(exports.csv_lines(world.statement)).count("\n") == 1
    assert json.loads("".join(exports.json_lines(world.statement)))["signatures"] == []
    assert pq.read_table(io.BytesIO(b"".join(exports.parquet_parts(world.statement)))).num_rows == 0


def test_small_cells_are_folded(world):
    from askfirst_site.statement.charts import Bar, fold_small

    assert fold_small({"a": 100, "b": 7, "c": 4, "d": 1}) == [Bar("a", 100), Bar("b", 7), Bar("others", 5)]
    assert fold_small({"a": 100, "b": 7, "c": 4}) == [Bar("a", 100), Bar("others", 11)]  # 4 alone would be read off
    assert fold_small({"a": 3}) == [Bar("others", 3)]
    assert fold_small({}) == []
    assert fold_small({"a": 9, "b": 8, "c": 7}, longest=2) == [Bar("a", 9), Bar("b", 8), Bar("others", 7)]
    world.signed()
    world.check()
    assert queries.charts(world.statement).disciplines == [Bar("others", 1)]
