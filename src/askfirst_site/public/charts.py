"""Numbers as pictures: plain geometry, drawn by the templates with attributes only, as the security policy asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from askfirst_site.statement.events import Event

__all__ = ["Bar", "Day", "Growth", "Mark", "bars", "growth"]

WIDTH = 600
HEIGHT = 120
POINTS_MAX = 200
"""More points than pixels of a telephone add bytes and nothing to see."""
NEAR = 0.04
"""Marks nearer than this part of the width would cover each other, and become one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its number, and its width in whole hundredths of the longest: no language writes those otherwise."""

    label: str
    n: int
    width: int


@dataclass(frozen=True, slots=True)
class Day:
    """What one day brought, the sum so far, and what happened."""

    day: date
    n: int
    total: int
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on the line with its number, in hundredths of the box: written out, as no language writes it otherwise.

    `shift` is where the number stands beside the point, in pixels downwards.
    """

    number: int
    x: str
    y: str
    shift: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """All days, the line they make (an SVG path in a box of 600 by 120), and the marks on it."""

    days: tuple[Day, ...]
    path: str
    marks: tuple[Mark, ...] = ()

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


def growth(rows: Sequence[tuple[date, int, int]], events: Sequence[Event] = ()) -> Growth | None:
    """Return the line of every day's number and sum; None while there are fewer than two days.

    Args:
        rows: Day, new ones, sum; every day from the first to the last with a signature.
        events: The oldest first. Those before the first signature are left out; for later ones the line goes on.
    """
    if len(rows) < 2:
        return None
    shown = [event for event in events if event.day >= rows[0][0]]
    last, _n, total = rows[-1]
    beyond = max((event.day for event in shown), default=last) - last
    whole = [*rows, *((last + timedelta(days=more), 0, total) for more in range(1, beyond.days + 1))]
    marks = _marks(whole, shown)
    titles: dict[date, list[str]] = {}
    for mark in marks:
        for event in mark.events:
            titles.setdefault(event.day, []).append(event.title)
    days = tuple(Day(*row, tuple(titles.get(row[0], ()))) for row in whole)
    return Growth(days, _path([total for _day, _n, total in whole]), marks)


def _marks(rows: Sequence[tuple[date, int, int]], events: Sequence[Event]) -> tuple[Mark, ...]:
    """Return a mark for every event; those that are near each other share one, at the day of the first."""
    if not events:
        return ()
    length, highest = len(rows) - 1, max(total for _day, _n, total in rows) or 1
    groups = [[events[0]]]
    for event in events[1:]:
        if (event.day - groups[-1][0].day).days <= NEAR * length:
            groups[-1].append(event)
        else:
            groups.append([event])
    marks = []
    for number, group in enumerate(groups, start=1):
        place = (group[0].day - rows[0][0]).days
        y = 100 * _height(rows[place][2], highest) / HEIGHT
        marks.append(Mark(number, f"{100 * place / length:.2f}", f"{y:.2f}", -10 if y > 60 else 20, tuple(group)))
    return tuple(marks)


def _height(total: int, highest: int) -> float:
    return HEIGHT - 1 - (HEIGHT - 4) * total / highest


def _path(totals: Sequence[int]) -> str:
    step = max(1, len(totals) // POINTS_MAX)
    picked = sorted({*range(0, len(totals), step), len(totals) - 1})
    highest = max(totals) or 1
    points = (f"{WIDTH * i / (len(totals) - 1):.0f} {_height(totals[i], highest):.0f}" for i in picked)
    return "M" + "L".join(points)
