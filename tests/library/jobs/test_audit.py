"""An audit from end to end, on real files."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cast import EXPECTED, URLS, prose, register_in, rows_of, run, write_dataset, write_urls

from askfirst.errors import InputError, SnapshotCorruptError
from askfirst.report.summary import Summary


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    return register_in(tmp_path_factory.mktemp("register"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("input") / "dataset")


@pytest.fixture(scope="module")
def urls(tmp_path_factory):
    return write_urls(tmp_path_factory.mktemp("input") / "urls.parquet")


@pytest.fixture(scope="module")
def audited(register, dataset, urls, tmp_path_factory):
    return run([dataset, urls], register, tmp_path_factory.mktemp("out") / "out")


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_every_item_gets_the_verdict_its_evidence_asks_for(audited):
    of_urls = {f"urls.parquet#{i}": verdict for i, verdict in enumerate(URLS.values())}
    assert rows_of(audited) == EXPECTED | of_urls


def test_the_summary_adds_up_and_counts_what_opt_out_would_take(audited):
    summary = json.loads((audited.out / "summary.json").read_text())
    assert summary["items"] == len(EXPECTED) + len(URLS)
    assert sum(summary["outcomes"].values()) == summary["items"]
    assert summary["opt_out_difference"] == summary["outcomes"]["unasked"] == 5
    assert Summary.from_dict(summary) == audited.summary


def test_an_agreement_permits_to_its_party_only(register, urls, tmp_path):
    lab = run(urls, register, tmp_path / "lab", policy={"party": "Example Lab"})
    other = run(urls, register, tmp_path / "other", policy={"party": "Other Lab"})
    assert rows_of(lab)["urls.parquet#4"] == ("permitted", "agreement")
    assert rows_of(other)["urls.parquet#4"] == ("refused", "register-refusal")


def test_a_maker_may_use_her_own_work(register, urls, tmp_path):
    result = run(urls, register, tmp_path / "out", policy={"party": "Harbour Guild"})
    assert rows_of(result)["urls.parquet#2"] == ("permitted", "own")


def test_another_use_is_another_question(register, urls, tmp_path):
    result = run(urls, register, tmp_path / "out", policy={"use": "search"})
    assert result.outcomes["permitted"] == 0


def test_permitted_rows_are_those_of_the_manifest_and_keep_their_columns(register, urls, tmp_path):
    result = run(urls, register, tmp_path / "out")
    kept = pq.read_table(result.out / "permitted").to_pylist()
    assert [(row["url"], row["note"]) for row in kept] == [
        ("https://hale.example/diary?page=2", "n0"),
        ("https://photos.hale.example/1.jpg", "n1"),
    ]
    assert [row["askfirst_item_id"] for row in kept] == ["urls.parquet#0", "urls.parquet#1"]


def test_permitted_rows_of_mixed_sources_have_one_schema(audited):
    assert len({str(pq.read_schema(p)) for p in (audited.out / "permitted").iterdir()}) == 1


def test_results_are_read_by_pandas_polars_duckdb_and_datasets(audited, tmp_path):
    from datasets import load_dataset

    permitted = audited.out / "permitted"
    count = audited.outcomes["permitted"]
    assert len(pd.read_parquet(permitted)) == count
    assert pl.read_parquet(permitted / "*.parquet").height == count
    counted = duckdb.connect().execute(f"SELECT count(*) FROM '{permitted}/*.parquet'").fetchall()
    assert counted == [(count,)]
    loaded = load_dataset("parquet", data_files=str(permitted / "*.parquet"), cache_dir=str(tmp_path))
    assert loaded["train"].num_rows == count
    assert pl.read_parquet(audited.out / "manifest" / "*.parquet").height == audited.summary.items


def test_the_manifest_is_the_same_bytes_for_any_number_of_workers(register, dataset, urls, audited, tmp_path):
    one = run([dataset, urls], register, tmp_path / "one", workers=1)
    three = run([dataset, urls], register, tmp_path / "three", workers=3)
    assert digests(one.out / "manifest") == digests(three.out / "manifest") == digests(audited.out / "manifest")
    assert digests(one.out / "permitted") == digests(three.out / "permitted")
    assert one.summary.input_digest == three.summary.input_digest == audited.summary.input_digest


def test_the_input_digest_changes_with_one_byte_of_one_item(register, tmp_path):
    dataset = write_dataset(tmp_path / "dataset")
    before = run(dataset, register, tmp_path / "before").summary.input_digest
    (dataset / "unknown.txt").write_text(prose(14, 500))
    assert run(dataset, register, tmp_path / "after").summary.input_digest != before


def test_the_same_item_twice_is_two_rows_with_one_verdict(register, tmp_path):
    pq.write_table(pa.table({"url": ["https://guild.example/album/1.jpg"] * 2}), tmp_path / "twice.parquet")
    result = run(tmp_path / "twice.parquet", register, tmp_path / "out")
    assert list(rows_of(result).values()) == [("refused", "register-refusal")] * 2


def test_signals_in_columns_refuse_and_malformed_ones_are_gaps(register, tmp_path):
    table = {
        "url": [f"https://nobody.example/{i}.jpg" for i in range(4)],
        "robots_txt": ["User-agent: GPTBot\nDisallow: /", "", None, "User-agent: *\nAllow: /"],
        "headers": [None, '{"X-Robots-Tag": "noai"}', '{"X-Robots-Tag": ', None],
    }
    pq.write_table(pa.table(table), tmp_path / "crawl.parquet")
    result = run(tmp_path / "crawl.parquet", register, tmp_path / "out")
    assert [row["outcome"] for row in result.items()] == ["refused", "refused", "unreadable", "unasked"]
    assert [row["rule"] for row in result.items()][:2] == ["signal:robots.txt", "signal:x-robots-tag"]


def test_a_register_with_one_byte_changed_ends_the_audit_and_publishes_nothing(dataset, tmp_path):
    register = register_in(tmp_path)
    file = register / "works.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(SnapshotCorruptError, match=r"works\.parquet is damaged"):
        run(dataset, register, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == [".work"]


def test_a_truncated_register_is_refused_before_anything_starts(dataset, tmp_path):
    register = register_in(tmp_path)
    file = register / "index" / "works.arrow"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(SnapshotCorruptError, match=r"expected .* bytes, found"):
        run(dataset, register, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_results_of_another_run_are_not_overwritten(register, urls, tmp_path):
    run(urls, register, tmp_path / "out")
    with pytest.raises(InputError, match="holds a finished audit"):
        run(urls, register, tmp_path / "out")
    again = run(urls, register, tmp_path / "out", replace=True)
    assert again.summary.items == len(URLS)


def test_a_folder_that_holds_something_else_is_left_alone(register, urls, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        run(urls, register, tmp_path / "out")
    assert (tmp_path / "out" / "diary.txt").read_text() == "mine"


def test_resume_of_a_finished_audit_returns_it(register, urls, tmp_path):
    first = run(urls, register, tmp_path / "out")
    assert run(urls, register, tmp_path / "out", resume=True).summary == first.summary


def many_files(folder: Path, count: int) -> Path:
    folder.mkdir()
    for i in range(count):
        (folder / f"{i:04d}.txt").write_text(prose(i, 300))
    return folder


def command(source: Path, register: Path, out: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "askfirst",
        "audit",
        str(source),
        "--register",
        str(register),
        "--out",
        str(out),
        *more,
    ]


def start_and_wait_for_a_part(source: Path, register: Path, out: Path) -> subprocess.Popen:
    process = subprocess.Popen(command(source, register, out), stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list((out / ".work" / "done").glob("*.report")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return process


def test_a_killed_audit_goes_on_and_ends_with_the_same_bytes(register, tmp_path):
    source = many_files(tmp_path / "many", 3000)
    process = start_and_wait_for_a_part(source, register, tmp_path / "killed")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "killed" / "manifest").exists()
    with pytest.raises(InputError, match="unfinished audit"):
        run(source, register, tmp_path / "killed")
    resumed = run(source, register, tmp_path / "killed", resume=True)
    whole = run(source, register, tmp_path / "whole")
    assert digests(resumed.out / "manifest") == digests(whole.out / "manifest")
    assert resumed.summary.outcomes == whole.summary.outcomes
    assert resumed.summary.input_digest == whole.summary.input_digest


def test_ctrl_c_ends_with_3_and_one_line_and_no_half_files(register, tmp_path):
    source = many_files(tmp_path / "many", 3000)
    process = start_and_wait_for_a_part(source, register, tmp_path / "out")
    os.killpg(process.pid, signal.SIGINT)
    _stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert stderr.decode().strip().splitlines()[-1].startswith("askfirst: stopped; nothing was published")
    assert [p.name for p in (tmp_path / "out").iterdir()] == [".work"]
    assert not list((tmp_path / "out" / ".work").rglob("*.tmp*"))
