"""The collection of 140 novels that the published figures are of: 70 English and 70 German ones registered.

    python -m suites.novels OUT --from FOLDER        (in the folder `benchmarks`)

FOLDER holds, each by its name, work trees or unpacked archives of the public repositories

    ELTeC-eng, ELTeC-deu         COST-ELTeC: novels of 1840 to 1920 in TEI, out of copyright; CC BY 4.0
    100_english_novels           computationalstylistics: novels, plain text
    nltk_data                    of which brown, movie_reviews, abc, webtext, state_union and inaugural are used

and the Debian packages `anarchism`, `fortunes` and `fortunes-de`, unpacked into folders of these names. What is missing
is left out. Registered are the 70 novels of each language whose file names have the smallest SHA-256; the rest is
unrelated, with those of the hundred novels by other authors, and everything else.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import html
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

REGISTERED = 70
SIZE_BYTES = range(20_000, 4 << 20)
"""Novels of another size are left out: where the figures were made, three larger ones could not be had."""

CORPORA = ("brown", "movie_reviews", "abc", "webtext", "state_union", "inaugural")
_NO_TEXT = ("README", "CONTENTS", "cats.txt", ".json", ".csv")
_ALIASES = {"wcollins": "collins", "cbronte": "bront", "abronte": "bront", "ebronte": "bront", "bronte": "bront"}


def read_tei(data: str) -> str:
    """Return the running text of a TEI document: no notes, one line a paragraph."""
    start = re.search(r"<text[ >]", data)
    body = data[start.start() :] if start else data
    body = re.sub(r"<(note|ref|fw)\b.*?</\1>", " ", body, flags=re.DOTALL)
    body = re.sub(r"</(p|l|head|div|said|q|lg)>|<(lb|pb|milestone)[^>]*/>", "\n", body)
    body = html.unescape(re.sub(r"<[^>]+>", "", body))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \t]+", " ", body)).strip()


def author_of(data: str) -> str:
    """Return the surname of a TEI document's author, lower case."""
    found = re.search(r"<author[^>]*>(.*?)</author>", data, re.DOTALL)
    name = re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""
    return re.split(r"[,(]", name)[0].strip().lower()


def write_novels(out: Path, repositories: Path) -> set[str]:
    """Write the novels of both languages; return the authors of the registered ones."""
    authors = set()
    for language in ("eng", "deu"):
        folder = repositories / f"ELTeC-{language}" / "level1"
        files = [f for f in folder.glob("*.xml") if f.stat().st_size in SIZE_BYTES]
        files.sort(key=lambda f: hashlib.sha256(f"level1/{f.name}".encode()).digest())
        for i, file in enumerate(files):
            data = file.read_text(encoding="utf-8", errors="replace")
            kind = "registered" if i < REGISTERED else "unrelated"
            if i < REGISTERED:
                authors.add(author_of(data))
            _write(out / kind / language / f"{file.stem}.txt", read_tei(data))
    return authors


def other_texts(repositories: Path, authors: set[str]) -> Iterator[tuple[str, str]]:
    """Yield names and texts of what is unrelated."""
    for file in sorted((repositories / "100_english_novels" / "corpus").glob("*.txt")):
        who = file.stem.split("_")[0].lower()
        if who != "anon" and not any(a.startswith(_ALIASES.get(who, who)) for a in authors):
            yield f"cs100/{file.stem}", file.read_text(encoding="utf-8", errors="replace")
    for corpus in CORPORA:
        yield from _corpus(repositories / "nltk_data" / "packages" / "corpora" / f"{corpus}.zip")
    for file in sorted((repositories / "anarchism" / "usr/share/doc/anarchism/markdown").glob("*")):
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        yield f"anarchism/{file.name.split('.')[0]}", data.decode("utf-8", "replace")
    for name, place in (("fortunes", "fortunes"), ("fortunes-de", "fortunes/de")):
        for file in sorted((repositories / name / "usr/share/games" / place).glob("*")):
            if file.is_file() and not file.is_symlink() and file.suffix not in {".dat", ".u8"}:
                yield f"{name}/{file.name}", file.read_text(encoding="utf-8", errors="replace")


def _corpus(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts of a zipped corpus; those of Brown without their part-of-speech tags."""
    if not file.is_file():
        return
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.is_dir() or member.filename.endswith(_NO_TEXT):
                continue
            text = archive.read(member).decode("utf-8", "replace")
            if file.stem == "brown":
                if not re.fullmatch(r"brown/c[a-r]\d\d", member.filename):
                    continue
                text = re.sub(r"\s+", " ", re.sub(r"(\S+)/[^\s/]+", r"\1", text))
            name = re.sub(r"\W+", "_", member.filename.split("/", 1)[1])
            yield f"{file.stem}/{name}", text


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the collection of 140 novels.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="repositories", type=Path, required=True)
    arguments = parser.parse_args()
    authors = write_novels(arguments.out, arguments.repositories)
    for name, text in other_texts(arguments.repositories, authors):
        _write(arguments.out / "unrelated" / f"{name}.txt", text)
    for kind in ("registered", "unrelated"):
        print(f"{kind}: {sum(1 for _ in (arguments.out / kind).rglob('*.txt'))} files")


if __name__ == "__main__":
    main()
