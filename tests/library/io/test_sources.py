"""The plan: what is found in sources, what it is called, and where it is cut."""

from __future__ import annotations

import ctypes
import gzip
import json
import os
import pickle
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from askfirst.errors import InputError
from askfirst.io.columns import ColumnChoice
from askfirst.io.files import Limits, read_file
from askfirst.io.sources import plan

NO_CHOICE = ColumnChoice()
ROWS = b'text,n\n"a\nb",1\nc,2\n\nd,3\n"e",4\n'


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "data"
    for name in ("b/2.jpg", "b/10.jpg", "b-c.txt", ".hidden/x.txt", "b/.x.txt", "__pycache__/x.pyc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def names(planned):
    return [(unit.index, unit.kind, unit.name, [file.item_id for file in unit.files]) for unit in planned.units]


def fails(*sources, choice=NO_CHOICE):
    with pytest.raises(InputError) as caught:
        plan([str(source) for source in sources], choice)
    assert "\n" not in str(caught.value)
    assert caught.value.advice
    return caught.value.kind, caught.value.message


def test_folder_is_sorted_by_bytes_without_hidden_files(tree):
    planned = plan([str(tree)], NO_CHOICE)
    assert names(planned) == [(0, "files", "data", ["data/b-c.txt", "data/b/10.jpg", "data/b/2.jpg"])]
    assert planned.sources == ("data",)
    assert planned.notes == ()
    assert planned.total_bytes == 7 + 8 + 7
    for file in planned.units[0].files:
        assert read_file(file.path, file.root, 100).decode() == file.name


def test_folder_of_tables_and_files(tree):
    (tree / "a.csv").write_bytes(ROWS)
    (tree / "a.json").write_bytes(b"{}")
    (tree / "z.PARQUET").write_bytes(b"")
    pq.write_table(pa.table({"url": ["x"]}), tree / "z.PARQUET")
    (tree / "y.ndjson.gz").write_bytes(gzip.compress(b'{"url":"x"}'))
    (tree / "x.tsv").write_bytes(b"url\tn\nx\t1\n")
    planned = plan([str(tree)], NO_CHOICE)
    files = ["data/a.json", "data/b-c.txt", "data/b/10.jpg", "data/b/2.jpg"]
    assert names(planned) == [
        (0, "files", "data", files),
        (1, "csv", "data/a.csv", []),
        (2, "csv", "data/x.tsv", []),
        (3, "jsonl", "data/y.ndjson.gz", []),
        (4, "parquet", "data/z.PARQUET", []),
    ]


def test_plan_is_the_same_wherever_it_is_made_and_survives_pickling(tree, tmp_path, monkeypatch):
    first = plan([str(tree)], NO_CHOICE)
    monkeypatch.chdir(tmp_path)
    assert plan(["data"], NO_CHOICE) == first
    assert plan(["data/"], NO_CHOICE) == first
    monkeypatch.chdir(tree)
    assert plan(["."], NO_CHOICE) == first
    assert pickle.loads(pickle.dumps(first)) == first


def test_single_file_is_its_name(tree):
    planned = plan([str(tree / "b/2.jpg")], NO_CHOICE)
    assert names(planned) == [(0, "files", "2.jpg", ["2.jpg"])]


def test_sources_of_one_name(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "other/data")
    (tmp_path / "data~2").mkdir()
    (tmp_path / "data~2/x").touch()
    planned = plan([str(tmp_path / name) for name in ("data~2", "data", "other/data")], NO_CHOICE)
    assert planned.sources == ("data~2", "data", "data~3")


def test_pattern(tree):
    (tree / "c.jpg").symlink_to("b/2.jpg")
    planned = plan([str(tree / "**/*.jpg")], NO_CHOICE)
    assert planned.sources == ("10.jpg", "2.jpg")
    assert plan([str(tree / "b/[12]*.jpg")], NO_CHOICE).sources == ("10.jpg", "2.jpg")
    assert plan([str(tree / "*")], NO_CHOICE).sources == ("b", "b-c.txt", "c.jpg")


def test_name_that_looks_like_a_pattern(tree):
    (tree / "[1].txt").write_bytes(b"x")
    assert plan([str(tree / "[1].txt")], NO_CHOICE).sources == ("[1].txt",)


def test_missing_and_empty_sources(tree):
    (tree / "empty").mkdir()
    (tree / "empty.csv").touch()
    os.mkfifo(tree / "pipe")
    assert fails() == ("missing", "there is nothing to read")
    assert fails(tree / "nothing") == ("missing", f"{tree}/nothing does not exist")
    assert fails("") == ("missing", "'' does not exist")
    assert fails(tree / "*.nothing") == ("missing", f"nothing matches {tree}/*.nothing")
    assert fails(tree / "empty") == ("empty", f"{tree}/empty has no files")
    assert fails(tree / "empty.csv") == ("empty", f"{tree}/empty.csv is empty")
    assert fails(tree / "pipe") == ("not-a-file", f"{tree}/pipe is not a regular file")
    assert fails(tree, tree) == ("named-twice", f"{tree} is named twice")
    assert fails(tree / "b/2.jpg", tree / "b/*") == ("named-twice", f"{tree}/b/2.jpg is named twice")


def test_symbolic_links(tree, tmp_path):
    (tmp_path / "outside.txt").write_bytes(b"x")
    (tree / "out").symlink_to("../outside.txt")
    (tree / "up").symlink_to("..")
    (tree / "loop").symlink_to(".")
    (tree / "same").symlink_to("b")
    (tree / "circle").symlink_to("circle")
    (tree / "in.jpg").symlink_to("b/2.jpg")
    (tree / "broken").symlink_to("nothing")
    planned = plan([str(tree)], NO_CHOICE)
    ids = ["data/b-c.txt", "data/b/10.jpg", "data/b/2.jpg", "data/broken", "data/in.jpg"]
    assert names(planned)[0][3] == ids
    assert [file.gap.kind for file in planned.units[0].files if file.gap] == ["missing"]
    assert planned.notes == (
        "data: skipped symbolic links that lead in a circle: 1, first circle",
        "data: skipped symbolic links that lead to folders that are in it anyway: 2, first loop",
        "data: skipped symbolic links that leave the folder: 2, first out",
    )


def test_names_that_are_not_printable(tmp_path):
    for name in (b"\xff.txt", rb"\xff.txt", b"a\nb.txt", "é.txt".encode()):
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    files = plan([str(tmp_path)], NO_CHOICE).units[0].files
    assert [file.name for file in files] == ["\\\\xff.txt", "a\\u000ab.txt", "é.txt", "\\xff.txt"]
    assert read_file(files[3].path, files[3].root, 9) == b"\xff.txt"


def test_special_files_of_a_folder_are_gaps(tree):
    os.mkfifo(tree / "pipe")
    gaps = {file.name: file.gap for file in plan([str(tree)], NO_CHOICE).units[0].files}
    assert gaps["pipe"].kind == "not-a-file"


def test_files_without_permission():
    folder = Path(tempfile.mkdtemp())
    libc = ctypes.CDLL(None)
    try:
        folder.chmod(0o755)
        for name in ("a.txt", "b.csv", "c/d.txt", "e.parquet"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"text\nx\n")
            (folder / name).chmod(0 if name != "c/d.txt" else 0o644)
        (folder / "c").chmod(0)
        libc.setfsuid(65534)  # gives up root's power over permissions
        files = plan([str(folder)], NO_CHOICE).units[0].files
        assert {file.name: file.gap and file.gap.kind for file in files} == {
            "a.txt": None,  # noticed when it is read
            "b.csv": "no-permission",
            "c": "no-permission",
            "e.parquet": "no-permission",
        }
        for name in ("a.txt", "b.csv", "c", "e.parquet"):
            assert fails(folder / name) == ("no-permission", f"{folder}/{name} may not be read")
    finally:
        libc.setfsuid(os.geteuid())
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", "corrupt"), (b"PAR1" + b"x" * 50, "truncated"), (b"x" * 50 + b"PAR1", "corrupt"), (b"x", "corrupt")],
)
def test_parquet_that_is_none(tree, data, kind):
    (tree / "x.parquet").write_bytes(data)
    assert [file.gap.kind for file in plan([str(tree)], NO_CHOICE).units[0].files if file.gap] == [kind]
    if data:
        assert fails(tree / "x.parquet")[0] == kind


def test_parquet_is_cut_between_row_groups(tmp_path):
    pq.write_table(pa.table({"url": [f"{i:09}" for i in range(1000)]}), tmp_path / "a.parquet", row_group_size=100)
    cuts = [
        (unit.start, unit.stop, unit.first_row)
        for unit in plan([str(tmp_path / "a.parquet")], NO_CHOICE, Limits(unit_rows=350)).units
    ]
    assert cuts == [(0, 3, 0), (3, 6, 300), (6, 9, 600), (9, 10, 900)]
    limits = Limits(unit_bytes=1)
    assert len(plan([str(tmp_path)], NO_CHOICE, limits).units) == 10


def test_parquet_without_rows(tmp_path):
    pq.write_table(pa.table({"url": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert [(u.start, u.stop) for u in plan([str(tmp_path)], NO_CHOICE).units] == [(0, 1)]


def test_text_is_cut_between_records(tmp_path):
    (tmp_path / "a.csv").write_bytes(ROWS)
    units = plan([str(tmp_path)], NO_CHOICE, Limits(unit_bytes=16, block_bytes=5)).units
    assert [(unit.start, unit.stop, unit.first_row) for unit in units] == [(0, 20, 0), (20, len(ROWS), 2)]
    assert ROWS[20:].startswith(b"d,3")


def test_text_with_an_open_quote_is_not_cut(tmp_path):
    (tmp_path / "a.csv").write_bytes(ROWS + b'"')
    units = plan([str(tmp_path)], NO_CHOICE, Limits(unit_bytes=16)).units
    assert [(unit.start, unit.stop, unit.first_row) for unit in units] == [(0, len(ROWS) + 1, 0)]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv"])
def test_text_that_cannot_be_cut_is_noted(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(ROWS) if name.endswith("gz") else ROWS.decode().encode("utf-16"))
    planned = plan([str(tmp_path / name)], NO_CHOICE, Limits(unit_bytes=16))
    assert len(planned.units) == 1
    assert planned.notes == (f"{name} is read by one worker, because it is compressed or UTF-16",)


def test_files_are_grouped(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.txt").write_bytes(b"x" * number)
    by_number = plan([str(tmp_path)], NO_CHOICE, Limits(unit_files=4)).units
    assert [(unit.start, unit.stop, len(unit.files)) for unit in by_number] == [(0, 4, 4), (4, 8, 4), (8, 10, 2)]
    by_size = plan([str(tmp_path)], NO_CHOICE, Limits(unit_file_bytes=10)).units
    assert [(unit.start, unit.stop) for unit in by_size] == [(0, 5), (5, 6), (6, 7), (7, 8), (8, 9), (9, 10)]


def write_jsonl(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_json_is_json_lines_only_by_name(tmp_path):
    write_jsonl(tmp_path / "a.json", {"text": "x"}, {"text": "y"})
    assert plan([str(tmp_path / "a.json")], NO_CHOICE).units[0].kind == "jsonl"
    assert plan([str(tmp_path / "*.json")], NO_CHOICE).units[0].kind == "jsonl"
    assert plan([str(tmp_path / "*")], NO_CHOICE).units[0].kind == "files"
    assert plan([str(tmp_path)], NO_CHOICE).units[0].kind == "files"


@pytest.mark.parametrize(
    ("name", "data", "kind", "message"),
    [
        ("a.csv", b"1,x\n", "no-column", "a.csv has no column of texts, addresses, paths or media; it has 1 (string)"),
        ("a.csv", b"\n\n", "empty", "a.csv has no rows"),
        ("a.csv", b"caf\xe9,text\n", "bad-header", "the first line of a.csv cannot be read"),
        ("a.csv", b'"text', "bad-header", "the first line of a.csv cannot be read"),
        ("a.jsonl", b" \n", "empty", "a.jsonl has no rows"),
        ("a.jsonl", b"[\n", "not-json", "a.jsonl is not JSON lines: the line is not JSON"),
        ("a.jsonl", b"[]\n", "not-an-object", "a.jsonl is not JSON lines: the line is not a JSON object"),
        ("a.jsonl", b"\xff\n", "not-utf8", "a.jsonl is not JSON lines: the byte 0xFF is not UTF-8"),
        ("a.jsonl", b'{"text":1}\n', "wrong-type", "column 'text' of a.jsonl is int64, not text"),
        ("a.jsonl", b'{"text":[1]}\n', "no-column", "a.jsonl has no column of texts"),
        ("a.jsonl.gz", b"x", "corrupt", "the compressed file a.jsonl.gz is damaged"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, name, data, kind, message):
    (tmp_path / name).write_bytes(data)
    found, said = fails(tmp_path / name)
    assert found == kind
    assert said.startswith(message)
    assert str(tmp_path) not in said
    (tmp_path / "b.txt").write_bytes(b"x")  # beside something else it is one row that cannot be read
    files = plan([str(tmp_path)], NO_CHOICE).units[0].files
    assert [(file.name, file.gap and file.gap.kind) for file in files] == [(name, kind), ("b.txt", None)]


def test_folder_of_tables_without_columns(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"n\n1\n")
    assert fails(tmp_path)[0] == "no-column"
    kind, message = fails(tmp_path / "a.csv", choice=ColumnChoice(text="body"))
    assert (kind, message) == ("no-column", "a.csv has no column 'body'; it has n (string)")
