"""EPUB, DOCX and ODT: books and documents that are XML in a ZIP archive."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from askfirst.errors import MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.io.archives import Archive, resolve
from askfirst.io.encodings import decode_markup
from askfirst.io.flow import DocumentLimits, Flow
from askfirst.io.markup import add_xhtml

__all__ = ["book_text"]

_CONTAINER = "META-INF/container.xml"
_EPUB_ENCRYPTION = "META-INF/encryption.xml"
_ODT_TYPE = b"application/vnd.oasis.opendocument.text"

_FONT_ALGORITHMS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
"""Obfuscation of fonts, not of text. Source: EPUB 3.3, section 4.3 (font obfuscation)."""

_CHAPTER_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"})
_CHAPTER_SUFFIXES = (".xhtml", ".html", ".htm", ".xht")

Element = tuple[str, dict[str, str]]


def book_text(data: bytes, limits: DocumentLimits) -> str:
    """Return the text of an EPUB, DOCX or ODT file; which of them it is, its members tell.

    Raises:
        MalformedMediaError: The archive, its XML or its table of parts is damaged.
        TooLargeError: A limit was passed.
        UnsupportedMediumError: kind `encrypted`, or kind `no-reader` for any other archive.

    Cost:
        25 ms for a novel.
    """
    archive = Archive(data, limits)
    flow = Flow(limits)
    if archive.find(_CONTAINER):
        _add_epub(archive, flow, limits)
    elif (main_part := _word_part(archive, limits)) is not None:
        _add_docx(archive, main_part, flow, limits)
    elif archive.find("content.xml") and _is_odt(archive):
        _add_odt(archive, flow, limits)
    else:
        raise UnsupportedMediumError(
            "the ZIP archive is neither EPUB, DOCX nor ODT",
            kind="no-reader",
            advice="unpack it and give the folder",
        )
    return flow.text()


# --- EPUB


def _add_epub(archive: Archive, flow: Flow, limits: DocumentLimits) -> None:
    """Add the chapters of a book in the order they are read.

    1. The container names the package file; the package lists its parts and their order.
    2. Refuse books whose text is encrypted.
    3. Read every chapter once; a chapter that is missing is a damaged book, not a shorter one.
    """
    chapters = _spine(archive, limits)  # 1
    locked = _locked_members(archive, limits)  # 2
    if not locked.isdisjoint(chapter.casefold() for chapter in chapters):
        raise UnsupportedMediumError(
            "the book is protected by digital rights management",
            kind="encrypted",
            advice="ask its publisher for a copy without it",
        )
    for chapter in chapters:  # 3
        add_xhtml(flow, decode_markup(archive.read(chapter)), limits)
        flow.end_line()


def _spine(archive: Archive, limits: DocumentLimits) -> list[str]:
    roots = [a["full-path"] for name, a in _elements(archive, _CONTAINER, limits) if "full-path" in a]
    if not roots:
        raise _damaged("the book does not name its package file")
    package = resolve("", roots[0])
    folder = package.rpartition("/")[0]
    parts: dict[str, dict[str, str]] = {}
    order: list[str] = []
    for name, attributes in _elements(archive, package, limits):
        if name == "item" and "id" in attributes:
            parts[attributes["id"]] = attributes
        elif name == "itemref" and "idref" in attributes:
            order.append(attributes["idref"])
    if not order:
        raise _damaged("the book lists no chapters")
    # A dictionary keeps the order and reads a chapter that is listed twice only once.
    return list(dict.fromkeys(resolve(folder, href) for key in order if (href := _chapter(parts, key))))


def _chapter(parts: dict[str, dict[str, str]], key: str) -> str | None:
    """Return the reference of a chapter, or None for a part that holds no text (a picture in the spine)."""
    if key not in parts:
        raise _damaged("the book lists a chapter that it does not hold")
    part = parts[key]
    href = part.get("href", "")
    is_text = part.get("media-type", "").lower() in _CHAPTER_TYPES or href.lower().endswith(_CHAPTER_SUFFIXES)
    return href if is_text else None


def _locked_members(archive: Archive, limits: DocumentLimits) -> set[str]:
    """Return the names of encrypted members, in folded case, other than obfuscated fonts."""
    if archive.find(_EPUB_ENCRYPTION) is None:
        return set()
    locked: set[str] = set()
    algorithm = ""
    for name, attributes in _elements(archive, _EPUB_ENCRYPTION, limits):
        if name == "EncryptedData":
            algorithm = ""
        elif name == "EncryptionMethod" and not algorithm:  # a key's own method may follow
            algorithm = attributes.get("Algorithm", "")
        elif name == "CipherReference" and algorithm not in _FONT_ALGORITHMS:
            locked.add(resolve("", attributes.get("URI", "")).casefold())
    return locked


# --- DOCX


def _word_part(archive: Archive, limits: DocumentLimits) -> str | None:
    """Return the part that holds the text of a DOCX file, or None where the archive is none."""
    if archive.find("word/document.xml"):
        return "word/document.xml"
    if archive.find("_rels/.rels") is None:
        return None
    for _, attributes in _elements(archive, "_rels/.rels", limits):
        target = attributes.get("Target", "").lstrip("/")
        if attributes.get("Type", "").endswith("/officeDocument") and target.startswith("word/"):
            return resolve("", target)
    return None


def _add_docx(archive: Archive, main_part: str, flow: Flow, limits: DocumentLimits) -> None:
    folder = main_part.rpartition("/")[0]
    for part in (main_part, f"{folder}/footnotes.xml", f"{folder}/endnotes.xml"):
        if part == main_part or archive.find(part):
            _parse(archive.read(part), _WordReader(flow, limits), part)
            flow.end_line()


class _Reader:
    """Receives the parts of an XML file; keeps no tree, so that depth and size cost no memory."""

    def __init__(self, limits: DocumentLimits) -> None:
        self._depth_max = limits.xml_depth
        self._depth = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._depth_max:
            raise TooLargeError(
                f"the document nests more than {self._depth_max} elements",
                limit=self._depth_max,
                kind="too-deep",
            )
        self.enter(_local(tag))

    def end(self, tag: str) -> None:
        self._depth -= 1
        self.leave(_local(tag))

    def data(self, text: str) -> None:
        """Receive characters."""

    def enter(self, name: str) -> None:
        """Receive the beginning of an element."""

    def leave(self, name: str) -> None:
        """Receive the end of an element."""

    def close(self) -> None:
        """Receive the end of the file."""


class _TextReader(_Reader):
    """Adds the text of some elements to a flow and skips others with all they hold."""

    skipped: frozenset[str] = frozenset()
    lines: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def __init__(self, flow: Flow, limits: DocumentLimits) -> None:
        super().__init__(limits)
        self._flow = flow
        self._skipping = 0
        self._in_text = 0

    def enter(self, name: str) -> None:
        if self._skipping or name in self.skipped:
            self._skipping += 1
            return
        self._in_text += int(name in self.texts)
        if name in self.lines:
            self._flow.end_line()
        elif name in self.breaks:
            self._flow.end_line(always=True)
        elif name == "tab":
            self._flow.add_verbatim("\t")
        elif name == "noBreakHyphen":
            self._flow.add_verbatim("-")
        elif name == "s":  # ODT writes two and more spaces as an element
            self._flow.space()

    def leave(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
            return
        self._in_text -= int(name in self.texts)
        if name in self.lines:
            self._flow.end_line()

    def data(self, text: str) -> None:
        if self._in_text and not self._skipping:
            self._flow.add(text)


class _WordReader(_TextReader):
    """WordprocessingML. Source: ECMA-376 Part 1, section 17.3.

    Deleted and moved-away text is skipped, so are field instructions, and the older of two versions of a text
    box; paragraph properties are skipped because they define tab stops with the element that is a tab.
    """

    skipped = frozenset({"delText", "instrText", "delInstrText", "moveFrom", "Fallback", "pPr", "rPr"})
    lines = frozenset({"p"})
    breaks = frozenset({"br", "cr"})
    texts = frozenset({"t"})


# --- ODT


class _OpenDocumentReader(_TextReader):
    """OpenDocument text. Source: OpenDocument 1.3 Part 3, section 5."""

    skipped = frozenset({"tracked-changes", "annotation", "note-citation", "sequence-decls", "forms", "settings"})
    lines = frozenset({"p", "h"})
    breaks = frozenset({"line-break"})
    texts = frozenset({"p", "h"})


def _is_odt(archive: Archive) -> bool:
    return archive.find("mimetype") is None or archive.read("mimetype").strip().startswith(_ODT_TYPE)


def _add_odt(archive: Archive, flow: Flow, limits: DocumentLimits) -> None:
    manifest = "META-INF/manifest.xml"
    if archive.find(manifest) and any(n == "encryption-data" for n, _ in _elements(archive, manifest, limits)):
        raise UnsupportedMediumError(
            "the document is protected by a password", kind="encrypted", advice="save it without a password"
        )
    _parse(archive.read("content.xml"), _OpenDocumentReader(flow, limits), "content.xml")


# --- XML


class _ElementReader(_Reader):
    """Lists elements and their attributes in document order."""

    def __init__(self, limits: DocumentLimits) -> None:
        super().__init__(limits)
        self.elements: list[Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        self.elements.append((_local(tag), {_local(key): value for key, value in attributes.items()}))


def _elements(archive: Archive, member: str, limits: DocumentLimits) -> list[Element]:
    reader = _ElementReader(limits)
    _parse(archive.read(member), reader, member)
    return reader.elements


def _parse(data: bytes, reader: _Reader, member: str) -> None:
    """Send an XML file to a reader. Entities are forbidden, so nothing in it can grow or point outside."""
    parser = DefusedXMLParser(target=reader)
    try:
        parser.feed(data)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        # ValueError: encodings expat cannot use; LookupError: encodings nobody knows.
        raise _damaged(f"{member[:100]} in the document is not valid XML") from error


def _local(name: str) -> str:
    """Return a name without its namespace: producers use several namespaces for the same elements."""
    return name.rpartition("}")[2]


def _damaged(message: str) -> MalformedMediaError:
    return MalformedMediaError(message, kind="corrupt", advice="fetch or export the file again")
