"""Pictures against a register by their descriptors: one hit for each row and work, the nearest."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

from askfirst.errors import ConfigError, InputError
from askfirst.fingerprint.descriptor import DescriptorQuery
from askfirst.match.descriptor import check_model, gate_bits, match_bits, match_descriptors, passes_gate
from askfirst.match.hits import KINDS
from askfirst.model import MatchKind, Use
from askfirst.policy import Policy
from askfirst.register.descriptor_index import DescriptorIndex, build

DAY = dt.date(2026, 1, 1)
LEVEL = 600
WORKS = np.random.default_rng(0).integers(0, 2**64, (6, 8), np.uint64, endpoint=False)


def policy(**bits):
    return Policy(use=Use.TRAIN_GENERATIVE, on=DAY, **bits)


def near(code, bits, seed=1):
    """The code with so many bits changed."""
    out = code.copy()
    for bit in np.random.default_rng(seed).choice(512, bits, replace=False).tolist():
        out[bit // 64] ^= np.uint64(1 << bit % 64)
    return out


def query(*codes, views=None, levels=None):
    views = range(len(codes)) if views is None else views
    levels = [LEVEL] * len(codes) if levels is None else levels
    return DescriptorQuery(np.array(codes, np.uint64), np.array(views, np.uint8), np.array(levels, np.int32))


def register_of(codes=WORKS, work=None, view=None):
    work = np.arange(len(codes)) if work is None else work
    view = None if view is None else np.array(view, np.uint8)
    return DescriptorIndex.from_arrays(build(np.array(codes), np.array(work, np.uint32), view))


def match(queries, index=None, rows=None, with_review=False, **bits):
    rows = np.arange(len(queries), dtype=np.int32) if rows is None else np.array(rows, np.int32)
    index = register_of() if index is None else index
    return match_descriptors(rows, queries, index, LEVEL, policy(**bits), with_review=with_review)


def facts(hits):
    return list(zip(hits.row.tolist(), hits.work.tolist(), map(json.loads, hits.where.to_pylist()), strict=True))


def said(bits, view="whole", band="match", **more):
    return {"by": "descriptor", "distance_bits": bits, "view": view, **more, "band": band}


def test_copy_is_its_work():
    hits = match([query(near(WORKS[2], 30)), query(near(WORKS[0], 0))])
    assert facts(hits) == [(0, 2, said(30)), (1, 0, said(0))]
    assert [KINDS[code] for code in hits.kind.tolist()] == [MatchKind.IMAGE] * 2
    assert (hits.score.tolist(), hits.cover.tolist()) == ([1 - 30 / 256, 1.0], [1.0, 1.0])
    assert [hits.row.dtype, hits.work.dtype, hits.kind.dtype, hits.score.dtype, hits.cover.dtype] == [
        np.dtype(kind) for kind in (np.int32, np.uint32, np.uint8, np.float32, np.float32)
    ]


@pytest.mark.parametrize(("bits", "expected"), [(140, [140]), (141, [])])
def test_match_ends_at_the_policys_distance(bits, expected):
    found = facts(match([query(near(WORKS[1], bits))]))
    assert [where["distance_bits"] for _, _, where in found] == expected
    assert facts(match([query(near(WORKS[1], bits))], descriptor_distance_bits=150)) == [(0, 1, said(bits))]


def test_review_is_returned_where_it_is_asked_for():
    items = [query(near(WORKS[1], bits)) for bits in (140, 141, 170, 171)]
    expected = [(0, 1, said(140)), (1, 1, said(141, band="review")), (2, 1, said(170, band="review"))]
    assert facts(match(items, with_review=True)) == expected


def test_picture_that_is_near_to_everything_must_be_nearer():
    """A level 30 bits below the ordinary is ten bits of each of three distances."""
    index = register_of()
    assert facts(match([query(near(WORKS[1], 130), levels=[LEVEL - 30])], index)) == [(0, 1, said(130))]
    assert facts(match([query(near(WORKS[1], 131), levels=[LEVEL - 30])], index)) == []


def test_picture_that_is_far_from_everything_may_be_eight_bits_farther():
    assert facts(match([query(near(WORKS[1], 143), levels=[LEVEL + 9])])) == [(0, 1, said(143))]
    assert facts(match([query(near(WORKS[1], 144), levels=[LEVEL + 9])])) == []
    assert facts(match([query(near(WORKS[1], 148), levels=[LEVEL + 300])])) == [(0, 1, said(148))]
    assert facts(match([query(near(WORKS[1], 149), levels=[LEVEL + 300])])) == []
    assert match([query(WORKS[1], levels=[LEVEL + 300])]).score.tolist() == [1.0]


def test_nearest_view_of_an_item_counts_and_the_first_of_equal_ones():
    codes = [near(WORKS[3], 90), near(WORKS[3], 40), near(WORKS[3], 40, seed=2)]
    assert facts(match([query(*codes, views=[0, 3, 6])])) == [(0, 3, said(40, "top left"))]


def test_correction_decides_between_views():
    codes = [near(WORKS[3], 40), near(WORKS[3], 45)]
    assert facts(match([query(*codes, levels=[LEVEL - 60, LEVEL])])) == [(0, 3, said(45, "without borders"))]


def test_view_of_the_work_is_named():
    index = register_of(WORKS[:2], work=[5, 5], view=[0, 4])
    assert facts(match([query(near(WORKS[1], 9))], index)) == [(0, 5, said(9, work_view="top right"))]


def test_several_works_in_one_picture_are_all_found():
    hits = match([query(near(WORKS[4], 20), near(WORKS[1], 10), views=[7, 8])], rows=[11])
    assert facts(hits) == [(11, 1, said(10, "right half")), (11, 4, said(20, "left half"))]


def test_pictures_without_codes_are_passed_over():
    hits = match([DescriptorQuery.empty(), query(near(WORKS[4], 20)), DescriptorQuery.empty()], rows=[3, 7, 9])
    assert facts(hits) == [(7, 4, said(20))]
    assert len(match([])) == len(match([DescriptorQuery.empty()])) == 0
    assert len(match([query(WORKS[0])], register_of(WORKS[:0]))) == 0


def test_limit_falls_with_the_register_and_with_views():
    counts = (1, 10_000_000, 12_000_000, 100_000_000, 1_000_000_000)
    assert [match_bits(140, count) for count in counts] == [140, 140, 139, 128, 117]
    assert [gate_bits(10**power) for power in (2, 3, 4, 6, 7, 8)] == [208, 208, 202, 192, 187, 182]


def test_gate_lets_views_pass_that_are_near_to_some_work():
    limit = gate_bits(2 * len(WORKS))
    items = [
        query(near(WORKS[0], limit), near(WORKS[1], limit + 1)),
        DescriptorQuery.empty(),
        query(near(WORKS[5], 3), near(WORKS[2], 512)),
    ]
    assert [passed.tolist() for passed in passes_gate(items, register_of())] == [[True, False], [], [True, False]]


def test_gate_before_an_empty_register_lets_nothing_pass():
    assert [passed.tolist() for passed in passes_gate([query(WORKS[0])], register_of(WORKS[:0]))] == [[False]]
    assert passes_gate([], register_of()) == []


def test_another_model_is_refused():
    check_model("ab" * 32, "ab" * 32)
    with pytest.raises(InputError) as error:
        check_model("cd" * 32, "ab" * 32)
    assert (error.value.kind, error.value.message) == (
        "other-model",
        "the register's pictures were described by the model abababababab, this is cdcdcdcdcdcd",
    )


@pytest.mark.parametrize("setting", ["descriptor_distance_bits", "descriptor_review_bits"])
@pytest.mark.parametrize("bits", [-1, 256])
def test_policy_that_matches_everything_is_refused(setting, bits):
    with pytest.raises(ConfigError) as error:
        policy(**{setting: bits})
    assert error.value.key == setting
