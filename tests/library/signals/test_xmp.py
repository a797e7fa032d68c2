"""XMP packets: encodings, quotes, and packets nobody can read."""

from __future__ import annotations

import io
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from askfirst.model import Use
from askfirst.signals import NOTHING
from askfirst.signals.vocabulary import PLUS_DATA_MINING
from askfirst.signals.xmp import read_xmp

VOCABULARY = "http://ns.useplus.org/ldf/vocab/"


def packet(inner: str = "", attributes: str = "", title: str = "Häfen") -> str:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        ' xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:tdm="http://www.w3.org/ns/tdmrep/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}><dc:title>{title}</dc:title>{inner}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>" + " " * 200 + '<?xpacket end="w"?>'
    )


def mining(value: str) -> str:
    return f"<plus:DataMining>{value}</plus:DataMining>"


FULL = packet(
    mining(VOCABULARY + "DMI-PROHIBITED-SEECONSTRAINT")
    + '<plus:OtherConstraints><rdf:Alt><rdf:li xml:lang="x-default">Fragt mich, Käthe</rdf:li></rdf:Alt>'
    "</plus:OtherConstraints><tdm:reservation>1</tdm:reservation>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("tail", [b"", b"\0" * 7, b"\n \n"])
def test_read_xmp_in_every_encoding_and_with_padding(encoding, tail):
    reading = read_xmp(FULL.encode(encoding) + tail)
    assert [signal.quote for signal in reading.signals] == [
        f"DataMining: {VOCABULARY}DMI-PROHIBITED-SEECONSTRAINT\nOtherConstraints: Fragt mich, Käthe",
        "tdm:reservation: 1",
    ]
    assert reading.gaps == ()


@pytest.mark.parametrize("code", PLUS_DATA_MINING)
@pytest.mark.parametrize("form", ["element", "attribute", "resource", "list", "bare"])
def test_read_xmp_every_code_in_every_form(code, form):
    value = VOCABULARY + code
    text = {
        "element": packet(mining(value)),
        "attribute": packet(attributes=f'plus:DataMining="{value}"'),
        "resource": packet(f'<plus:DataMining rdf:resource="{value}"/>'),
        "list": packet(mining(f"<rdf:Bag><rdf:li>{value}</rdf:li></rdf:Bag>")),
        "bare": packet(mining(code)),
    }[form]
    said = [(signal.disallows, signal.allows) for signal in read_xmp(text.encode(), source="a.jpg").signals]
    statement = PLUS_DATA_MINING[code]
    assert said == ([] if code == "DMI-UNSPECIFIED" else [(statement.disallows, statement.allows)])


def test_read_xmp_stored_in_a_picture():
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG", xmp=packet(mining("DMI-PROHIBITED-GENAIMLTRAINING")).encode())
    (signal,) = read_xmp(Image.open(stream).info["xmp"], source="a.jpg").signals
    assert (signal.protocol, signal.source, signal.disallows) == ("iptc-plus", "a.jpg", {Use.TRAIN_GENERATIVE})


def test_read_xmp_statements_are_told_once():
    twice = packet(mining("DMI-PROHIBITED") + "<rdf:x/>" + mining("DMI-PROHIBITED"))
    assert len(read_xmp(twice.encode()).signals) == 1


@pytest.mark.parametrize("data", [b"", b"\0\0 \n", packet().encode(), packet(mining("")).encode()])
def test_read_xmp_that_says_nothing(data):
    assert read_xmp(data) == NOTHING


@pytest.mark.parametrize(
    "data",
    [
        b"text",
        b"<",
        FULL.encode()[:300],
        FULL.encode("utf-16")[:301],
        FULL.replace("xmlns:plus=", "xmlns:minus=").encode(),
        packet(mining("maybe")).encode(),
        packet("<tdm:reservation>yes</tdm:reservation>").encode(),
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b'<?xml version="1.0" encoding="shift_jis"?><a/>',
        b"<a>" * 200,
        b"<a>" + b"<b/>" * 50_001 + b"</a>",
        b"<a>" + b" " * 2**20 + b"</a>",
        b"<DataMining><DataMining><DataMining><DataMining>x" + b"</DataMining>" * 4,
        b"\xff\xfe\x00\xd8",
        b"<a>\xff</a>",
    ],
)
def test_read_xmp_that_cannot_be_read_is_a_gap(data):
    reading = read_xmp(data)
    assert (reading.signals, [gap.kind for gap in reading.gaps]) == ((), ["malformed-signal"])


def test_read_xmp_damaged_never_raises():
    dice = random.Random(20261121)
    outcomes = set()
    for _ in range(2000):
        data = bytearray(FULL.encode(dice.choice(["utf-8", "utf-8", "utf-16", "utf-32-be"])))
        for _ in range(dice.choice((1, 2, 8))):
            at, count = dice.randrange(len(data)), dice.choice((1, 4, 60))
            data[at : at + count] = dice.choice([b"", dice.randbytes(count), b"<", b"&", b"\0", data[:count]])
        start = time.process_time()
        reading = read_xmp(bytes(data))
        assert time.process_time() - start < 1
        outcomes |= {signal.protocol for signal in reading.signals} | {gap.kind for gap in reading.gaps}
    assert outcomes == {"iptc-plus", "tdmrep", "malformed-signal"}


@given(st.binary(max_size=200))
def test_read_xmp_of_any_bytes_never_raises(data):
    read_xmp(data)
    read_xmp(b"<a>" + data + b"</a>")


@pytest.mark.parametrize(
    "data",
    [
        b"<r>" + b"<a/>" * 260_000 + b"</r>",
        b"<DataMining>" + b"\n" * 1_000_000 + b"</DataMining>",
        b"<DataMining>" + b"<a>x</a>" * 49_000 + b"</DataMining>",
        b"<r " + b" ".join(b'a%d="x"' % number for number in range(95_000)) + b"/>",
        b"<" * 1_000_000,
    ],
    ids=["elements", "lines", "texts", "attributes", "signs"],
)
def test_read_xmp_flood_takes_less_than_a_second(data):
    start = time.process_time()
    read_xmp(data)
    assert time.process_time() - start < 1  # measured: 0.4 s
