"""Lines in time: pairs of frames that look alike, wherever they come from."""

from __future__ import annotations

import numpy as np
import pytest

from askfirst.match.votes import Pairs, best_line


def pairs(item_s, work_s, *, until_s=None, weight=1.0):
    item, work = np.array(item_s, float), np.array(work_s, float)
    until = work + 0.5 if until_s is None else np.array(until_s, float)
    order = np.argsort(item, kind="stable")
    return Pairs(*(1000 * a[order] for a in (item, work, until)), np.broadcast_to(weight, item.shape)[order] * 1.0)


@pytest.mark.parametrize("speed", [1.0, 0.8, 0.95, 1.05, 1.25])
@pytest.mark.parametrize("offset_s", [-3.0, 0.0, 17.3, 3600.0])
def test_a_copy_at_any_speed_is_found_with_its_offset(speed, offset_s):
    item = np.arange(4.0, 60, 2)
    line = best_line(pairs(item, speed * item + offset_s))
    assert line.speed == pytest.approx(speed, abs=0.002)
    assert line.offset_ms == pytest.approx(1000 * offset_s, abs=60)
    assert len(line.pairs) == len(item)
    assert line.weight == len(item)


def test_pairs_by_chance_do_not_move_the_line():
    rng = np.random.default_rng(0)
    item = np.arange(0.0, 40, 2)
    noise_item, noise_work = rng.choice(item, 200), rng.uniform(0, 3600, 200)
    line = best_line(pairs(np.concatenate([item, noise_item]), np.concatenate([item + 1000, noise_work])))
    assert (line.speed, round(line.offset_ms, -2)) == (1.0, 1_000_000)
    assert len(line.pairs) == len(item)


def test_pairs_by_chance_alone_lie_on_no_line():
    rng = np.random.default_rng(1)
    line = best_line(pairs(rng.choice(np.arange(0.0, 40, 2), 30), rng.uniform(0, 7200, 30)))
    assert len(line.pairs) <= 2


def test_a_frame_counts_once_however_often_the_work_shows_it():
    line = best_line(pairs([1, 1, 1, 1], [5.0, 5.2, 5.4, 90]))
    assert (len(line.pairs), line.weight) == (1, 1.0)


def test_a_still_scene_is_one_stored_frame_and_all_of_it_is_on_the_line():
    item = np.arange(0.0, 30)
    line = best_line(pairs(item, [100.0] * 30, until_s=[140.0] * 30))
    assert len(line.pairs) == 30


def test_the_heavier_line_is_taken():
    light = pairs([0, 2, 4, 6], [50, 52, 54, 56], weight=0.2)
    heavy = pairs([0, 2, 4], [80, 82, 84])
    order = np.argsort(np.concatenate([light.item_ms, heavy.item_ms]), kind="stable")
    both = Pairs(
        *(
            np.concatenate([getattr(light, name), getattr(heavy, name)])[order]
            for name in ("item_ms", "work_ms", "until_ms", "weight")
        )
    )
    assert best_line(both).offset_ms == 80_000


def test_film_shown_as_television_is_told_over_an_hour():
    item = np.arange(0.0, 3600, 30)
    line = best_line(pairs(item, item * 25 / 24 + 5))
    assert line.speed == pytest.approx(25 / 24, abs=1e-4)
    assert len(line.pairs) == len(item)


def test_backwards_is_no_line():
    item = np.arange(0.0, 40, 2)
    assert len(best_line(pairs(item, 100 - item)).pairs) <= 2


def test_no_pairs_have_no_line_and_parts_can_be_taken_out():
    assert best_line(Pairs.none()) is None
    some = pairs([0, 2, 4, 6], [0, 2, 4, 6])
    assert some.without(2000, 4000).item_ms.tolist() == [0, 6000]
