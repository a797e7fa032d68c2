"""The wall: who signed, the newest first; by discipline and country, and by how words begin.

Every page costs a bounded number of index steps, whatever is asked for, on a million lines too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from askfirst_site.statement import names
from askfirst_site.statement.models import Display, Signature, Statement, WallWord

__all__ = ["PAGE", "Line", "Wall", "line_of", "read_wall"]

PAGE = 40
LOOKED_AT = 4000
"""Lines of a word that are looked at for one page, when other words or a filter must fit too."""
STEP = 400
LIMIT_MAX = 200
WORDS_MAX = 4

# Word for word the condition of the partial indexes: only then does SQLite use them.
_ON_WALL = (
    'NOT "statement_signature"."hidden" AND "statement_signature"."position" IS NOT NULL'
    ' AND "statement_signature"."state" = \'confirmed\' AND NOT ("statement_signature"."display" = \'counted\')'
)
_COLUMNS = ["pk", "position", "name", "role", "discipline", "country", "level", "kind", "confirmed", "display"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the wall, as its signer wants it.

    Args:
        position: Of the signature in the log.
        name: Or initials.
        role: Empty with initials.
        discipline: Code.
        country: Code, or empty; empty with initials.
        level: How much is proven.
        kind: `person` or `organisation`.
        hour: When, to the hour.
        works: Whether works are registered.
    """

    position: int
    name: str
    role: str
    discipline: str
    country: str
    level: int
    kind: str
    hour: datetime
    works: bool = False


@dataclass(frozen=True, slots=True)
class Wall:
    """A page of the wall: its lines, and before which position the next page begins; None at the end."""

    lines: list[Line]
    next: int | None


def line_of(row: Signature) -> Line:
    """Return a signature as its signer wants it shown. Those who are counted and not shown have no line: do not ask."""
    shown = row.display == Display.FULL
    return Line(
        position=int(row.position or 0),
        name=row.name if shown else names.initials(row.name),
        role=row.role if shown else "",
        discipline=row.discipline,
        country=row.country if shown else "",
        level=row.level,
        kind=row.kind,
        hour=(row.confirmed or row.created).replace(minute=0, second=0, microsecond=0),
    )


def read_wall(  # keyword-only; each is a field of the filter
    statement: Statement,
    *,
    discipline: str = "",
    country: str = "",
    search: str = "",
    before: int | None = None,
    limit: int = PAGE,
) -> Wall:
    """Return a page of the wall.

    Args:
        statement: Whose.
        discipline: Code; empty for all.
        country: Code; empty for all. Lines with initials are not found by country: they don't show it.
        search: Beginnings of words that must all stand in the line.
        before: Only lines with a smaller position: the last page's `next`.
        limit: Lines, at most 200.
    """
    limit = max(1, min(limit, LIMIT_MAX))
    rows = _filtered(statement, discipline, country)
    prefixes = sorted(names.fold_words(search[:200]), key=len, reverse=True)[:WORDS_MAX]
    if search.strip() and not prefixes:
        return Wall([], None)
    if prefixes:
        return _search(rows, statement, prefixes, before, limit)
    if before is not None:
        rows = rows.filter(position__lt=before)
    found = list(rows.order_by("-position")[: limit + 1])
    return _page(found, limit)


def _filtered(statement: Statement, discipline: str, country: str) -> QuerySet[Signature]:
    rows = Signature.objects.filter(
        RawSQL(_ON_WALL, (), output_field=BooleanField()),  # noqa: S611 - a constant
        statement=statement.pk,
    )
    if discipline:
        rows = rows.filter(discipline=discipline)
    if country:
        rows = rows.filter(country=country, display=Display.FULL)
    return rows.only(*_COLUMNS)


def _page(found: list[Signature], limit: int) -> Wall:
    more = found[limit - 1].position if len(found) > limit else None
    return Wall([line_of(row) for row in found[:limit]], more)


def _search(
    rows: QuerySet[Signature], statement: Statement, prefixes: list[str], before: int | None, limit: int
) -> Wall:
    """Find lines by how their words begin.

    1. The rarest word decides: its newest positions, at most `LOOKED_AT`, sorted inside the index.
    2. Step by step the lines at these positions that fit everything else, until the page is full.
    3. None left to look at, but more in the index: the page ends early, and says where to go on.
    """
    _size, rarest = min((_size_of(statement, prefix), prefix) for prefix in prefixes)
    others = [one for one in prefixes if one != rarest]
    words = _words(statement, rarest)
    if before is not None:
        words = words.filter(position__lt=before)
    looked_at = list(words.order_by("-position").values_list("position", flat=True)[:LOOKED_AT])
    positions = list(dict.fromkeys(looked_at))
    for prefix in others:
        rows = rows.filter(Exists(_words(statement, prefix).filter(signature=OuterRef("pk"))))
    found: list[Signature] = []
    for start in range(0, len(positions), STEP):
        found += rows.filter(position__in=positions[start : start + STEP]).order_by("-position")
        if len(found) > limit:
            break
    if len(found) <= limit and len(looked_at) == LOOKED_AT:
        return Wall([line_of(row) for row in found], positions[-1])
    return _page(found, limit)


def _words(statement: Statement, prefix: str) -> QuerySet[WallWord]:
    words = WallWord.objects.filter(statement=statement.pk)
    if len(prefix) == 1 and prefix.isascii():  # as an initial: as a beginning it would fit everybody
        return words.filter(word=prefix)
    return words.filter(word__gte=prefix, word__lt=f"{prefix}\U0010ffff")


def _size_of(statement: Statement, prefix: str) -> int:
    return _words(statement, prefix).order_by().values("position")[:LOOKED_AT].count()
