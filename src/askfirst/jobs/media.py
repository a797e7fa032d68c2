"""From the bytes of a file to what can be compared and what is said in them."""

from __future__ import annotations

import faulthandler
import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import InputError, UnsupportedMediumError
from askfirst.io.documents import open_text
from askfirst.io.films import Film
from askfirst.io.sniff import HEAD_SIZE_BYTES, medium_of
from askfirst.model import Gap, Medium, Signal
from askfirst.signals import NOTHING
from askfirst.signals.xmp import read_xmp

__all__ = ["ITEM_TIMEOUT_S", "Opened", "gap_of", "open_bytes", "time_limit"]

ITEM_TIMEOUT_S = 60
"""One item may take this long, and a second more for each MiB of it; then its worker is ended, the item set aside."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was read from one file.

    Args:
        medium: What the bytes are.
        digest: SHA-256, 32 bytes.
        text: The words of a document, or None.
        grey: The grey values of a picture, u8 2-D, or None.
        rgb: The colours of a picture, u8[height, width, 3], where they were asked for.
        sound: Samples of a sound recording, or of a film's sound, i16[n] as `io.sounds` gives them, or None.
        film: Frames of a film, or None.
        signals: What is said in embedded metadata.
        gaps: What could not be read.
    """

    medium: Medium
    digest: bytes
    text: str | None = None
    grey: NDArray[np.uint8] | None = None
    rgb: NDArray[np.uint8] | None = None
    sound: NDArray[np.int16] | None = None
    film: Film | None = None
    signals: tuple[Signal, ...] = ()
    gaps: tuple[Gap, ...] = ()


def open_bytes(data: bytes, name: str, *, dense: bool = False, colour_px: int = 0) -> Opened:
    """Read a file of any kind; what cannot be read becomes a gap.

    Args:
        data: All its bytes.
        name: Its name: the suffix is a hint where the bytes leave a doubt.
        dense: Read many frames of a film, as a register keeps them.
        colour_px: Read a picture's colours too, with so many pixels on its shorter side; nought for grey alone. The
            grey of a JPEG then comes from its colours, unless it is read for a register: its hash may differ in a few
            bits.
    """
    digest = hashlib.sha256(data).digest()
    medium = medium_of(data[:HEAD_SIZE_BYTES], name)
    try:
        return _open(data, name, (medium, digest), dense=dense, colour_px=colour_px)
    except InputError as error:
        gap = gap_of(error, name)
    except MemoryError:
        gap = Gap("too-large", "reading it needs more memory than one item may have", name, "take it out or reduce it")
    return Opened(medium, digest, gaps=(gap,))


def _open(data: bytes, name: str, known: tuple[Medium, bytes], *, dense: bool, colour_px: int) -> Opened:
    medium, digest = known
    if not data:
        raise InputError("the file is empty", kind="empty", advice="get the file again")
    if medium == Medium.TEXT:
        return Opened(medium, digest, text=open_text(data, PurePosixPath(name).suffix))
    if medium == Medium.IMAGE:
        from askfirst.io.images import open_image  # noqa: PLC0415  # many a worker meets no picture

        picture = open_image(data, colour_px=colour_px, exact_grey=dense or not colour_px)
        said = read_xmp(picture.xmp) if picture.xmp else NOTHING
        return Opened(medium, digest, grey=picture.grey, rgb=picture.rgb, signals=said.signals, gaps=said.gaps)
    if medium == Medium.OTHER:
        raise UnsupportedMediumError(
            "nothing here reads this kind of file", kind="unknown-kind", advice="convert it, or take it out"
        )
    from askfirst.io.films import open_film  # noqa: PLC0415  # as above

    film = open_film(data, dense=dense)  # of sounds too: what is called one may hide a picture
    sound = None if film.sound is None else film.sound.samples
    gaps = () if film.flaw is None else (gap_of(film.flaw, name),)
    return Opened(medium, digest, film=film if film.frames else None, sound=sound, gaps=gaps)


def gap_of(error: InputError, source: str) -> Gap:
    """Return an error about an item as what it is in an audit: something that could not be read."""
    return Gap(error.kind, error.message, source, error.advice)


@contextmanager
def time_limit(seconds: int = ITEM_TIMEOUT_S) -> Iterator[Callable[[int], None]]:
    """End this process when an item takes longer: no decoder can refuse, and the engine starts another.

    Yields:
        To be called before each item, and again with its size in bytes once that is known. The clock is set at most
        once a second where an item is not large: setting it starts a thread.
    """
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        armed = -math.inf

        def begin_item(size_bytes: int = 0) -> None:
            nonlocal armed
            more = size_bytes >> 20
            if more > seconds >> 3 or time.monotonic() - armed >= 1:
                armed = -math.inf if more else time.monotonic()
                faulthandler.dump_traceback_later(seconds + more + 1, exit=True, file=nowhere)

        try:
            yield begin_item
        finally:
            faulthandler.cancel_dump_traceback_later()
