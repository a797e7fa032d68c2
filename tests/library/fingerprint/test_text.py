"""`text_v0` against its published vectors, and against a slow reading of its own description."""

import hashlib
import json
import re
import string
import unicodedata
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import TooLargeError
from askfirst.fingerprint import fold as fold_module
from askfirst.fingerprint.fold import chunk_rows, fold_column
from askfirst.fingerprint.text import (
    ALGORITHM,
    LONG,
    PARAMS,
    SHORT,
    SHORT_LETTERS,
    Sampler,
    TextParams,
    fold,
    fold_offsets,
    params_for,
    query_grams,
    text_counts,
    window_minima,
)

VECTORS = json.loads((files("askfirst") / "vectors" / "text_v0.json").read_text(encoding="utf-8"))
TINY = TextParams("tiny", 5, 4, 3)
"""So sparse a look-up that most windows have no gram below the bound."""

# ---- the description, read slowly ------------------------------------------------------------------------

MASK = (1 << 64) - 1
PLAIN = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "ł": "l",
    "ŧ": "t",
    "þ": "th",
    "ı": "i",
}
PLAIN["ȷ"] = "j"
ALIKE = {
    chr(form): chr(letter)
    for letter, forms in {
        0x5DB: (0x5DA,),
        0x5DE: (0x5DD,),
        0x5E0: (0x5DF,),
        0x5E4: (0x5E3,),
        0x5E6: (0x5E5,),
        0x64A: (0x649, 0x6CC),
        0x643: (0x6A9,),
        0x647: (0x629, 0x6C1, 0x6BE, 0x6D5, 0x6C3),
        0x627: (0x671,),
    }.items()
    for form in forms
}
OWN_BYTES_END = 0x3000


def is_vowel_sign(c: str) -> bool:
    name = unicodedata.name(c, "")
    named = ("VOWEL SIGN" in name or "CHARACTER SARA" in name) and not name.startswith("ARABIC")
    return named and unicodedata.category(c)[0] == "M" and ord(c) < OWN_BYTES_END


def slow_letters(character: str) -> str:
    """The letters of a character before they become bytes."""
    decomposed = unicodedata.normalize("NFKD", character)
    bare = "".join(c for c in decomposed if unicodedata.category(c)[0] != "M" or is_vowel_sign(c))
    out = ""
    for c in unicodedata.normalize("NFKD", bare.casefold()):
        category, point = unicodedata.category(c), ord(c)
        modifier = category == "Lm" and (0x2B0 <= point <= 0x2FF or point == 0x640)
        if category == "Nd":
            out += str(unicodedata.digit(c))
        elif (category[0] in "LN" and not modifier) or is_vowel_sign(c):
            out += PLAIN.get(c, ALIKE.get(c, c))
    return out


@cache
def slow_numbers() -> dict[str, int]:
    """The byte of every letter that has one of its own: numbered within its script."""
    found: dict[str, set[str]] = {}
    for point in range(0x20000):
        for c in slow_letters(chr(point)) if not 0xD800 <= point < 0xE000 else "":
            if 0x80 <= ord(c) < OWN_BYTES_END:
                found.setdefault(unicodedata.name(c).split()[0], set()).add(c)
    del found["HANGUL"]
    return {c: 0x80 + i % 128 for script in found.values() for i, c in enumerate(sorted(script))}


def slow_fold_character(character: str) -> bytes:
    out = b""
    for c in slow_letters(character):
        point, jamo = ord(c), 0
        for low, high, code in ((0x1100, 0x1112, 0x80), (0x1161, 0x1175, 0x93), (0x11A8, 0x11C2, 0xA8)):
            jamo = code + point - low if low <= point <= high else jamo
        byte = jamo or slow_numbers().get(c, 0)
        out += bytes([byte]) if byte else c.encode()
    return out


def slow_fold(text: str) -> bytes:
    return b"".join(slow_fold_character(c) for c in text)


def rotl(value: int, count: int) -> int:
    return (value << count | value >> 64 - count) & MASK if count else value


def slow_table() -> list[int]:
    state, table = int.from_bytes(b"askfirst", "big"), []
    for _ in range(256):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        table.append(z ^ z >> 31)
    return table


TABLE = slow_table()


def slow_hash(gram: bytes) -> int:
    value = 0
    for i, letter in enumerate(gram):
        value ^= rotl(TABLE[letter], (len(gram) - 1 - i) % 64)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = ((value ^ value >> 33) * factor) & MASK
    return value ^ value >> 33


def slow_grams(letters: bytes, k: int) -> list[int]:
    return [slow_hash(letters[i : i + k]) for i in range(len(letters) - k + 1)]


def slow_minima(hashes: list[int], window: int) -> list[int]:
    places: list[int] = []
    for end in range(min(window, len(hashes)), len(hashes) + 1):
        inside = range(max(end - window, 0), end)
        smallest = min((hashes[i] for i in inside), default=0)
        if inside and not (places and places[-1] in inside and hashes[places[-1]] == smallest):
            places.append(max(i for i in inside if hashes[i] == smallest))
    return places


def slow_query(letters: bytes, params: TextParams) -> list[tuple[int, int]]:
    hashes = slow_grams(letters, params.k)
    below = [i for i, h in enumerate(hashes) if h < 1 << 64 >> params.query_shift]
    chosen = set(below)
    if not below:
        chosen.update(slow_minima(hashes, params.window))
    edges = [-1, *below, len(hashes)]
    for left, right in pairwise(edges):
        if right - left > params.window:
            gap = slow_minima(hashes[left + 1 : right], params.window)
            chosen.update(left + 1 + i for i in gap)
    return [(i, hashes[i]) for i in sorted(chosen)]


# ---- helpers ---------------------------------------------------------------------------------------------


def column(*texts: bytes | str) -> tuple[np.ndarray, np.ndarray]:
    raw = [t.encode("utf-8", "surrogatepass") if isinstance(t, str) else t for t in texts]
    return np.frombuffer(b"".join(raw), np.uint8), np.cumsum([0, *map(len, raw)]).astype(np.int64)


def fold_bytes(raw: bytes) -> bytes:
    folded = fold_column(*column(raw))
    return folded.letters[: folded.offsets[1]].tobytes()


def looked_up(text: bytes | str, params: TextParams) -> list[tuple[int, int]]:
    grams = query_grams(*column(text), params)
    return list(zip(grams.position.tolist(), grams.hash.tolist(), strict=True))


def stored(letters: bytes, params: TextParams) -> list[tuple[int, int]]:
    hashes, positions = window_minima(letters, params)
    return list(zip(positions.tolist(), hashes.tolist(), strict=True))


def prose(words: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    vocabulary = ["".join(rng.choice(list(string.ascii_lowercase), n)) for n in rng.integers(1, 11, 3000)]
    return " ".join(rng.choice(vocabulary, words))


compiled = settings(max_examples=60, deadline=None)  # the first example compiles
plain = st.text(st.sampled_from("ab \n.é"), max_size=300)
anything = st.text(st.characters(), max_size=300)

# ---- vectors ---------------------------------------------------------------------------------------------


def test_vectors_name_the_algorithm():
    assert VECTORS["algorithm"] == ALGORITHM


def test_frozen_table_is_the_published_one():
    rules = fold_module._rules()
    raw = rules.entries.astype("<u4").tobytes() + rules.pool.tobytes()
    assert hashlib.sha256(raw).hexdigest() == VECTORS["fold_table_sha256"]


@pytest.mark.parametrize("case", VECTORS["fold"], ids=lambda case: case["name"])
def test_vectors_of_folding(case):
    raw = bytes.fromhex(case["utf8"])
    assert fold_bytes(raw).hex() == case["letters"]
    counts = text_counts(*column(raw))
    assert [c.tolist() for c in counts] == [[len(case["letters"]) // 2], [case["words"]]]


@pytest.mark.parametrize("case", VECTORS["sample"], ids=lambda case: f"{case['params']}-{case['name']}")
def test_vectors_of_sampling(case):
    params, text = PARAMS[case["params"]], case["text"]
    assert [[p, f"{h:016x}"] for p, h in stored(fold(text), params)] == case["stored"]
    assert [[p, f"{h:016x}"] for p, h in looked_up(text, params)] == case["looked_up"]


def test_vectors_agree_with_the_description():
    for case in VECTORS["sample"]:
        params, letters = PARAMS[case["params"]], slow_fold(case["text"])
        hashes = slow_grams(letters, params.k)
        minima = [[p, f"{hashes[p]:016x}"] for p in slow_minima(hashes, params.window)]
        assert minima == case["stored"]
        assert [[p, f"{h:016x}"] for p, h in slow_query(letters, params)] == case["looked_up"]


# ---- folding ---------------------------------------------------------------------------------------------


def test_fold_ascii_and_latin_follows_the_rules():
    for point in range(0x250):
        assert fold(chr(point)) == slow_fold_character(chr(point)), hex(point)


def test_fold_every_assigned_character_follows_the_rules():
    points = [p for p in range(0x20000) if unicodedata.category(chr(p)) not in ("Cn", "Cs")]
    folded = fold_column(*column(*map(chr, points)))
    letters = folded.letters.tobytes()
    spans = pairwise(folded.offsets.tolist())
    wrong = [
        hex(point)
        for point, (start, end) in zip(points, spans, strict=True)
        if letters[start:end] != slow_fold_character(chr(point))
    ]
    assert wrong == []


def test_fold_rare_planes_are_kept_or_dropped():
    assert fold("\U00020000\U0003ffff") == "\U00020000\U0003ffff".encode()
    assert fold("\U00040000\U000e0041\U0010ffff") == b""


@pytest.mark.parametrize(
    ("changed", "letters"),
    [
        ("STRASSE, Straße", b"strassestrasse"),
        ("ﬁeld of ﬂowers, oﬃce", b"fieldofflowersoffice"),
        ("Ｆｕｌｌ ｗｉｄｔｈ １２", b"fullwidth12"),
        ("𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝟙𝟚", b"fraktur12"),
        ("cœur, Ægir, smørrebrød, Łódź", b"coeuraegirsmorrebrodlodz"),
        ("soft\u00adhy-\nphen\u200b \u2060ed", b"softhyphened"),
        ("it’s 'its' ʻokina", b"itsitsokina"),
        ("na\u0308ive café 🎭 ❤️ x", b"naivecafex"),
        ("ĳsberg ½ № ²", b"ijsberg12no2"),
        ("a\x00b\tc_d", b"abcd"),
        ("", b""),
    ],
)
def test_fold_drops_what_copies_lose(changed, letters):
    assert fold(changed) == letters


@pytest.mark.parametrize(
    "text",
    ["приветежик", "одиссей", "οδυσσευσ", "հայերեն", "ქართული", "שלום", "ادب", "नमते", "বাঙলা", "ภาษาไทย", "አማርኛ"],
)
def test_fold_gives_every_letter_of_an_alphabet_one_byte_of_its_own(text):
    letters = fold(text)
    assert len(letters) == len(text)
    assert min(letters) >= 0x80
    assert len(set(letters)) == len({fold(c) for c in text})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ПРИВЕТ, Ёжик", "привет ежик"),
        ("ΟΔΥΣΣΕΎΣ", "Οδυσσεύς"),
        ("ՀԱՅԵՐԵՆ և", "հայերեն եւ"),
        ("ᲥᲐᲠᲗᲣᲚᲘ", "ქართული"),
        ("שָׁלוֹם", "שלום"),
        ("ملوك", "ملوك"),
        ("شاہی کتاب", "شاهي كتاب"),
        ("أَدَبٌ ١٢٣", "ادب 123"),
        ("हिन्दी १२", "हिन्‍दी 12"),
        ("क़लम", "क़लम"),
    ],
)
def test_fold_of_other_alphabets_drops_what_copies_lose(one, other):
    assert fold(one) == fold(other)


def test_fold_tells_the_letters_of_living_alphabets_apart():
    for alphabet in (
        "абвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґғҗқңҙүұһәө",
        "αβγδεζηθικλμνξοπρστυφχψω",
        "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگٹڈڑںے",
        "अआइईउऊऋएऐओऔकखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहािीुूृेैोौ",
    ):
        assert len({fold(c) for c in alphabet}) == len(alphabet)


def test_fold_keeps_vowel_signs_and_drops_other_marks():
    assert len(fold("कि")) == 2
    assert fold("कि") != fold("का") != fold("क")
    assert fold("क्") == fold("क") == fold("कं")


def test_fold_writes_han_and_kana_as_utf8():
    assert fold("源氏物語。") == "源氏物語".encode()
    assert fold("カキ ｶｷ") == "カキカキ".encode()


@pytest.mark.parametrize("text", ["한국어 각본", "Tiếng Việt", "Ångström", "が ぱ", "أدب"])
def test_fold_is_the_same_composed_and_decomposed(text):
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text)) != b""


@compiled
@given(anything)
def test_fold_is_the_same_in_upper_case(text):
    latin = "".join(c for c in text if c < "\u0250")
    assert fold(latin.upper()) == fold(latin)


@compiled
@given(st.binary(max_size=600))
def test_fold_of_invalid_utf8_is_that_of_the_valid_rest(raw):
    kept = raw.decode("utf-8", "ignore")
    assert fold_bytes(raw) == fold(kept)


@compiled
@given(anything)
def test_fold_offsets_point_to_the_characters_of_the_letters(text):
    letters, index = fold_offsets(text)
    per_character = [fold(c) for c in text]
    assert letters == b"".join(per_character)
    assert index.tolist() == [i for i, f in enumerate(per_character) for _ in f]
    assert index.dtype == np.int32


def test_fold_offsets_show_a_passage():
    text = "She said: “Ask — first.” And then ﬁnally she left."
    letters, index = fold_offsets(text)
    start = letters.index(b"askfirst")
    assert text[index[start] : index[start + 7] + 1] == "Ask — first"


@compiled
@given(st.lists(st.text(st.sampled_from("ab \u00a0\u2003é\t—"), max_size=600), max_size=5))
def test_text_counts_are_letters_and_runs_of_non_space(texts):
    letters, words = text_counts(*column(*texts))
    assert letters.tolist() == [len(fold(t)) for t in texts]
    assert words.tolist() == [len(re.findall(r"\S+", t)) for t in texts]


def test_text_counts_across_blocks():
    text = "x" * 255 + " " + "y" * 255 + " z" + " " * 300 + "w"
    assert [c.tolist() for c in text_counts(*column(text, "", " ", text))] == [
        [512, 0, 0, 512],
        [4, 0, 0, 4],
    ]


@pytest.mark.parametrize(("word", "growth"), [("\ufdfa", 5), ("\u3316", 6)])
def test_fold_column_grows_beyond_its_bytes(word, growth):
    assert fold(word * 5000) == slow_fold_character(word) * 5000
    assert len(fold(word * 5000)) == growth * len((word * 5000).encode())


def test_no_character_grows_more_than_is_allowed_for():
    entries = fold_module._rules().entries.astype(np.int64)
    points = np.arange(len(entries))
    width = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    assert ((entries >> 24) / width).max() == fold_module._GROWTH_MAX


def test_fold_column_refuses_offsets_outside_the_data():
    data = np.zeros(4, np.uint8)
    for offsets in ([0, 5], [-1, 2], [3, 1]):
        with pytest.raises(ValueError, match="offsets"):
            fold_column(data, np.array(offsets, np.int64))


def test_fold_column_refuses_a_text_that_is_too_long():
    limit = fold_module.TEXT_BYTES_MAX
    data = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (limit + 1,), (0,))
    with pytest.raises(TooLargeError) as caught:
        fold_column(data, np.array([0, limit + 1], np.int64))
    assert caught.value.limit == limit


# ---- sampling --------------------------------------------------------------------------------------------


def test_densities_are_the_published_ones():
    assert PARAMS == {"k40w127": LONG, "k24w15": SHORT}
    assert (LONG.k, LONG.window, LONG.query_shift) == (40, 127, 4)
    assert (SHORT.k, SHORT.window, SHORT.query_shift) == (24, 15, 1)


def test_short_works_are_stored_at_both_densities():
    assert params_for(SHORT_LETTERS - 1) == (LONG, SHORT)
    assert params_for(SHORT_LETTERS) == (LONG,)


@compiled
@given(plain, st.sampled_from([LONG, SHORT, TINY]))
def test_window_minima_follow_the_description(text, params):
    letters = fold(text)
    hashes = slow_grams(letters, params.k)
    assert stored(letters, params) == [(p, hashes[p]) for p in slow_minima(hashes, params.window)]


@compiled
@given(plain, st.sampled_from([LONG, SHORT, TINY]))
def test_query_grams_follow_the_description(text, params):
    assert looked_up(text, params) == slow_query(fold(text), params)


def test_query_grams_follow_the_description_over_several_blocks():
    text = prose(900, 1)
    assert len(fold(text)) > 4096
    for params in (LONG, SHORT, TINY):
        assert looked_up(text, params) == slow_query(fold(text), params)


@pytest.mark.parametrize("params", [LONG, SHORT])
def test_window_minima_of_less_than_a_window_is_one_gram(params):
    for count in (params.k, params.k + 3, params.k + params.window - 1):
        letters = fold(prose(200, 2))[:count]
        assert len(stored(letters, params)) == 1
        assert set(stored(letters, params)) <= set(looked_up(letters, params))
    assert stored(letters[: params.k - 1], params) == looked_up(letters[: params.k - 1], params) == []
    assert stored(b"", params) == looked_up(b"", params) == []


def test_window_minima_of_one_repeated_letter_are_one_a_window():
    positions = [p for p, _ in stored(b"a" * 4000, LONG)]
    assert np.diff(positions).tolist() == [LONG.window] * (len(positions) - 1)
    assert positions[0] == LONG.window - 1


def test_stored_grams_are_looked_up_nearly_always():
    text = prose(100_000, 3)
    for params, share in ((LONG, 0.998), (SHORT, 0.999)):
        hashes, _ = window_minima(fold(text), params)
        assert (hashes < 1 << 64 >> params.query_shift).mean() >= share


@compiled
@given(plain, plain, plain, st.sampled_from([SHORT, TINY]))
def test_a_run_of_k_and_window_letters_always_has_a_gram_in_common(before, shared, after, params):
    run = params.k + params.window - 1
    shared_letters = fold(shared) + b"q" * run
    work, item = fold(before) + shared_letters, shared_letters + fold(after)
    found = set(looked_up(item, params))
    shift = len(fold(before))
    for start in range(len(shared_letters) - run + 1):
        inside = range(start, start + params.window)
        ours = {h for p, h in stored(work, params) if p - shift in inside}
        theirs = {h for p, h in found if p in inside}
        assert ours & theirs


@pytest.mark.parametrize("letter", "abcdefgh")
def test_a_long_run_has_a_gram_in_common_whatever_its_hash(letter):
    work = fold(prose(300, 4)) + letter.encode() * 200
    item = letter * 166 + prose(300, 5)
    ours = {h for p, h in stored(work, LONG) if p >= len(work) - 200}
    theirs = {h for p, h in looked_up(item, LONG) if p < 127}
    assert ours & theirs


def test_query_grams_of_a_column_are_those_of_its_texts():
    texts = ["", prose(3000, 6), "too short", prose(40, 7), "", prose(120_000, 8), "\x00", prose(500, 9)]
    grams = query_grams(*column(*texts), LONG)
    singles = [query_grams(*column(t), LONG) for t in texts]
    assert grams.row.tolist() == [i for i, g in enumerate(singles) for _ in g.hash]
    assert grams.position.tolist() == [p for g in singles for p in g.position.tolist()]
    assert grams.hash.tolist() == [h for g in singles for h in g.hash.tolist()]
    assert (grams.row.dtype, grams.position.dtype, grams.hash.dtype) == (np.int32, np.uint32, np.uint64)


def test_query_grams_of_no_text():
    grams = query_grams(np.empty(0, np.uint8), np.zeros(1, np.int64), LONG)
    assert (len(grams.row), len(grams.position), len(grams.hash)) == (0, 0, 0)


def test_query_grams_do_not_depend_on_the_text_before():
    text = prose(400, 10)
    for before in ("", "é" * 100, prose(10, 11) + "\ufdfa" * 300):
        grams = query_grams(*column(before, text), SHORT)
        assert grams.hash[grams.row == 1].tolist() == [h for _, h in looked_up(text, SHORT)]


def test_query_grams_read_memory_that_cannot_be_written():
    data, offsets = column(prose(500, 12))
    writable = query_grams(data.copy(), offsets.copy(), LONG)
    assert query_grams(data, offsets, LONG).hash.tolist() == writable.hash.tolist()


def test_sampler_leaves_out_rows_that_are_not_asked_for():
    sampler = Sampler()
    texts = [prose(300, 13), prose(300, 14), prose(300, 15)]
    sampler.fold(*column(*texts))
    everything = [sampler.select(SHORT).hash.tolist(), sampler.select(SHORT).row.tolist()]
    some = sampler.select(SHORT, rows=np.array([False, True, False]))
    assert some.hash.tolist() == [h for h, r in zip(*everything, strict=True) if r == 1]
    assert set(some.row.tolist()) == {1}


def test_chunk_rows_are_whole_rows_in_order():
    offsets = np.cumsum([0, 5, 5, 0, 30, 2, 2, 2]).astype(np.int64)
    assert list(chunk_rows(offsets, 10)) == [(0, 3), (3, 4), (4, 7)]
    assert list(chunk_rows(np.zeros(1, np.int64), 10)) == []
    assert list(chunk_rows(np.zeros(4, np.int64), 10)) == [(0, 3)]


def test_one_text_of_ten_megabytes():
    text = prose(1_600_000, 16)
    assert len(text) > 10_000_000
    letters = fold(text)
    assert letters == re.sub(r"[^a-z0-9]", "", text).encode()
    found = dict(looked_up(text, LONG))
    assert all(found[p] == h for p, h in stored(letters, LONG))
