"""What reading a rights text gives: signals, and gaps where it could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from askfirst.model import Gap, Signal

__all__ = ["NOTHING", "QUOTE_SIZE_MAX", "Reading", "clip", "joined", "malformed"]

QUOTE_SIZE_MAX = 500
"""Characters of a quote. Source: `askfirst.model.Signal`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one rights text says.

    Args:
        signals: Statements that were understood.
        gaps: Statements that somebody made, or tried to make, and that could not be understood.
    """

    signals: tuple[Signal, ...] = ()
    gaps: tuple[Gap, ...] = ()


NOTHING = Reading()
"""The text says nothing about rights. That is not permission."""


def joined(readings: Iterable[Reading]) -> Reading:
    """Return the signals and gaps of several readings, each distinct one once, in order."""
    signals: dict[Signal, None] = {}
    gaps: dict[Gap, None] = {}
    for reading in readings:
        signals.update(dict.fromkeys(reading.signals))
        gaps.update(dict.fromkeys(reading.gaps))
    return Reading(tuple(signals), tuple(gaps)) if signals or gaps else NOTHING


def malformed(cause: str, source: str, *, advice: str = "ask the makers what they meant") -> Gap:
    """Return the gap of a rights text that cannot be understood."""
    return Gap("malformed-signal", cause, source, advice)


def clip(text: str) -> str:
    """Return the words of a quote, cut to its size."""
    return text if len(text) <= QUOTE_SIZE_MAX else text[: QUOTE_SIZE_MAX - 1] + "…"
