"""Proofs as files: read as they are written, refused in any other form."""

import pytest

from askfirst.errors import FormatError
from askfirst.tlog import TlogProof, encode_proof, parse_proof

NOTE = "example.org/log\n3\nAAAA\n\n— example.org/log AAAAAAA=\n"
HASHES = (bytes(32), b"x" * 32)
TEXT = encode_proof(7, HASHES, NOTE, b"{}")


@pytest.mark.parametrize("extra", [None, b"", b"\x00\xff" * 1000])
@pytest.mark.parametrize("hashes", [(), HASHES, (b"y" * 32,) * 63])
def test_proof_is_read_as_it_is_written(hashes, extra):
    assert parse_proof(encode_proof(7, hashes, NOTE, extra)) == TlogProof(7, hashes, NOTE, extra)


def test_proof_has_the_lines_of_the_specification():
    assert TEXT.split("\n") == [
        "c2sp.org/tlog-proof@v1",
        "extra e30=",
        "index 7",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
        "",
        *NOTE.split("\n"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("c2sp", " c2sp"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("index 7\n", ""),
        TEXT.replace("index 7", "index 07"),
        TEXT.replace("index 7", "index -7"),
        TEXT.replace("index 7", "index"),
        TEXT.replace("index 7", "index 9223372036854775808"),
        TEXT.replace("extra e30=", "extra e30"),
        TEXT.replace("extra e30=", "extra e31="),
        TEXT.replace("extra e30=", "extra"),
        TEXT.replace("index 7", "index 7\nextra e30="),
        TEXT.replace("eHh4", "", 1),
        TEXT.replace("index 7", "index 7\nAAAA"),
        encode_proof(7, (bytes(32),) * 64, NOTE),
        TEXT + "x" * (1 << 19),
    ],
)
def test_proof_in_any_other_form_is_refused(text):
    with pytest.raises(FormatError):
        parse_proof(text)
