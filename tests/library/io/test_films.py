"""Films of every kind: which frames are taken, when, and everything that can be wrong with a file."""

from __future__ import annotations

import io
from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
import pytest

from askfirst.errors import InputError, MalformedMediaError
from askfirst.io.films import FRAMES_MAX, open_film

WIDTH, HEIGHT, RATE = 128, 96, 10


def picture(number, *, width=WIDTH, height=HEIGHT):
    """Blocks of a shot of 4 seconds, which move by a pixel a frame."""
    shot, step = divmod(number, 4 * RATE)
    blocks = np.random.default_rng(shot).integers(20, 236, (height // 16 + 1, width // 16 + 4))
    return np.kron(blocks, np.ones((16, 16)))[:height, step : step + width].astype(np.uint8)


def film(
    seconds,
    *,
    kind="mp4",
    codec="libx264",
    sound=False,
    gap=4 * RATE,
    pictures=picture,
    pixels="yuv420p",
    size=(128, 96),
    rate=RATE,
):
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, pixels, gap
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "x264-params": "scenecut=0"}
        stream.thread_count = 1
        if sound:
            heard = container.add_stream("aac", rate=16000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000 * seconds), np.float32) + 0.1, "fltp", "mono")
            frame.sample_rate = 16000
            resampler = av.AudioResampler("fltp", "mono", 16000, frame_size=1024)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(heard.encode(part))
            container.mux(heard.encode(None))
        for number in range(seconds * rate):
            frame = av.VideoFrame.from_ndarray(pictures(number), "gray").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def times(opened):
    return [round(frame.seconds, 1) for frame in opened.frames]


def failure(data, **options):
    with pytest.raises(InputError) as error:
        open_film(data, **options)
    assert "\n" not in str(error.value)
    assert error.value.advice
    return type(error.value), error.value.kind


@pytest.fixture(scope="module")
def long_film():
    return film(40, sound=True)


KINDS = {
    "mp4": {},
    "mkv": {"kind": "matroska"},
    "ts": {"kind": "mpegts"},
    "avi": {"kind": "avi", "codec": "mpeg4"},
    "flv": {"kind": "flv", "codec": "flv"},
    "wmv": {"kind": "asf", "codec": "msmpeg4"},
    "mpg": {"kind": "mpeg", "codec": "mpeg2video", "rate": 25},
    "webm": {"kind": "webm", "codec": "libvpx"},
    "mov": {"kind": "mov", "codec": "mjpeg", "pixels": "yuvj420p"},
    "ten bits": {"codec": "libx265", "pixels": "yuv420p10le"},
    "rgb": {"kind": "matroska", "codec": "ffv1", "pixels": "bgr0"},
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_film_gives_frames_in_time_that_look_right(name):
    opened = open_film(film(24, **KINDS[name]))
    rate = KINDS[name].get("rate", RATE)
    assert opened.seconds == pytest.approx(24, abs=0.3)
    assert opened.sound is None
    assert len(opened.frames) >= 6
    for frame in opened.frames:
        assert (frame.grey.shape, frame.grey.dtype, frame.grey.flags.c_contiguous) == ((HEIGHT, WIDTH), np.uint8, True)
        expected = picture(round(frame.seconds * rate)).astype(float)
        assert np.corrcoef(frame.grey.ravel().astype(float), expected.ravel())[0, 1] > 0.95


def test_key_frames_are_taken_where_they_are(long_film):
    assert times(open_film(long_film)) == [float(at) for at in range(0, 40, 4)]


def test_of_close_key_frames_one_every_two_seconds_is_taken():
    assert times(open_film(film(20, gap=1))) == [float(at) for at in range(0, 20, 2)]


def test_a_short_film_with_few_key_frames_is_read_by_the_clock():
    assert times(open_film(film(5, gap=1000))) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_film_that_was_never_meant_to_be_cut_is_read_by_the_clock():
    found = times(open_film(film(80, gap=10_000)))
    assert found == [float(at) for at in range(0, 80, 2)]


def test_a_dense_reading_takes_two_a_second_and_no_repetition():
    opened = open_film(film(8, pictures=lambda number: picture(0) if number < 40 else picture(number)), dense=True)
    found = times(opened)
    assert found[0] == 0.0
    assert len([at for at in found if 0 < at < 4]) <= 1  # the first frames are coded worse
    assert [at for at in found if at >= 4][:3] == [4.0, 4.5, 5.0]


def test_the_sound_comes_along(long_film):
    sound = open_film(long_film).sound
    assert sound is not None
    assert sound.seconds == pytest.approx(40, abs=0.2)
    assert sound.samples[1000:-1000].mean() == pytest.approx(3276, rel=0.05)


def test_a_film_without_pictures_is_its_sound():
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        heard = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        for _ in range(40):
            frame.pts = None
            container.mux(heard.encode(frame))
        container.mux(heard.encode(None))
    opened = open_film(out.getvalue())
    assert opened.frames == ()
    assert opened.sound is not None
    assert opened.seconds == opened.sound.seconds > 2


def test_large_frames_are_scaled_down_by_a_whole_number():
    def large(number):
        return np.kron(picture(number)[:72, :], np.ones((10, 10))).astype(np.uint8)

    data = film(6, pictures=large, size=(1280, 720))
    assert open_film(data).frames[0].grey.shape == (240, 426)
    assert open_film(data, dense=True).frames[0].grey.shape == (180, 320)


def test_long_films_give_no_more_frames_than_the_limit():
    opened = open_film(
        film(2 * FRAMES_MAX + 400, gap=2, rate=1, size=(32, 32), pictures=lambda n: picture(n)[:32, :32])
    )
    assert FRAMES_MAX / 2 <= len(opened.frames) <= FRAMES_MAX
    assert opened.frames[-1].seconds > 2 * FRAMES_MAX + 390
    gaps = np.diff([frame.seconds for frame in opened.frames])
    assert gaps.max() <= 4.1


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", "empty"), (bytes(5000), "damaged"), (b"hello " * 999, "damaged"), (b"GIF89a" + bytes(900), "damaged")],
)
def test_what_is_no_film_is_refused(data, kind):
    assert failure(data) == (MalformedMediaError, kind)


@pytest.mark.parametrize("name", ["mp4", "mkv", "avi", "flv"])
def test_half_a_film_is_truncated(name):
    data = film(24, **KINDS[name])
    assert failure(data[: len(data) // 2]) == (MalformedMediaError, "truncated")


def test_half_a_film_with_its_contents_in_front_is_truncated(long_film, tmp_path):
    path = tmp_path / "film.mp4"
    with av.open(io.BytesIO(long_film)) as source, av.open(path, "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    whole = path.read_bytes()
    at = whole.index(b"mdat")
    assert failure(whole[: at + (len(whole) - at) // 2]) == (MalformedMediaError, "truncated")


def test_a_film_of_noughts_in_the_middle_is_damaged():
    data = bytearray(film(40))
    third = len(data) // 3
    data[third : 2 * third] = bytes(third)
    assert failure(bytes(data)) == (MalformedMediaError, "damaged")


def test_too_many_pixels_are_refused_by_the_header():
    data = bytearray(film(2, kind="avi", codec="rawvideo", gap=1))
    at = data.index(b"strf") + 8
    data[at + 4 : at + 12] = (60_000).to_bytes(4, "little") * 2
    assert failure(bytes(data))[1] in {"too-many-pixels", "damaged"}


def test_damaged_films_are_films_or_clear_refusals(capfd):
    rng = np.random.default_rng(3)
    for options in (KINDS["mp4"], KINDS["flv"], KINDS["ts"], KINDS["avi"], KINDS["webm"]):
        whole = film(6, **options)
        for _ in range(8):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 30).tolist():
                data[at] = int(rng.integers(0, 256))
            with suppress(InputError):
                assert open_film(bytes(data)).frames
    assert capfd.readouterr().out == ""
