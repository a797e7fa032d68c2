"""What a match accounts for of a film: pictures and sound are two things."""

import numpy as np
import pyarrow as pa
import pytest

from askfirst.audit.decide import cover_films
from askfirst.match.hits import KINDS, Hits
from askfirst.model import MatchKind


def hits(*rows):
    row, work, kind, cover = zip(*rows, strict=True)
    return Hits(
        np.array(row, np.int32),
        np.array(work, np.uint32),
        np.array([KINDS.index(MatchKind(k)) for k in kind], np.uint8),
        np.ones(len(rows), np.float32),
        np.array(cover, np.float32),
        pa.array([None] * len(rows), pa.string()),
    )


@pytest.mark.parametrize(
    ("found", "sounds", "cover"),
    [
        ([(0, 5, "video", 0.95)], [], [0.95]),
        ([(0, 5, "video", 0.95)], [0], [0]),
        ([(0, 5, "audio", 0.98), (0, 5, "video", 0.95)], [0], [0, 0.95]),
        ([(0, 5, "audio", 0.4), (0, 5, "video", 0.95)], [0], [0, 0.4]),
        ([(0, 6, "audio", 1.0), (0, 5, "video", 0.95)], [0], [0, 0]),
        ([(0, 5, "digest", 1.0), (0, 6, "audio", 1.0)], [0], [1, 0]),
        ([(1, 5, "audio", 1.0)], [0, 1], [1]),
    ],
)
def test_cover_of_a_film_is_that_of_its_pictures_and_of_its_sound(found, sounds, cover):
    covered = cover_films(hits(*found), np.array([0], np.int32), np.array(sounds, np.int32))
    assert covered.cover.tolist() == pytest.approx(cover)
