"""The demo finds every work that it hides, and nothing else."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "demo"
    command = [sys.executable, "-m", "askfirst", "demo", "--out", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)
    assert result.returncode == 0, result.stderr
    rows = {row["item_id"]: row for row in pq.read_table(folder / "out" / "manifest").to_pylist()}
    return json.loads((folder / "hidden.json").read_text()), rows, result.stdout


def test_every_hidden_work_signal_and_flaw_has_the_outcome_that_was_planned(demo):
    planned, rows, _printed = demo
    wrong = {
        entry["item"]: (entry, rows[f"dataset/{entry['item']}"]["rule"])
        for kind in ("hidden", "signals", "unreadable")
        for entry in planned[kind]
        if rows[f"dataset/{entry['item']}"]["outcome"] != entry["outcome"]
    }
    assert wrong == {}


def test_every_hidden_work_is_among_the_matches_of_its_item(demo):
    planned, rows, _printed = demo
    found = {item: {fact["work_id"] for fact in row["evidence"]} for item, row in rows.items()}
    missed = [e for e in planned["hidden"] if e["work_id"] not in found[f"dataset/{e['item']}"]]
    assert missed == []


def test_no_work_is_found_where_none_is_hidden(demo):
    planned, rows, _printed = demo
    hiding = {f"dataset/{e['item']}" for e in planned["hidden"]}
    assert [item for item, row in rows.items() if row["work_id"] is not None and item not in hiding] == []


def test_all_outcomes_and_most_bases_occur(demo):
    _planned, rows, printed = demo
    assert {row["outcome"] for row in rows.values()} == {"permitted", "refused", "unasked", "unreadable"}
    bases = {row["basis"] for row in rows.values()}
    assert bases == {"agreement", "open-consent", "open-licence", "public-domain", None}
    assert "Silence" in printed or "Nobody was asked" in printed


def test_the_readme_shows_what_the_demo_prints(demo):
    _planned, _rows, printed = demo
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (shown,) = re.findall(r"<!-- demo -->\n```\n(.*?)\n```", readme, re.DOTALL)
    assert shown in "\n".join(line.rstrip() for line in printed.splitlines())
