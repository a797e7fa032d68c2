"""Files of sound of every kind, and everything that can be wrong with one."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
from contextlib import suppress

import av
import numpy as np
import pytest
from PIL import Image

from askfirst.errors import InputError, MalformedMediaError, TooLargeError
from askfirst.fingerprint.audio import RATE_HZ
from askfirst.io.sounds import SoundLimits, open_sound

SECONDS = 3


def tone(rate_hz, seconds=SECONDS):
    """A tone of 440 Hz that grows."""
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    return (np.sin(2 * np.pi * 440 * at) * np.linspace(1000, 20000, len(at))).astype(np.int16)


def encoded(kind, codec, *, rate_hz=44100, layout="stereo", sample_format="s16", seconds=SECONDS):
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        stream.bit_rate = 128_000
        channels = 2 if layout == "stereo" else 1
        frame = av.AudioFrame.from_ndarray(np.repeat(tone(rate_hz, seconds), channels)[None], "s16", layout)
        frame.sample_rate = rate_hz
        size = stream.codec_context.frame_size or None
        resampler = av.AudioResampler(sample_format, layout, rate_hz, frame_size=size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return out.getvalue()


FILES = {
    "wav": ("wav", "pcm_s16le", {}),
    "wav-8000": ("wav", "pcm_s16le", {"rate_hz": 8000, "layout": "mono"}),
    "flac": ("flac", "flac", {}),
    "mp3": ("mp3", "libmp3lame", {"sample_format": "s16p"}),
    "opus": ("ogg", "libopus", {"rate_hz": 48000}),
    "m4a": ("mp4", "aac", {"sample_format": "fltp"}),
    "adts": ("adts", "aac", {"sample_format": "fltp"}),
    "wma": ("asf", "wmav2", {"sample_format": "fltp"}),
    "aiff": ("aiff", "pcm_s16be", {}),
    "mka": ("matroska", "pcm_s16le", {}),
    "caf": ("caf", "pcm_s16le", {}),
}


@pytest.fixture(scope="module")
def files():
    return {name: encoded(kind, codec, **options) for name, (kind, codec, options) in FILES.items()}


def wav(samples, *, rate_hz=8000, channels=1, size=None):
    body = samples.astype("<i2").tobytes()
    head = struct.pack("<IHHIIHH", 16, 1, channels, rate_hz, rate_hz * channels * 2 & 0xFFFFFFFF, channels * 2, 16)
    size = len(body) if size is None else size
    riff = min(size + 36, 0xFFFFFFFF)
    return b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + head + b"data" + struct.pack("<I", size) + body


def failure(data, **options):
    with pytest.raises(InputError) as error:
        open_sound(data, **options)
    assert "\n" not in str(error.value)
    assert error.value.advice
    return type(error.value), error.value.kind


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_becomes_one_channel_of_8000_numbers_a_second(files, name):
    sound = open_sound(files[name])
    assert (sound.samples.dtype, sound.samples.ndim, sound.samples.flags.writeable) == (np.int16, 1, False)
    assert sound.seconds == pytest.approx(SECONDS, abs=0.15)
    loudest = np.argmax(np.abs(np.fft.rfft(sound.samples[RATE_HZ : 2 * RATE_HZ].astype(float))))
    assert loudest == 440
    assert np.abs(sound.samples[:400]).max() < np.abs(sound.samples[-2000:]).max()


def test_sound_at_the_right_rate_comes_as_it_is():
    assert np.array_equal(open_sound(wav(tone(8000))).samples, tone(8000))


def test_channels_become_their_mean():
    left, right = tone(8000), np.zeros(8000 * SECONDS, np.int16)
    both = open_sound(wav(np.stack([left, right], 1).ravel(), channels=2)).samples
    assert np.abs(both.astype(int) - left // 2).max() <= 1


def test_opposite_channels_and_silence_are_sounds():
    assert not open_sound(wav(np.zeros(8000))).samples.any()


def test_a_recording_with_a_cover_is_a_sound(files):
    cover = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(cover, "JPEG")
    picture = b"\0image/jpeg\0\3\0" + cover.getvalue()
    frame = b"APIC" + struct.pack(">IH", len(picture), 0) + picture
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    tagged = b"ID3\3\0\0" + size + frame + files["mp3"][10 + files["mp3"][9] :]
    with av.open(io.BytesIO(tagged)) as container:
        assert len(container.streams.video) == 1
    assert open_sound(tagged).seconds == pytest.approx(SECONDS, abs=0.1)


def test_a_film_is_said_to_be_one():
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64), np.uint8), "gray")))
        container.mux(stream.encode(None))
    assert failure(out.getvalue()) == (InputError, "is-film")


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"x", "damaged"),
        (bytes(10_000), "damaged"),
        (b"hello " * 1000, "damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "damaged"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(24), "damaged"),
        (wav(np.zeros(0)), "damaged"),
    ],
)
def test_what_is_no_sound_is_refused(data, kind):
    assert failure(data) == (MalformedMediaError, kind)


@pytest.mark.parametrize("name", ["wav", "m4a", "aiff", "flac", "mka"])
def test_half_a_file_is_truncated_or_damaged(files, name):
    whole = files[name]
    assert failure(whole[: len(whole) // 2])[1] in {"truncated", "damaged"}


def test_recording_without_a_stated_end_is_read_to_its_end():
    assert open_sound(wav(tone(8000), size=0xFFFFFFFF)).seconds == SECONDS


def test_a_few_damaged_packets_are_passed_over_and_many_are_not(files):
    few, many = bytearray(files["mp3"]), bytearray(files["mp3"])
    few[20_000:20_300] = bytes(300)
    rng = np.random.default_rng(0)
    for at in rng.integers(1000, len(many), len(many) // 8).tolist():
        many[at] = 0xFF
    assert open_sound(bytes(few)).seconds == pytest.approx(SECONDS, abs=0.3)
    assert failure(bytes(many))[1] == "damaged"


def test_longer_than_the_limit_is_refused():
    assert failure(wav(tone(8000)), limits=SoundLimits(seconds=2)) == (TooLargeError, "too-long")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (wav(np.zeros(8000), rate_hz=10), "too-many-samples"),
        (wav(np.zeros(8000), rate_hz=2_000_000), "too-many-samples"),
        (wav(np.zeros(80_000), channels=500), "too-many-channels"),
    ],
)
def test_absurd_headers_are_refused(data, kind):
    start = time.process_time()
    assert failure(data) == (TooLargeError, kind)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {path}\n",
        "[playlist]\nFile1={path}\nNumberOfEntries=1\n",
        '<?xml version="1.0"?><MPD><Period><BaseURL>{path}</BaseURL></Period></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 96\n",
    ],
)
def test_a_list_of_other_files_opens_none_of_them(text, tmp_path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(tone(8000)))
    for path in (str(secret), f"file://{secret}"):
        assert failure(text.format(path=path).encode()) == (MalformedMediaError, "damaged")


def test_damaged_files_of_every_kind_are_sounds_or_clear_refusals(files, capfd):
    rng = np.random.default_rng(7)
    for name, whole in files.items():
        for _ in range(12):
            data = bytearray(whole)
            for at in rng.integers(0, min(len(data), 3000), 8).tolist():
                data[at] = int(rng.integers(0, 256))
            with suppress(InputError):
                assert len(open_sound(bytes(data)).samples), name
    assert capfd.readouterr() == ("", "")


def test_without_the_reader_the_advice_is_how_to_get_it():
    script = (
        "import sys; sys.modules['av'] = None\n"
        "from askfirst.errors import InputError\n"
        "from askfirst.io.sounds import open_sound\n"
        "try:\n    open_sound(b'RIFF')\nexcept InputError as error:\n    print(error.kind, '|', error.advice)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "reader-missing | pip install 'askfirst[media]'\n"
