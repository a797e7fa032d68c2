"""A small cast of works and items: two novels, two photographs, some addresses."""

from __future__ import annotations

import atexit
import csv
import io
import json
import random
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from askfirst.api import make_policy
from askfirst.jobs.audit import AuditRequest, audit
from askfirst.jobs.build import build_register

SYLLABLES = (
    "ba",
    "ker",
    "lin",
    "tho",
    "mar",
    "ven",
    "sol",
    "ri",
    "que",
    "stel",
    "dan",
    "wo",
    "per",
    "il",
    "gre",
    "ost",
)
PHOTOGRAPHS = Path(next(iter(find_spec("skimage").submodule_search_locations))) / "data"


def prose(seed: int, words: int) -> str:
    """Return text nobody wrote, the same for the same seed."""
    chance = random.Random(seed)
    return " ".join("".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(words))


def photograph(name: str, *, quality: int = 90, size: tuple[int, int] | None = None, turn: int | None = None) -> bytes:
    """Return a real photograph as JPEG, scaled, turned and compressed."""
    image = Image.open(PHOTOGRAPHS / name).convert("RGB")
    image = image.resize(size, Image.Resampling.LANCZOS) if size else image
    image = image.transpose(turn) if turn is not None else image
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


NOVEL, FREE_NOVEL = prose(1, 3000), prose(2, 3000)

CATALOGUE = [
    {"work_id": "novel", "title": "The Harbour", "creator": "Mira Solheim", "medium": "text", "file": "novel.txt"},
    {
        "work_id": "free",
        "title": "Open Sea",
        "creator": "Jo Hale",
        "file": "free.txt",
        "permitted_uses": "train-generative",
    },
    {"work_id": "cat", "title": "Cat", "creator": "Harbour Guild", "file": "cat.jpg"},
    {
        "work_id": "site",
        "title": "All of it",
        "creator": "Jo Hale",
        "url_prefix": "hale.example",
        "permitted_uses": "train-generative",
    },
    {"work_id": "album", "title": "Album", "creator": "Harbour Guild", "url_prefix": "https://guild.example/album/"},
    {
        "work_id": "deal",
        "title": "Under contract",
        "creator": "Harbour Guild",
        "url": "https://guild.example/deal.jpg",
        "terms": "lab",
    },
]
TERMS = {"lab": {"title": "Example Lab 2026", "permits": ["train-generative"], "party": "Example Lab"}}


def write_works(folder: Path) -> Path:
    """Write the works and their catalogue; return the catalogue."""
    folder.mkdir(parents=True)
    (folder / "novel.txt").write_text(NOVEL)
    (folder / "free.txt").write_text(FREE_NOVEL)
    (folder / "cat.jpg").write_bytes(photograph("chelsea.png"))
    (folder / "terms.json").write_text(json.dumps(TERMS))
    columns = ["work_id", "title", "creator", "medium", "file", "url", "url_prefix", "terms", "permitted_uses"]
    with (folder / "catalogue.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(CATALOGUE)
    return folder / "catalogue.csv"


def write_dataset(folder: Path) -> Path:
    """Write a dataset in which every outcome occurs; return its folder."""
    folder.mkdir(parents=True)
    words = NOVEL.split()
    (folder / "quote.txt").write_text(f"{prose(10, 400)} {' '.join(words[500:620])} {prose(11, 400)}")
    (folder / "copy-of-free.txt").write_text(FREE_NOVEL)
    (folder / "part-of-free.txt").write_text(f"{prose(12, 900)} {' '.join(FREE_NOVEL.split()[100:250])}")
    (folder / "unknown.txt").write_text(prose(13, 500))
    (folder / "small-cat.jpg").write_bytes(
        photograph("chelsea.png", quality=60, size=(300, 200), turn=Image.Transpose.FLIP_LEFT_RIGHT)
    )
    (folder / "coffee.jpg").write_bytes(photograph("coffee.png"))
    (folder / "broken.jpg").write_bytes(photograph("coffee.png")[:5000])
    (folder / "empty.png").write_bytes(b"")
    return folder


EXPECTED = {
    "dataset/broken.jpg": ("unreadable", "gap:truncated"),
    "dataset/coffee.jpg": ("unasked", "silence"),
    "dataset/copy-of-free.txt": ("permitted", "open-consent"),
    "dataset/empty.png": ("unreadable", "gap:empty"),
    "dataset/part-of-free.txt": ("unasked", "silence"),
    "dataset/quote.txt": ("refused", "register-refusal"),
    "dataset/small-cat.jpg": ("refused", "register-refusal"),
    "dataset/unknown.txt": ("unasked", "silence"),
}

URLS = {
    "https://hale.example/diary?page=2": ("permitted", "open-consent"),
    "https://photos.hale.example/1.jpg": ("permitted", "open-consent"),
    "https://guild.example/album/7.jpg": ("refused", "register-refusal"),
    "https://guild.example/albums/7.jpg": ("unasked", "silence"),
    "https://guild.example/deal.jpg": ("refused", "register-refusal"),
    "not a url at all": ("unreadable", "gap:not-a-url"),
    "https://nobody.example/x.png": ("unasked", "silence"),
}


def write_urls(file: Path) -> Path:
    """Write a table of addresses."""
    pq.write_table(pa.table({"url": list(URLS), "note": [f"n{i}" for i in range(len(URLS))]}), file)
    return file


def register_in(folder: Path) -> Path:
    """Put the cast's works and their register into a folder; return the register's."""
    built = _built()
    shutil.copytree(built / "works", folder / "works")
    shutil.copytree(built / "register", folder / "register")
    return folder / "register"


@cache
def _built() -> Path:
    """Build the register once for all tests of a process."""
    folder = Path(tempfile.mkdtemp(prefix="askfirst-tests-"))
    atexit.register(shutil.rmtree, folder)
    build_register(write_works(folder / "works"), folder / "register")
    return folder


def run(source: Path | list[Path], register: Path, out: Path, **options):
    """Audit with the cast's usual settings."""
    sources = source if isinstance(source, list) else [source]
    policy = make_policy(**options.pop("policy", {}))
    return audit(AuditRequest([str(s) for s in sources], register, out, policy, **options))


def rows_of(result) -> dict[str, tuple[str, str]]:
    """Return outcome and rule of every item."""
    return {row["item_id"]: (row["outcome"], row["rule"]) for row in result.items()}
