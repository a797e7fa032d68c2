"""The fingerprint of a sound, `audio_v0`: the peaks of its spectrum, which survive codecs, noise and telephones.

The idea is that of landmarks (Wang, "An industrial-strength audio search algorithm", 2003): what is loudest in
its surroundings stays loudest in them, whatever a codec, a room or a telephone does to a recording. A peak is a
frame (32 ms) and a frequency on a logarithmic scale (384 steps an octave), so that a change of tempo stretches
the frames and a change of pitch moves all frequencies by the same number of steps.

A work is stored sparse, about ten peaks a second, three bytes each. An item is looked up dense, three times as
many: then a peak of the work is there although something louder was added.

All is computed here: a Fourier transform in single precision in one fixed order of operations, without
fast-math, on tables made by integer arithmetic; from the logarithms on everything is integers. So every machine
gives the same peaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from askfirst.jit import kernel

__all__ = [
    "ALGORITHM",
    "BINS",
    "FRAME_SAMPLES",
    "HOP_SAMPLES",
    "OCTAVE_BINS",
    "RATE_HZ",
    "Peaks",
    "SoundQuery",
    "log2_steps",
    "pack_peaks",
    "query_peaks",
    "stored_peaks",
    "unpack_peaks",
]

ALGORITHM = "audio_v0"

RATE_HZ = 8000
"""Samples a second of the sound that is fingerprinted: what is above 4 kHz no telephone carries."""

FRAME_SAMPLES = 1024
HOP_SAMPLES = 256

OCTAVE_BINS = 384
"""Steps of frequency in an octave: 0.18 % each, finer than a peak can be told."""

BINS = 2048
"""Frequencies lie below this: 11 bits. Bin 0 is 125 Hz."""

STORED_PEAKS = 12
QUERY_PEAKS = 30
"""A peak is kept when fewer than so many are stronger within `_RANK_FRAMES` frames before and after it."""

_RANK_FRAMES = 16
_FIRST, _LAST = 16, 481
"""Lines of the spectrum in which peaks are looked for: 125 Hz to 3,750 Hz."""

_WIDTH = 512
_REACH_FRAMES, _REACH_LINES = 2, 4
"""A peak is the loudest within so many frames and lines around it."""

_AROUND_LINES = 16
_LOG_STEPS = 256
_QUIET = 14 * _LOG_STEPS
"""Power below which there are no peaks: a tone of half a step of 16 bits."""

_PROMINENCE_MIN = 1 * _LOG_STEPS
"""A peak is so much louder than the mean of the lines around it: 3 dB. A click is as loud everywhere."""

_BATCH = 8
"""Transforms done side by side, two frames each: so the inner loop is as wide as a vector register."""

_CHUNK_FRAMES = 4096
_BRIDGE = (1 << 13) - 1


def _quarter_wave() -> NDArray[np.float32]:
    """Return f32[257]: cos(pi * k / 512), from integers alone: half angles by roots, then one turn a step."""
    one = 1 << 60
    cosine = 0
    for _ in range(8):  # from a quarter of a circle, halved eight times
        cosine = isqrt((one + cosine) * one // 2)
    sine = isqrt(one * one - cosine * cosine)
    waves, x, y = [], one, 0
    for _ in range(257):
        waves.append((x + (1 << 35)) >> 36)
        x, y = (x * cosine - y * sine) >> 60, (x * sine + y * cosine) >> 60
    return (np.array(waves, np.float64) / (1 << 24)).astype(np.float32)


def _tables() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return f32[2, 512], cosine and sine of a turn in 1,024; f32[1024], the Hann window; i64[1024], the order."""
    quarter = _quarter_wave()
    quarter[256] = 0
    half = np.concatenate([quarter, -quarter[255::-1]])  # 0 to pi
    turns = np.stack([half[:512], np.concatenate([quarter[::-1], quarter[1:256]])])
    full = np.concatenate([half[:512], -half[:512]])
    window = (np.float32(1) - full) * np.float32(0.5)
    order = np.array([int(f"{k:010b}"[::-1], 2) for k in range(FRAME_SAMPLES)], np.int64)
    return turns, window, order


_TURNS, _WINDOW, _ORDER = _tables()


@kernel
def log2_steps(value: int, bits: int) -> int:
    """Return floor(2**bits * log2(value)) of 1 <= value < 2**31, by squaring."""
    whole = 0
    while value >> (whole + 1):
        whole += 1
    mantissa = np.int64(value) << np.int64(30 - whole)
    out = np.int64(whole)
    for _ in range(bits):
        mantissa = (mantissa * mantissa) >> np.int64(30)
        carry = mantissa >> np.int64(31)
        mantissa >>= carry
        out = 2 * out + carry
    return int(out)


@kernel
def _log_table() -> NDArray[np.int32]:
    """Return i32[128]: 256 * log2(1 + k / 128), to the middle of each step."""
    out = np.empty(128, np.int32)
    for k in range(128):
        out[k] = log2_steps(257 + 2 * k, 8) - 8 * 256
    return out


@kernel
def _transform(real: NDArray[np.float32], imaginary: NDArray[np.float32], turns: NDArray[np.float32]) -> None:
    """Transform f32[1024, batch] in place, rows in bit-reversed order: radix 2, decimation in time."""
    size = 2
    while size <= FRAME_SAMPLES:
        half, step = size // 2, FRAME_SAMPLES // size
        for start in range(0, FRAME_SAMPLES, size):
            for k in range(half):
                cosine, sine = turns[0, k * step], turns[1, k * step]
                a, b = start + k, start + k + half
                for j in range(_BATCH):
                    x = real[b, j] * cosine + imaginary[b, j] * sine
                    y = imaginary[b, j] * cosine - real[b, j] * sine
                    real[b, j], imaginary[b, j] = real[a, j] - x, imaginary[a, j] - y
                    real[a, j], imaginary[a, j] = real[a, j] + x, imaginary[a, j] + y
        size *= 2


@kernel
def _spectrogram(
    samples: NDArray[np.int16],
    count: int,
    turns: NDArray[np.float32],
    window: NDArray[np.float32],
    order: NDArray[np.int64],
) -> NDArray[np.int16]:
    """Return i16[count, 512]: 256 * log2 of the power of each frame and line.

    1. Put frames side by side, two in one transform: one as the real part, one as the imaginary.
    2. Transform; take the two spectra apart.
    3. Read the logarithm off the bits of the power: exponent, and a table for seven bits of the mantissa.
    """
    logs = _log_table()
    out = np.zeros((count, _WIDTH), np.int16)
    real = np.empty((FRAME_SAMPLES, _BATCH), np.float32)
    imaginary = np.empty((FRAME_SAMPLES, _BATCH), np.float32)
    power = np.empty((2, _BATCH), np.float32)
    bits = power.view(np.int32)
    for first in range(0, count, 2 * _BATCH):
        for j in range(_BATCH):  # 1
            a = min(first + 2 * j, count - 1) * HOP_SAMPLES
            b = min(first + 2 * j + 1, count - 1) * HOP_SAMPLES
            for i in range(FRAME_SAMPLES):
                real[order[i], j] = np.float32(samples[a + i]) * window[i]
                imaginary[order[i], j] = np.float32(samples[b + i]) * window[i]
        _transform(real, imaginary, turns)  # 2
        last = min(2 * _BATCH, count - first)
        for k in range(1, _WIDTH):
            m = FRAME_SAMPLES - k
            for j in range(_BATCH):
                x, y = real[k, j] + real[m, j], imaginary[k, j] - imaginary[m, j]
                power[0, j] = x * x + y * y
                x, y = imaginary[k, j] + imaginary[m, j], real[m, j] - real[k, j]
                power[1, j] = x * x + y * y
            for i in range(last):  # 3
                value = bits[i & 1, i >> 1]
                exponent = (value >> 23) - 127
                out[first + i, k] = max(exponent * _LOG_STEPS + logs[(value >> 16) & 127], 0)
    return out


@kernel
def _widest(lines: NDArray[np.int16], reach: int, out: NDArray[np.int16]) -> None:
    """Write the maximum within `reach` entries of each entry of a line; the ends keep their own."""
    out[:] = lines
    for step in range(1, reach + 1):
        for k in range(reach, len(lines) - reach):
            out[k] = max(out[k], lines[k - step], lines[k + step])


@kernel
def _is_peak(logs: NDArray[np.int16], loudest: NDArray[np.int16], t: int, k: int) -> bool:
    """Return whether nothing within reach is louder; of equal ones the first counts."""
    value = logs[t, k]
    for u in range(max(t - _REACH_FRAMES, 0), min(t + _REACH_FRAMES + 1, len(logs))):
        if loudest[u, k] > value:
            return False
    for u in range(max(t - _REACH_FRAMES, 0), t + 1):
        for m in range(k - _REACH_LINES, k + _REACH_LINES + 1):
            if logs[u, m] == value and (u < t or m < k):
                return False
    return True


@kernel
def _bin_of(before: int, value: int, after: int, line: int) -> int:
    """Return the frequency of a peak from the logarithms around its line: the top of a parabola."""
    curve = max(2 * value - before - after, 1)
    exact = 128 * line + (64 * (after - before) + curve // 2) // curve
    # 384 steps an octave, of 2**15 steps; line 16 is bin 0.
    return min(max(((log2_steps(exact, 15) - (11 << 15)) * 3) >> 8, 0), BINS - 1)


@kernel
def _find_peaks(logs: NDArray[np.int16], first: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the peaks of frames `first` to `end`: frame, bin, and how much louder than the lines around.

    Returns:
        i64[p, 2] frame and bin, ordered by frame and line; i64[p] prominence.
    """
    room = (end - first) * (_LAST - _FIRST) // 8 + 16
    place, strength = np.empty((room, 2), np.int64), np.empty(room, np.int64)
    count = 0
    loudest = np.zeros((len(logs), _WIDTH), np.int16)
    for t in range(len(logs)):
        _widest(logs[t], _REACH_LINES, loudest[t])
    for t in range(first, end):
        around = 0  # the sum of the lines from `_AROUND_LINES` below to as many above
        for k in range(_FIRST - _AROUND_LINES, _FIRST + _AROUND_LINES):
            around += int(logs[t, max(k, 1)])
        for k in range(_FIRST, _LAST):
            around += int(logs[t, min(k + _AROUND_LINES, _WIDTH - 1)])
            value = int(logs[t, k])
            prominence = value - around // (2 * _AROUND_LINES + 1)
            around -= int(logs[t, max(k - _AROUND_LINES, 1)])
            if value < max(int(loudest[t, k]), _QUIET) or prominence < _PROMINENCE_MIN or count == room:
                continue
            if _is_peak(logs, loudest, t, k):
                place[count, 0] = t
                place[count, 1] = _bin_of(int(logs[t, k - 1]), value, int(logs[t, k + 1]), k)
                strength[count] = prominence
                count += 1
    return place[:count], strength[:count]


@kernel
def _strong(place: NDArray[np.int64], strength: NDArray[np.int64], rank: int) -> NDArray[np.bool_]:
    """Return which peaks have fewer than `rank` stronger ones around them in time."""
    kept = np.empty(len(place), np.bool_)
    low = high = 0
    for i in range(len(place)):
        while place[low, 0] < place[i, 0] - _RANK_FRAMES:
            low += 1
        while high < len(place) and place[high, 0] <= place[i, 0] + _RANK_FRAMES:
            high += 1
        stronger = 0
        for j in range(low, high):
            stronger += strength[j] > strength[i] or (strength[j] == strength[i] and j < i)
        kept[i] = stronger < rank
    return kept


@dataclass(frozen=True, slots=True)
class Peaks:
    """The peaks of a sound, ordered by frame and bin.

    Args:
        frame: u32[m], ascending; a frame begins every `HOP_SAMPLES` samples.
        bin: u16[m], frequency: 384 * log2(f / 125 Hz), below `BINS`.
    """

    frame: NDArray[np.uint32]
    bin: NDArray[np.uint16]

    def __len__(self) -> int:
        """Return the number of peaks."""
        return len(self.frame)


@dataclass(frozen=True, slots=True)
class SoundQuery:
    """What an item is looked up by.

    Args:
        peaks: What would be stored of it.
        dense: Three times as many.
        seconds: Its length.
    """

    peaks: Peaks
    dense: Peaks
    seconds: float


def _all_peaks(samples: NDArray[np.int16]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return every peak of a sound and its prominence, a few thousand frames at a time."""
    samples = np.ascontiguousarray(samples).view(np.ndarray)
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise ValueError(f"samples are {samples.dtype} in {samples.ndim} dimensions, not int16 in one")
    samples.flags.writeable = False
    count = max((len(samples) - FRAME_SAMPLES) // HOP_SAMPLES + 1, 0)
    places, strengths = [np.empty((0, 2), np.int64)], [np.empty(0, np.int64)]
    for start in range(0, count, _CHUNK_FRAMES):
        end = min(start + _CHUNK_FRAMES, count)
        low, high = max(start - _REACH_FRAMES, 0), min(end + _REACH_FRAMES, count)
        logs = _spectrogram(samples[low * HOP_SAMPLES :], high - low, _TURNS, _WINDOW, _ORDER)
        place, strength = _find_peaks(logs, start - low, end - low)
        place[:, 0] += low
        places.append(place)
        strengths.append(strength)
    return np.concatenate(places), np.concatenate(strengths)


def _as_peaks(place: NDArray[np.int64], kept: NDArray[np.bool_]) -> Peaks:
    return Peaks(place[kept, 0].astype(np.uint32), place[kept, 1].astype(np.uint16))


def stored_peaks(samples: NDArray[np.int16]) -> Peaks:
    """Return what a register keeps of a work: about ten peaks a second.

    Args:
        samples: i16[n], one channel, `RATE_HZ` samples a second.

    Raises:
        ValueError: The array is not i16 or not one-dimensional.

    Cost: half a millisecond a second of sound.
    """
    place, strength = _all_peaks(samples)
    return _as_peaks(place, _strong(place, strength, STORED_PEAKS))


def query_peaks(samples: NDArray[np.int16]) -> SoundQuery:
    """Return what an item is looked up by; samples as for `stored_peaks`."""
    place, strength = _all_peaks(samples)
    return SoundQuery(
        peaks=_as_peaks(place, _strong(place, strength, STORED_PEAKS)),
        dense=_as_peaks(place, _strong(place, strength, QUERY_PEAKS)),
        seconds=len(samples) / RATE_HZ,
    )


def pack_peaks(peaks: Peaks) -> bytes:
    """Return peaks as three bytes each: frames since the one before, 13 bits; bin, 11 bits; lowest byte first.

    A gap of 8,191 frames or more is bridged by entries of 8,191 frames and bin 0, which are no peaks.
    """
    gaps = np.diff(peaks.frame.astype(np.int64), prepend=0)
    bridges, rest = np.divmod(gaps, _BRIDGE)
    words = np.full(len(gaps) + int(bridges.sum()), _BRIDGE, "<u4")
    words[np.arange(len(gaps)) + np.cumsum(bridges)] = rest | (peaks.bin.astype(np.int64) << 13)
    return words.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def unpack_peaks(data: bytes) -> Peaks:
    """Return the peaks of `pack_peaks`.

    Raises:
        ValueError: The number of bytes is no multiple of three.
    """
    if len(data) % 3:
        raise ValueError(f"{len(data)} bytes are no whole number of peaks")
    words = np.zeros((len(data) // 3, 4), np.uint8)
    words[:, :3] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    entries = words.view("<u4").ravel()
    gaps = entries & _BRIDGE
    frame, is_peak = np.cumsum(gaps, dtype=np.uint64), gaps != _BRIDGE
    return Peaks(frame[is_peak].astype(np.uint32), (entries[is_peak] >> 13).astype(np.uint16))
