"""The example: `works/`, `dataset/`, and beside them `hidden.json`, which says what an audit should find."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from askfirst.demo.letters import write_letters
from askfirst.demo.notes import Notes, Tables, file_name
from askfirst.demo.photos import write_photos
from askfirst.demo.sources import check_packages, plain_text, read_picture, read_real_urls, source_path
from askfirst.demo.texts import write_texts
from askfirst.demo.urls import write_urls
from askfirst.errors import ConfigError
from askfirst.io.catalogue import COLUMNS as CATALOGUE_COLUMNS

__all__ = ["CATALOGUE_COLUMNS", "DemoData", "prepare"]


@dataclass(frozen=True, slots=True)
class DemoData:
    """Where the example lies, and what an audit of it should find.

    Args:
        works: Folder of the works, with the catalogue and the terms.
        catalogue: `works/catalogue.csv`.
        terms: `works/terms.json`.
        dataset: Folder to audit.
        expected: As in `hidden.json`: `policy` (the use and party the outcomes hold for), `counts` (items of
            each part), `hidden` (item, work_id, how, outcome), `signals` (item, says, outcome), `unreadable`
            (item, flaw, outcome). `texts.parquet#7` is row 7 of that table, the first being 0.
    """

    works: Path
    catalogue: Path
    terms: Path
    dataset: Path
    expected: dict[str, Any]


def prepare(folder: Path) -> DemoData:
    """Write the example works and the example dataset.

    Args:
        folder: Where to write: new, empty, or filled by this function before.

    Returns:
        The paths, and what an audit should find. The same packages give the same bytes.

    Raises:
        ConfigError: A package that ships the files is missing, or the folder holds something else.

    Cost: a few seconds, 10 MB.
    """
    mark = folder / "hidden.json"
    if folder.exists() and not mark.is_file() and any(folder.iterdir()):
        raise ConfigError(
            f"{folder} is not empty",
            key="folder",
            value=str(folder),
            advice="name a new folder",
        )
    check_packages()
    tables: Tables = json.loads(files("askfirst.demo").joinpath("works.json").read_text("utf-8"))
    works, dataset = folder / "works", folder / "dataset"
    for path in (works, dataset / "photos", dataset / "letters"):
        path.mkdir(parents=True, exist_ok=True)
    mark.write_text("{}\n", "utf-8")  # from here on the folder is known as ours
    notes = Notes({w["work_id"]: w["standing"] for w in tables["works"]})
    _write_works(works, tables)
    write_photos(dataset, works, tables, notes)
    write_texts(dataset, works, tables, notes)
    write_letters(dataset, tables, notes)
    write_urls(dataset, tables, notes)
    expected = {
        "policy": tables["policy"],
        "counts": notes.counts,
        "hidden": notes.hidden,
        "signals": notes.signals,
        "unreadable": notes.unreadable,
    }
    _write_json(mark, expected)
    return DemoData(works, works / "catalogue.csv", works / "terms.json", dataset, expected)


def _write_works(folder: Path, tables: Tables) -> None:
    real_urls = read_real_urls()
    with (folder / "catalogue.csv").open("w", encoding="utf-8", newline="") as sink:
        table = csv.DictWriter(sink, CATALOGUE_COLUMNS, lineterminator="\n")
        table.writeheader()
        for work in tables["works"]:
            row = {column: work.get(column, "") for column in CATALOGUE_COLUMNS}
            row["file"] = file_name(work, tables)
            if "url_of" in work:
                row["url"] = _real_url(real_urls, work["url_of"])
            table.writerow(row)
            if "source" in work:
                (folder / row["file"]).write_bytes(_work_bytes(work))
    _write_json(folder / "terms.json", tables["terms"])


def _real_url(real_urls: dict[str, str], file: str) -> str:
    if file not in real_urls:
        raise ConfigError(
            f"scikit-image ships no address of {file}",
            key="demo",
            value=file,
            advice='pip install --upgrade "askfirst[demo]"',
        )
    return real_urls[file]


def _work_bytes(work: Tables) -> bytes:
    """Return a work's file: a picture saved anew as PNG, a play as it is, a poem cut out of its play."""
    if work["medium"] == "image":
        sink = io.BytesIO()
        read_picture(work["source"], work.get("box", ())).save(sink, "PNG")
        return sink.getvalue()
    text = source_path(work["source"]).read_text("utf-8")
    if "lines" in work:
        first, last = work["lines"]
        start = text.index(first)
        text = plain_text(text[start : text.index(last, start) + len(last)])
    return text.encode()


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")
