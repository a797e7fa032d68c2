from dataclasses import dataclass

import pytest

from askfirst.errors import FormatError
from askfirst.model import Regime
from askfirst.report.record import Record


@dataclass(frozen=True, slots=True)
class Inner(Record):
    name: str


@dataclass(frozen=True, slots=True)
class Outer(Record):
    count: int
    share: float
    flag: bool
    regime: Regime
    picture: bytes | None
    inner: Inner
    rows: tuple[Inner, ...]
    counts: dict[str, int]


VALUE = Outer(3, 0.5, True, Regime.OPT_IN, b"\xff\x00", Inner("a"), (Inner("b"), Inner("c")), {"x": 1})
PLAIN = {
    "count": 3,
    "share": 0.5,
    "flag": True,
    "regime": "opt-in",
    "picture": "/wA=",
    "inner": {"name": "a"},
    "rows": [{"name": "b"}, {"name": "c"}],
    "counts": {"x": 1},
}


def test_record_as_json():
    assert VALUE.to_dict() == PLAIN
    assert type(VALUE.to_dict()["regime"]) is str


def test_record_round_trip():
    assert Outer.from_dict(PLAIN) == VALUE


def test_record_whole_number_where_a_fraction_belongs():
    assert Outer.from_dict({**PLAIN, "share": 2}).share == 2.0


def test_record_nothing_where_nothing_is_allowed():
    assert Outer.from_dict({**PLAIN, "picture": None}).picture is None


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"count": True}, "outer.count", "a whole number"),
        ({"count": "3"}, "outer.count", "a whole number"),
        ({"count": None}, "outer.count", "a whole number"),
        ({"share": "x"}, "outer.share", "a number"),
        ({"flag": 1}, "outer.flag", "true or false"),
        ({"regime": "both"}, "outer.regime", "opt-in or opt-out"),
        ({"regime": ["opt-in"]}, "outer.regime", "opt-in or opt-out"),
        ({"picture": "not base64"}, "outer.picture", "base64 text"),
        ({"picture": "ä==="}, "outer.picture", "base64 text"),
        ({"inner": []}, "outer.inner", "an object"),
        ({"inner": {"name": 1}}, "outer.inner.name", "text"),
        ({"inner": {}}, "outer.inner.name", "present"),
        ({"inner": {"name": "a", "nick": "b"}}, "outer.inner.nick", "absent"),
        ({"rows": {}}, "outer.rows", "a list"),
        ({"rows": [{"name": "b"}, 7]}, "outer.rows[1]", "an object"),
        ({"counts": {"x": 1.5}}, "outer.counts.x", "a whole number"),
    ],
)
def test_record_wrong_value_names_its_place(changes, path, expected):
    with pytest.raises(FormatError) as caught:
        Outer.from_dict({**PLAIN, **changes})
    assert (caught.value.path, caught.value.expected) == (path, expected)
    assert caught.value.advice == "write the file again with `askfirst audit`"
