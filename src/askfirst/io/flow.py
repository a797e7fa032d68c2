"""How much of a document is read, and how its pieces become lines of plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from askfirst.errors import TooLargeError

__all__ = ["DocumentLimits", "Flow"]

MIB = 2**20


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Where reading a document stops. What is beyond a limit is refused, never cut off silently.

    Args:
        input_size_bytes: Size of the file.
        text_size_bytes: Size of its text in UTF-8.
        html_size_bytes: Size of one HTML or XHTML page.
        html_work: Cost of building the tree of one page: tags times open tags, plus the squared number of
            attributes of each tag. 300 million take about a second; ordinary pages stay below one million.
        xml_depth: Elements inside elements in DOCX, ODT and EPUB package files.
        pdf_pages: Pages of a PDF.
        pdf_operations: Drawing operations of all pages of a PDF.
        members: Entries of a ZIP archive.
        member_size_bytes: Unpacked size of one entry.
        unpacked_size_bytes: Unpacked size of all entries that are read.
        ratio: Unpacked size divided by packed size of an entry. Prose reaches 5, spreadsheets of zeros 200.
    """

    input_size_bytes: int = 64 * MIB
    text_size_bytes: int = 64 * MIB
    html_size_bytes: int = 16 * MIB
    html_work: int = 300_000_000
    xml_depth: int = 256
    pdf_pages: int = 5_000
    pdf_operations: int = 10_000_000
    members: int = 10_000
    member_size_bytes: int = 64 * MIB
    unpacked_size_bytes: int = 128 * MIB
    ratio: int = 200


_COLLAPSIBLE = re.compile(r"[ \t\n\f\r]+")
"""What HTML folds into one space. Source: CSS Text 3, section 4.1.1; a no-break space is not in it."""


class Flow:
    """Pieces of text joined the way a browser shows them: spaces folded, one line for every block.

    Args:
        limits: `text_size_bytes` is where the flow refuses more.
    """

    def __init__(self, limits: DocumentLimits) -> None:
        self._limit = limits.text_size_bytes
        self._size = 0
        self._parts: list[str] = []
        self._line_is_empty = True
        self._space_is_due = False

    def add(self, text: str) -> None:
        """Add running text; every run of white space becomes one space, none stands at a line's end."""
        folded = _COLLAPSIBLE.sub(" ", text)
        words = folded.strip(" ")
        if not words:
            self._space_is_due = self._space_is_due or bool(folded)
            return
        if (self._space_is_due or folded[0] == " ") and not self._line_is_empty:
            self._parts.append(" ")
        self._line_is_empty = False
        self._space_is_due = folded[-1] == " "
        self._keep(words)

    def add_verbatim(self, text: str) -> None:
        """Add text whose spaces and line ends mean something (`<pre>`, `xml:space="preserve"`)."""
        if not text:
            return
        if self._space_is_due and not self._line_is_empty:
            self._parts.append(" ")
        self._space_is_due = False
        self._line_is_empty = text[-1] == "\n"
        self._keep(text)

    def space(self) -> None:
        """Part what follows from what was, on the same line: table cells."""
        self._space_is_due = True

    def end_line(self, *, always: bool = False) -> None:
        """Begin a new line; an empty line stays one line unless `always` (`<br>`)."""
        if always or not self._line_is_empty:
            self._keep("\n")
        self._line_is_empty = True
        self._space_is_due = False

    def text(self) -> str:
        """Return all lines, without empty lines at the beginning and the end.

        Raises:
            TooLargeError: The text is larger than the limit.
        """
        text = "".join(self._parts).strip("\n")
        check_text_size(text, self._limit)
        return text

    def _keep(self, piece: str) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise _too_much_text(self._limit)
        self._parts.append(piece)


def check_text_size(text: str, limit: int) -> None:
    """Refuse text that is longer in UTF-8 than a limit.

    Raises:
        TooLargeError: It is.
    """
    # A character takes one to four bytes: only the texts in between must be encoded to know.
    if len(text) > limit or (len(text) * 4 > limit and len(text.encode("utf-8", "replace")) > limit):
        raise _too_much_text(limit)


def _too_much_text(limit: int) -> TooLargeError:
    return TooLargeError(
        f"the document holds more than {limit:,} bytes of text",
        limit=limit,
        advice="split it into its chapters or parts",
    )
