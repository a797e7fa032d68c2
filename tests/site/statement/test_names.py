"""Names as people write them, and as others try to break things with them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst_site.statement import names
from askfirst_site.statement.names import BadNameError

NAUGHTY = [
    "", " ", "\t\n", "\x00", "null", "None", "undefined", "NaN", "true", "0", "-1", "1e309",
    "\ufeff", "\ufffe", "\u200b",
    "\u202egnihton", "\u2066x\u2069", "\ud800", "\U000e0041", "Ｆｕｌｌｗｉｄｔｈ", "ﬁn", "İi",
    "ß", "ẞ", "Ǆ", "ﷺ", "𝕬𝖓𝖓𝖆",
    "a\u0301" * 40, "Z̸̢͖͖̥̩̪̦a̛̝l̹̙g̮o̫̙̤", "\u0301leading", "👩‍👩‍👧‍👦",
    "🏴\U000e0067\U000e0062\U000e007f", "🇳🇱", "👍🏽", "💃",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "'; DROP TABLE statement_signature;--", "{{ 7*7 }}",
    "{% load i18n %}", "%s%s%n", "$(reboot)", "`id`", "../../etc/passwd", "C:\\CON", "=1+1", "+1",
    "-1+2", "@SUM(A1)",
    "=cmd|'/C calc'!A0", "\t=1", "\r=1", "|calc", "%0d%0aBcc: a@b.example",
    "a\r\nBcc: x@y.example", "http://spam.example",
    "www.spam.example", "buy at spam.com", "will.i.am", "J. R. R. Someone", "St.de Vries",
    "O’Neill", "d'Artagnan-Ünal",
    "محمد علي", "דָּוִד", "می‌خواهم", "क्षत्रिय", "ഫ്‌ളോ", "王小明", "ᄀ" * 30, "ㅤ", "⠀", "­", "�",
    "￿", "٠١٢", "№ 5", "…", "—",
    "A" * 200, "A" * 201, "A" * 100_000, "𒀀" * 200, "a b " * 60, "\u2028line", "x\u0085y",
    "\u00a0x\u3000", "Nadine\u0000",
]  # fmt: skip


@pytest.mark.parametrize("text", NAUGHTY)
def test_naughty_text_is_cleaned_or_refused(text):
    try:
        name = names.clean_name(text)
    except BadNameError:
        return
    check(name)


@given(st.text(max_size=260))
def test_any_text_is_cleaned_or_refused(text):
    try:
        name = names.clean_name(text)
    except BadNameError:
        return
    check(name)


def check(name):
    assert 1 <= len(name) <= 200
    assert name == unicodedata.normalize("NFC", name) == name.strip()
    assert name[0] not in "=+-@|%\\"
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} for char in name)
    assert not any(
        char in name for char in "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
    name.encode("utf-8")
    assert names.clean_name(name) == name  # cleaning twice is cleaning once
    assert names.initials(name).strip()
    assert len(names.fold_name(name)) <= 200
    assert all(len(word) <= 40 for word in names.fold_words(name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Ada \t Example\n", "Ada Example"),
        ("=Ada", "Ada"),
        ("@ada", "ada"),
        ("\u202eAda\u202c", "Ada"),
        ("A\u200bda", "Ada"),
        ("X", "X"),
        ("Jose\u0301", "José"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Ad\u200da", "Ada"),
        ("👩\u200d🎨", "👩\u200d🎨"),
        ("will.i.am", "will.i.am"),
        ("D'Arcy O’Neill-Müller", "D'Arcy O’Neill-Müller"),
        ("A" * 200, "A" * 200),
    ],
)
def test_name_is_kept_as_written(text, name):
    assert names.clean_name(text) == name


@pytest.mark.parametrize(
    "text", ["", "  ", "\u200b", "...", "—", "A" * 201, "see http://x.example", "ada@mailbox.example", "spam.com"]
)
def test_name_is_refused(text):
    with pytest.raises(BadNameError):
        names.clean_name(text)


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ada Example", "A. E."),
        ("ada", "A."),
        ("Anna Maria van der Berg", "A. M. B."),
        ("محمد علي", "م. ع."),
        ("דָּוִד", "דָּ."),
        ("王小明", "王."),
        ("E\u0301mile", "É."),
        ("👩\u200d🎨 Ada", "👩\u200d🎨. A."),
        ("🇳🇱 Jan", "🇳🇱. J."),
        ("'t Hooft", "T. H."),
        ("ßa", "SS."),
    ],
)
def test_initials(name, initials):
    assert names.initials(name) == initials


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë Person", "PERSON, zoe"),
        ("Øyvind Łukasz", "Oyvind Lukasz"),
        ("Аnnа Реrson", "Anna Person"),
        ("O’Neill", "ONeill"),
        ("Straße", "Strasse"),
        ("ﬁn", "fin"),
    ],
)
def test_two_spellings_of_one_name_fold_to_one(one, other):
    assert names.fold_name(one) == names.fold_name(other)


def test_look_alike_is_a_hint_for_long_names():
    others = [(1, names.fold_name("Famous Person")), (2, names.fold_name("Ada Example"))]
    assert names.look_alike("Famous Persson", others) == 1
    assert names.look_alike("Somebody Else", others) is None
    assert names.look_alike("Ada", others) is None
    assert names.look_alike("Famous Person", []) is None
