"""Dictionaries of RFC 9651; the examples are those of its section 3.2 and of the AIPREF draft."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.signals.structured import read_dictionary


@pytest.mark.parametrize(
    ("field", "members"),
    [
        ("", {}),
        ("train-ai=n", {"train-ai": "n"}),
        ("train-ai=n, search=y", {"train-ai": "n", "search": "y"}),
        ("a=n,\tb=y  ", {"a": "n", "b": "y"}),
        ("a=y, a=n", {"a": "n"}),
        ("a;x=1;y, b=?0", {"a": "?1", "b": "?0"}),
        ('en="Applepie", da=:w4ZibGV0w6ZydGU=:', {"en": '"Applepie"', "da": ":w4ZibGV0w6ZydGU=:"}),
        ("rating=1.5, feelings=(joy sadness)", {"rating": "1.5", "feelings": "(joy sadness)"}),
        ("a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", {"a": "(1 2)", "b": "3", "c": "4", "d": "(5 6)"}),
        ('a="x, b=n", c=@1659578233', {"a": '"x, b=n"', "c": "@1659578233"}),
        ('a=%"f%c3%bc"', {"a": '%"f%c3%bc"'}),
        ("*a=*b", {"*a": "*b"}),
        ("a=()", {"a": "()"}),
        ("a=( x )", {"a": "( x )"}),
    ],
)
def test_read_dictionary(field, members):
    assert read_dictionary(field) == members


@pytest.mark.parametrize(
    "field",
    [
        "Train-AI=n",
        "a = n",
        "a=",
        "a=n,",
        ",a=n",
        "a=n b=n",
        "a=n;;",
        'a;b="?";',
        'a="x',
        "a=(b",
        "a=1.",
        "a=1.2.3",
        "a=1234567890123456",
        "a=:x",
        "a=?2",
        "ä=n",
        "a=ä",
        "a=\x7f",
        "1=n",
        "a=(b,c)",
        "a=@1.5",
        "a=-",
    ],
)
def test_read_dictionary_refuses_what_breaks_the_grammar(field):
    assert read_dictionary(field) is None


@given(st.text(alphabet='ab*A1=,;"?:@%()\\ .-\t', max_size=30))
def test_read_dictionary_accepts_its_own_members_again(field):
    members = read_dictionary(field)
    if members is not None:
        assert read_dictionary(", ".join(f"{key}={value}" for key, value in members.items())) == members


@pytest.mark.parametrize("unit", ["a=(b ", "a;b", "a=n,", "a=(((", 'a="', "a ", "a=1", "*"])
def test_read_dictionary_is_linear(unit):
    start = time.process_time()
    read_dictionary(unit * 100_000)
    assert time.process_time() - start < 1
