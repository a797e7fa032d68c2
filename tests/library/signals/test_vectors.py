"""The published vectors: rights texts and what they say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import askfirst
from askfirst.model import Use
from askfirst.signals.headers import read_headers
from askfirst.signals.robots import read_robots
from askfirst.signals.vocabulary import VOCABULARY_VERSION
from askfirst.signals.xmp import read_xmp

VECTORS = json.loads((Path(askfirst.__file__).parent / "vectors" / "signals_v0.json").read_text("utf-8"))
CASES = VECTORS["cases"]


def reading_of(case):
    match case["reader"]:
        case "robots":
            return read_robots(case["text"], case["url"])
        case "headers":
            return read_headers(case["text"])
        case "xmp":
            return read_xmp(case["text"].encode())
    raise AssertionError(case["reader"])


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_vector(case):
    reading = reading_of(case)
    signals = [
        {
            "protocol": signal.protocol,
            "disallows": sorted(signal.disallows),
            "allows": sorted(signal.allows),
            "scope": signal.scope,
        }
        for signal in reading.signals
    ]
    assert (signals, [gap.kind for gap in reading.gaps]) == (case["signals"], case["gaps"])


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_vector_signal_quotes_its_source_and_contradicts_nothing(case):
    reading = reading_of(case)
    for signal in reading.signals:
        assert signal.quote
        assert len(signal.quote) <= 500
        assert signal.source == {"robots": "robots.txt", "headers": "headers", "xmp": "XMP"}[case["reader"]]
        assert not signal.disallows & signal.allows
        assert signal.disallows | signal.allows <= frozenset(Use) - {Use.STYLE}
    for gap in reading.gaps:
        assert gap.cause
        assert gap.advice
        assert "\n" not in gap.cause


def test_vectors_cover_every_reader_and_protocol():
    assert VECTORS["vocabulary"] == VOCABULARY_VERSION
    assert min(Counter(case["reader"] for case in CASES).values()) >= 30
    protocols = {signal["protocol"] for case in CASES for signal in case["signals"]}
    assert protocols == {"robots.txt", "aipref", "content-signal", "x-robots-tag", "tdmrep", "iptc-plus"}
