"""A signer's line as a page writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from askfirst_site.statement.charts import OTHERS
from askfirst_site.statement.countries import country_name
from askfirst_site.statement.models import Discipline, Display, Kind, Level, Signature
from askfirst_site.statement.wall import Line
from askfirst_site.statement.wall import line_of as wall_line

__all__ = ["Shown", "day_in_words", "grouped", "key_label", "line_of", "shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A line: the name, or initials; what stands beside it; how much is proven.

    `when` is the heading it stands under; `counted`: it is on no wall; only its signer sees that it is one.
    """

    name: str
    about: str
    level: int
    position: int | None
    when: str = ""
    counted: bool = False


def shown(line: Line, when: str = "") -> Shown:
    """Return a line of the wall with what it does in words."""
    about = line.role or ("" if line.kind == Kind.ORGANISATION else _discipline(line.discipline))
    return Shown(line.name, about, line.level, line.position, when)


def grouped(lines: list[Line]) -> list[Shown]:
    """Return lines under the hour in which they were signed, or under the day where hours would be many."""
    hours = {line.hour for line in lines}
    by_day = len(hours) > max(3, len(lines) // 5)
    return [shown(line, _when(line.hour, by_day=by_day)) for line in lines]


def _when(hour: datetime, *, by_day: bool) -> str:
    day = day_in_words(hour)
    return day if by_day else _("%(day)s, from %(hour)s UTC") % {"day": day, "hour": f"{hour:%H}:00"}


def day_in_words(day: date) -> str:
    """Return a day as the language in use writes it: `2 May 2026`, `2. Mai 2026`."""
    return date_format(day, "j. F Y" if (get_language() or "").startswith("de") else "j F Y")


def line_of(row: Signature) -> Shown:
    """Return a signer's own line, for themselves."""
    if row.display == Display.COUNTED:
        return Shown("", "", row.level, row.position, counted=True)
    return shown(wall_line(row))


def _discipline(key: str) -> str:
    return str(dict(Discipline.choices).get(key, ""))


def key_label(dimension: str, key: str, language: str) -> str:
    """Return what a key of a chart means."""
    if key == OTHERS:
        return _("other")
    if not key:
        return _("not said")
    if dimension == "discipline":
        return _discipline(key) or key
    if dimension == "level":
        return str(dict(Level.choices).get(int(key), key)) if key.isdecimal() else key
    return country_name(key, language) if dimension == "country" else key
