"""Sounds of a batch against a register of sounds: found whatever was done to them, and nothing else is."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

from askfirst.fingerprint.audio import RATE_HZ, query_peaks, stored_peaks
from askfirst.match.audio import match_sounds
from askfirst.match.hits import KINDS
from askfirst.model import MatchKind, Use
from askfirst.policy import Policy
from askfirst.register.audio_index import AudioIndex, build

POLICY = Policy(use=Use.TRAIN_GENERATIVE, on=dt.date(2026, 1, 1))
SECONDS = 60


def tune(seed, seconds=SECONDS):
    """A piece for three voices: notes of a scale with overtones, each begun and ended softly."""
    dice = np.random.default_rng(seed)
    out = np.zeros(seconds * RATE_HZ)
    for _ in range(3):
        start = 0
        while start < len(out):
            length = int(dice.choice([1200, 1600, 2000, 2400, 3200, 4800]))
            pitch = 130.8 * 2 ** (int(dice.integers(0, 40)) / 12)
            time = np.arange(min(2 * length, len(out) - start)) / RATE_HZ
            note = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 5) if pitch * k < 3800)
            out[start : start + len(time)] += note * np.exp(-5 * time) * dice.uniform(0.5, 1)
            start += length
    return np.round(out * 5000).astype(np.int16)


def noise(count, seed=99):
    return np.random.default_rng(seed).standard_normal(count)


def resampled(samples, speed):
    at = np.arange(0, len(samples) - 1, speed)
    return np.round(np.interp(at, np.arange(len(samples)), samples)).astype(np.int16)


def rows_of(works):
    peaks = [stored_peaks(samples) for samples in works]
    work = np.repeat(np.arange(len(works), dtype=np.uint32), [len(p) for p in peaks])
    frame = np.concatenate([np.empty(0, np.uint32), *(p.frame for p in peaks)])
    return work, frame, np.concatenate([np.empty(0, np.uint16), *(p.bin for p in peaks)])


def register_of(works):
    return AudioIndex.from_arrays(build(*rows_of(works)))


@pytest.fixture(scope="module")
def works():
    return [tune(seed) for seed in range(6)]


@pytest.fixture(scope="module")
def index(works):
    return register_of(works)


def match(items, index, rows=None, policy=POLICY):
    rows = np.arange(len(items), dtype=np.int32) if rows is None else np.array(rows, np.int32)
    return match_sounds(rows, [query_peaks(item) for item in items], index, policy)


def facts(hits):
    return list(zip(hits.row.tolist(), hits.work.tolist(), map(json.loads, hits.where.to_pylist()), strict=True))


def excerpt(samples, start_s, seconds):
    return samples[int(start_s * RATE_HZ) : int((start_s + seconds) * RATE_HZ)]


def assert_found(hits, work, item, span, tempo, pitch):
    """One hit, of this work, and where it should be: to half a second, and to one percent."""
    assert hits.work.tolist() == [work]
    where = json.loads(hits.where[0].as_py())
    assert where["item"] == pytest.approx(item, abs=0.7)
    assert where["work"] == pytest.approx(span, abs=0.7)
    assert (where["tempo"], where["pitch"]) == (pytest.approx(tempo, abs=0.01), pytest.approx(pitch, abs=0.01))


@pytest.mark.parametrize("start_s", [0, 7.31, 50])
def test_excerpt_is_found_where_it_is(works, index, start_s):
    hits = match([excerpt(works[3], start_s, 10)], index)
    assert_found(hits, 3, [0, 10], [start_s, start_s + 10], 1, 1)
    assert KINDS[hits.kind[0]] == MatchKind.AUDIO
    assert 0.9 < hits.cover[0] <= 1
    assert 0.99 < hits.score[0] <= 1


def test_whole_work_is_found_with_its_whole_length(works, index):
    hits = match([works[2]], index)
    assert_found(hits, 2, [0, SECONDS], [0, SECONDS], 1, 1)
    assert hits.cover[0] > 0.95


def test_excerpt_under_noise_is_found(works, index):
    sound = excerpt(works[1], 20, 10).astype(float)
    hiss = noise(len(sound)) * np.sqrt((sound**2).mean() / 3)
    assert_found(match([(sound + hiss).astype(np.int16)], index), 1, [0, 10], [20, 30], 1, 1)


def test_excerpt_under_other_music_is_found_and_so_is_the_other(works, index):
    both = excerpt(works[0], 5, 20) // 2 + excerpt(works[4], 30, 20) // 2
    assert [(row, work) for row, work, _ in facts(match([both], index))] == [(0, 0), (0, 4)]


@pytest.mark.parametrize("speed", [0.95, 0.967, 0.98, 1.011, 1.035, 1.05])
def test_faster_and_slower_excerpts_are_found(works, index, speed):
    item = resampled(excerpt(works[5], 10, 12), speed)
    assert_found(match([item], index), 5, [0, 12 / speed], [10, 22], speed, speed)


def test_stretch_in_the_middle_of_something_else_is_found_with_its_share(works, index):
    item = np.concatenate([tune(100, 40), excerpt(works[2], 15, 20), tune(101, 40)])
    hits = match([item], index)
    assert_found(hits, 2, [40, 60], [15, 35], 1, 1)
    assert hits.cover[0] == pytest.approx(0.2, abs=0.02)


def test_two_stretches_of_one_work_are_one_hit_with_both_shares(works, index):
    item = np.concatenate([excerpt(works[2], 40, 12), tune(102, 36), excerpt(works[2], 5, 12)])
    hits = match([item], index)
    assert hits.work.tolist() == [2]
    assert hits.cover[0] == pytest.approx(0.4, abs=0.03)


def test_rows_are_those_of_the_batch_and_stay_in_order(works, index):
    items = [excerpt(works[4], 5, 8), tune(200, 8), excerpt(works[0], 30, 8)]
    assert [(row, work) for row, work, _ in facts(match(items, index, rows=[3, 5, 8]))] == [(3, 4), (8, 0)]


def test_batch_and_single_items_have_the_same_hits(works, index):
    items = [excerpt(work, 9, 7) for work in works]
    together = facts(match(items, index))
    assert together == [fact for k, item in enumerate(items) for fact in facts(match([item], index, rows=[k]))]


def test_other_music_is_not_found(index):
    assert facts(match([tune(300 + seed, 30) for seed in range(12)], index)) == []


def unremarkable(name, count=30 * RATE_HZ):
    """Sounds that have nothing to recognise."""
    time = np.arange(count) / RATE_HZ
    sounds = {
        "silence": np.zeros(count),
        "hiss": 3000 * noise(count),
        "tone": 8000 * np.sin(2 * np.pi * 440 * time),
        "chord": sum(4000 * np.sin(2 * np.pi * f * time) for f in (220, 277.2, 329.6, 440)),
        "clicks": np.where(np.arange(count) % 4000 == 0, 30000, 0),
        "beeps": 8000 * np.sin(2 * np.pi * 1000 * time) * (np.sin(4 * np.pi * time) > 0),
        "sweep": 8000 * np.sin(2 * np.pi * (200 + 50 * time) * time),
    }
    return np.round(sounds[name]).clip(-32768, 32767).astype(np.int16)


@pytest.mark.parametrize("name", ["silence", "hiss", "tone", "chord", "clicks", "beeps", "sweep"])
def test_unremarkable_sound_is_nobodys(index, name):
    assert facts(match([unremarkable(name)], index)) == []


@pytest.mark.parametrize("name", ["silence", "hiss", "tone", "chord", "clicks"])
def test_register_of_unremarkable_sound_matches_no_other(works, name):
    others = [unremarkable(other) for other in ("silence", "hiss", "tone", "chord", "clicks") if other != name]
    again = unremarkable("hiss")[1000:][: 20 * RATE_HZ] if name != "hiss" else 3000 * noise(20 * RATE_HZ, 7)
    assert facts(match([*others, works[0], again.astype(np.int16)], register_of([unremarkable(name)]))) == []


def test_soft_loop_of_two_seconds_does_not_make_two_pieces_one(works):
    loop = np.tile(tune(400, 2), 15)
    pieces = [tune(401 + k, 30) // 2 + loop // 8 for k in range(2)]
    assert facts(match([pieces[1]], register_of([pieces[0], *works[:2]]))) == []


def test_short_excerpt_is_found_and_a_snippet_is_not(works, index):
    found = [len(match([excerpt(works[1], 12, seconds)], index)) for seconds in (5, 4, 2, 1, 0.1, 0)]
    assert found == [1, 1, 0, 0, 0, 0]


def test_stricter_policy_asks_for_more_evidence(works, index):
    item = excerpt(works[1], 12, 5)
    scores = []
    for bits in (0, 10, 30, 200):
        policy = Policy(use=Use.TRAIN_GENERATIVE, on=dt.date(2026, 1, 1), audio_bits=bits)
        scores.append(match([item], index, policy=policy).score.tolist())
    assert scores[3] == []
    assert scores[0] > scores[1] > scores[2] != []


def test_register_without_sounds_has_no_hits(works):
    assert len(match([works[0]], register_of([]))) == 0


@pytest.mark.parametrize("seed", range(4))
def test_damaged_index_gives_wrong_answers_and_no_wrong_memory(works, seed):
    dice = np.random.default_rng(seed)
    arrays = build(*rows_of(works[:2]))
    for name, share in (("place", 3), ("bin", 3), ("pair", 3), ("start", 1), ("first", 1), ("prefix", 5000)):
        damaged = arrays[name].copy()
        where = dice.integers(0, len(damaged) - 1, 1 + len(damaged) // share)
        damaged[where] = dice.integers(0, 1 << (8 * damaged.itemsize), len(where), np.uint64).astype(damaged.dtype)
        arrays[name] = damaged
    hits = match([excerpt(works[0], 10, 5), works[1]], AudioIndex.from_arrays(arrays))
    assert set(hits.row.tolist()) <= {0, 1}
