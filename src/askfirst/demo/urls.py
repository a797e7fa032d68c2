"""`urls.csv`: scikit-image's own table of addresses among thousands on hosts that do not exist."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TypeAlias

from askfirst.demo.notes import Note, Notes, Tables
from askfirst.demo.sources import read_real_urls

__all__ = ["write_urls"]

Row: TypeAlias = tuple[str, str, str, str]
"""URL, caption, robots.txt of the host, headers as JSON."""


def write_urls(dataset: Path, tables: Tables, notes: Notes) -> None:
    """Write a table with the columns url, caption, robots_txt and headers."""
    random = Random(tables["seed"])
    rows = [*_real(tables), *_single(tables), *_hosted(tables, random), *_malformed(tables)]
    random.shuffle(rows)
    with (dataset / "urls.csv").open("w", encoding="utf-8", newline="") as sink:
        table = csv.writer(sink, lineterminator="\n")
        table.writerow(("url", "caption", "robots_txt", "headers"))
        table.writerows(row for row, _ in rows)
    for i, (_, note) in enumerate(rows):
        notes.add("urls", f"urls.csv#{i}", note)


def _real(tables: Tables) -> Iterator[tuple[Row, Note]]:
    works = {w["url_of"]: w["work_id"] for w in tables["works"] if "url_of" in w}
    for file, url in read_real_urls().items():
        note = Note((works[file],), "URL, real") if file in works else Note()
        yield (url, Path(file).stem.replace("_", " "), "", ""), note


def _single(tables: Tables) -> Iterator[tuple[Row, Note]]:
    """Yield the registered addresses of single works, each in three spellings of one address."""
    for work in tables["works"]:
        if "url" in work:
            scheme, _, rest = work["url"].partition("://")
            host, _, path = rest.partition("/")
            spellings = {
                "URL": work["url"],
                "URL in capitals, with its port": f"{scheme.upper()}://{host.upper()}:443/{path}",
                "URL with a fragment": f"{work['url']}#view",
            }
            for how, url in spellings.items():
                yield (url, work["title"], "", ""), Note((work["work_id"],), how)


def _hosted(tables: Tables, random: Random) -> Iterator[tuple[Row, Note]]:
    words = tables["caption_words"]
    for entry in tables["urls"]:
        robots = tables["robots"].get(entry.get("robots"), {})
        headers = tables["headers"].get(entry.get("headers"), {})
        note = Note(
            works=(entry["work_id"],) if "work_id" in entry else (),
            how=entry.get("how", ""),
            says=robots.get("says", "") or headers.get("says", ""),
            disallows=robots.get("disallows", False) or headers.get("disallows", False),
            flaw=headers.get("flaw", ""),
        )
        for _ in range(entry["rows"]):
            first, second, place = (random.choice(words[part]) for part in ("first", "second", "place"))
            url = f"{entry['at']}{first}-{second}-{random.randrange(10**6):06}{entry.get('ending', '.jpg')}"
            yield (
                (url, f"{first} {second} near {place}", robots.get("text", ""), headers.get("text", "")),
                note,
            )


def _malformed(tables: Tables) -> Iterator[tuple[Row, Note]]:
    for url in tables["not_urls"]:
        yield (url, "no address", "", ""), Note(flaw="not a URL")
