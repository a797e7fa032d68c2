"""Twenty-five ways to change a piece of music, in seven families, and sounds that are alike and are not copies.

Codecs, filters, tempo and pitch are FFmpeg's; noise and speech are mixed here, by root mean square over the whole
clip. A query is a file of 34 seconds; its first 5, 10 or 30 seconds from the second on are looked up. Of tempo, pitch
and speed, steps of 2 and 5 % are what others report; 3 and -4 % lie between them.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suites.images import generator

RATE_HZ = 44_100
CLIP_S = 34.0
LENGTHS_S = (5, 10, 30)
SKIP_S = 2.0
WORK_S = 120.0
"""So much of a track is registered."""

_SENTENCES = (
    "The ferry leaves from the second quay at half past seven, and it carries bicycles for nothing.",
    "Nobody in the village remembered who had planted the walnut tree, nor why it stood in the road.",
    "If the kettle sings before the clock strikes, pour the water slowly over the leaves and wait.",
    "She counted eleven boats, then twelve, and wrote the number on the back of an old ticket.",
    "There will be light rain in the north this evening, clearing from the west before morning.",
    "The committee met in the library and agreed on everything except the colour of the door.",
)


@dataclass(frozen=True, slots=True)
class Transformation:
    """One change.

    Args:
        name: Of the change.
        family: What it belongs to.
        filters: Of FFmpeg, with commas between; may be empty.
        output: FFmpeg's options for the file, and its ending last.
        mix: `noise` or `speech` and decibels of the music against it.
        tempo: Length of the original against the changed one.
    """

    name: str
    family: str
    filters: str = ""
    output: tuple[str, ...] = ("-c:a", "pcm_s16le", "wav")
    mix: tuple[str, float] | None = None
    tempo: float = 1.0


def _tempo(percent: float) -> Transformation:
    return Transformation(f"tempo {percent:+g} %", "tempo", f"atempo={1 + percent / 100}", tempo=1 + percent / 100)


def _pitch(percent: float) -> Transformation:
    factor = 1 + percent / 100
    filters = f"asetrate={RATE_HZ * factor:.0f},aresample={RATE_HZ},atempo={1 / factor:.9f}"
    return Transformation(f"pitch {percent:+g} %", "pitch", filters)


def _speed(percent: float) -> Transformation:
    factor = 1 + percent / 100
    filters = f"asetrate={RATE_HZ * factor:.0f},aresample={RATE_HZ}"
    return Transformation(f"speed {percent:+g} %", "speed", filters, tempo=factor)


def _codec(name: str, *output: str) -> Transformation:
    return Transformation(name, "codec", output=output)


TRANSFORMATIONS: tuple[Transformation, ...] = (
    _codec("wav", "-c:a", "pcm_s16le", "wav"),
    _codec("mp3 128", "-c:a", "libmp3lame", "-b:a", "128k", "mp3"),
    _codec("mp3 48", "-c:a", "libmp3lame", "-b:a", "48k", "mp3"),
    _codec("aac 48", "-c:a", "aac", "-b:a", "48k", "m4a"),
    _codec("opus 24", "-c:a", "libopus", "-b:a", "24k", "opus"),
    Transformation("pink noise 10 dB", "noise, filter", mix=("noise", 10)),
    Transformation("pink noise 0 dB", "noise, filter", mix=("noise", 0)),
    Transformation(
        "telephone", "noise, filter", "highpass=f=300,lowpass=f=3400", ("-ar", "8000", "-c:a", "pcm_mulaw", "wav")
    ),
    Transformation("bass +9, treble -9", "noise, filter", "bass=g=9,treble=g=-9"),
    *map(_tempo, (2, -2, 5, -5, 3)),
    *map(_pitch, (2, -2, 5, -4)),
    *map(_speed, (1, 2, -2, 5, 3)),
    Transformation("speech 0 dB", "under speech", mix=("speech", 0)),
    Transformation("speech +6 dB", "under speech", mix=("speech", -6)),
)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(t.family for t in TRANSFORMATIONS))


def missing_programs() -> list[str]:
    """Return the programs this suite needs that are not here."""
    return [name for name in ("ffmpeg", "espeak-ng") if shutil.which(name) is None]


def decode(
    data: bytes | Path, rate_hz: int = RATE_HZ, start_s: float = 0, length_s: float | None = None
) -> NDArray[np.int16]:
    """Return i16[n], one channel, as FFmpeg decodes a file."""
    where = ["-ss", f"{start_s}"] if start_s else []
    cut = ["-t", f"{length_s}"] if length_s else []
    source = "pipe:0" if isinstance(data, bytes) else str(data)
    command = ["ffmpeg", "-v", "error", *where, *cut, "-i", source, "-ac", "1", "-ar", str(rate_hz), "-f", "s16le", "-"]
    done = subprocess.run(command, input=data if isinstance(data, bytes) else b"", check=True, capture_output=True)
    return np.frombuffer(done.stdout[: len(done.stdout) // 2 * 2], np.int16)


def wav_of(samples: NDArray[np.int16], rate_hz: int = RATE_HZ) -> bytes:
    """Return a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate_hz, len(samples), "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def start_of(name: str, length_s: float) -> float:
    """Return where in a track its query begins: anywhere from 5 s on, so that the whole clip is registered."""
    last = min(length_s, WORK_S) - CLIP_S - 2
    return round(float(generator("sounds", name).uniform(5, max(5.1, last))), 2)


def query(change: Transformation, name: str, clip: NDArray[np.int16], folder: Path) -> Path:
    """Write a clip, changed, and return the file.

    Args:
        change: One of `TRANSFORMATIONS`.
        name: Of the track; seeds noise and speech.
        clip: i16[n], one channel, at `RATE_HZ`.
        folder: Where to write.
    """
    file = folder / f"{name}-{hashlib.sha256(repr(change).encode()).hexdigest()[:10]}.{change.output[-1]}"
    if file.is_file():
        return file
    if change.mix is not None:
        kind, music_db = change.mix
        rng = generator("mix", kind, name)
        other = pink(len(clip), rng) if kind == "noise" else speech(len(clip), rng)
        clip = mixed(clip, other, music_db)
    filters = ["-af", change.filters] if change.filters else []
    making = file.with_name("." + file.name)
    command = ["ffmpeg", "-v", "error", "-y", "-i", "pipe:0", *filters, *change.output[:-1], str(making)]
    subprocess.run(command, input=wav_of(clip), check=True)
    making.rename(file)
    return file


def pink(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise whose power falls as 1 / f."""
    spectrum = np.fft.rfft(rng.normal(size=count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, count)


def speech(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return somebody reading sentences in a random order, without end."""
    text = " ".join(_SENTENCES[int(k)] for k in rng.permutation(len(_SENTENCES)))
    voice = str(rng.choice(["en-gb", "en-us", "en-gb-scotland"]))
    command = ["espeak-ng", "--stdout", "-v", voice, "-s", str(int(rng.integers(140, 180)))]
    spoken = subprocess.run([*command, text], check=True, capture_output=True).stdout
    samples = decode(spoken).astype(np.float64)
    return np.resize(samples, count)


def mixed(music: NDArray[np.int16], other: NDArray[np.float64], music_db: float) -> NDArray[np.int16]:
    """Return both together, the music so many decibels above the other."""
    loud = float(np.sqrt(np.mean(music.astype(np.float64) ** 2))) + 1e-9
    gain = loud / (float(np.sqrt(np.mean(other**2))) + 1e-9) / 10 ** (music_db / 20)
    both = music + gain * other
    return np.rint(both * min(1.0, 32_000 / max(1.0, float(np.abs(both).max())))).astype(np.int16)


# Sounds that are alike and are not copies ---------------------------------------------------------------------------

_LOW_HZ = 22_050
_SECONDS = 40.0


def _time() -> NDArray[np.float64]:
    return np.arange(int(_SECONDS * _LOW_HZ)) / _LOW_HZ


def _finish(values: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.rint(values / max(1e-9, float(np.abs(values).max())) * 20_000).astype(np.int16)


def _silence() -> list[NDArray[np.int16]]:
    t = _time()
    faint = [np.rint(generator("faint", str(k)).normal(0, 1, len(t))).astype(np.int16) for k in range(3)]
    return [np.zeros(len(t), np.int16), np.full(len(t), 700, np.int16), *faint]


def _noises() -> list[NDArray[np.int16]]:
    t, out = _time(), []
    for k in range(12):
        rng = generator("noise", str(k))
        out += [_finish(rng.normal(size=len(t))), _finish(pink(len(t), rng))]
        out.append(_finish(np.cumsum(rng.normal(size=len(t))) * np.exp(-((t % 1.0) * 3))))
    return out


def _tones() -> list[NDArray[np.int16]]:
    t, out = _time(), []
    for k in range(20):
        pitch = 110 * 2 ** (k / 5)
        out.append(_finish(np.sin(2 * np.pi * pitch * t)))
        out.append(_finish(sum(np.sin(2 * np.pi * 50 * h * t + k) / h for h in range(1, 3 + k))))
    return out


def _sweeps_and_clicks() -> list[NDArray[np.int16]]:
    t, out = _time(), []
    for k in range(8):
        out.append(_finish(np.sin(2 * np.pi * (100 * t + (20 + 9 * k) * t**2 / 2))))
        beat = 60 / (70 + 12 * k)
        out.append(_finish(np.sin(2 * np.pi * 1000 * t) * np.exp(-(t % beat) * 60)))
    return out


def _voice(pitch: float, at: float, length: float, colour: int) -> tuple[int, NDArray[np.float64]]:
    t = np.arange(int(length * _LOW_HZ)) / _LOW_HZ
    shape = np.minimum(1, t * 50) * np.exp(-t * (1 + colour))
    tone = sum(np.sin(2 * np.pi * pitch * h * t) / h ** (1 + colour / 2) for h in range(1, 7))
    return int(at * _LOW_HZ), shape * np.asarray(tone)


def _melody(rng: np.random.Generator, colour: int, tempo: float, key: float) -> NDArray[np.float64]:
    """Return notes of a scale, in a random order, a beat or half a beat each."""
    out, at = np.zeros(len(_time()) + 2 * _LOW_HZ), 0.0
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16])
    while at < _SECONDS:
        length = float(rng.choice([0.5, 1.0])) * 60 / tempo
        start, tone = _voice(key * 2 ** (float(rng.choice(scale)) / 12), at, length, colour)
        out[start : start + len(tone)] += tone
        at += length
    return out[: len(_time())]


def _one_tune_many_ways() -> list[NDArray[np.int16]]:
    """Give one tune in other keys, tempi and colours of sound, as covers of a song are."""
    ways = [(0, 96, 262), (1, 104, 294), (2, 120, 220), (0, 131, 330), (2, 84, 247), (1, 112, 196)]
    return [_finish(_melody(generator("tune"), colour, tempo, key)) for colour, tempo, key in ways]


def _loop(which: int) -> NDArray[np.float64]:
    """Return a bar of drums and bass, again and again, the same each time."""
    rng, bar = generator("loop", str(which)), np.zeros(2 * _LOW_HZ + _LOW_HZ // 2)
    for step in range(16):
        at = int(step * _LOW_HZ / 8)
        t = np.arange(_LOW_HZ // 4) / _LOW_HZ
        if step % 4 == 0 or rng.random() < 0.2:
            bar[at : at + len(t)] += 3 * np.sin(2 * np.pi * 60 * t * np.exp(-t * 8)) * np.exp(-t * 20)
        if rng.random() < 0.6:
            bar[at : at + len(t)] += rng.normal(0, 1, len(t)) * np.exp(-t * 60)
        if rng.random() < 0.5:
            bar[at : at + len(t)] += np.sin(2 * np.pi * float(rng.choice([55, 65.4, 73.4])) * t) * np.exp(-t * 6)
    return np.resize(bar[: 2 * _LOW_HZ], len(_time()))


def _tracks_of_one_loop() -> list[NDArray[np.int16]]:
    """Give other tunes over the same two loops, as tracks out of one pack of samples are."""
    out = []
    for k in range(10):
        tune = _melody(generator("over a loop", str(k)), k % 3, 120, 220 * 2 ** (k % 5 / 12))
        loop = _loop(k % 2)
        out.append(_finish(tune / np.abs(tune).max() + 0.7 * loop / np.abs(loop).max()))
    return out


def _readings() -> list[NDArray[np.int16]]:
    """Give one voice reading other texts."""
    out = []
    for sentence in _SENTENCES:
        command = ["espeak-ng", "--stdout", "-v", "en-gb", "-s", "160", f"{sentence} " * 6]
        out.append(decode(subprocess.run(command, check=True, capture_output=True).stdout, _LOW_HZ))
    return out


LOOK_ALIKES: dict[str, Callable[[], list[NDArray[np.int16]]]] = {
    "silence, nearly silence": _silence,
    "noise": _noises,
    "pure tones, hums": _tones,
    "sweeps, metronomes": _sweeps_and_clicks,
    "one tune, other players and keys": _one_tune_many_ways,
    "other tunes over one loop": _tracks_of_one_loop,
    "one voice, other texts": _readings,
}


def look_alikes(name: str) -> tuple[list[bytes], list[bytes]]:
    """Return the works of a set, and 20 seconds out of each as they are asked for; no two different ones may match."""
    samples = LOOK_ALIKES[name]()
    first, last = int(3.1 * _LOW_HZ), int(23.1 * _LOW_HZ)
    return [wav_of(s, _LOW_HZ) for s in samples], [wav_of(s[first:last], _LOW_HZ) for s in samples]
