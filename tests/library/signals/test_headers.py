"""Response headers: quotes, shapes, and blocks nobody can read."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.model import Use
from askfirst.signals import NOTHING
from askfirst.signals.headers import read_headers

PAIRS = [
    ("X-Robots-Tag", "otherbot: noindex, nofollow"),
    ("X-Robots-Tag", "noai, unavailable_after: Fri, 25 Jun 2027 15:00:00 GMT"),
    ("TDM-Reservation", "1"),
    ("TDM-Policy", "https://example.org/policy.json"),
    ("Content-Usage", "train-ai=n;x=1, search=y"),
    ("Content-Signal", "ai-train=no, search=yes"),
    ("Content-Type", "text/html"),
]
BLOCK = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in PAIRS)


@pytest.mark.parametrize(
    "headers",
    [
        BLOCK,
        BLOCK.replace("\r\n", "\n"),
        BLOCK.upper().replace("TRAIN-AI=N;X=1, SEARCH=Y", "train-ai=n;x=1, search=y"),
        json.dumps(PAIRS),
        json.dumps([{"Name": name, "Value": value} for name, value in PAIRS]),
        json.dumps({name.lower(): [v for n, v in PAIRS if n == name] for name, _ in PAIRS}),
        "{" + ",".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in PAIRS) + "}",
    ],
    ids=["block", "line feeds", "capitals", "pairs", "named", "lists", "names twice"],
)
def test_read_headers_shapes_say_the_same(headers):
    reading = read_headers(headers)
    assert [(s.protocol, sorted(s.disallows)) for s in reading.signals] == [
        ("x-robots-tag", ["train-generative", "train-other"]),
        ("tdmrep", ["ai-input", "mine", "train-generative", "train-other"]),
        ("aipref", ["train-generative"]),
        ("content-signal", ["train-generative", "train-other"]),
    ]
    assert reading.gaps == ()


def test_read_headers_quotes_what_was_said():
    quotes = [signal.quote for signal in read_headers(BLOCK, source="response").signals]
    assert quotes == [
        "X-Robots-Tag: noai, unavailable_after: Fri, 25 Jun 2027 15:00:00 GMT",
        "tdm-reservation: 1\ntdm-policy: https://example.org/policy.json",
        "Content-Usage: train-ai=n;x=1, search=y",
        "Content-Signal: ai-train=no, search=yes",
    ]
    assert {signal.source for signal in read_headers(BLOCK, source="response").signals} == {"response"}


def test_read_headers_long_quote_is_cut():
    (signal,) = read_headers("X-Robots-Tag: noai, " + "nofollow, " * 200).signals
    assert len(signal.quote) == 500
    assert signal.quote.endswith("…")


@pytest.mark.parametrize("agent", ["GPTBot", "gptbot/1.0", "CCBot", "*"])
def test_read_headers_robots_tag_addressed_to_those_who_train(agent):
    (signal,) = read_headers(f"X-Robots-Tag: {agent}: noai").signals
    assert signal.disallows == {Use.TRAIN_GENERATIVE, Use.TRAIN_OTHER}


@pytest.mark.parametrize(
    "headers", [" \n", "{}", "[]", "Content-Type: text/html", "HTTP/2 204", '{"a": null}', "x-robots-tag:"]
)
def test_read_headers_that_say_nothing(headers):
    assert read_headers(headers) == NOTHING


@pytest.mark.parametrize(
    "headers",
    [
        "\0",
        "words",
        "{",
        "[1]",
        '["a", "b"]',
        '[["a"]]',
        '{"x-robots-tag": {"a": 1}}',
        '{"x-robots-tag": [["noai"]]}',
        '{"tdm-reservation": false}',
        "{'X-Robots-Tag': 'noai'}",
        '"text"',
        "TDM-Reservation 1",
        "tdm-reservation: 2",
        "Content-Usage: a b",
        "[" * 100_000,
        "x" * 300_000,
    ],
)
def test_read_headers_that_cannot_be_read_are_a_gap(headers):
    reading = read_headers(headers)
    assert (reading.signals, [gap.kind for gap in reading.gaps]) == ((), ["malformed-signal"])


PIECES = ["\0", "\r\n", "\n ", ":", ",", ";", "=", '"', "{", "[", "noai", "bot: ", "\ud800", "ü", "1", "max-snippet:0"]


def test_read_headers_damaged_never_raises():
    dice = random.Random(20261121)
    seen = set()
    for _ in range(2000):
        text = dice.choice([BLOCK, json.dumps(PAIRS), json.dumps(dict(PAIRS))])
        for _ in range(dice.choice((1, 2, 5, 20))):
            at = dice.randrange(len(text) + 1)
            cut = dice.choice((0, 0, 1, 5, 30))
            text = text[:at] + dice.choice([*PIECES, ""]) * dice.choice((1, 1, 40)) + text[at + cut :]
        start = time.process_time()
        reading = read_headers(text)
        assert time.process_time() - start < 1
        seen |= {signal.protocol for signal in reading.signals} | {gap.kind for gap in reading.gaps}
    assert seen == {"x-robots-tag", "tdmrep", "aipref", "content-signal", "malformed-signal"}


@given(st.text(max_size=200))
def test_read_headers_of_any_text_never_raises(text):
    read_headers(text)
    read_headers(f"X-Robots-Tag: {text}\nContent-Usage: {text}\nContent-Signal: {text}\ntdm-reservation: {text}")


@pytest.mark.parametrize("unit", ["noai, ", "a: noai, ", "noai\nX-Robots-Tag: ", ":", "1,", " \n", "a "])
def test_read_headers_flood_takes_less_than_a_second(unit):
    start = time.process_time()
    read_headers("X-Robots-Tag: " + (unit * 260_000)[:260_000])
    assert time.process_time() - start < 1
