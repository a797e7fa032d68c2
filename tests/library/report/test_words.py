import re
from itertools import pairwise
from string import Formatter

import pytest

from askfirst.errors import ConfigError
from askfirst.fingerprint.image import TRANSFORMS
from askfirst.model import MatchKind, Medium, Outcome, Preference, Regime, Standing, Use
from askfirst.report.words import LANGUAGES, Words, clean, one_line, shorten, words
from askfirst.verdict import decision_table

EN, DE, NL = words("en"), words("de"), words("nl")


def _placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_hold_the_same_keys_in_the_same_order(language):
    assert list(LANGUAGES[language]) == list(LANGUAGES["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_hold_the_same_placeholders(language):
    for key, text in LANGUAGES[language].items():
        assert (key, _placeholders(text)) == (key, _placeholders(LANGUAGES["en"][key]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_hold_no_markup_and_no_stray_spaces(language):
    for key, text in LANGUAGES[language].items():
        assert (key, re.findall(r"[<>&]|  |^ | $", text)) == (key, [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_speak_of_works_and_makers(language):
    everything = " ".join(LANGUAGES[language].values()).lower()
    assert re.findall(r"\b(?:contents?|assets?|inhalte?|inhouds?|creatives?)\b", everything) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_name_everything_the_model_knows(language):
    table = LANGUAGES[language]
    rules = {decision.rule for decision in decision_table()}
    wanted = {
        *(f"use.{use}" for use in Use),
        *(f"purpose.{use}" for use in Use),
        *(f"regime.{regime}" for regime in Regime),
        *(f"{group}.{outcome}" for outcome in Outcome for group in ("outcome", "means", "brief")),
        *(f"{group}.{medium}" for medium in Medium for group in ("media", "one")),
        *(f"kind.{kind}" for kind in MatchKind),
        *(f"says.{standing}" for standing in Standing),
        *(f"says.{preference}" for preference in Preference),
        *(f"{group}.{rule}" for rule in rules for group in ("reason", "next")),
        *(f"transform.{transform}" for transform in TRANSFORMS if transform != "none"),
    }
    assert wanted - set(table) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_keep_the_terminal_narrow(language):
    table = LANGUAGES[language]
    for outcome in Outcome:
        assert len(table[f"outcome.{outcome}"]) <= 14
        assert len(table[f"brief.{outcome}"]) <= 30


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("de", "de"), ("nl", "nl"), ("de-AT", "de"), ("nl_BE.UTF-8", "nl"), (" EN ", "en")],
)
def test_words_of_a_language(tag, language):
    assert words(tag).language == language


@pytest.mark.parametrize("tag", ["fr", "", "deutsch", "e"])
def test_words_of_an_unknown_language(tag):
    with pytest.raises(ConfigError) as caught:
        words(tag)
    assert caught.value.advice == "use en, de, nl"


@pytest.mark.parametrize(
    ("number", "english", "german"),
    [(0, "0", "0"), (999, "999", "999"), (1_000, "1,000", "1.000"), (12_345_678, "12,345,678", "12.345.678")],
)
def test_number_grouped(number, english, german):
    assert (EN.number(number), DE.number(number), NL.number(number)) == (english, german, german)


@pytest.mark.parametrize(
    ("number", "places", "english", "german"),
    [
        (0.984, 2, "0.98", "0,98"),
        (1234.5, 1, "1,234.5", "1.234,5"),
        (-3.25, 1, "-3.2", "-3,2"),
        (7.0, 0, "7", "7"),
    ],
)
def test_decimal_point(number, places, english, german):
    assert (EN.decimal(number, places), DE.decimal(number, places)) == (english, german)


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [
        (0, 0, "0%"),
        (0, 10, "0%"),
        (10, 10, "100%"),
        (1, 3, "33.3%"),
        (1, 10_000, "<0.1%"),
        (10, 10_000, "0.1%"),
        (9_999, 10_000, ">99.9%"),
        (9_990, 10_000, "99.9%"),
        (10**12 - 1, 10**12, ">99.9%"),
    ],
)
def test_share_is_never_nothing_or_everything_by_rounding(part, whole, share):
    assert EN.share(part, whole) == share


def test_share_in_german():
    assert DE.share(1, 3) == "33,3\u202f%"


@pytest.mark.parametrize(("language", "day"), [("en", "3 March 2026"), ("de", "3. März 2026"), ("nl", "3 maart 2026")])
def test_day_written_out(language, day):
    assert words(language).day("2026-03-03") == day


def test_day_that_is_none():
    assert EN.day("soon\n") == "soon "


def test_every_month_has_a_name():
    for language in (EN, DE, NL):
        days = [language.day(f"2026-{month:02d}-01") for month in range(1, 13)]
        assert len(set(days)) == 12


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (48.31, "48.3 s"),
        (99.9, "99.9 s"),
        (100, "1 min 40 s"),
        (3_599.6, "1 h 0 min"),
        (9e6, "2,500 h 0 min"),
    ],
)
def test_duration(seconds, text):
    assert EN.duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 works"), (1, "1 work"), (2_000, "2,000 works")])
def test_count_one_and_many(number, text):
    assert EN.count("how.register_size", number) == text


def test_say_does_not_read_values_as_templates():
    assert EN.say("explain.found", source="{0.__class__}") == "Found in {0.__class__}."


def test_either():
    assert [EN.either(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a or b", "a, b, or c"]
    assert DE.either(["a", "b", "c"]) == "a, b oder c"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("silence", "Nobody was asked: no yes and no no was found"),
        ("signal:robots.txt", "A notice says no: robots.txt"),
        ("gap:encrypted", "Not readable: The file is locked with a password"),
        ("gap:brand-new", "Not readable: brand-new"),
        ("gap", "Not readable: The file cannot be used"),
        ("signal:a\nb", "A notice says no: a b"),
    ],
)
def test_reason(rule, reason):
    assert EN.reason(rule) == reason


def test_name_that_is_not_in_the_catalogue():
    assert EN.name("kind", "text") == "The same words"
    assert EN.name("kind", "x" * 1_000 + "\x1b") == "x" * 39 + "…" + "x" * 19 + "\ufffd"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("a\r\nb\rc", "a\nb\ufffdc"),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("gpj.\u202eexe", "gpj.\ufffdexe"),
        ("\u2066a\u2069", "\ufffda\ufffd"),
        ("half \ud800 letter", "half \ufffd letter"),
        ("\u2028\u2029\x85\x00", "\ufffd" * 4),
        ("עברית 日本語 é 👩‍🎨", "עברית 日本語 é 👩‍🎨"),
    ],
)
def test_clean(text, cleaned):
    assert clean(text) == cleaned


def test_clean_text_can_be_written():
    everything = "".join(map(chr, range(0x110000)))
    assert clean(everything).encode("utf-8").decode("utf-8") == clean(everything)


def test_one_line_has_one_line():
    assert one_line("a\r\nb\nc\td\x0b\u2028e") == "a b c d\ufffd\ufffde"
    assert len(one_line("".join(map(chr, range(0x3000)))).splitlines()) == 1


@pytest.mark.parametrize("limit", [4, 5, 6, 7, 20])
def test_shorten_keeps_both_ends(limit):
    short = shorten("abcdefghijklmnopqrstuvwxyz", limit)
    assert len(short) == limit
    assert (short[0], short[-1], short.count("…")) == ("a", "z", 1)


def test_shorten_what_is_short():
    assert shorten("abc", 3) == "abc"


def test_plural_entries_come_in_pairs():
    keys = [key for key in LANGUAGES["en"] if key.endswith((".one", ".other"))]
    plural = [key for key in keys if not key.startswith(("media.", "one.", "flaw.", "transform."))]
    for one, other in list(pairwise(plural))[::2]:
        assert (one.removesuffix(".one"), other.removesuffix(".other")) == (one[:-4], one[:-4])


def test_words_is_a_value():
    assert Words("en", LANGUAGES["en"]) == EN
