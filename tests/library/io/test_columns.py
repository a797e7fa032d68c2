"""Columns: which of them can be the items, and what a person may choose."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from askfirst.errors import ConfigError, InputError
from askfirst.io.columns import ColumnChoice
from askfirst.io.sources import plan


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"text": pa.int64()}, "wrong-type"),
        ({"url": pa.string(), "text": pa.int64()}, "wrong-type"),
        ({"url": pa.string(), "headers": pa.int64()}, "wrong-type"),
        ({"text": pa.list_(pa.string())}, "no-column"),
        ({"bytes": pa.int64()}, "no-column"),
        ({"image": pa.string()}, "no-column"),
        ({"image": pa.struct([("bytes", pa.string())])}, "no-column"),
    ],
)
def test_columns_of_the_wrong_type(tmp_path, columns, kind):
    pq.write_table(pa.schema(columns.items()).empty_table(), tmp_path / "a.parquet")
    with pytest.raises(InputError) as caught:
        plan([str(tmp_path / "a.parquet")], ColumnChoice())
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)
    assert caught.value.advice


@pytest.mark.parametrize(
    ("pairs", "encoding", "says"),
    [({"body": "text"}, None, "no column can be 'body'"), ({}, "utf-7", "encoding 'utf-7' is not known")],
)
def test_choice_refuses(pairs, encoding, says):
    with pytest.raises(ConfigError, match=says):
        ColumnChoice.of(pairs, encoding=encoding)


def test_choice_from_pairs():
    assert ColumnChoice.of({"text": "body"}, encoding="cp1252") == ColumnChoice(text="body", encoding="cp1252")
