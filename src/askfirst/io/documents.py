"""Documents to plain text: the one entrance, whatever the format.

Each reader is loaded with the first document that needs it: together they would be a quarter of a worker's start.
"""

from __future__ import annotations

from askfirst.errors import InputError, MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.io.encodings import decode_markup, decode_text, unbroken
from askfirst.io.flow import DocumentLimits, check_text_size
from askfirst.io.sniff import HEAD_SIZE_BYTES, Format, format_of, suffix_of

__all__ = ["DEFAULT_LIMITS", "DocumentLimits", "open_text"]

DEFAULT_LIMITS = DocumentLimits()

_MARKUP = frozenset({Format.HTML, Format.MARKDOWN, Format.SUBTITLES})
_ARCHIVES = frozenset({Format.EPUB, Format.DOCX, Format.ODT, Format.ZIP})


def open_text(data: bytes, suffix: str, limits: DocumentLimits = DEFAULT_LIMITS) -> str:
    r"""Return the plain text of a document.

    What the document is, its bytes say; the suffix decides only between formats that look alike (Markdown,
    subtitles and plain text). Lines end with `\n`; blocks of a page or book stand on lines of their own.

    Args:
        data: All bytes of the file.
        suffix: Its suffix or name (`.epub`, `novel.txt`); may be empty.
        limits: Where to stop.

    Returns:
        The whole text. Never a part of it: what cannot be read completely is an error.

    Raises:
        MalformedMediaError: kind `corrupt`, `binary`, `encoding` or `unsafe-path`.
        TooLargeError: kind `too-large`, `too-deep`, `too-many-members`, `too-many-pages` or `zip-bomb`.
        UnsupportedMediumError: kind `encrypted`, `no-text`, `no-reader`, `compression` or `not-text`.

    Cost:
        See the reader of each format; a novel takes 1 ms as text, 25 ms as EPUB, 0.5 s as PDF.
    """
    if len(data) > limits.input_size_bytes:
        raise TooLargeError(
            f"the file is larger than {limits.input_size_bytes:,} bytes",
            limit=limits.input_size_bytes,
            advice="split it into its chapters or parts",
        )
    kind = format_of(data[:HEAD_SIZE_BYTES], suffix)
    text = unbroken(_read(kind, data, suffix, limits))
    check_text_size(text, limits.text_size_bytes)
    return text


def _read(kind: Format, data: bytes, suffix: str, limits: DocumentLimits) -> str:
    if not data and kind is not Format.PLAIN and kind is not Format.MARKDOWN:
        raise MalformedMediaError("the file is empty", kind="corrupt", advice="fetch or export it again")
    if kind in _MARKUP:
        return _markup_text(kind, data, limits)
    if kind is Format.PDF:
        from askfirst.io.pdf import pdf_text  # noqa: PLC0415  # see the top

        return pdf_text(data, limits)
    if kind in _ARCHIVES:
        from askfirst.io.books import book_text  # noqa: PLC0415  # see the top

        return book_text(data, limits)
    if kind is Format.OLE:
        raise _no_reader_for_ole(data)
    if kind is Format.PLAIN:
        return decode_text(data)
    if kind in {Format.IMAGE, Format.AUDIO, Format.VIDEO}:
        raise UnsupportedMediumError(f"the file is not a document ({kind})", kind="not-text")
    raise UnsupportedMediumError(
        f"there is no reader for this document ({kind}{', .' + suffix_of(suffix) if suffix else ''})",
        kind="no-reader",
        advice="save it as PDF, EPUB, DOCX, HTML or plain text",
    )


def _markup_text(kind: Format, data: bytes, limits: DocumentLimits) -> str:
    from askfirst.io.markup import html_text, markdown_text, subtitle_text  # noqa: PLC0415  # see the top

    if kind is Format.HTML:
        return html_text(decode_markup(data), limits)
    text = decode_text(data)
    return markdown_text(text, limits) if kind is Format.MARKDOWN else subtitle_text(text, limits)


def _no_reader_for_ole(data: bytes) -> InputError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return UnsupportedMediumError(
            "the document is protected by a password", kind="encrypted", advice="save it without a password"
        )
    return UnsupportedMediumError(
        "there is no reader for old Word documents", kind="no-reader", advice="save it as DOCX or PDF"
    )
