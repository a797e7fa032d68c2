"""The command line as somebody uses it: exit codes, one clear line for what is wrong, JSON on stdout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "jobs"))
from cast import EXPECTED, prose, register_in, write_dataset, write_urls


def askfirst(*arguments, **options):
    command = [sys.executable, "-m", "askfirst", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    register_in(home)
    write_dataset(home / "dataset")
    write_urls(home / "urls.parquet")
    return home


@pytest.fixture(scope="module")
def audited(home):
    result = askfirst("audit", home / "dataset", "--register", home / "register", "--out", home / "out", "--json")
    assert result.returncode == 1, result.stderr
    return json.loads(result.stdout)


def the_line(result, code):
    """Return the one line that was said on stderr."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    return line


def test_audit_prints_one_json_document_with_the_keys_of_the_contract(audited):
    keys = ("items", "outcomes", "opt_out_difference", "use", "regime", "register", "input_digest", "tool", "seconds")
    assert [key for key in keys if key not in audited] == []
    assert audited["items"] == len(EXPECTED)
    assert sorted(audited["register"]) == ["origin", "root", "size"]


def test_audit_ends_with_0_when_everything_is_permitted(home, tmp_path):
    (tmp_path / "free.txt").write_text((home / "works" / "free.txt").read_text())
    result = askfirst("audit", tmp_path / "free.txt", "--register", home / "register", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "The one item may be used for training generative AI." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere", "--register", "register"], "nowhere"),
        (["audit", "dataset", "--register", "nowhere"], "nowhere does not exist"),
        (["audit", "dataset", "--register", "dataset"], "is not a register"),
        (["audit", "empty", "--register", "register"], "has no files"),
        (["audit", "*.nothing", "--register", "register"], "*.nothing"),
        (["audit", "dataset", "--register", "register", "--column", "text"], "is not ROLE=COLUMN"),
        (["audit", "dataset", "--register", "register", "--column", "sound=x"], "'sound'"),
        (["audit", "urls.parquet", "--register", "register", "--column", "url=link"], "link"),
        (["audit", "cut.parquet", "--register", "register"], "cut.parquet"),
        (["audit", "number.parquet", "--register", "register"], "text"),
        (["register", "info", "nowhere"], "nowhere does not exist"),
        (["register", "build", "nowhere", "--out", "x"], "nowhere does not exist"),
        (["explain", "nowhere", "x"], "holds no finished audit"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(home, arguments, message):
    (home / "empty").mkdir(exist_ok=True)
    (home / "cut.parquet").write_bytes((home / "urls.parquet").read_bytes()[:-20])
    if not (home / "number.parquet").exists():
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"text": [1, 2]}), home / "number.parquet")
    line = the_line(
        askfirst(*arguments, *([] if "--out" in arguments or arguments[0] != "audit" else ["--out", "o"]), cwd=home), 2
    )
    assert line.startswith("askfirst: ")
    assert message in line
    assert not (home / "o").exists()


def test_an_unknown_use_is_refused_with_the_known_ones(home):
    result = askfirst("audit", "dataset", "--register", "register", "--use", "enjoy", cwd=home)
    assert result.returncode == 2
    assert "'enjoy' is not one of 'train-generative'" in result.stderr


def test_explain_says_in_words_which_work_and_whose(home, audited):
    result = askfirst("explain", home / "out", "dataset/quote.txt")
    assert result.returncode == 0, result.stderr
    assert "The Harbour" in result.stdout
    assert "Mira Solheim" in result.stdout


def test_explain_of_an_item_that_is_not_there_names_some_that_are(home, audited):
    line = the_line(askfirst("explain", home / "out", "quote.txt"), 2)
    assert "dataset/quote.txt" in line


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_every_language_prints_a_table_and_writes_a_report(home, tmp_path, language):
    out = tmp_path / "out"
    result = askfirst(
        "audit", home / "urls.parquet", "--register", home / "register", "--out", out, "--language", language
    )
    assert result.returncode == 1, result.stderr
    assert f'<html lang="{language}"' in (out / "report.html").read_text()


def test_match_finds_the_work_in_a_file(home):
    result = askfirst("match", home / "dataset" / "quote.txt", "--register", home / "register", "--json")
    (one,) = json.loads(result.stdout)
    assert result.returncode == 0
    assert [(m["work_id"], m["kind"]) for m in one["matches"]] == [("novel", "text")]
    assert (one["medium"], one["error"]) == ("text", None)


def test_match_of_a_broken_file_says_so_and_ends_with_2(home):
    result = askfirst("match", home / "dataset" / "broken.jpg", "--register", home / "register", "--json")
    assert result.returncode == 2
    assert json.loads(result.stdout)[0]["matches"] == []
    assert json.loads(result.stdout)[0]["error"]


def test_fingerprint_prints_no_words_of_the_work(home):
    result = askfirst("fingerprint", home / "works" / "novel.txt", "--json")
    (one,) = json.loads(result.stdout)
    assert one["medium"] == "text"
    assert len(one["text"]["k40w127"]["hashes"]) > 10
    assert prose(1, 3000).split()[0] not in result.stdout.split()


def test_register_verify_names_the_damaged_file(home, tmp_path):
    assert askfirst("register", "verify", home / "register").returncode == 0
    import shutil

    copy = tmp_path / "register"
    shutil.copytree(home / "register", copy)
    data = bytearray((copy / "terms.json").read_bytes())
    data[0] ^= 1
    (copy / "terms.json").write_bytes(bytes(data))
    assert "terms.json is damaged" in the_line(askfirst("register", "verify", copy), 2)


def test_selftest_passes():
    result = askfirst("selftest")
    assert result.returncode == 0, result.stdout
    assert [line[:4] for line in result.stdout.splitlines() if not line.startswith("ok  ")] == []


def test_full_disk_is_one_line_and_leaves_nothing_half(home, tmp_path):
    def small_files_only():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    result = askfirst(
        "audit",
        home / "dataset",
        "--register",
        home / "register",
        "--out",
        tmp_path / "out",
        preexec_fn=small_files_only,
    )
    assert result.returncode in (2, 3)
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out" / "manifest").exists()


def test_help_needs_no_heavy_import():
    code = "import sys, askfirst.cli; print([m for m in ('numba', 'pyarrow', 'numpy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert result.stdout.strip() == "[]"
