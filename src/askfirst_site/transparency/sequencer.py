"""The sequencer: the one process that gives entries their positions, and signs how far the log has grown.

Nobody else writes the log, the tallies or the wall. Requests only add rows that wait, so no request waits for another.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from django.db import connection, transaction
from django.db.models import Max

from askfirst.errors import AskFirstError, FormatError, ProofError
from askfirst.io.log_files import CheckpointSigner, LogFolder
from askfirst.tlog import Checkpoint as Head
from askfirst.tlog import NoteSigner
from askfirst.tlog.note import split_note
from askfirst_site.transparency import hooks
from askfirst_site.transparency.actions import raise_alarm
from askfirst_site.transparency.hooks import on_nightly, on_positions, on_published
from askfirst_site.transparency.models import Checkpoint, Entry

__all__ = ["Sequencer", "on_nightly", "on_positions", "on_published"]

BATCH_LIMIT = 5000
"""Entries a step: what one transaction and one append take well under a second for."""

_PG_LOCK = 0x61736B6669727374  # "askfirst"

_logger = logging.getLogger(__name__)


class Sequencer(AbstractContextManager["Sequencer"]):
    """Gives positions, writes the log, signs it. One at a time: a lock on the folder and one in the database hold that.

    Args:
        log: The log's folder.
        signer: The key, with its memory of what it signed.
        batch_limit: Entries a step.
    """

    def __init__(self, log: LogFolder, signer: CheckpointSigner, *, batch_limit: int = BATCH_LIMIT) -> None:
        self.log = log
        self.signer = signer
        self.batch_limit = batch_limit
        self._is_repaired = False
        self._publishing = threading.Lock()

    @classmethod
    def of(cls, log_folder: Path, state_file: Path, key_file: Path) -> Self:
        """Return the sequencer of a log: its folder, the signer's memory, the file of the signing key."""
        return cls(LogFolder(log_folder), CheckpointSigner(state_file, NoteSigner.load(key_file.read_text().strip())))

    def __enter__(self) -> Self:
        """Become the one sequencer.

        Raises:
            AskFirstError: There is one already.
        """
        self.log.append([])  # takes the folder's lock
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [_PG_LOCK])
                if not cursor.fetchone()[0]:
                    self.log.close()
                    raise AskFirstError("another sequencer runs on this database", advice="let one run")
        elif connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                # A commit of this process reaches the disk, and with it every commit before it.
                cursor.execute("PRAGMA synchronous=FULL")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let another be the sequencer."""
        self.log.close()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_PG_LOCK])

    def step(self, now: datetime) -> int:
        """Take what waits into the log.

        Returns:
            How many entries got a position. Where it is the batch limit, more may wait.

        Raises:
            ProofError: The log does not continue what was signed before. An alarm is raised; nothing is published.
            FormatError: The folder's files were damaged; as above.
        """
        # 1. One transaction: positions for what waits, in the order it came; tallies and the wall with them.
        # 2. The log's files, durable. After a crash between 1 and 2 the folder is behind: it is caught up first.
        # 3. The signature. The signer remembers what it signed and refuses what does not continue it.
        # 4. The note is kept, then published: from now on everybody can hold us to it.
        # 5. What was promised for published entries: receipts.
        try:
            if not self._is_repaired:
                self._check_database()
                self._catch_up()
            entries = self._give_positions(now)
            if entries:
                self.log.append([bytes(entry.payload) for entry in entries])
            if not entries and self._is_repaired:
                return 0
            self._publish(now)
            self._is_repaired = True
        except (ProofError, FormatError) as error:
            self._is_repaired = False
            raise_alarm(kind="log", detail=str(error), now=now)
            raise
        except BaseException:
            self._is_repaired = False  # whatever was half done is looked at again
            raise
        return len(entries)

    def _check_database(self) -> None:
        """Refuse to go on with a database that has lost entries, or with a gap."""
        positions = Entry.objects.filter(position__isnull=False)
        count, top = positions.count(), positions.aggregate(top=Max("position"))["top"]
        if count != (0 if top is None else top + 1):
            raise ProofError(f"the database has {count} entries, the last at position {top}", kind="gap")
        signed = self.signer.last()
        least = max(self.log.size, signed.size if signed else 0)
        if count < least:
            raise ProofError(
                f"the log has {least} entries and the database {count}",
                kind="rolled-back",
                advice="restore the newest back-up of the database; entries that are missing cannot be made again",
            )

    def _catch_up(self) -> None:
        """Append what has a position and is not in the folder: a sequencer ended before it could."""
        while True:
            behind = Entry.objects.filter(position__gte=self.log.size).order_by("position")[: self.batch_limit]
            payloads = [bytes(payload) for payload in behind.values_list("payload", flat=True)]
            if not payloads:
                return
            _logger.warning("catching up: %d entries from position %d", len(payloads), self.log.size)
            self.log.append(payloads)

    def _give_positions(self, now: datetime) -> list[Entry]:
        """Give positions to what waits, and tell the hooks, in one transaction."""
        if not Entry.objects.filter(position__isnull=True).exists():
            return []  # without a transaction: on SQLite one would keep everybody else from writing
        with transaction.atomic():
            entries = list(Entry.objects.filter(position__isnull=True).order_by("id")[: self.batch_limit])
            for position, entry in enumerate(entries, self.log.size):
                entry.position = position
            _write_positions(entries)
            for hook in hooks.POSITIONS:
                hook(entries, now)
        return entries

    def publish_cosigned(self, size: int, note: str) -> bool:
        """Publish a checkpoint with its cosignatures, unless a newer one was published meanwhile; from any thread."""
        with self._publishing:
            if size != _size_of(self.log.checkpoint()):
                return False
            self.log.publish(note)
            return True

    def _publish(self, now: datetime) -> None:
        size, root = self.log.size, self.log.root
        note = self.signer.sign(size, root, self.signer.signer.name, self.log.prove_consistency)
        row, _ = Checkpoint.objects.get_or_create(size=size, defaults={"root": root, "note": note, "signed": now})
        with self._publishing:
            if self.log.checkpoint() is None or _size_of(self.log.checkpoint()) < size:
                self.log.publish(note)
        if row.announced:
            return
        last = Checkpoint.objects.filter(announced=True).order_by("-size").first()
        for hook in hooks.PUBLISHED:
            hook(last.size if last else 0, size, self.log, note, now)
        Checkpoint.objects.filter(pk=row.pk).update(announced=True)


def _size_of(note: str | None) -> int:
    return Head.parse(split_note(note)[0]).size if note else 0


def _write_positions(entries: Sequence[Entry]) -> None:
    """Write the positions, all in one statement. An entry that has one already is an error: somebody else writes."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE transparency_entry AS entry SET position = given.position"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS given (id, position)"
                " WHERE entry.id = given.id AND entry.position IS NULL",
                [[entry.pk for entry in entries], [entry.position for entry in entries]],
            )
        else:
            cursor.executemany(
                "UPDATE transparency_entry SET position = %s WHERE id = %s AND position IS NULL",
                [(entry.position, entry.pk) for entry in entries],
            )
        if cursor.rowcount != len(entries):
            raise ProofError(f"{cursor.rowcount} of {len(entries)} positions could be written", kind="sequence")
