"""Recordings nobody made: music of random notes, films of drifting shapes; the same for the same seed."""

from __future__ import annotations

import io
from functools import cache

import av
import numpy as np

RATE_HZ = 22_050
SIZE = (320, 240)


@cache
def music(seed: int, seconds: int) -> np.ndarray:
    """Return i16[n] at `RATE_HZ`: two voices of plucked notes over a quiet hiss."""
    chance = np.random.default_rng(seed)
    total = np.zeros(seconds * RATE_HZ)
    for voice in range(2):
        at = 0.0
        while at < seconds - 0.1:
            length = chance.choice([0.12, 0.18, 0.25, 0.4])
            pitch = 110 * 2 ** (chance.integers(0, 36) / 12 + voice)
            time = np.arange(int(min(0.8, seconds - at) * RATE_HZ)) / RATE_HZ
            harmonics = sum(np.sin(2 * np.pi * pitch * h * time) / h for h in range(1, 5))
            start = int(at * RATE_HZ)
            total[start : start + len(time)] += harmonics * np.exp(-5 * time)
            at += length
    total += chance.normal(0, 0.01, len(total))
    return (total / np.abs(total).max() * 20_000).astype(np.int16)


def encode_music(samples: np.ndarray, kind: str = "wav", bit_rate: int | None = None) -> bytes:
    """Return samples as a file: `wav`, `mp3`, `ogg`, `flac`."""
    codec = {"wav": "pcm_s16le", "mp3": "libmp3lame", "ogg": "flac", "flac": "flac"}[kind]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="mono")
        if bit_rate:
            stream.bit_rate = bit_rate
        _write_sound(container, stream, samples)
    return buffer.getvalue()


def encode_film(seed: int, seconds: int, *, first: int = 0, quality: int = 4) -> bytes:
    """Return a film with its music as Matroska; every two seconds another scene.

    Args:
        seed: Which film.
        seconds: How long.
        first: Second of the film it begins with.
        quality: MPEG-4's quantiser: 2 is fine, 20 is coarse.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = *SIZE, "yuv420p"
        picture.codec_context.gop_size = 10
        picture.codec_context.flags |= av.codec.context.Flags.qscale
        picture.codec_context.global_quality = quality * 118
        sound = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
        for number in range(seconds * 10):
            frame = av.VideoFrame.from_ndarray(_scene(seed, first * 10 + number), format="rgb24")
            frame.pts = number
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        _write_sound(container, sound, music(seed + 500, 60)[first * RATE_HZ : (first + seconds) * RATE_HZ])
    return buffer.getvalue()


def _write_sound(container, stream, samples):
    for start in range(0, len(samples), 1152):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1152], format="s16", layout="mono")
        frame.rate, frame.pts = RATE_HZ, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _scene(seed: int, number: int) -> np.ndarray:
    """Return one frame: three dozen grey ellipses that drift, other ones every two seconds."""
    chance = np.random.default_rng((seed, number // 20))
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    grey = np.full((SIZE[1], SIZE[0]), chance.integers(40, 200), np.float64)
    for _ in range(36):
        centre, radius = chance.uniform(0, 1, 2) * SIZE, chance.uniform(8, 60, 2)
        drift = chance.uniform(-0.4, 0.4, 2) * (number % 20)
        inside = ((x - centre[0] - drift[0]) / radius[0]) ** 2 + ((y - centre[1] - drift[1]) / radius[1]) ** 2 < 1
        grey[inside] = chance.integers(0, 256)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
