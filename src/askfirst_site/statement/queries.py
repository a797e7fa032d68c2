"""What pages read. Nothing here writes, and nothing here counts rows: numbers come from the tallies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from askfirst_site.statement.charts import Bar, Charts, charts_of
from askfirst_site.statement.log_entries import manifest_of
from askfirst_site.statement.models import (
    Addressee,
    Answer,
    Display,
    ImportedCount,
    Invalidation,
    Kind,
    PublishedCount,
    Signature,
    SignatureState,
    Statement,
    Tally,
    Text,
    TextVersion,
    Update,
)
from askfirst_site.statement.wall import PAGE, Line, Wall, line_of, read_wall

__all__ = [
    "EXPORTED",
    "Bar",
    "Charts",
    "Counts",
    "LedgerRow",
    "Line",
    "PageFacts",
    "Wall",
    "charts",
    "count_facts",
    "counts",
    "current_version",
    "export_rows",
    "invalidations",
    "is_open",
    "languages_of",
    "ledger",
    "manifest",
    "notables",
    "organisations",
    "page_facts",
    "primary_statement",
    "statement_by_slug",
    "updates",
    "versions",
    "wall",
]

EXPORTED = [
    "position",
    "state",
    "kind",
    "name",
    "role",
    "affiliation",
    "website",
    "discipline",
    "country",
    "display",
    "level",
    "language",
    "hidden",
    "source",
]
"""What an export holds of a signature as it is."""
NOTABLES_SHOWN = 120
ORGANISATIONS_SHOWN = 200
UPDATES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Counts:
    """The public count, as of a published checkpoint of the log."""

    people: int = 0
    organisations: int = 0
    log_size: int = 0
    as_of: datetime | None = None

    @property
    def total(self) -> int:
        """People and organisations."""
        return self.people + self.organisations


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Somebody who is asked. `days_waiting` is None once there is an answer that is more than a word of receipt."""

    addressee: Addressee
    answers: list[Answer]
    status: str
    status_label: str
    days_waiting: int | None


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Everything on the statement's page.

    Args:
        statement: Which.
        version: The newest that can be signed; None before the first.
        text: Its text in the page's language, else in the one it was written in; None before the first version.
        languages: The languages it can be read and signed in, the original first.
        is_open: Whether it can be signed now.
        counts: The public count.
        imports: Counts that others collected, each a line of its own.
        notables: The first band of the wall.
        organisations: The second band, verified ones first.
        lines: The newest lines of the wall.
        older: Before which position the wall goes on; None where these are all.
        charts: Numbers for charts.
        ledger: Who is asked, those who have waited longest first.
        updates: News in the page's language.
        invalidations: What was taken out, how many and why.
    """

    statement: Statement
    version: TextVersion | None
    text: Text | None
    languages: list[str]
    is_open: bool
    counts: Counts
    imports: list[ImportedCount]
    notables: list[Line]
    organisations: list[Line]
    lines: list[Line]
    older: int | None
    charts: Charts
    ledger: list[LedgerRow]
    updates: list[Update]
    invalidations: list[Invalidation] = field(default_factory=list)

    @property
    def imported_total(self) -> int:
        """All that others collected; never added to the count."""
        return sum(row.n for row in self.imports)


def primary_statement() -> Statement | None:
    """Return the statement of the front page."""
    return Statement.objects.filter(is_primary=True).first() or Statement.objects.order_by("pk").first()


def statement_by_slug(slug: str) -> Statement | None:
    """Return a statement by its short name."""
    return Statement.objects.filter(slug=slug).first()


def current_version(statement: Statement) -> TextVersion | None:
    """Return the version that can be signed now: the newest frozen one."""
    return TextVersion.objects.filter(statement=statement, frozen_at__isnull=False).order_by("-number").first()


def versions(statement: Statement) -> list[TextVersion]:
    """Return all frozen versions, the newest first."""
    return list(TextVersion.objects.filter(statement=statement, frozen_at__isnull=False).order_by("-number"))


def languages_of(version: TextVersion, original: str) -> list[str]:
    """Return the languages of a version, the original first."""
    found = Text.objects.filter(version=version).values_list("language", flat=True)
    return sorted(found, key=lambda language: (language != original, language))


def manifest(version: TextVersion) -> dict[str, object]:
    """Return the document whose digest the log holds: what `/statement.json` serves."""
    return manifest_of(version, list(version.texts.order_by("language")))


def is_open(statement: Statement, version: TextVersion | None, now: datetime) -> bool:
    """Return whether a statement can be signed now."""
    begun = statement.opens is None or now >= statement.opens
    return version is not None and begun and (statement.closes is None or now < statement.closes)


def count_facts(statement: Statement) -> Counts:
    """Return the public count; one row is read."""
    row = PublishedCount.objects.filter(statement=statement.pk).first()
    return Counts() if row is None else Counts(row.people, row.organisations, row.log_size, row.as_of)


def counts(statement: Statement) -> dict[str, object]:
    """Return what `/count.json` says."""
    found = count_facts(statement)
    return {
        "people": found.people,
        "organisations": found.organisations,
        "log_size": found.log_size,
        "as_of": found.as_of.isoformat(timespec="seconds").replace("+00:00", "Z") if found.as_of else None,
    }


def charts(statement: Statement) -> Charts:
    """Return the numbers for charts; cells under five are folded."""
    return charts_of(Tally.objects.filter(statement=statement.pk))


def wall(
    statement: Statement,
    discipline: str = "",
    country: str = "",
    search: str = "",
    before: int | None = None,
    limit: int = PAGE,
) -> Wall:
    """Return a page of the wall; see `wall.read_wall`."""
    return read_wall(statement, discipline=discipline, country=country, search=search, before=before, limit=limit)


def notables(statement: Statement) -> list[Line]:
    """Return the first band of the wall."""
    rows = Signature.objects.filter(
        notable__isnull=False,
        statement=statement.pk,
        state=SignatureState.CONFIRMED,
        hidden=False,
        display=Display.FULL,
        position__isnull=False,
    )
    return [line_of(row) for row in rows.order_by("notable__rank", "position")[:NOTABLES_SHOWN]]


def organisations(statement: Statement) -> list[Line]:
    """Return the second band of the wall: organisations by name, those with a proven domain first."""
    rows = Signature.objects.filter(
        statement=statement.pk,
        kind=Kind.ORGANISATION,
        state=SignatureState.CONFIRMED,
        hidden=False,
        display=Display.FULL,
        position__isnull=False,
    )
    found = [line_of(row) for row in rows.order_by("-level", "position")[:ORGANISATIONS_SHOWN]]
    return sorted(found, key=lambda line: (line.level == 0, line.name.casefold()))


def ledger(statement: Statement, today: date) -> list[LedgerRow]:
    """Return who is asked, those who have waited longest first, then those who answered."""
    rows = statement.addressees.prefetch_related(Prefetch("answers", Answer.objects.order_by("on", "id")))
    found = []
    for row in rows:
        waits = row.status in {Addressee.Status.NONE, Addressee.Status.ACKNOWLEDGED}
        days = max(0, (today - row.asked_on).days) if waits else None
        found.append(LedgerRow(row, list(row.answers.all()), row.status, str(row.get_status_display()), days))
    return sorted(found, key=lambda one: (one.days_waiting is None, -(one.days_waiting or 0), one.addressee.pk))


def updates(statement: Statement, language: str, limit: int = UPDATES_SHOWN) -> list[Update]:
    """Return published news in a language, the newest first."""
    rows = Update.objects.filter(statement=statement.pk, language=language, published__isnull=False)
    return list(rows.order_by("-published", "-id")[:limit])


def invalidations(statement: Statement) -> list[Invalidation]:
    """Return what was taken out, the newest first: how many, when and why."""
    return list(Invalidation.objects.filter(statement=statement.pk, count__gt=0).order_by("-at")[:200])


def page_facts(statement: Statement, language: str, now: datetime | None = None) -> PageFacts:
    """Return everything on the statement's page.

    Cost:
        About twelve queries, each by an index, whatever the number of signatures.
    """
    now = now or timezone.now()
    version = current_version(statement)
    newest = read_wall(statement)
    texts = {text.language: text for text in Text.objects.filter(version=version)} if version else {}
    original = statement.canonical_language
    return PageFacts(
        statement=statement,
        version=version,
        text=texts.get(language) or texts.get(original),
        languages=sorted(texts, key=lambda one: (one != original, one)),
        is_open=is_open(statement, version, now),
        counts=count_facts(statement),
        imports=list(ImportedCount.objects.filter(statement=statement.pk)),
        notables=notables(statement),
        organisations=organisations(statement),
        lines=newest.lines,
        older=newest.next,
        charts=charts(statement),
        ledger=ledger(statement, now.date()),
        updates=updates(statement, language),
        invalidations=invalidations(statement),
    )


def export_rows(statement: Statement) -> Iterator[dict[str, object]]:
    """Return every signature that counts, is held or was taken out, in the order of confirmation; no addresses.

    Who withdrew is not in it. Who asked to be counted and not shown is in it without a name.
    """
    rows: QuerySet[Signature] = Signature.objects.filter(statement=statement.pk, erased=False).exclude(
        state__in=[SignatureState.PENDING, SignatureState.WITHDRAWN]
    )
    for row in rows.order_by("pk").iterator(chunk_size=2000):
        values: dict[str, object] = {name: getattr(row, name) for name in EXPORTED}
        if row.display == Display.COUNTED:
            values |= dict.fromkeys(("name", "role", "affiliation", "website"), "")
        yield values | {
            "confirmed": row.confirmed.isoformat(timespec="seconds") if row.confirmed else "",
            "flags": " ".join(row.flags),
        }
