"""From the bytes of a file of sound, or of a film, to what is heard: one channel of 8,000 numbers a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import InputError, MalformedMediaError, TooLargeError, UnsupportedMediumError
from askfirst.fingerprint.audio import RATE_HZ
from askfirst.io.containers import (
    announced_seconds,
    decode_packets,
    moving_pictures,
    open_container,
    packets_of,
    read_only,
    reading,
)

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["RATE_HZ", "Sound", "SoundLimits", "open_sound", "read_sound"]

_RATES_HZ = (1000, 768_000)
"""Sampling rates that exist, from telegraphy to studios; others are damage or an attack."""

_CHANNELS_MAX = 64

_SHORT = 0.95
"""Less than this share of what a file announces, and more than a second less, is a part of a recording."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording as it is compared.

    Args:
        samples: i16[n], the mean of all channels, `RATE_HZ` a second.
    """

    samples: NDArray[np.int16]

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / RATE_HZ


@dataclass(frozen=True, slots=True)
class SoundLimits:
    """What is refused.

    Args:
        seconds: Longest recording; an hour takes 58 MB of memory.
    """

    seconds: int = 12 * 3600


_LIMITS = SoundLimits()


@dataclass(slots=True)
class _Samples:
    """Numbers that become more, without a second copy of all of them."""

    limit: int
    count: int = 0
    room: NDArray[np.int16] = field(default_factory=lambda: np.empty(1 << 16, np.int16))

    def append(self, more: NDArray[np.int16]) -> None:
        end = self.count + len(more)
        if end > self.limit:
            raise TooLargeError(
                f"the sound is longer than {self.limit // RATE_HZ // 3600} hours",
                limit=self.limit,
                kind="too-long",
                advice="cut it into parts, or raise the limit",
            )
        if end > len(self.room):
            self.room.resize(max(end, len(self.room) * 3 // 2), refcheck=False)
        self.room[self.count : end] = more
        self.count = end

    def close(self) -> NDArray[np.int16]:
        self.room.resize(self.count, refcheck=False)
        self.room.flags.writeable = False
        return self.room


def open_sound(data: bytes, *, limits: SoundLimits = _LIMITS) -> Sound:
    """Decode a file of sound, whatever its name.

    Args:
        data: A recording; it may have a cover. Of a film nothing is left out: `films.open_film` reads it.
        limits: What is refused.

    Raises:
        InputError: kind `reader-missing`, or `is-film`: there are moving pictures too.
        MalformedMediaError: kind `empty`, `no-sound`, `truncated` or `damaged`.
        UnsupportedMediumError: kind `unsupported-format`.
        TooLargeError: kind `too-long`, `too-many-samples` or `too-many-channels`.

    Cost: 2 ms a second of sound; memory for the numbers alone.
    """
    with reading("sound"), open_container(data, "sound") as container:
        if moving_pictures(container) is not None:
            raise InputError("this is a film, not a sound alone", kind="is-film", advice="read it as a film")
        sound = read_sound(container, limits)
        if sound is None:
            raise MalformedMediaError("there is no sound in this file", kind="no-sound", advice="take it out")
        return sound


def read_sound(container: InputContainer, limits: SoundLimits = _LIMITS) -> Sound | None:
    """Decode the best stream of sound of an open file; None where it has none that can be decoded.

    Raises:
        InputError: As `open_sound`.
    """
    from av.audio.stream import AudioStream  # noqa: PLC0415  # the extra `media`

    stream = container.streams.best("audio")
    if stream is None or not isinstance(stream, AudioStream):
        return None
    if stream.codec_context is None:
        raise UnsupportedMediumError("no reader for this sound", kind="unsupported-format", advice="convert it to FLAC")
    _check(stream.codec_context.sample_rate, stream.codec_context.channels)
    read_only(container, stream)
    samples = _Samples(limits.seconds * RATE_HZ)
    for part in _resampled(decode_packets(packets_of(container, stream), "sound")):
        samples.append(part)
    sound = Sound(samples.close())
    announced = announced_seconds(container, stream)
    if sound.seconds < min(_SHORT * announced, announced - 1):
        raise MalformedMediaError(
            f"the sound ends after {sound.seconds:.0f} of {announced:.0f} seconds",
            kind="truncated",
            advice="get the file again",
        )
    if not len(sound.samples):
        raise MalformedMediaError("nothing of the sound can be decoded", kind="damaged", advice="get the file again")
    return sound


def _check(rate_hz: int, channels: int) -> None:
    """Refuse a stream by what its header says; noughts are not known yet."""
    if rate_hz and not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
        raise TooLargeError(
            f"the sound says it has {rate_hz:,} numbers a second",
            limit=_RATES_HZ[1],
            kind="too-many-samples",
            advice="get the file again",
        )
    if channels > _CHANNELS_MAX:
        raise TooLargeError(
            f"the sound says it has {channels} channels, more than {_CHANNELS_MAX}",
            limit=_CHANNELS_MAX,
            kind="too-many-channels",
            advice="save it with fewer channels",
        )


def _resampled(frames: Iterator[Any]) -> Iterator[NDArray[np.int16]]:
    """Yield the mean of all channels at `RATE_HZ`; a stream may change its format half-way."""
    from av.audio.resampler import AudioResampler  # noqa: PLC0415  # the extra `media`

    resampler, before = None, None
    for frame in frames:
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if now != before:
            _check(frame.sample_rate, frame.layout.nb_channels)
            if resampler is not None:
                yield from (part.to_ndarray()[0] for part in resampler.resample(None))
            resampler, before = AudioResampler("s16", "mono", RATE_HZ), now
        frame.pts = None  # times that go backwards would stop it
        if resampler is not None:
            yield from (part.to_ndarray()[0] for part in resampler.resample(frame))
    if resampler is not None:
        yield from (part.to_ndarray()[0] for part in resampler.resample(None))
