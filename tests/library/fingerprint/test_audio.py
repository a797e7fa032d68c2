"""The fingerprint of a sound: published vectors, and what peaks are and are not."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.fingerprint.audio import (
    ALGORITHM,
    BINS,
    HOP_SAMPLES,
    RATE_HZ,
    Peaks,
    log2_steps,
    pack_peaks,
    query_peaks,
    stored_peaks,
    unpack_peaks,
)

VECTORS = json.loads(files("askfirst").joinpath("vectors/audio_v0.json").read_text("utf-8"))


def synthesise(seed, count):
    """Samples by the rule in the vectors' `about`."""
    state, samples = seed, [0] * count
    for start in range(0, count, 1000):
        state = (1664525 * state + 1013904223) % 2**32
        step = 20 + (state >> 16) % 200
        for n in range(min(4000, count - start)):
            samples[start + n] += (abs((n * step) % 1024 - 512) - 256) * (4000 - n) // 128
    for n in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        samples[n] += (state >> 16) % 64 - 32
    return np.array(samples, np.int16)


def tone(frequency_hz, seconds=4.0, amplitude=8000):
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return np.round(amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype(np.int16)


def beeps(frequencies_hz, seconds_each=0.5):
    fade = np.hanning(int(seconds_each * RATE_HZ))
    return np.concatenate([(tone(f, seconds_each) * fade).astype(np.int16) for f in frequencies_hz])


def rows(peaks):
    return np.stack([peaks.frame.astype(np.int64), peaks.bin.astype(np.int64)], axis=1).tolist()


def test_vectors_are_of_this_algorithm():
    assert VECTORS["algorithm"] == ALGORITHM == "audio_v0"


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_vectors_are_reproduced(case):
    samples = synthesise(case["seed"], case["samples"])
    query = query_peaks(samples)
    assert int(samples.astype(np.int64).sum()) == case["sum"]
    assert rows(stored_peaks(samples)) == case["stored"]
    assert rows(query.dense) == case["dense"]
    assert pack_peaks(query.peaks).hex() == case["packed"]


def test_query_holds_what_would_be_stored_and_more():
    samples = synthesise(5, 40_000)
    query, stored = query_peaks(samples), rows(stored_peaks(samples))
    dense = rows(query.dense)
    assert rows(query.peaks) == stored
    assert [peak for peak in stored if peak not in dense] == []
    assert (len(stored), query.seconds) == (len(query.peaks), 5.0)
    assert len(dense) > 2 * len(stored)


def test_pitch_of_a_beep_is_its_bin():
    frequencies = [220, 440, 880, 1000, 1760, 3000]
    peaks = stored_peaks(beeps(frequencies))
    for number, frequency in enumerate(frequencies):
        within = peaks.frame // (RATE_HZ // 2 // HOP_SAMPLES) == number
        nearest = np.abs(peaks.bin[within].astype(np.int64) - 384 * np.log2(frequency / 125)).min()
        assert nearest <= 2


def test_louder_sound_has_the_same_peaks():
    quiet = synthesise(8, 40_000) // 2
    assert rows(stored_peaks(quiet)) == rows(stored_peaks(2 * quiet))


def test_later_sound_has_the_same_peaks_later():
    samples = synthesise(9, 60_000)
    whole, later = stored_peaks(samples), stored_peaks(samples[64 * HOP_SAMPLES :])
    middle = [(frame - 64, b) for frame, b in rows(whole) if 64 + 25 < frame < 200]
    assert middle == [(frame, b) for frame, b in rows(later) if 25 < frame < 200 - 64]


def test_chunks_leave_no_seam(monkeypatch):
    samples = synthesise(11, 100_000)
    whole = rows(query_peaks(samples).dense)
    monkeypatch.setattr("askfirst.fingerprint.audio._CHUNK_FRAMES", 50)
    assert rows(query_peaks(samples).dense) == whole


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1279, 1280])
def test_short_sound_has_few_peaks_or_none(count):
    query = query_peaks(np.full(count, 100, np.int16))
    assert (len(query.peaks), len(query.dense), query.seconds) == (0, 0, count / RATE_HZ)


@pytest.mark.parametrize("value", [0, 1, -32768, 32767])
def test_constant_sound_has_no_peaks(value):
    assert len(query_peaks(np.full(30_000, value, np.int16)).dense) == 0


def test_faint_hiss_has_no_peaks():
    hiss = np.random.default_rng(1).integers(-1, 2, 80_000).astype(np.int16)
    assert len(stored_peaks(hiss // 2)) == 0


def test_clicks_have_hardly_any_peaks():
    clicks = np.zeros(10 * RATE_HZ, np.int16)
    clicks[::2000] = 30_000
    assert len(stored_peaks(clicks)) == 0


def test_loudest_noise_stays_inside_its_integers():
    noise = np.random.default_rng(2).choice(np.array([-32768, 32767], np.int16), 160_000)
    peaks = query_peaks(noise).dense
    assert int(peaks.bin.max()) < BINS
    assert (np.diff(peaks.frame.astype(np.int64)) >= 0).all()


def test_minute_of_music_is_stored_in_two_kilobytes():
    assert len(pack_peaks(stored_peaks(synthesise(3, 60 * RATE_HZ)))) <= 2_300


@pytest.mark.parametrize("samples", [np.zeros(4000, np.float32), np.zeros((2, 4000), np.int16)])
def test_other_arrays_are_refused(samples):
    with pytest.raises(ValueError, match="not int16 in one"):
        stored_peaks(samples)


@given(
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, BINS - 1)), max_size=30),
)
@settings(max_examples=200, deadline=None)
def test_packing_keeps_every_peak(pairs):
    frames = np.cumsum([gap for gap, _ in pairs]).astype(np.uint32)
    peaks = Peaks(frames, np.array([b for _, b in pairs], np.uint16))
    assert rows(unpack_peaks(pack_peaks(peaks))) == rows(peaks)


def test_packed_peak_is_three_bytes():
    assert pack_peaks(Peaks(np.array([5], np.uint32), np.array([1], np.uint16))).hex() == "052000"


def test_packed_bytes_that_are_no_whole_peaks_are_refused():
    with pytest.raises(ValueError, match="4 bytes are no whole number of peaks"):
        unpack_peaks(bytes(4))


@pytest.mark.parametrize("value", [1, 2, 3, 5, 1000, 65537, 2**31 - 1])
def test_logarithm_is_exact_to_its_last_step(value):
    assert log2_steps(value, 8) == int(np.floor(np.log2(value) * 256))
