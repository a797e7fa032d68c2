"""Documents to text: plain text, what has no reader, and sizes."""

from __future__ import annotations

import pytest

from askfirst.errors import InputError, MalformedMediaError, TooLargeError
from askfirst.io.documents import DocumentLimits, open_text

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def refusal(data: bytes, suffix: str, **limits: int) -> InputError:
    with pytest.raises(InputError) as caught:
        open_text(data, suffix, DocumentLimits(**limits))
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        ("Ein schöner Tag.\n".encode(), "Ein schöner Tag.\n"),
        (b"\xef\xbb\xbfOne\r\ntwo\rthree", "One\ntwo\nthree"),
        ("Grüße".encode("utf-16"), "Grüße"),
        (b"\xfe\xff" + "Grüße".encode("utf-16-be"), "Grüße"),
        ("Grüße".encode("utf-32"), "Grüße"),
        ("Ein schöner Tag für Bücher".encode("latin-1"), "Ein schöner Tag für Bücher"),
        ("Œuvre – „la plus complète“, 9 €".encode("cp1252"), "Œuvre – „la plus complète“, 9 €"),
        (b"The end.\x1a", "The end.\x1a"),
    ],
)
def test_open_text_plain(data, text):
    assert open_text(data, ".txt") == text
    assert open_text(data, "txt") == text


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"abc\0def", "binary"),
        (b"\xff\xfeabc", "corrupt"),
        (b"\xff\xfe\x00\xd8", "corrupt"),
        (b"\xef\xbb\xbf\xff", "corrupt"),
        ("Как прекрасен этот мир".encode("cp1251"), "encoding"),
        ("吾輩は猫である".encode("shift_jis"), "encoding"),
    ],
)
def test_open_text_plain_unreadable_is_malformed(data, kind):
    error = refusal(data, ".txt")
    assert (type(error), error.kind) == (MalformedMediaError, kind)


@pytest.mark.parametrize(
    ("data", "suffix", "kind"),
    [
        (EMPTY_ZIP, ".zip", "no-reader"),
        (b"", ".pdf", "corrupt"),
        (b"", ".epub", "corrupt"),
        (b"PK\x03\x04", ".epub", "corrupt"),
        (b"{\\rtf1 Hello}", ".rtf", "no-reader"),
        (b"\x7fELF\0\0", ".bin", "no-reader"),
        (b"\x89PNG\r\n\x1a\n\0\0", ".txt", "not-text"),
        (b"fLaC\0\0", ".txt", "not-text"),
    ],
)
def test_open_text_without_a_reader(data, suffix, kind):
    assert refusal(data, suffix).kind == kind


def test_open_text_size_of_text_counts_bytes_not_letters():
    assert open_text("ä".encode() * 50, ".txt", DocumentLimits(text_size_bytes=100)) == "ä" * 50
    assert refusal("ä".encode() * 51, ".txt", text_size_bytes=100).kind == "too-large"


def test_open_text_larger_than_its_limit_is_not_looked_at():
    error = refusal(bytes(101), ".txt", input_size_bytes=100)
    assert (type(error), error.kind, error.limit) == (TooLargeError, "too-large", 100)


def test_open_text_damaged_plain_text(damaged_outcomes):
    seeds = ["Grüße aus Köln".encode(), "Grüße".encode("utf-16"), "Grüße aus Köln".encode("cp1252")]
    assert damaged_outcomes(seeds, ".txt") >= {"read", "binary", "corrupt", "encoding"}
