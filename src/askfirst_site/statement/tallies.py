"""The numbers on the page, and the words of the wall: made by the sequencer, in the transaction that gives positions.

A signature counts from its `sign` entry's position to that of its end; so the public count is always the one that the
log gives at the same size. `Signature.tallied` says what a row is counted as: tallies can be compared with rows, and
rows with the log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, OuterRef, Q, Subquery, Value
from django.db.models.fields import CharField
from django.db.models.functions import Cast, Concat

from askfirst.errors import AskFirstError
from askfirst.io.log_files import LogFolder
from askfirst.proof.recount import StatementCount
from askfirst.proof.recount import recount as recount_log
from askfirst_site.statement import log_entries, names
from askfirst_site.statement.models import (
    Display,
    Kind,
    PublishedCount,
    Signature,
    SignatureState,
    Statement,
    Tally,
    WallWord,
)
from askfirst_site.transparency.actions import raise_alarm
from askfirst_site.transparency.models import Entry

__all__ = ["TALLIED", "compare", "count_entries", "count_rows", "publish_counts", "recount", "wall_words"]

STALE_MAX = 1000
CHUNK = 2000
TALLIED = Concat("discipline", Value("|"), "country", Value("|"), Cast("level", CharField()))
"""What a row is counted as, for the database; `_tallied` says it of one row."""
_Key = tuple[int, str, str]
_COLUMNS = [
    "pk",
    "statement_id",
    "kind",
    "language",
    "mail_language",
    "name",
    "role",
    "display",
    "discipline",
    "country",
    "level",
    "confirmed",
    "state",
    "entry_id",
    "position",
    "tallied",
    "erased",
    "hidden",
    "stale",
    "invalidation__batch",
]


def count_entries(entries: list[Entry], now: datetime) -> None:
    """Take in entries that just got their positions. Called by the sequencer, inside its transaction.

    1. Lock the signatures they are about, in the order of ids, as actions do.
    2. Signed: position, tallies, words of the wall. Ended meanwhile: the end's entry comes with the next batch.
    3. Ended: out of the tallies; an erased row goes.
    4. Rows whose shown values changed: tallies and words are made new.
    5. All changes of numbers at once.

    Cost:
        About a dozen queries, and one for each 200 words of the wall.
    """
    signed, ended = _split(entries)
    rows = {row.pk: row for row in _locked([*signed, *ended])}
    changes: Counter[_Key] = Counter()
    new = [rows[pk] for pk in signed if pk in rows and rows[pk].entry_id == signed[pk].pk]
    for row in new:
        row.position, row.tallied = signed[row.pk].position, _tallied(row)
        _count(changes, row, 1)
    over = [rows[pk] for pk in ended if pk in rows and rows[pk].tallied]
    for row in over:
        _count(changes, row, -1)
        changes[row.statement_id, "ended", ended[row.pk].kind] += 1
    _store(entries, over)
    log_entries.add_ends([row for row in new if row.state != SignatureState.CONFIRMED], now)
    _add_words(new)
    _refresh(changes, skip={row.pk for row in over})
    _apply(changes, now)
    missing = sorted(pk for pk in {*signed, *ended} if pk not in rows)
    if missing:
        raise_alarm(kind="entry-without-signature", detail=f"signatures {missing[:20]}", now=now)


def _split(entries: Iterable[Entry]) -> tuple[dict[int, Entry], dict[int, Entry]]:
    signed: dict[int, Entry] = {}
    ended: dict[int, Entry] = {}
    for entry in entries:
        pk = log_entries.signature_id(entry.subject)
        if pk is not None and entry.kind == "sign":
            signed[pk] = entry
        elif pk is not None and entry.kind in {"withdraw", "invalidate"}:
            ended[pk] = entry
    return signed, ended


def _locked(ids: list[int]) -> list[Signature]:
    rows: list[Signature] = []
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), CHUNK):
        found = Signature.objects.filter(pk__in=ordered[start : start + CHUNK])
        rows += found.select_related("invalidation").only(*_COLUMNS).select_for_update(of=("self",)).order_by("pk")
    return rows


def _tallied(row: Signature) -> str:
    return f"{row.discipline}|{row.country}|{row.level}"


def _count(changes: Counter[_Key], row: Signature, n: int) -> None:
    discipline, country, level = row.tallied.split("|")
    day = row.confirmed.astimezone(UTC).date().isoformat() if row.confirmed else ""
    for dimension, key in (
        ("kind", row.kind),
        ("language", row.language),
        ("day", day),
        ("discipline", discipline),
        ("country", country),
        ("level", level),
    ):
        changes[row.statement_id, dimension, key] += n


def _store(entries: list[Entry], over: list[Signature]) -> None:
    """Write positions and what rows are counted as: two queries, whatever the number of entries."""
    positions = [entry.position for entry in entries if entry.position is not None]
    position = Entry.objects.filter(pk=OuterRef("entry_id")).values("position")[:1]
    Signature.objects.filter(
        entry__position__gte=min(positions), entry__position__lte=max(positions), position__isnull=True
    ).update(position=Subquery(position), tallied=TALLIED)
    gone = [row.pk for row in over if row.erased]
    stay = [row.pk for row in over if not row.erased]
    for start in range(0, len(stay), CHUNK):
        Signature.objects.filter(pk__in=stay[start : start + CHUNK]).update(tallied="")
    for start in range(0, len(gone), CHUNK):
        Signature.objects.filter(pk__in=gone[start : start + CHUNK]).delete()


def wall_words(row: Signature) -> tuple[str, ...]:
    """Return what a line of the wall is found by: the words that are shown, nothing else."""
    if row.state != SignatureState.CONFIRMED or row.hidden or row.display == Display.COUNTED:
        return ()
    shown = names.initials(row.name) if row.display == Display.INITIALS else f"{row.name} {row.role}"
    return names.fold_words(shown)[:16]


def _add_words(rows: Iterable[Signature]) -> None:
    words = [
        WallWord(statement_id=row.statement_id, word=word, position=row.position, signature_id=row.pk)
        for row in rows
        if row.position is not None
        for word in wall_words(row)
    ]
    WallWord.objects.bulk_create(words, batch_size=5000)


def _refresh(changes: Counter[_Key], skip: set[int]) -> None:
    stale = list(
        Signature.objects.filter(stale=True).only(*_COLUMNS).select_for_update(of=("self",)).order_by("pk")[:STALE_MAX]
    )
    if not stale:
        return
    for row in stale:
        row.stale = False
        if row.tallied and row.pk not in skip and row.tallied != _tallied(row):
            _count(changes, row, -1)
            row.tallied = _tallied(row)
            _count(changes, row, 1)
    Signature.objects.bulk_update(stale, ["stale", "tallied"], batch_size=200)
    WallWord.objects.filter(signature__in=[row.pk for row in stale]).delete()
    _add_words(stale)


def _apply(changes: Counter[_Key], now: datetime) -> None:
    """Change the tallies: nobody else writes them, so they are read, added to and written."""
    wanted = {key: n for key, n in changes.items() if n}
    if not wanted:
        return
    statements = {statement for statement, _dimension, _key in wanted}
    rows = Tally.objects.select_for_update().filter(statement__in=statements, dimension__in={key[1] for key in wanted})
    known = {(row.statement_id, row.dimension, row.key): row for row in rows}
    changed, new = [], []
    for (statement, dimension, key), n in wanted.items():
        row = known.get((statement, dimension, key))
        if row is None:
            row = Tally(statement_id=statement, dimension=dimension, key=key)
            new.append(row)
        else:
            changed.append(row)
        if row.n + n < 0:  # a bug must not stop the log: say it, and let the nightly recount say it too
            raise_alarm(kind="tally-negative", detail=f"{statement} {dimension} {key}: {row.n + n}", now=now)
        row.n = max(0, row.n + n)
    Tally.objects.bulk_update(changed, ["n"], batch_size=200)
    Tally.objects.bulk_create(new)


def publish_counts(_start: int, stop: int, _log: LogFolder, _note: str, now: datetime) -> None:
    """Release the public count of every statement, now that a signed checkpoint shows the same."""
    numbers: dict[int, dict[str, int]] = defaultdict(dict)
    for statement, key, n in Tally.objects.filter(dimension="kind").values_list("statement_id", "key", "n"):
        numbers[statement][key] = n
    counts = [
        PublishedCount(
            statement_id=pk,
            people=numbers[pk].get(Kind.PERSON, 0),
            organisations=numbers[pk].get(Kind.ORGANISATION, 0),
            log_size=stop,
            as_of=now,
        )
        for pk in Statement.objects.values_list("pk", flat=True)
    ]
    PublishedCount.objects.bulk_create(
        counts,
        update_conflicts=True,
        unique_fields=["statement"],
        update_fields=["people", "organisations", "log_size", "as_of"],
    )


def recount(now: datetime) -> list[str]:
    """Count everything again at night; raise an alarm for every number that differs.

    Returns:
        What differs, in words; nothing, if all is well.
    """
    differences = compare()
    for difference in differences:
        raise_alarm(kind="recount", detail=difference, now=now)
    return differences


def compare() -> list[str]:
    """Return where tallies, rows and log differ.

    1. Tallies against the rows that say they are counted.
    2. Rows that are counted against rows whose newest entry with a position is a `sign`.
    3. People, organisations and what was taken back: tallies against the log's own files.
    4. The numbers on the page against the tallies of the same size of the log.
    """
    with _one_moment():
        tallies = {
            (row.statement_id, row.dimension, row.key): row.n for row in Tally.objects.filter(n__gt=0).order_by("pk")
        }
        rows = count_rows()
        found = [
            f"statement {key[0]}, {key[1]} {key[2]}: tally {tallies.get(key, 0)}, rows {rows.get(key, 0)}"
            for key in sorted({*tallies, *rows})
            if key[1] != "ended" and tallies.get(key, 0) != rows.get(key, 0)
        ]
        size = Entry.objects.filter(position__isnull=False).count()
        return found + _compare_wall() + _compare_published(tallies, size) + _compare_log(tallies, size)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read as of one moment, while the sequencer goes on writing: nobody waits for anybody."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # Django's own transactions lock out those who write
            try:
                yield
            finally:
                cursor.execute("COMMIT")


def count_rows() -> dict[_Key, int]:
    """Return what the tallies must be, from the rows that say they are counted."""
    counted = Signature.objects.exclude(tallied="")
    numbers: Counter[_Key] = Counter()
    for dimension in ("kind", "language"):
        for statement, key, n in counted.values_list("statement_id", dimension).annotate(n=Count("pk")).order_by():
            numbers[statement, dimension, key] += n
    for statement, tallied, n in counted.values_list("statement_id", "tallied").annotate(n=Count("pk")).order_by():
        for dimension, key in zip(("discipline", "country", "level"), tallied.split("|"), strict=True):
            numbers[statement, dimension, key] += n
    days = counted.values_list("statement_id", "confirmed__date").annotate(n=Count("pk")).order_by()
    for statement, day, n in days:
        numbers[statement, "day", day.isoformat() if day else ""] += n
    return dict(numbers)


def _compare_log(tallies: dict[_Key, int], size: int) -> list[str]:
    folder = LogFolder(settings.ASKFIRST.log_folder)
    removing = Entry.objects.filter(position__isnull=True, kind="invalidate").exists()
    if folder.size < size or removing:  # a batch is on its way into the folder: the next night sees it
        return []
    try:
        counted = recount_log(folder.entries(0, size))
    except AskFirstError as error:
        return [f"the log does not add up: {error}"]
    found = []
    for statement in Statement.objects.order_by("pk"):
        numbers = counted.get(statement.slug) or StatementCount()
        for dimension, key, n in (
            ("kind", str(Kind.PERSON), numbers.people),
            ("kind", str(Kind.ORGANISATION), numbers.organisations),
            ("ended", "withdraw", numbers.withdrawn),
            ("ended", "invalidate", numbers.invalidated),
        ):
            tally = tallies.get((statement.pk, dimension, key), 0)
            if tally != n:
                found.append(f"statement {statement.pk}, {key}: tally {tally}, log {n}")
    return found


def _compare_published(tallies: dict[_Key, int], size: int) -> list[str]:
    found = []
    for row in PublishedCount.objects.filter(log_size=size).order_by("statement_id"):
        for kind, n in ((Kind.PERSON, row.people), (Kind.ORGANISATION, row.organisations)):
            tally = tallies.get((row.statement_id, "kind", str(kind)), 0)
            if tally != n:
                found.append(f"statement {row.statement_id}, {kind}: tally {tally}, on the page {n}")
    return found


def _compare_wall() -> list[str]:
    wrong = Signature.objects.filter(
        Q(state=SignatureState.CONFIRMED, position__isnull=False, tallied="") | Q(tallied__gt="", position__isnull=True)
    )
    return [
        f"signature {pk}: its position and what it counts as do not fit"
        for pk in wrong.values_list("pk", flat=True)[:20]
    ]
