"""Numbers for charts. A cell that would point at fewer than five people is folded into others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from askfirst_site.statement.models import Tally

__all__ = ["SMALLEST", "Bar", "Charts", "charts_of", "fold_small"]

SMALLEST = 5
COUNTRIES_SHOWN = 15
OTHERS = "others"
"""Key of what is folded together."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart, and a row of the table beside it. `key` is a code, empty where nothing was said."""

    key: str
    n: int


@dataclass(frozen=True, slots=True)
class Charts:
    """What the page draws.

    Args:
        disciplines: The largest first, `others` last.
        countries: The first fifteen, `others` last.
        languages: Of the text that was signed.
        levels: How much is proven.
        days: Day, new signatures of that day that count now, and all up to it.
    """

    disciplines: list[Bar]
    countries: list[Bar]
    languages: list[Bar]
    levels: list[Bar]
    days: list[tuple[date, int, int]]


def fold_small(numbers: Mapping[str, int], *, longest: int | None = None) -> list[Bar]:
    """Return bars, the largest first, small ones folded together, and never one alone.

    Whatever is folded is at least five, if there is as much at all: else one could subtract.
    """
    ordered = sorted(((n, key) for key, n in numbers.items() if n > 0), key=lambda pair: (-pair[0], pair[1]))
    kept = [(n, key) for n, key in ordered if n >= SMALLEST][:longest]
    folded = sum(n for n, _key in ordered) - sum(n for n, _key in kept)
    while kept and 0 < folded < SMALLEST:
        folded += kept.pop()[0]
    bars = [Bar(key, n) for n, key in kept]
    return [*bars, Bar(OTHERS, folded)] if folded else bars


def charts_of(tallies: Iterable[Tally]) -> Charts:
    """Return the charts of a statement's tallies."""
    numbers: dict[str, dict[str, int]] = {}
    for tally in tallies:
        numbers.setdefault(tally.dimension, {})[tally.key] = tally.n
    return Charts(
        disciplines=fold_small(numbers.get("discipline", {})),
        countries=fold_small(numbers.get("country", {}), longest=COUNTRIES_SHOWN),
        languages=fold_small(numbers.get("language", {})),
        levels=fold_small(numbers.get("level", {})),
        days=_running(numbers.get("day", {})),
    )


def _running(days: Mapping[str, int]) -> list[tuple[date, int, int]]:
    """Return every day from the first to the last, with those on which nobody signed."""
    known = {date.fromisoformat(key): n for key, n in days.items() if key and n > 0}
    found, total = [], 0
    day = min(known, default=date.max)
    while day <= max(known, default=date.min):
        total += known.get(day, 0)
        found.append((day, known.get(day, 0), total))
        day += timedelta(days=1)
    return found
