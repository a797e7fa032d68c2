"""From the bytes of a film to some of its frames, in grey, and its sound.

Decoding everything is 10 to 30 times as dear as decoding key frames, which encoders put where a shot begins and
every few seconds. So a film that is looked up is read by its key frames, at most one every two seconds, and of
long ones fewer, evenly. Only where there are too few of them all frames are decoded, up to a limit, and some
of these taken by the clock. A film that is registered is read in full, two frames a second, without those that
repeat the one before: a key frame of whatever copy then has a neighbour.

A frame's grey is its luminance as it is coded; of RGB it is computed. It is scaled down by a whole number, each
pixel the mean of a square. A note that the film is to be turned is left aside, as are borders: whoever compares
frames tries all orientations, with and without borders.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import InputError, MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.fingerprint.image import hash_image
from askfirst.io.containers import (
    PIXELS_MAX,
    announced_seconds,
    decode_packets,
    moving_pictures,
    open_container,
    packets_of,
    read_only,
    reading,
)
from askfirst.io.sounds import Sound, read_sound
from askfirst.jit import kernel

__all__ = ["FRAMES_MAX", "Film", "Frame", "open_film"]

FRAMES_MAX = 1800
"""Frames of a film that is looked up: an hour at one every two seconds."""

DENSE_FRAMES_MAX = 7200
"""Frames of a film that is registered: an hour at two a second. Longer films have fewer a second."""

_STEP_S = 2.0
_CLOSE_STEP_S = 1.0
_DENSE_STEP_S = 0.5

_FEW = 6
"""A film with fewer key frames than this is decoded in full; it is short, or was never meant to be cut."""

_GAP_S = 12.0
"""Key frames further apart than this leave too much out. Common encoders put them 10.4 seconds apart at most."""

_DECODED_PIXELS_MAX = 15_000_000_000
"""What is decoded in full of a film that is looked up: 11 minutes at 1280 x 720, half a minute of work."""

_SIDE_MAX = 512
_DENSE_SIDE_MAX = 320
_REPEATED_BITS = 10
"""A frame that differs from the one before by no more says nothing new."""

_SHORT = 0.95
"""Less than this share of what a film announces is a part of one."""

_UNSKIPPED = {"theora"}
"""Decoders that take a frame they are told to pass over for a damaged one."""

_DECODED = 0.75
"""Share of the key frames that must give a picture; decoders pass over noughts without a word."""

_CLOSE_S = 60.0
_EARLY_S = 0.02
"""Frames by the clock may come so much early: few times are whole numbers of frames."""

_ANY = 1 << 62
_AGAIN = "get the file again"
_OUT = "take it out"

_LUMINANCE = ("yuv4", "yuvj4", "yuva4", "nv12", "nv21", "nv16", "nv24", "gray")
"""How formats begin whose first plane is the luminance."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a film.

    Args:
        seconds: When it is shown, from the beginning of the film.
        grey: u8[height, width], as `io.images.OpenedImage.grey`.
    """

    seconds: float
    grey: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Film:
    """A film as it is compared.

    Args:
        frames: Some of its pictures, in order of time; none where the file has sound only.
        seconds: Its length.
        sound: What is heard, or None.
        flaw: Why there is sound that cannot be heard, or None.
    """

    frames: tuple[Frame, ...]
    seconds: float
    sound: Sound | None
    flaw: InputError | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which frames to take: at most one every `step_s`, of key frames or of all, until too much is decoded."""

    step_s: float
    side_px: int
    is_keys: bool
    pixels_max: int

    def after(self, taken_s: float) -> float:
        """Return from when on the next frame is taken: the clock goes on evenly, whichever frames there are."""
        return (math.floor((taken_s + _EARLY_S) / self.step_s) + 1) * self.step_s - _EARLY_S


@dataclass(slots=True)
class _Seen:
    """What a reading has come to."""

    end_s: float = 0.0
    keys: int = 0
    is_cut: bool = False


def open_film(data: bytes, *, dense: bool = False) -> Film:
    """Decode some frames of a film, and its sound.

    1. Read what the file says of itself, and refuse what is too large.
    2. To register: take two frames a second, of all there are, but for those that repeat the one before.
    3. To look up: take key frames; where they are few or far apart, also frames by the clock.
    4. Refuse a film that ends long before it says.
    5. Read the sound; where only that is damaged, do without.

    Args:
        data: The file.
        dense: For registering.

    Raises:
        InputError: kind `reader-missing`.
        MalformedMediaError: kind `empty`, `no-film` (neither pictures nor sound), `truncated` or `damaged`.
        UnsupportedMediumError: kind `unsupported-format`.
        TooLargeError: kind `too-many-pixels`, or as `io.sounds.open_sound`.

    Cost: At 1280 x 720 about 4 ms a second of film by key frames, 50 ms in full; and the sound.
    """
    with reading("film"):
        announced = _announced(data)  # 1.
        if announced is None:
            return _sound_alone(data)
        seen = _Seen()
        if dense:  # 2.
            plan = _Plan(_DENSE_STEP_S, _DENSE_SIDE_MAX, is_keys=False, pixels_max=_ANY)
            frames = _evenly(_distinct(_read(data, plan, seen)), DENSE_FRAMES_MAX)
        else:  # 3.
            keys = _Plan(_STEP_S, _SIDE_MAX, is_keys=True, pixels_max=_ANY)
            frames = _evenly(_read(data, keys, seen), FRAMES_MAX)
            if _is_sparse(frames, max(announced, seen.end_s)):
                step = _CLOSE_STEP_S if announced <= _CLOSE_S else _STEP_S
                clock = _Plan(step, _SIDE_MAX, is_keys=False, pixels_max=_DECODED_PIXELS_MAX)
                frames = _merged(frames, _evenly(_read(data, clock, seen), FRAMES_MAX))
        _check_end(frames, seen, announced)  # 4.
        return Film(tuple(frames), max(announced, seen.end_s), *_sound(data, frames))  # 5.


def _announced(data: bytes) -> float | None:
    """Return how long the pictures of a file are, 0 where it does not say; None where it has no pictures."""
    with open_container(data, "film") as container:
        stream = moving_pictures(container)
        if stream is None:
            return None
        context = stream.codec_context
        if context is None:
            raise UnsupportedMediumError(
                "no reader for the pictures of this film", kind="unsupported-format", advice="convert it to MP4"
            )
        if context.width * context.height > PIXELS_MAX:
            raise TooLargeError(
                f"the film says it has {context.width:,} x {context.height:,} pixels",
                limit=PIXELS_MAX,
                kind="too-many-pixels",
                advice="save it smaller",
            )
        return announced_seconds(container, stream)


def _sound(data: bytes, frames: list[Frame]) -> tuple[Sound | None, InputError | None]:
    """Return the sound, or why it cannot be heard; a film without pictures must have one."""
    try:
        with open_container(data, "film") as container:
            sound = read_sound(container)
    except (MalformedMediaError, UnsupportedMediumError) as error:
        if frames:
            return None, error
        raise
    if sound is None and not frames:
        raise MalformedMediaError("there is neither picture nor sound in this file", kind="no-film", advice=_OUT)
    return sound, None


def _sound_alone(data: bytes) -> Film:
    sound, _flaw = _sound(data, [])
    return Film((), 0.0 if sound is None else sound.seconds, sound)


def _read(data: bytes, plan: _Plan, seen: _Seen) -> Iterator[Frame]:
    """Yield frames by a plan."""
    with open_container(data, "film") as container:
        stream = moving_pictures(container)
        read_only(container, stream)
        if stream.codec_context.name not in _UNSKIPPED:
            stream.codec_context.skip_frame = "NONKEY" if plan.is_keys else "NONREF"
        origin, after = None, -math.inf
        pixels = count = 0
        for frame in decode_packets(_packets(container, stream, plan, seen), "film"):
            at = frame.time
            if at is None or frame.is_corrupt:
                continue
            count += 1
            origin = at if origin is None else min(origin, at)
            pixels += frame.width * frame.height
            if pixels > plan.pixels_max:
                seen.is_cut = True
                return
            if at - origin < after:
                continue
            after = plan.after(at - origin)
            yield Frame(at - origin, _grey_of(frame, plan.side_px))
        if plan.is_keys and count < _DECODED * seen.keys:
            raise MalformedMediaError(
                f"only {count} of {seen.keys} key frames can be decoded", kind="damaged", advice=_AGAIN
            )


def _packets(container: Any, stream: Any, plan: _Plan, seen: _Seen) -> Iterator[Any]:
    """Yield the packets that a plan asks for; decoders that ignore `skip_frame` are not given the others."""
    rate, origin, after = stream.average_rate or 25, None, -math.inf
    for count, packet in enumerate(packets_of(container, stream)):
        if packet.size == 0:  # the end: what the decoder still holds
            yield packet
            continue
        stamp = packet.pts if packet.pts is not None else packet.dts
        at = float(stamp * packet.time_base) if stamp is not None else float(count / rate)
        if stamp is None:
            packet.pts = int(at / packet.time_base)
        origin = at if origin is None else min(origin, at)
        seen.end_s = max(seen.end_s, at - origin + float((packet.duration or 0) * packet.time_base))
        if plan.is_keys and (not packet.is_keyframe or at - origin < after):
            continue
        after = plan.after(at - origin)
        seen.keys += plan.is_keys
        yield packet


def _distinct(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield frames that do not repeat the one before."""
    before: int | None = None
    for frame in frames:
        code = int.from_bytes(hash_image(frame.grey)[0].tobytes(), "big")
        if before is None or (code ^ before).bit_count() > _REPEATED_BITS:
            before = code
            yield frame


def _evenly(frames: Iterator[Frame], most: int) -> list[Frame]:
    """Return at most so many frames: of a longer film every second, every fourth and so on."""
    kept: list[Frame] = []
    gap = 0.0
    for frame in frames:
        if kept and frame.seconds - kept[-1].seconds < gap:
            continue
        kept.append(frame)
        if len(kept) > most:
            kept = kept[::2]
            gap = (kept[-1].seconds - kept[0].seconds) / len(kept)
    return kept


def _is_sparse(frames: list[Frame], seconds: float) -> bool:
    """Tell whether frames leave too much of a film out."""
    times = [0.0, *(frame.seconds for frame in frames), seconds]
    return len(frames) < _FEW or max(b - a for a, b in pairwise(times)) > _GAP_S


def _merged(frames: list[Frame], others: list[Frame]) -> list[Frame]:
    """Return the frames of both, in order, none twice."""
    by_time = {round(1000 * frame.seconds): frame for frame in (*others, *frames)}
    return [by_time[time_ms] for time_ms in sorted(by_time)]


def _check_end(frames: list[Frame], seen: _Seen, announced: float) -> None:
    """Refuse a film that ends long before it says, or of which nothing can be decoded."""
    if not frames:
        raise MalformedMediaError("nothing of the film can be decoded", kind="damaged", advice=_AGAIN)
    if not seen.is_cut and seen.end_s + 1 < _SHORT * announced:
        raise MalformedMediaError(
            f"the film ends after {seen.end_s:.0f} of {announced:.0f} seconds", kind="truncated", advice=_AGAIN
        )


def _grey_of(frame: Any, side_px: int) -> NDArray[np.uint8]:
    """Return the luminance of a frame, u8[height, width], scaled down by a whole number."""
    if not (frame.format.name.startswith(_LUMINANCE) and frame.format.components[0].bits == 8):
        frame = frame.reformat(format="gray", threads=1)
    plane = frame.planes[0]
    grey = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    scale = min(-(-max(grey.shape) // side_px), *grey.shape)
    return _mean_of_squares(grey, scale)


@kernel
def _mean_of_squares(grey: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Return a picture with each square of `scale` by `scale` pixels as one; what is left at the edges goes."""
    height, width = grey.shape[0] // scale, grey.shape[1] // scale
    area = scale * scale
    out = np.empty((height, width), np.uint8)
    line = np.empty(width, np.int64)
    for y in range(height):
        line[:] = area // 2
        for row in range(y * scale, (y + 1) * scale):
            for x in range(width):
                for column in range(x * scale, (x + 1) * scale):
                    line[x] += np.int64(grey[row, column])
        for x in range(width):
            out[y, x] = line[x] // area
    return out
