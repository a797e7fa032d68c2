"""How the public count comes about, and what the log's entries are: numbers that must add up."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Subquery

from askfirst_site.statement.models import Invalidation, Kind, PublishedCount, Statement, Tally, TextVersion
from askfirst_site.transparency.models import Entry

__all__ = ["Formula", "formula_of"]


@dataclass(frozen=True, slots=True)
class Formula:
    """A statement's count, and the log's size, with what each is made of.

    `signed - withdrawn - removed == people + organisations` holds for the statement, and
    `signs + withdrawals + removals + corrections + texts + reasons == size` for the log, which may hold more than one.
    """

    signed: int
    withdrawn: int
    removed: int
    people: int
    organisations: int
    size: int
    signs: int
    withdrawals: int
    removals: int
    corrections: int
    texts: int
    reasons: int

    @property
    def total(self) -> int:
        """The public count."""
        return self.people + self.organisations


def formula_of(statement: Statement) -> Formula | None:
    """Return the formula with its numbers; None while entries are between the database and a published checkpoint.

    1. Tallies and the newest position in one query, so that they are of one moment.
    2. Not the size that is published: none of it may be shown yet.
    3. Texts and reasons are counted up to that position. What remains are corrections: there are no other kinds.

    Cost:
        Four queries by index, whatever the number of signatures.
    """
    newest = Entry.objects.filter(position__isnull=False).order_by("-position").values("position")[:1]
    tallies = Tally.objects.filter(dimension__in=["kind", "ended"])
    rows = list(tallies.values_list("statement_id", "dimension", "key", "n", Subquery(newest)))
    published = PublishedCount.objects.filter(statement=statement.pk).values_list("log_size", flat=True).first()
    size = rows[0][4] + 1 if rows and rows[0][4] is not None else 0
    if not size or size != published:
        return None
    own = {(dimension, key): n for pk, dimension, key, n, _newest in rows if pk == statement.pk}
    people, organisations = own.get(("kind", Kind.PERSON), 0), own.get(("kind", Kind.ORGANISATION), 0)
    withdrawn, removed = own.get(("ended", "withdraw"), 0), own.get(("ended", "invalidate"), 0)
    signs = sum(row[3] for row in rows)
    withdrawals = sum(row[3] for row in rows if row[2] == "withdraw")
    removals = sum(row[3] for row in rows if row[2] == "invalidate")
    texts = TextVersion.objects.filter(entry__position__lt=size).count()
    reasons = Invalidation.objects.filter(entry__position__lt=size).count()
    return Formula(
        signed=people + organisations + withdrawn + removed,
        withdrawn=withdrawn,
        removed=removed,
        people=people,
        organisations=organisations,
        size=size,
        signs=signs,
        withdrawals=withdrawals,
        removals=removals,
        corrections=size - signs - withdrawals - removals - texts - reasons,
        texts=texts,
        reasons=reasons,
    )
