"""Building a register: good catalogues, and what is said of bad ones."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cast import CATALOGUE, photograph, prose, register_in, write_works

from askfirst.api import make_policy
from askfirst.errors import BadCatalogueError, InputError, SnapshotCorruptError, VersionUnsupportedError
from askfirst.jobs.build import build_register
from askfirst.jobs.look import match_file
from askfirst.register import MANIFEST_NAME, Register, verify_register


def build(tmp_path, text, name="catalogue.csv"):
    (tmp_path / name).write_text(text)
    return build_register(tmp_path / name, tmp_path / "register")


def test_every_row_of_the_catalogue_is_a_work(tmp_path):
    register = Register.open(register_in(tmp_path))
    assert register.work_ids.to_pylist() == [row["work_id"] for row in CATALOGUE]
    assert register.manifest.media == {"text": 2, "image": 1, "audio": 0, "video": 0, "other": 3}


def test_the_same_catalogue_gives_the_same_register_wherever_it_stands(tmp_path):
    first = register_in(tmp_path / "a")
    second = build_register(tmp_path / "a" / "works" / "catalogue.csv", tmp_path / "register", workers=1)
    assert second.root == Register.open(first).manifest.root


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_other_tables_give_the_register_of_the_csv(tmp_path, kind):
    catalogue = write_works(tmp_path / "works")
    other = catalogue.with_suffix(f".{kind}")
    if kind == "jsonl":
        other.write_text("\n".join(json.dumps(row) for row in CATALOGUE))
    else:
        columns = sorted({key for row in CATALOGUE for key in row})
        pq.write_table(pa.table({c: [row.get(c) for row in CATALOGUE] for c in columns}), other)
    roots = [build_register(c, tmp_path / c.suffix[1:]).root for c in (catalogue, other)]
    assert roots[0] == roots[1]


def test_a_folder_is_a_register_of_its_files_and_every_use_is_refused(tmp_path):
    (tmp_path / "manuscripts" / "drafts").mkdir(parents=True)
    (tmp_path / "manuscripts" / "Chapter One.txt").write_text(prose(3, 800))
    (tmp_path / "manuscripts" / "drafts" / "cover.jpg").write_bytes(photograph("coffee.png"))
    build_register(tmp_path / "manuscripts", tmp_path / "register")
    register = Register.open(tmp_path / "register")
    assert [register.work(i).title for i in range(register.size)] == ["Chapter One", "cover"]
    standings = register.standings(make_policy())
    assert standings.of(pa.array([0, 1]).to_numpy()).tolist() == [1, 1]


def test_works_stay_at_home(tmp_path):
    register = register_in(tmp_path)
    listed = {f.path for f in Register.open(register).manifest.files}
    assert not any(path.startswith("local/") for path in listed)
    for path in listed:
        data = (register / path).read_bytes()
        assert prose(1, 3000).split()[100:108] != []
        assert " ".join(prose(1, 3000).split()[100:108]).encode() not in data
        assert str(tmp_path).encode() not in data


def test_one_file_of_two_makers_is_contested(tmp_path):
    (tmp_path / "a.txt").write_text(prose(4, 500))
    register = build(
        tmp_path, "work_id,creator,file,permitted_uses\nx,Ann,a.txt,train-generative\ny,Bo,a.txt,train-generative\n"
    )
    assert Register.open(tmp_path / "register").contested.tolist() == [1, 1]
    assert register.size == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"has no column 'file', 'url' or 'url_prefix'"),
        ("title,creator\nx,y\n", r"has no column 'file', 'url' or 'url_prefix' \(found: title, creator\)"),
        ("title,file\n", "has no rows"),
        ("file\nmissing.txt\n", "row 1: the file 'missing.txt' does not exist"),
        ("title,url\nx,\n", "row 1: there is neither a file nor an address"),
        ('url\nhttps://a.example/\n"broken', "row 2 cannot be read"),
        ("url,terms\nhttps://a.example/,house\n", "no terms are called 'house'"),
        ("url,refused_uses\nhttps://a.example/,dance\n", "name the use 'dance'"),
        ("url,medium\nhttps://a.example/,opera\n", "the medium is 'opera'"),
        ("url_prefix\nco.uk\n", "not one maker.s domain"),
        ("work_id,url\nw,https://a.example/\nw,https://b.example/\n", "the work_id 'w' is that of row 1"),
        ("url,title\nhttps://a.example/\n", "row 1 has 1 cells, the header has 2"),
        ("url,url\na,b\n", "names a column twice"),
    ],
)
def test_a_catalogue_that_cannot_be_used_says_row_and_reason_and_writes_nothing(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, text)
    assert not (tmp_path / "register").exists()


def test_a_catalogue_in_latin_1_says_so(tmp_path):
    (tmp_path / "catalogue.csv").write_bytes("title,url\nSchön,https://a.example/\n".encode("latin-1"))
    with pytest.raises(BadCatalogueError, match="is not UTF-8"):
        build_register(tmp_path / "catalogue.csv", tmp_path / "register")


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    (tmp_path / "catalogue.csv").write_bytes(b"\xef\xbb\xbfurl\nhttps://a.example/\n")
    assert build_register(tmp_path / "catalogue.csv", tmp_path / "register").size == 1


def test_a_broken_work_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "cover.jpg").write_bytes(photograph("coffee.png")[:3000])
    with pytest.raises(BadCatalogueError, match=r"row 1: cover\.jpg cannot be registered"):
        build(tmp_path, "file\ncover.jpg\n")
    assert not (tmp_path / "register").exists()


def test_several_bad_rows_are_told_together(tmp_path):
    with pytest.raises(BadCatalogueError, match=r"3 of the catalogue's rows .*row 1: .*row 2: .*row 3: "):
        build(tmp_path, "file\na\nb\nc\n")


def test_a_register_is_replaced_only_when_asked(tmp_path):
    register_in(tmp_path)
    with pytest.raises(InputError, match="already holds a register"):
        build_register(tmp_path / "works" / "catalogue.csv", tmp_path / "register")
    assert build_register(tmp_path / "works" / "catalogue.csv", tmp_path / "register", replace=True).size == len(
        CATALOGUE
    )


def test_verify_names_the_file_with_one_byte_flipped(tmp_path):
    register = register_in(tmp_path)
    assert len(list(verify_register(register))) == len(Register.open(register).manifest.files)
    for entry in Register.open(register).manifest.files:
        file = register / entry.path
        good = file.read_bytes()
        file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(SnapshotCorruptError, match=entry.path):
            list(verify_register(register))
        file.write_bytes(good)


def test_another_version_of_the_format_is_refused_in_one_line(tmp_path):
    register = register_in(tmp_path)
    manifest = json.loads((register / MANIFEST_NAME).read_text())
    manifest["schema"] = "askfirst/register/v9"
    (register / MANIFEST_NAME).write_text(json.dumps(manifest))
    with pytest.raises(VersionUnsupportedError, match=r"written in 'askfirst/register/v9', this program reads"):
        Register.open(register)


@pytest.mark.parametrize("change", [{"size": 5}, {"origin": "other"}, {"files": []}])
def test_a_manifest_that_was_edited_is_refused(tmp_path, change):
    register = register_in(tmp_path)
    manifest = json.loads((register / MANIFEST_NAME).read_text()) | change
    (register / MANIFEST_NAME).write_text(json.dumps(manifest))
    with pytest.raises(SnapshotCorruptError, match="root"):
        Register.open(register)


@pytest.mark.parametrize("path", ["../x", "/etc/hostname", "a/../../b"])
def test_a_manifest_cannot_point_outside_the_register(tmp_path, path):
    register = register_in(tmp_path)
    manifest = json.loads((register / MANIFEST_NAME).read_text())
    manifest["files"][0]["path"] = path
    (register / MANIFEST_NAME).write_text(json.dumps(manifest))
    with pytest.raises(SnapshotCorruptError, match="leaves the register"):
        Register.open(register)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\x00" * 100])
def test_a_manifest_that_is_none_is_refused(tmp_path, data):
    register = register_in(tmp_path)
    (register / MANIFEST_NAME).write_bytes(data)
    with pytest.raises(SnapshotCorruptError, match="is damaged"):
        Register.open(register)


def test_match_says_which_work_and_where(tmp_path):
    register = Register.open(register_in(tmp_path))
    (tmp_path / "turned.jpg").write_bytes(photograph("chelsea.png", quality=70, turn=2))
    found = match_file(tmp_path / "turned.jpg", register, make_policy())
    assert [(m["work_id"], m["kind"]) for m in found["matches"]] == [("cat", "image")]
    assert found["matches"][0]["where"]["transform"] == "rotated 270"


def test_a_second_build_reads_only_what_is_new_and_gives_what_a_fresh_one_gives(tmp_path):
    works, out = tmp_path / "works", tmp_path / "register"
    works.mkdir()
    for seed in range(3):
        (works / f"{seed}.txt").write_text(prose(seed, 400))
    (works / "photo.jpg").write_bytes(photograph("coffee.png"))
    build_register(works, out)
    (works / "new.txt").write_text(prose(50, 400))
    read = []
    manifest = build_register(works, out, replace=True, on_work=read.append)
    assert read == [4, 5]  # four are known before anything is read
    assert manifest.root == build_register(works, tmp_path / "fresh").root


def test_a_file_that_changed_is_read_again(tmp_path):
    works, out = tmp_path / "works", tmp_path / "register"
    works.mkdir()
    file = works / "poem.txt"
    file.write_text(prose(1, 400))
    first = build_register(works, out).root
    changed_ns = file.stat().st_mtime_ns + 1_000_000_000
    file.write_text(prose(2, 400)[: file.stat().st_size].ljust(file.stat().st_size))
    os.utime(file, ns=(changed_ns, changed_ns))
    assert build_register(works, out, replace=True).root != first


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_fingerprints_of_an_earlier_build_that_cannot_be_read_are_made_again(tmp_path, damage):
    works, out = tmp_path / "works", tmp_path / "register"
    works.mkdir()
    (works / "poem.txt").write_text(prose(1, 400))
    first = build_register(works, out).root
    kept = out / "local" / "prints.arrow"
    kept.write_bytes(kept.read_bytes()[:-100] if damage is None else damage)
    assert build_register(works, out, replace=True).root == first
