"""Numbers as pictures: plain geometry, drawn by the templates with attributes only, as the security policy asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

__all__ = ["Bar", "Day", "Growth", "bars", "growth"]

WIDTH = 600
HEIGHT = 120
POINTS_MAX = 200
"""More points than pixels of a telephone add bytes and nothing to see."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its number, and its width in hundredths of the longest: whole ones, which no language writes otherwise."""

    label: str
    n: int
    width: int


@dataclass(frozen=True, slots=True)
class Day:
    """What one day brought, and the sum so far."""

    day: date
    n: int
    total: int


@dataclass(frozen=True, slots=True)
class Growth:
    """All days, and the line they make: an SVG path in a box of 600 by 120."""

    days: tuple[Day, ...]
    path: str

    @property
    def first(self) -> date:
        """The first day."""
        return self.days[0].day

    @property
    def last(self) -> date:
        """The last day."""
        return self.days[-1].day

    @property
    def total(self) -> int:
        """The sum of all days."""
        return self.days[-1].total


def bars(rows: Iterable[tuple[str, int]]) -> list[Bar]:
    """Return bars for labels and numbers, in the given order."""
    listed = list(rows)
    longest = max((n for _label, n in listed), default=0) or 1
    return [Bar(label, n, round(100 * n / longest)) for label, n in listed]


def growth(rows: Sequence[tuple[date, int, int]]) -> Growth | None:
    """Return the line of every day's number and sum; None while there are fewer than two days."""
    if len(rows) < 2:
        return None
    return Growth(tuple(Day(*row) for row in rows), _path([total for _day, _n, total in rows]))


def _path(totals: Sequence[int]) -> str:
    step = max(1, len(totals) // POINTS_MAX)
    picked = sorted({*range(0, len(totals), step), len(totals) - 1})
    highest = max(totals) or 1
    points = (
        f"{WIDTH * i / (len(totals) - 1):.0f} {HEIGHT - 1 - (HEIGHT - 4) * totals[i] / highest:.0f}" for i in picked
    )
    return "M" + "L".join(points)
