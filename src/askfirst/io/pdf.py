"""PDF: the text layer."""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import (
    DependencyError,
    DeprecationError,
    FileNotDecryptedError,
    LimitReachedError,
    PyPdfError,
)

from askfirst.errors import MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.io.flow import DocumentLimits

__all__ = ["pdf_text"]

_BROKEN = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    DeprecationError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,  # also RecursionError, NotImplementedError
    TypeError,
    ValueError,  # also UnicodeError, binascii.Error
    struct.error,
    zlib.error,
)
"""What the reader raises on damaged files besides its own errors. Found by mutation: `test_documents.py`."""

_LOSSES = ("Impossible to decode XFormObject", "Exceeded ")
"""How messages begin that say a part of a page was left out."""


def pdf_text(data: bytes, limits: DocumentLimits) -> str:
    """Return the text layer of a PDF, page after page.

    1. Open it; a file that asks for a password is tried with the empty one, as viewers do.
    2. Extract page by page within the limits of pages, operations and text.
    3. A page of which a part was left out is not a page that was read.

    Raises:
        MalformedMediaError: kind `corrupt`.
        TooLargeError: Too many pages, operations or characters.
        UnsupportedMediumError: kind `encrypted`, or `no-text` for scans.

    Cost:
        2 ms a page of prose; at worst a minute, when all operations are used up.
    """
    with _silence() as losses:
        try:
            pages = _open(data, limits)  # 1
            texts = list(_page_texts(pages, limits))  # 2
        except LimitReachedError as error:
            raise TooLargeError("the PDF asks for more work than a document should", limit=0) from error
        except (FileNotDecryptedError, DependencyError) as error:
            raise _locked() from error
        except _BROKEN as error:
            raise MalformedMediaError(
                "the PDF is damaged", kind="corrupt", advice="fetch or export the file again"
            ) from error
    if losses.messages:  # 3
        raise MalformedMediaError(
            "a part of a page of the PDF cannot be read", kind="corrupt", advice="export the file again"
        )
    text = "\n".join(page.strip() for page in texts if page.strip())
    if not text:
        raise UnsupportedMediumError(
            "the PDF has no text layer",
            kind="no-text",
            advice="run text recognition over the scanned pages first",
        )
    return text


def _open(data: bytes, limits: DocumentLimits) -> list[PageObject]:
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise _locked()
    count = len(reader.pages)
    if count > limits.pdf_pages:
        raise TooLargeError(
            f"the PDF has {count:,} pages",
            limit=limits.pdf_pages,
            kind="too-many-pages",
            advice="split it into its parts",
        )
    return list(reader.pages)


def _page_texts(pages: list[PageObject], limits: DocumentLimits) -> Iterator[str]:
    """Yield the text of every page; count operations while they run, forms inside forms included."""
    budget = _Budget(limits.pdf_operations)
    size = 0
    for page in pages:
        text = page.extract_text(visitor_operand_before=budget.spend)
        budget.check()  # the reader swallows errors inside forms
        size += len(text)
        if size > limits.text_size_bytes:
            raise TooLargeError(
                f"the PDF holds more than {limits.text_size_bytes:,} bytes of text",
                limit=limits.text_size_bytes,
                advice="split it into its parts",
            )
        yield text


class _Budget:
    """Counts drawing operations and their operands."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spent = 0

    def spend(self, _operator: Any, operands: Any, _cm_matrix: Any, _tm_matrix: Any) -> None:
        self._spent += 1
        if isinstance(operands, list):
            self._spent += sum(len(part) if isinstance(part, list) else 1 for part in operands)
        self.check()

    def check(self) -> None:
        if self._spent > self._limit:
            raise TooLargeError(
                f"the PDF draws more than {self._limit:,} times",
                limit=self._limit,
                advice="split it into its parts",
            )


class _Losses(logging.Handler):
    """Keeps messages that say a part was left out; drops all others."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith(_LOSSES):
            self.messages.append(str(record.msg))


@contextmanager
def _silence() -> Iterator[_Losses]:
    """Keep the reader's remarks about damaged files from the terminal, and notice those that matter."""
    logger = logging.getLogger("pypdf")
    losses = _Losses()
    propagate = logger.propagate
    logger.addHandler(losses)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield losses
    finally:
        logger.removeHandler(losses)
        logger.propagate = propagate


def _locked() -> UnsupportedMediumError:
    return UnsupportedMediumError(
        "the PDF is protected by a password", kind="encrypted", advice="save it without a password"
    )
