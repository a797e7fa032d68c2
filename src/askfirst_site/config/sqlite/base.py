"""Django's SQLite with a queue for writers.

SQLite has one writer, and who waits for it looks again and again, with pauses up to a tenth of a second. With several
processes that write all the time most of the time is lost in pauses, and some wait for seconds. Here a transaction
first waits for its turn at a file lock: the kernel wakes one when the one before is done. Whoever is killed lets go.
"""

from __future__ import annotations

import fcntl
import os

from django.db.backends.sqlite3 import base

__all__ = ["DatabaseWrapper"]


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that stands in the queue while it is in a transaction."""

    _turn: int | None = None

    def _start_transaction_under_autocommit(self) -> None:
        """Wait for the turn, then take SQLite's own lock, which is free but for those who do not queue."""
        self._wait_for_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # django-stubs leave it out
        except BaseException:
            self._pass_turn()
            raise

    def _commit(self) -> None:
        # After an error the transaction goes on, to be rolled back.
        super()._commit()  # type: ignore[misc]  # django-stubs leave it out
        self._pass_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # django-stubs leave it out
        finally:
            self._pass_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # django-stubs leave it out
        finally:
            self._pass_turn()
            if self._turn is not None:
                os.close(self._turn)
                self._turn = None

    def _wait_for_turn(self) -> None:
        if self.is_in_memory_db():
            return
        if self._turn is None:
            path = f"{self.settings_dict['NAME']}-turn"
            self._turn = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._turn, fcntl.LOCK_EX)

    def _pass_turn(self) -> None:
        if self._turn is not None:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
