"""Count a log again: how many people and organisations signed each statement, from the entries and nothing else.

    people + organisations = signed - withdrawn - invalidated

Whatever is not as `docs/formats/log.md` says is an error that names the entry.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from askfirst.errors import FormatError, ProofError
from askfirst.tlog.entries import (
    PATTERNS,
    Batch,
    Correct,
    Invalidate,
    Sign,
    StatementVersion,
    Withdraw,
    parse_entry,
)

__all__ = ["Recount", "StatementCount", "recount"]

OTHER, PERSON, ORGANISATION, WITHDRAWN, INVALIDATED = range(5)
_STATES = 5
_STANDINGS = ("none", "counts", "counts", "withdrawn", "removed")
_STATEMENTS_LIMIT = 65_535


@dataclass(slots=True)
class StatementCount:
    """The numbers of one statement.

    `unannounced` are versions that were signed before the log held them; `unfinished` are batches of which the log
    holds fewer removals than it said, so far: a large one fills several checkpoints.
    """

    people: int = 0
    organisations: int = 0
    withdrawn: int = 0
    invalidated: int = 0
    manifests: dict[int, str] = field(default_factory=dict)
    unannounced: set[int] = field(default_factory=set)
    unfinished: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def signed(self) -> int:
        """All signatures there ever were."""
        return self.people + self.organisations + self.withdrawn + self.invalidated

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain JSON values."""
        return {
            "people": self.people,
            "organisations": self.organisations,
            "signed": self.signed,
            "withdrawn": self.withdrawn,
            "invalidated": self.invalidated,
            "manifests": {str(version): digest for version, digest in sorted(self.manifests.items())},
            "unannounced": sorted(self.unannounced),
            "unfinished": {batch: list(numbers) for batch, numbers in sorted(self.unfinished.items())},
        }


@dataclass(slots=True)
class _OpenBatch:
    batch: Batch
    found: int = 0


class Recount:
    """A count in progress. Cost: about 1 us and 3 bytes an entry."""

    def __init__(self) -> None:
        self.corrections: dict[int, int] = {}
        self._statements: dict[str, StatementCount] = {}
        self._numbers: dict[str, int] = {}
        self._keys: dict[tuple[bytes, ...], tuple[int, int]] = {}
        self._states = bytearray()
        self._of_statement = array("H")
        self._batches: dict[str, _OpenBatch] = {}

    @property
    def size(self) -> int:
        """Entries counted."""
        return len(self._states)

    def add(self, entries: Iterable[bytes]) -> None:
        """Count the next entries.

        Raises:
            ProofError: One is not what an entry there can be.
        """
        match = PATTERNS[Sign].fullmatch
        states, of_statement, keys = self._states, self._of_statement, self._keys
        for entry in entries:
            # Nearly every entry is a signature. Its statement, version and kind are all that counts, and few.
            if signature := match(entry):
                key = signature.group("statement", "version", "kind")
                state, number = keys.get(key) or self._new_key(key)
                states.append(state)
                of_statement.append(number)
            else:
                self._add_other(entry)

    def finish(self) -> dict[str, StatementCount]:
        """Return the numbers by statement."""
        for each in self._batches.values():
            if each.found < each.batch.count:
                unfinished = self._count(each.batch.statement).unfinished
                unfinished[each.batch.batch] = (each.found, each.batch.count)
        codes = np.frombuffer(self._of_statement, np.uint16).astype(np.int64) * _STATES
        codes += np.frombuffer(self._states, np.uint8)
        table = np.bincount(codes, minlength=len(self._numbers) * _STATES).tolist()
        for name, number in self._numbers.items():
            row, count = table[number * _STATES : (number + 1) * _STATES], self._statements[name]
            count.people, count.organisations = row[PERSON], row[ORGANISATION]
            count.withdrawn, count.invalidated = row[WITHDRAWN], row[INVALIDATED]
        return self._statements

    def standing(self, index: int) -> str:
        """Return how a signature stands: `counts`, `withdrawn`, `removed`, or `none` if the entry is no signature."""
        return _STANDINGS[self._states[index] if 0 <= index < self.size else OTHER]

    def _new_key(self, key: tuple[bytes, ...]) -> tuple[int, int]:
        statement, version, kind = (part.decode() for part in key)
        count = self._count(statement)
        if int(version) not in count.manifests:
            count.unannounced.add(int(version))
        self._keys[key] = (PERSON if kind == "person" else ORGANISATION, self._numbers[statement])
        return self._keys[key]

    def _count(self, statement: str) -> StatementCount:
        if statement not in self._statements:
            if len(self._numbers) == _STATEMENTS_LIMIT:
                raise _wrong(self.size, f"there are more than {_STATEMENTS_LIMIT} statements")
            self._numbers[statement] = len(self._numbers)
            self._statements[statement] = StatementCount()
        return self._statements[statement]

    def _add_other(self, data: bytes) -> None:
        index = self.size
        try:
            entry = parse_entry(data)
        except FormatError as error:
            raise _wrong(index, error.message) from error
        match entry:
            case StatementVersion():
                count = self._count(entry.statement)
                if entry.version in count.manifests:
                    raise _wrong(index, f"version {entry.version} of {entry.statement} is there already")
                count.manifests[entry.version] = entry.manifest
            case Batch():
                if entry.batch in self._batches:
                    raise _wrong(index, f"batch {entry.batch} is there already")
                self._batches[entry.batch] = _OpenBatch(entry)
            case Correct():
                self._live(index, entry.of)
                self.corrections[entry.of] = index
            case Withdraw():
                self._end(index, entry.of, WITHDRAWN)
            case Invalidate():
                self._invalidate(index, entry)
        self._states.append(OTHER)
        self._of_statement.append(0)

    def _invalidate(self, index: int, entry: Invalidate) -> None:
        opened = self._batches.get(entry.batch)
        if opened is None:
            raise _wrong(index, f"no batch {entry.batch} was announced before")
        self._end(index, entry.of, INVALIDATED)
        if self._of_statement[entry.of] != self._numbers.get(opened.batch.statement):
            raise _wrong(
                index, f"entry {entry.of} did not sign {opened.batch.statement}, of which batch {entry.batch} is"
            )
        if opened.found == opened.batch.count:
            raise _wrong(index, f"batch {entry.batch} said that it removes {opened.batch.count}, and did so before")
        opened.found += 1

    def _end(self, index: int, of: int, state: int) -> None:
        self._live(index, of)
        self._states[of] = state

    def _live(self, index: int, of: int) -> None:
        standing = self.standing(of)
        if standing == "none":
            raise _wrong(index, f"it names entry {of}, which is no signature before it")
        if standing != "counts":
            raise _wrong(index, f"it names entry {of}, which was {standing} already")


def recount(entries: Iterable[bytes]) -> dict[str, StatementCount]:
    """Count a whole log.

    Returns:
        The numbers by statement.

    Raises:
        ProofError: An entry is not what an entry there can be; the message names it.
    """
    count = Recount()
    count.add(entries)
    return count.finish()


def _wrong(index: int, why: str) -> ProofError:
    return ProofError(f"entry {index} cannot be counted: {why}", kind="recount")
