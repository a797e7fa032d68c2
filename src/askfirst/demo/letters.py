"""`letters/`: documents in the formats people keep; some quote registered works, some cannot be opened."""

from __future__ import annotations

import io
import re
import textwrap
import zipfile
from html import escape
from pathlib import Path
from random import Random

from askfirst.demo.notes import Note, Notes, Tables, works_of
from askfirst.demo.texts import passage_of, whole_pages_of

__all__ = ["write_letters"]

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a ZIP entry can carry
_LINES_A_SHEET = 60


def write_letters(dataset: Path, tables: Tables, notes: Notes) -> None:
    """Write the documents."""
    works = {w["work_id"]: w for w in tables["works"]}
    for entry in tables["letters"]:
        work = works.get(entry.get("of", ""))
        note = Note(flaw=entry.get("flaw", ""))
        text = tables["letter"]
        if work and entry["part"] == "page":
            text = whole_pages_of(work)[3]
            note = Note(works_of(work["work_id"], tables), f"whole page, {entry['format']}")
        elif work:
            quoted = passage_of(work, 2, Random(entry["file"]))
            text = "\n\n".join((tables["letter"], quoted, tables["signature"]))
            note = Note(works_of(work["work_id"], tables), f"passage, {entry['format']}", whole=False)
        data = _document(entry["format"], text, tables["packages"])
        (dataset / "letters" / entry["file"]).write_bytes(data[: int(len(data) * entry.get("share", 1))])
        notes.add("letters", f"letters/{entry['file']}", note)


def _document(form: str, text: str, packages: Tables) -> bytes:
    if form == "HTML":
        head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Page</title>'
        return f"{head}{_paragraphs(text, 'p')}</html>\n".encode()
    if form == "PDF":
        return _pdf(text, sealed=False)
    if form == "sealed PDF":
        return _pdf(text, sealed=True)
    if form in packages:
        return _package(packages[form], text)
    return text.encode()


def _paragraphs(text: str, tag: str) -> str:
    return "".join(f"<{tag}>{escape(p, quote=False)}</{tag}>\n" for p in text.split("\n\n") if p.strip())


def _package(parts: dict[str, str], text: str) -> bytes:
    """Return an EPUB or DOCX: a ZIP of parts, in which two marks stand for the text."""
    runs = _paragraphs(text, "w:p").replace("<w:p>", '<w:p><w:r><w:t xml:space="preserve">')
    runs = runs.replace("</w:p>", "</w:t></w:r></w:p>").replace("\n", " ")
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            # An EPUB opens with its media type, uncompressed (EPUB 3.3, 4.2.2).
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            filled = part.replace("{runs}", runs).replace("{paragraphs}", _paragraphs(text, "p"))
            archive.writestr(entry, filled)
    return sink.getvalue()


def _pdf(text: str, *, sealed: bool) -> bytes:
    """Return a PDF in Helvetica; a sealed one asks for a password that nobody has.

    Source: ISO 32000-1, 7.5 (structure), 7.6.3 (standard security handler), 9.4 (text).
    """
    lines = [part for line in text.splitlines() for part in (textwrap.wrap(line, 88) or [""])]
    sheets = [lines[i : i + _LINES_A_SHEET] for i in range(0, len(lines), _LINES_A_SHEET)]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(sheets)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(sheets)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for i, sheet in enumerate(sheets):
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
        objects.append(f"{page}/Contents {5 + 2 * i} 0 R>>".encode())
        objects.append(_pdf_sheet(sheet))
    lock = ""
    if sealed:
        objects.append(f"<</Filter/Standard/V 1/R 2/P -44/O<{'5a' * 32}>/U<{'a5' * 32}>>>".encode())
        lock = f"/Encrypt {len(objects)} 0 R/ID[<{'00' * 16}><{'00' * 16}>]"
    data, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    data += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R{lock}>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(data)


def _pdf_sheet(lines: list[str]) -> bytes:
    shown = "\n".join("(" + re.sub(r"([\\()])", r"\\\1", line) + ") Tj T*" for line in lines)
    stream = b"BT /F1 10 Tf 12 TL 50 790 Td\n%s\nET" % shown.encode("cp1252", "replace")
    return b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream)
