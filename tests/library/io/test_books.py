"""EPUB, DOCX and ODT to text, and archives that are weapons."""

from __future__ import annotations

import io
import random
import struct
import time
import zipfile

import pytest

from askfirst.errors import InputError, UnsupportedMediumError
from askfirst.io.documents import DocumentLimits, open_text


def refusal(data: bytes, suffix: str, **limits: int) -> InputError:
    with pytest.raises(InputError) as caught:
        open_text(data, suffix, DocumentLimits(**limits))
    assert "\n" not in str(caught.value)
    return caught.value


def archive(members: dict[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        for name, data in members.items():
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            out.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return stream.getvalue()


CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
PACKAGE = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf"><manifest>
<item id="two" href="two.xhtml" media-type="application/xhtml+xml"/>
<item id="cover" href="cover.svg" media-type="image/svg+xml"/>
<item id="one" href="part%20one/one.xhtml#top" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="cover"/><itemref idref="one"/><itemref idref="two"/></spine></package>"""
CHAPTER_ONE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="a.js"/></head>
<body><h1>One</h1><p>First chapter of&nbsp;<i>the</i> book.</p></body></html>"""
CHAPTER_TWO = "<html><body><p>Second chapter.</p><p>The end.</p></body></html>"


def epub(**changed: str | bytes) -> bytes:
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": PACKAGE,
        "OEBPS/part one/one.xhtml": CHAPTER_ONE,
        "OEBPS/two.xhtml": CHAPTER_TWO,
    }
    return archive(members | changed)


def encryption(algorithm: str, member: str) -> dict[str, str]:
    return {
        "META-INF/encryption.xml": '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"'
        ' xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
        f'<enc:EncryptionMethod Algorithm="{algorithm}"/><enc:CipherData>'
        f'<enc:CipherReference URI="{member}"/></enc:CipherData></enc:EncryptedData></encryption>'
    }


WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word(body: str) -> str:
    return f'<?xml version="1.0"?><w:document {WORD}><w:body>{body}</w:body></w:document>'


def docx(body: str, **changed: str | bytes) -> bytes:
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": "<Relationships/>",
        "word/document.xml": word(body),
    }
    return archive(members | changed)


ODT_BODY = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>
<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>
<text:h>Head</text:h>
<text:p>Some<text:s text:c="3"/><text:span>text</text:span><text:line-break/>next</text:p>
</office:text></office:body></office:document-content>"""


def odt(**changed: str | bytes) -> bytes:
    members: dict[str, str | bytes] = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": ODT_BODY,
        "META-INF/manifest.xml": "<manifest/>",
    }
    return archive(members | changed)


def test_open_text_epub_reads_chapters_in_spine_order():
    expected = "One\nFirst chapter of\xa0the book.\nSecond chapter.\nThe end."
    assert open_text(epub(), ".epub") == expected
    assert open_text(epub(), ".zip") == expected
    assert open_text(epub(**encryption("http://www.idpf.org/2008/embedding", "OEBPS/font.otf")), "") == expected
    assert open_text(epub(**encryption("urn:any", "OEBPS/cover.jpg")), "") == expected


def test_open_text_epub_chapter_listed_twice_is_read_once():
    twice = PACKAGE.replace('<itemref idref="two"/>', '<itemref idref="two"/>' * 1000)
    assert open_text(epub(**{"OEBPS/book.opf": twice}), ".epub") == open_text(epub(), ".epub")


@pytest.mark.parametrize("member", ["OEBPS/two.xhtml", "OEBPS/part%20one/one.xhtml", "oebps/TWO.xhtml"])
def test_open_text_epub_with_rights_management(member):
    locked = epub(**encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc", member))
    error = refusal(locked, ".epub")
    assert (type(error), error.kind) == (UnsupportedMediumError, "encrypted")


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"META-INF/container.xml": "<container/>"}, "corrupt"),
        ({"META-INF/container.xml": CONTAINER[:-5]}, "corrupt"),
        ({"META-INF/container.xml": CONTAINER.replace("OEBPS/book", "../../etc/passwd")}, "unsafe-path"),
        ({"META-INF/container.xml": CONTAINER.replace("OEBPS/book", "/etc/passwd")}, "unsafe-path"),
        ({"OEBPS/book.opf": PACKAGE.replace("two.xhtml", "../../two.xhtml")}, "unsafe-path"),
        ({"OEBPS/book.opf": PACKAGE.replace("two.xhtml", "..%2f..%2ftwo.xhtml")}, "unsafe-path"),
        ({"OEBPS/book.opf": PACKAGE.replace("two.xhtml", "..\\..\\two.xhtml")}, "unsafe-path"),
        ({"OEBPS/book.opf": PACKAGE.replace('"two.xhtml', '"three.xhtml')}, "corrupt"),
        ({"OEBPS/book.opf": PACKAGE.replace('idref="two"', 'idref="three"')}, "corrupt"),
        ({"OEBPS/book.opf": "<package/>"}, "corrupt"),
        ({"OEBPS/book.opf": '<!DOCTYPE a [<!ENTITY b "c">]>' + PACKAGE.partition("?>")[2]}, "corrupt"),
        ({"OEBPS/book.opf": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'}, "corrupt"),
        ({"OEBPS/book.opf": PACKAGE.replace("1.0", "1.0' encoding='nonsense").encode()}, "corrupt"),
        ({"OEBPS/book.opf": "<a>" * 300}, "too-deep"),
    ],
)
def test_open_text_epub_damaged_or_hostile(changed, kind):
    assert refusal(epub(**changed), ".epub").kind == kind


def test_open_text_epub_never_uses_member_names_as_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = epub(**{"../outside.xhtml": "x", "/absolute.xhtml": "x", "OEBPS/../../up.xhtml": "x"})
    assert open_text(hostile, ".epub") == open_text(epub(), ".epub")
    assert list(tmp_path.iterdir()) == []
    assert not (tmp_path.parent / "outside.xhtml").exists()


def test_open_text_docx_reads_paragraphs_tabs_and_notes():
    body = (
        '<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t xml:space="preserve">Hello '
        "</w:t></w:r><w:r><w:t>wor</w:t></w:r><w:r><w:t>ld</w:t><w:tab/><w:t>tab</w:t></w:r></w:p>"
        "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>Two</w:t><w:br/><w:t>lines</w:t>"
        "</w:r></w:p><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:p><w:r><w:instrText>PAGE</w:instrText><w:t>non</w:t><w:noBreakHyphen/><w:t>stop</w:t></w:r></w:p>"
    )
    notes = {
        "word/footnotes.xml": f"<w:footnotes {WORD}><w:p><w:r><w:t>Foot.</w:t></w:r></w:p></w:footnotes>",
        "word/endnotes.xml": f"<w:endnotes {WORD}><w:p><w:r><w:t>End.</w:t></w:r></w:p></w:endnotes>",
    }
    assert open_text(docx(body, **notes), ".docx") == "Hello world\ttab\nTwo\nlines\nnon-stop\nFoot.\nEnd."


def test_open_text_docx_main_part_of_another_name():
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
        ' Target="/word/document2.xml"/></Relationships>'
    )
    members = {"[Content_Types].xml": "<Types/>", "_rels/.rels": relations}
    body = word("<w:p><w:r><w:t>Hello</w:t></w:r></w:p>")
    assert open_text(archive(members | {"word/document2.xml": body}), ".docx") == "Hello"
    sheet = archive(members | {"_rels/.rels": relations.replace("/word/document2", "xl/workbook")})
    assert refusal(sheet, ".docx").kind == "no-reader"


def test_open_text_odt_reads_paragraphs_and_spaces():
    assert open_text(odt(), ".odt") == "Head\nSome text\nnext"


def test_open_text_odt_with_password():
    manifest = '<m:manifest xmlns:m="urn:m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    assert refusal(odt(**{"META-INF/manifest.xml": manifest}), ".odt").kind == "encrypted"


def test_open_text_docx_with_password_and_old_word_documents():
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
    assert refusal(head + "EncryptedPackage".encode("utf-16-le"), ".docx").kind == "encrypted"
    assert refusal(head, ".doc").kind == "no-reader"


def test_open_text_archive_bomb_is_stopped_while_it_unpacks():
    bomb = docx("", **{"word/document.xml": b"<a>" + b" " * 60_000_000})
    assert len(bomb) < 100_000
    start = time.perf_counter()
    assert refusal(bomb, ".docx").kind == "zip-bomb"
    assert time.perf_counter() - start < 1


def test_open_text_archive_that_lies_about_its_size_is_stopped():
    bomb = bytearray(docx("", **{"word/document.xml": b"<a>" + b" " * 3_000_000}))
    at = bomb.rindex(b"word/document.xml") - 46
    assert bomb[at : at + 4] == b"PK\x01\x02"
    struct.pack_into("<I", bomb, at + 24, 5)  # uncompressed size in the directory
    assert refusal(bytes(bomb), ".docx").kind in {"corrupt", "zip-bomb"}


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({"members": 4}, "too-many-members"),
        ({"member_size_bytes": 100}, "too-large"),
        ({"unpacked_size_bytes": 700}, "too-large"),
        ({"text_size_bytes": 20}, "too-large"),
    ],
)
def test_open_text_archive_beyond_a_limit(limits, kind):
    assert refusal(epub(), ".epub", **limits).kind == kind


def test_open_text_archive_nested_in_an_archive_is_not_opened():
    inner = archive({"a": b" " * 50_000_000})
    assert open_text(epub(**{"OEBPS/inner.zip": inner}), ".epub") == open_text(epub(), ".epub")


def test_open_text_archive_with_overlapping_members():
    """Two directory entries that share one packed stream: each is read within the limit of all."""
    stream = io.BytesIO(epub())
    with zipfile.ZipFile(stream, "a") as members:
        one = members.getinfo("OEBPS/part one/one.xhtml")
        two = members.getinfo("OEBPS/two.xhtml")
        two.header_offset = one.header_offset
        members._didModify = True
    assert refusal(stream.getvalue(), ".epub").kind == "corrupt"


def test_open_text_archive_with_encrypted_members():
    data = bytearray(epub())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            data[at + offset] |= 1
    assert refusal(bytes(data), ".epub").kind == "encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_open_text_archive_with_unusual_compression(method):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as members:
        members.writestr("word/document.xml", word(""))
    assert refusal(stream.getvalue(), ".docx").kind == "compression"


@pytest.fixture
def damage_archive(damage):
    """Give a function that damages the archive, or the inside of one member."""

    def damaged(dice: random.Random, data: bytes) -> bytes:
        if dice.random() < 0.5:
            return damage(dice, data)
        with zipfile.ZipFile(io.BytesIO(data)) as stored:
            members: dict[str, str | bytes] = {name: stored.read(name) for name in stored.namelist()}
        name = dice.choice(list(members))
        return archive(members | {name: damage(dice, bytes(members[name]))})

    return damaged


NOTE = {"word/footnotes.xml": word("<w:p/>")}
FONT = encryption("http://www.idpf.org/2008/embedding", "OEBPS/font.otf")


@pytest.mark.parametrize(
    ("seed", "suffix"),
    [
        (epub(**FONT), ".epub"),
        (docx("<w:p><w:r><w:t>Hello</w:t><w:tab/></w:r></w:p>", **NOTE), ".docx"),
        (odt(), ".odt"),
    ],
    ids=["epub", "docx", "odt"],
)
def test_open_text_damaged_books(damaged_outcomes, damage_archive, seed, suffix):
    assert damaged_outcomes([seed], suffix, damage_archive) >= {"read", "corrupt", "no-reader"}
