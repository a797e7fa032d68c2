"""PDF to text."""

from __future__ import annotations

import io
import time
import zlib

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject

from askfirst.errors import InputError, TooLargeError, UnsupportedMediumError
from askfirst.io.documents import DocumentLimits, open_text


def refusal(data: bytes, suffix: str, **limits: int) -> InputError:
    with pytest.raises(InputError) as caught:
        open_text(data, suffix, DocumentLimits(**limits))
    assert "\n" not in str(caught.value)
    return caught.value


def pdf(*pages: str) -> bytes:
    """Write a PDF by hand: one line of text a page; an empty string is a page with a drawn line only."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, words in enumerate(pages):
        drawing = f"BT /F1 12 Tf 20 200 Td ({words}) Tj ET" if words else "0 0 m 10 10 l S"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream")
    return assembled([body.encode() for body in objects])


def assembled(objects: list[bytes]) -> bytes:
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table) + (
        b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    )
    return bytes(out)


def one_stream_pdf(drawing: bytes, *, pages: int = 1, entries: bytes = b"") -> bytes:
    """Write a PDF whose pages all draw the same stream, which is also its form X0."""
    kids = b" ".join(b"%d 0 R" % (5 + number) for number in range(pages))
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R"
        b" /Resources << /Font << /F1 3 0 R >> /XObject << /X0 4 0 R /X9 9999 0 R >> >> >>"
    )
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(drawing), entries, drawing),
            *[page] * pages,
        ]
    )


def locked_pdf(password: str, algorithm: str = "RC4-128") -> bytes:
    writer = PdfWriter()
    for page in PdfReader(io.BytesIO(pdf("Hello world"))).pages:
        writer.add_page(page)
    writer.encrypt(password, "owner", algorithm=algorithm)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def rich_pdf() -> bytes:
    """Write a PDF with a character map, a form and an inline image: more for mutations to break."""
    writer = PdfWriter()
    text_map = StreamObject()
    text_map.set_data(
        b"begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0041> <0042>"
        b" <0043> <00440045> endbfchar 1 beginbfrange <0050> <0060> <0061> endbfrange endcmap"
    )
    name, number = NameObject, NumberObject
    descendant = {
        "/Type": name("/Font"),
        "/Subtype": name("/CIDFontType2"),
        "/W": ArrayObject([number(1), ArrayObject([number(3)])]),
    }
    font = dictionary(
        {
            "/Type": name("/Font"),
            "/Subtype": name("/Type0"),
            "/BaseFont": name("/X"),
            "/Encoding": name("/Identity-H"),
            "/ToUnicode": writer._add_object(text_map.flate_encode()),
            "/DescendantFonts": ArrayObject([dictionary(descendant)]),
        }
    )
    fonts = dictionary({"/F2": writer._add_object(font)})
    form = StreamObject()
    form.set_data(b"BT /F2 10 Tf <00410043> Tj [<0050> -300 <0051>] TJ ET")
    form.update(
        dictionary(
            {
                "/Type": name("/XObject"),
                "/Subtype": name("/Form"),
                "/BBox": ArrayObject([number(0)] * 4),
                "/Resources": dictionary({"/Font": fonts}),
            }
        )
    )
    drawing = StreamObject()
    drawing.set_data(
        b"q 1 0 0 1 5 5 cm /X0 Do Q BT /F2 9 Tf 1 0 0 1 10 10 Tm <0041> Tj ET BI /W 1 /H 1 /BPC 8 /CS /G ID x EI"
    )
    page = writer.add_blank_page(200, 200)
    page[name("/Contents")] = writer._add_object(drawing.flate_encode())
    forms = dictionary({"/X0": writer._add_object(form.flate_encode())})
    page[name("/Resources")] = dictionary({"/XObject": forms, "/Font": fonts})
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def dictionary(values: dict) -> DictionaryObject:
    return DictionaryObject({NameObject(key): value for key, value in values.items()})


def test_open_text_pdf_reads_page_after_page():
    assert open_text(pdf("Hello world", "", "Page three"), ".pdf") == "Hello world\nPage three"


def test_open_text_pdf_named_otherwise_is_a_pdf():
    assert open_text(b"\n" + pdf("Hello world"), ".txt") == "Hello world"


def test_open_text_pdf_reads_forms_and_character_maps():
    assert open_text(rich_pdf(), ".pdf") == "BDEa b\nB"


def test_open_text_pdf_without_text_layer():
    error = refusal(pdf("", ""), ".pdf")
    assert (type(error), error.kind) == (UnsupportedMediumError, "no-text")
    assert error.advice == "run text recognition over the scanned pages first"


def test_open_text_pdf_with_empty_user_password_is_opened():
    assert open_text(locked_pdf(""), ".pdf") == "Hello world"


@pytest.mark.parametrize("password", ["secret", "ä"])
def test_open_text_pdf_with_password(password):
    error = refusal(locked_pdf(password), ".pdf")
    assert (type(error), error.kind) == (UnsupportedMediumError, "encrypted")


def test_open_text_pdf_with_a_lost_form_is_not_half_read():
    whole = one_stream_pdf(b"BT /F1 12 Tf (seen) Tj ET")
    assert open_text(whole, ".pdf") == "seen"
    assert refusal(one_stream_pdf(b"BT /F1 12 Tf (seen) Tj ET /X9 Do"), ".pdf").kind == "corrupt"


@pytest.mark.parametrize(
    ("data", "limits", "kind"),
    [
        (pdf("a", "b", "c"), {"pdf_pages": 2}, "too-many-pages"),
        (pdf("a" * 100, "b" * 100), {"text_size_bytes": 150}, "too-large"),
        (
            one_stream_pdf(b"BT /F1 12 Tf " + b"(a) Tj " * 2000, pages=20),
            {"pdf_operations": 10_000},
            "too-large",
        ),
    ],
)
def test_open_text_pdf_beyond_a_limit(data, limits, kind):
    error = refusal(data, ".pdf", **limits)
    assert (type(error), error.kind) == (TooLargeError, kind)


def test_open_text_pdf_remarks_of_the_reader_do_not_reach_the_terminal(capfd):
    damaged = pdf("Hello world").replace(b"startxref\n", b"startxref\n9").replace(b"/Size 6", b"/Size 99")
    assert open_text(damaged, ".pdf") == "Hello world"
    assert capfd.readouterr() == ("", "")


def test_open_text_damaged_pdf(damaged_outcomes):
    seeds = [pdf("Hello world", "Two"), rich_pdf(), locked_pdf("")]
    assert damaged_outcomes(seeds, ".pdf") >= {"read", "corrupt", "encrypted", "no-text"}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (pdf("x").replace(b"/MediaBox [0 0 300 300]", b"/MediaBox " + b"[" * 50_000), "corrupt"),
        (one_stream_pdf(b"/X0 Do", entries=b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]"), "no-text"),
        (one_stream_pdf(zlib.compress(b"(" * 500_000), entries=b"/Filter /FlateDecode"), "corrupt"),
        (pdf("x").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"), "corrupt"),
    ],
    ids=["deep array", "form inside itself", "open strings", "page tree inside itself"],
)
def test_open_text_pdf_without_end_ends(data, kind):
    start = time.perf_counter()
    assert refusal(data, ".pdf").kind == kind
    assert time.perf_counter() - start < 5
