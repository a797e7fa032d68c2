"""Films of a batch against a register of films: parts, speeds, ways of turning, and what is no match."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

import numpy as np
import pytest

from askfirst.fingerprint.video import query_frames, stored_frames
from askfirst.match.hits import KINDS
from askfirst.match.video import match_films
from askfirst.model import MatchKind, Use
from askfirst.policy import Policy
from askfirst.register.video_index import VideoIndex, build

POLICY = Policy(use=Use.TRAIN_GENERATIVE, on=dt.date(2026, 1, 1))
HEIGHT, WIDTH = 120, 160


@dataclass(frozen=True)
class Frame:
    seconds: float
    grey: np.ndarray


def shown(film, seconds):
    """A film of shots of 5 seconds: soft blobs that drift, different ones in each shot."""
    shot, within = divmod(max(seconds, 0.0), 5)
    rng = np.random.default_rng([film, int(shot)])
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    out = np.full((HEIGHT, WIDTH), 128.0)
    for _ in range(60):
        cy, cx, size, height = rng.uniform(0, HEIGHT), rng.uniform(0, WIDTH), rng.uniform(4, 14), rng.uniform(-160, 160)
        dy, dx = rng.uniform(-4, 4, 2)
        out += height * np.exp(-((y - cy - dy * within) ** 2 + (x - cx - dx * within) ** 2) / (2 * size * size))
    return np.clip(out, 0, 255).astype(np.uint8)


def work(film, seconds):
    return stored_frames(Frame(at, shown(film, at)) for at in np.arange(0, seconds, 0.5))


def item(film, *, start=0.0, seconds=20.0, speed=1.0, step=2.0, edit=lambda grey: grey):
    frames = [Frame(at, edit(shown(film, start + speed * at))) for at in np.arange(0, seconds, step)]
    return query_frames(frames, seconds)


def register_of(*films):
    work = np.concatenate([np.full(len(film.codes), number, np.uint32) for number, film in enumerate(films)])
    columns = [np.concatenate([getattr(film, name) for film in films]) for name in ("codes", "orientations", "time_ms")]
    return VideoIndex.from_arrays(build(columns[0], work, columns[1], columns[2]))


@pytest.fixture(scope="module")
def register():
    return register_of(*(work(film, 60) for film in range(4)))


def match(films, index, policy=POLICY):
    return match_films(np.arange(len(films), dtype=np.int32), films, index, policy)


def facts(hits):
    return list(zip(hits.row.tolist(), hits.work.tolist(), map(json.loads, hits.where.to_pylist()), strict=True))


def test_a_part_of_a_film_is_found_with_its_times(register):
    hits = match([item(2, start=21.2)], register)
    [(row, found, where)] = facts(hits)
    assert (row, found) == (0, 2)
    assert (where["item"], where["speed"], where["frames"], where["transform"]) == ([0.0, 20.0], 1.0, 10, "none")
    assert where["work"] == pytest.approx([21.2, 41.2], abs=0.5)
    assert (KINDS[hits.kind[0]], hits.cover.tolist()) == (MatchKind.VIDEO, [1.0])
    assert [hits.row.dtype, hits.work.dtype, hits.kind.dtype, hits.score.dtype, hits.cover.dtype] == [
        np.dtype(kind) for kind in (np.int32, np.uint32, np.uint8, np.float32, np.float32)
    ]


EDITS = {
    "mirrored": ("mirrored", lambda grey: grey[:, ::-1]),
    "on its side": ("rotated 90", lambda grey: np.rot90(grey, -1)),
    "letterbox": ("none", lambda grey: np.pad(grey, ((30, 30), (0, 0)))),
    "pillars": ("none", lambda grey: np.pad(grey, ((0, 0), (30, 30)))),
    "a tenth cropped": ("none", lambda grey: grey[6:-6, 8:-8]),
    "a fifth cropped": ("none", lambda grey: grey[12:-12, 16:-16]),
    "darker": ("none", lambda grey: (grey * 0.7).astype(np.uint8)),
    "a logo": ("none", lambda grey: np.where(np.add.outer(np.arange(120) < 14, np.arange(160) > 138) == 2, 250, grey)),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_film_is_found(register, name):
    transform, edit = EDITS[name]
    film = item(1, start=7.3, edit=lambda grey: np.ascontiguousarray(edit(grey)).astype(np.uint8))
    [(_, found, where)] = facts(match([film], register))
    assert (found, where["transform"]) == (1, transform)
    assert where["work"] == pytest.approx([7.3, 27.3], abs=1)


@pytest.mark.parametrize("speed", [0.8, 0.96, 1.05, 1.25])
def test_a_film_at_another_speed_is_found_with_its_speed(register, speed):
    [(_, found, where)] = facts(match([item(3, start=4, seconds=36, speed=speed)], register))
    assert found == 3
    assert where["speed"] == pytest.approx(speed, abs=0.02)
    assert where["work"] == pytest.approx([4, 4 + 36 * speed], abs=1)


def test_unregistered_films_are_no_match(register):
    assert len(match([item(film) for film in range(100, 130)], register)) == 0


def test_a_film_of_two_films_is_both_and_covers_tell_how_much():
    register = register_of(work(0, 60), work(1, 60))
    frames = [Frame(at, shown(0, 10 + at) if at < 12 else shown(1, at)) for at in np.arange(0, 40, 2.0)]
    hits = match([query_frames(frames, 40)], register)
    assert [(found, where["item"]) for _, found, where in facts(hits)] == [(0, [0.0, 12.0]), (1, [12.0, 40.0])]
    assert hits.cover.tolist() == pytest.approx([0.3, 0.7])


def test_a_film_cut_in_another_order_is_one_hit_that_covers_all_of_it(register):
    frames = [Frame(at, shown(0, 40 + at if at < 10 else at)) for at in np.arange(0, 20, 2.0)]
    hits = match([query_frames(frames, 20)], register)
    [(_, found, where)] = facts(hits)
    assert (found, where["frames"], hits.cover.tolist()) == (0, 10, [1.0])


def test_strangers_between_parts_are_not_covered(register):
    frames = [Frame(at, shown(0 if not 10 <= at < 30 else 77, at)) for at in np.arange(0, 40, 2.0)]
    hits = match([query_frames(frames, 40)], register)
    assert hits.cover.tolist() == pytest.approx([0.5])


def test_a_lost_frame_and_black_between_parts_are_covered(register):
    def grey(at):
        return shown(77, at) if at == 6 else np.zeros((HEIGHT, WIDTH), np.uint8) if 10 <= at < 14 else shown(0, at)

    hits = match([query_frames([Frame(at, grey(at)) for at in np.arange(0, 20, 2.0)], 20)], register)
    assert hits.cover.tolist() == [1.0]


def test_one_picture_is_no_film(register):
    still = [Frame(at, shown(0, 10)) for at in np.arange(0, 20, 2.0)]
    assert len(match([query_frames(still, 20)], register)) == 0


def test_two_frames_do_for_a_very_short_film_and_not_for_a_long_one(register):
    short = query_frames([Frame(at, shown(0, 20 + at)) for at in (0.0, 1.0)], 2)
    long = query_frames([Frame(at, shown(0 if at < 3 else 88, at)) for at in np.arange(0, 40, 2.0)], 40)
    assert [(row, found) for row, found, _ in facts(match([short, long], register))] == [(0, 0)]


def test_a_leader_that_many_works_share_is_no_match():
    def with_leader(film, at):
        return shown(500, at) if at < 6 else shown(film, at)

    films = [stored_frames(Frame(at, with_leader(film, at)) for at in np.arange(0, 20, 0.5)) for film in range(12)]
    stranger = query_frames([Frame(at, with_leader(99, at)) for at in np.arange(0, 30, 2.0)], 30)
    copy = query_frames([Frame(at, with_leader(7, at)) for at in np.arange(0, 20, 2.0)], 20)
    assert [(row, found) for row, found, _ in facts(match([stranger, copy], register_of(*films)))] == [(1, 7)]


def test_another_hour_of_a_camera_that_never_moves_is_no_match():
    def still(day, at):
        people = np.random.default_rng([day, int(at * 2)])
        out = shown(900, 0).astype(int)
        for _ in range(6):
            y, x = int(people.integers(0, HEIGHT - 20)), int(people.integers(0, WIDTH - 14))
            out[y : y + 20, x : x + 14] += int(people.integers(-90, 90))
        return np.clip(out, 0, 255).astype(np.uint8)

    index = register_of(stored_frames(Frame(at, still(1, at)) for at in np.arange(0, 60, 0.5)))
    stranger = query_frames([Frame(at, still(2, at)) for at in np.arange(0, 30, 1.0)], 30)
    copy = query_frames([Frame(at, still(1, at + 20)) for at in np.arange(0, 20, 1.0)], 20)
    [(row, found, where)] = facts(match([stranger, copy], index))
    assert (row, found, where["work"]) == (1, 0, [20.0, 40.0])


def test_rows_are_those_of_the_batch_and_blank_films_are_passed_over(register):
    blank = query_frames([Frame(0.0, np.zeros((50, 50), np.uint8))], 5)
    rows = np.array([3, 5, 8], np.int32)
    hits = match_films(rows, [item(2), blank, item(0)], register, POLICY)
    assert [(row, found) for row, found, _ in facts(hits)] == [(3, 2), (8, 0)]


def test_the_policy_says_how_many_frames_it_takes(register):
    strict = Policy(use=Use.TRAIN_GENERATIVE, on=dt.date(2026, 1, 1), video_frames=11)
    assert len(match([item(2)], register, strict)) == 0
    assert len(match([item(2, seconds=24)], register, strict)) == 1


def test_nothing_is_found_without_films_or_works(register):
    empty = register_of(stored_frames([]))
    assert [len(match(films, index)) for films, index in (([], register), ([item(0)], empty))] == [0, 0]


def test_score_grows_with_the_length_that_agrees(register):
    scores = [match([item(0, seconds=seconds)], register).score[0] for seconds in (6.0, 20.0, 50.0)]
    assert scores == sorted(scores)
    assert 0.6 < scores[0] < scores[2] < 1
