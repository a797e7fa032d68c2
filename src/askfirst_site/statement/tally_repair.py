"""When tallies are wrong: the numbers in words, and the tallies written anew from rows and log."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from askfirst.errors import AskFirstError
from askfirst.io.log_files import LogFolder
from askfirst.proof.recount import recount as recount_log
from askfirst_site.statement import tallies
from askfirst_site.statement.models import Kind, Signature, SignatureState, Statement, Tally
from askfirst_site.transparency.models import Entry
from askfirst_site.transparency.sequencer import Sequencer

__all__ = ["numbers", "repair"]


def numbers() -> list[str]:
    """Return what the tallies say, a line for each statement."""
    lines = []
    for statement in Statement.objects.order_by("pk"):
        rows = statement.tallies.filter(dimension__in=["kind", "ended"])
        n = {f"{row.dimension} {row.key}": row.n for row in rows}
        counts = f"people {n.get(f'kind {Kind.PERSON}', 0):,}, organisations {n.get(f'kind {Kind.ORGANISATION}', 0):,}"
        ended = f"withdrawn {n.get('ended withdraw', 0):,}, removed {n.get('ended invalidate', 0):,}"
        lines.append(f"statement {statement.pk}, {statement.slug}: {counts}; {ended}")
    return lines


def repair(sequencer: Sequencer, now: datetime) -> list[str]:
    """Write all tallies anew, in one transaction, and release the public counts that go with them.

    1. Rows whose position and what they count as do not fit are set right.
    2. What counts comes from the rows; what was taken back, and may have been erased since, from the log.
    3. Where the log is published to its end, the numbers on the page follow.

    Args:
        sequencer: Entered: who holds its lock is the only one who writes tallies.
        now: The time.

    Returns:
        What differs still, in words.

    Raises:
        AskFirstError: The log is behind the database, or does not add up. Nothing was changed.
    """
    with transaction.atomic():
        counts = Signature.objects.filter(state=SignatureState.CONFIRMED, position__isnull=False, tallied="")
        counts.update(tallied=tallies.TALLIED)
        Signature.objects.filter(tallied__gt="", position__isnull=True).update(tallied="")
        wanted = tallies.count_rows() | _ended(sequencer.log)
        Tally.objects.all().delete()
        rows = [Tally(statement_id=one, dimension=two, key=key, n=n) for (one, two, key), n in wanted.items() if n]
        Tally.objects.bulk_create(rows, batch_size=2000)
        note = sequencer.log.checkpoint()
        size = sequencer.log.size
        if note is not None and int(note.splitlines()[1]) == size:
            tallies.publish_counts(size, size, sequencer.log, note, now)
    return tallies.compare()


def _ended(log: LogFolder) -> dict[tuple[int, str, str], int]:
    if log.size < Entry.objects.filter(position__isnull=False).count():
        raise AskFirstError(
            f"the log in {settings.ASKFIRST.log_folder} is behind the database",
            advice="start the site: it catches up by itself. Then stop it, and repair",
        )
    counted = recount_log(log.entries())
    found = {}
    for statement in Statement.objects.filter(slug__in=counted):
        found[statement.pk, "ended", "withdraw"] = counted[statement.slug].withdrawn
        found[statement.pk, "ended", "invalidate"] = counted[statement.slug].invalidated
    return found
