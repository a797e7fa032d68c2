"""Files of sound and film, opened: the only place where FFmpeg is let near them.

What a stranger's file may do is kept small. It is read from memory, by a list of formats none of which is a
list of other files; whatever it names, nothing else is opened. Pictures beyond a limit are refused inside the
decoder. One thread decodes. FFmpeg says nothing to the terminal.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn

from askfirst.errors import InputError, MalformedMediaError, TooLargeError

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = [
    "DAMAGED_MAX",
    "PIXELS_MAX",
    "announced_seconds",
    "decode_packets",
    "moving_pictures",
    "open_container",
    "packets_of",
    "read_only",
    "reading",
]

PIXELS_MAX = 100_000_000
"""Largest frame of a film, as for pictures."""

DAMAGED_MAX = 0.05
"""Share of a recording's packets that may be damaged: players pass over as much without a word."""

_STREAMS_MAX = 64

_WHOLE = 0.95
"""A RIFF file with less than this share of its bytes is a part of one; some programs count a little wrong."""

_AGAIN = "get the file again"

_FORMATS = (
    "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "eac3", "flac", "flv", "ivf", "matroska", "mov",
    "mp3", "mpeg", "mpegts", "mpegvideo", "ogg", "rm", "tta", "voc", "w64", "wav", "wv",
)  # fmt: skip
"""Names of FFmpeg's readers. Playlists (hls, dash, concat, sdp, image2) are left out, and so is everything rare:
each reader is code that meets hostile bytes."""

_GUESSED = {"aac", "ac3", "amr", "eac3", "ivf", "mp3", "mpegvideo", "rm"}
"""Formats that do not state their length: FFmpeg guesses it from the number of bytes."""

_OPTIONS = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "none", "max_streams": str(_STREAMS_MAX)}

_ATTACHED = 0x400
"""FFmpeg's mark of a picture that belongs to a recording: its cover."""


def _refuse(*_: object) -> NoReturn:
    """Answer a file that wants another file to be opened."""
    raise PermissionError("a file of sound or film must stand alone")


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Translate what FFmpeg and its binding raise into one clear line.

    Args:
        what: `sound` or `film`, for the message.

    Raises:
        InputError: kind `reader-missing`: the package that decodes is not installed.
        MalformedMediaError: kind `damaged`.
        TooLargeError: kind `too-many-pixels`, where there is not the memory to decode it.
    """
    try:
        import av  # noqa: PLC0415  # the extra `media`
    except ImportError as error:
        raise InputError(
            "sound and film need a reader that is not installed",
            kind="reader-missing",
            advice="pip install 'askfirst[media]'",
        ) from error
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise TooLargeError(
            f"the {what} needs more memory than there is", limit=PIXELS_MAX, kind="too-large", advice="save it smaller"
        ) from error
    # The binding's own are ValueError (changed formats), OverflowError (times) and OSError (other files).
    except (av.FFmpegError, ValueError, OverflowError, ArithmeticError, OSError) as error:
        raise MalformedMediaError(
            f"the {what} is damaged and cannot be decoded", kind="damaged", advice=_AGAIN
        ) from error


@contextmanager
def open_container(data: bytes, what: str) -> Iterator[InputContainer]:
    """Open a file in memory; to be called within `reading`.

    Args:
        data: The file.
        what: As for `reading`.

    Raises:
        MalformedMediaError: kind `empty`, `truncated` or `damaged`.
    """
    import av  # noqa: PLC0415  # the extra `media`

    if not data:
        raise MalformedMediaError(f"the {what} is empty", kind="empty", advice=_AGAIN)
    ends_early = _ends_early(data)
    if ends_early and data[:4] == b"RIFF":  # FFmpeg would take what there is for the whole
        raise MalformedMediaError(f"the {what} ends before its end", kind="truncated", advice=_AGAIN)
    try:
        container = av.open(
            io.BytesIO(data),
            "r",
            options={"max_pixels": str(PIXELS_MAX), "threads": "1"},
            container_options=_OPTIONS,
            metadata_errors="replace",
            io_open=_refuse,
        )
    except (av.FFmpegError, ValueError, OSError) as error:
        if ends_early:
            raise MalformedMediaError(f"the {what} ends before its end", kind="truncated", advice=_AGAIN) from error
        raise MalformedMediaError(
            f"this is no {what}, or a damaged one", kind="damaged", advice="look at what was downloaded"
        ) from error
    with container:
        yield container


def _ends_early(data: bytes) -> bool:
    """Tell whether a file lacks a part by the sizes that it states.

    MP4 and QuickTime may have their table of contents at the end. A RIFF file that was written without an end
    says that it is two or four gigabytes long.
    """
    if data[:4] == b"RIFF":
        size = int.from_bytes(data[4:8], "little")
        return len(data) < _WHOLE * size and size < 0x7F000000
    if data[4:8] not in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        return False
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            return False
        at += size
    return at > len(data)


def moving_pictures(container: InputContainer) -> Any:
    """Return the stream of pictures of a file, or None; covers of records, which look like one, are none."""
    moving = [stream for stream in container.streams.video if not stream.disposition & _ATTACHED]
    best = container.streams.best("video")
    return best if best in moving else next(iter(moving), None)


def announced_seconds(container: InputContainer, stream: Any) -> float:
    """Return how long a file says that one of its streams is; nought where it does not say."""
    if container.format.name in _GUESSED:
        return 0.0
    if stream.duration is not None and stream.time_base is not None:
        return max(float(stream.duration * Fraction(stream.time_base)), 0.0)
    alone = len(container.streams) == 1
    return max((container.duration or 0) / 1e6, 0.0) if alone or stream.type == "video" else 0.0


def read_only(container: InputContainer, stream: Any) -> None:
    """Pass over all other streams of a file, and decode this one in one thread."""
    from av.stream import Discard  # noqa: PLC0415  # the extra `media`

    for other in container.streams:
        # Key frames alone could be asked for here, too; then FFmpeg guesses wrong times for them.
        other.discard = Discard.default if other.index == stream.index else Discard.all
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(PIXELS_MAX)}


def packets_of(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Yield the packets of one stream, and an empty one to end with."""
    try:
        yield from container.demux(stream)
    except IndexError:  # a stream that turned up half-way is unknown to the binding, which sees it at the very end
        return


def decode_packets(packets: Iterator[Any], what: str) -> Iterator[Any]:
    """Yield the frames of packets, passing over a few damaged ones.

    Raises:
        MalformedMediaError: kind `damaged`: more than `DAMAGED_MAX` of the packets cannot be decoded, or all.
    """
    import av  # noqa: PLC0415  # the extra `media`

    count = bad = 0
    for packet in packets:
        count += packet.size > 0
        try:
            frames = packet.decode()
        except av.error.EOFError:
            continue
        except (av.FFmpegError, ValueError):
            bad += 1
            continue
        yield from frames
    if bad > max(1, DAMAGED_MAX * count) or (bad and bad >= count):
        raise MalformedMediaError(f"{bad} of {count} parts of the {what} are damaged", kind="damaged", advice=_AGAIN)
