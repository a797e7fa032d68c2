r"""Every error Ask First raises on purpose.

AskFirstError                 .advice: what the reader should do next
|- InputError                 somebody gave us something we cannot use
|   |- UnsupportedMediumError no reader for this kind of file
|   |- MalformedMediaError    a file that is not what it claims to be
|   |- TooLargeError          a limit was passed; .limit says which
|   \- BadCatalogueError      a row of a catalogue; .row, .column
|- FormatError                a file we define; .path, .expected, .found
|   |- SnapshotCorruptError   a register that is not what its manifest says
|   \- VersionUnsupportedError  a format newer or older than this program
|- ProofError                 a proof or a signature that does not hold; .kind says which
|- FetchError                 something outside could not be read
|- InterruptedRunError        the run was stopped and can be resumed
\- ConfigError                a setting; .key, .value
"""

from __future__ import annotations

__all__ = [
    "AskFirstError",
    "BadCatalogueError",
    "ConfigError",
    "FetchError",
    "FormatError",
    "InputError",
    "InterruptedRunError",
    "MalformedMediaError",
    "ProofError",
    "SnapshotCorruptError",
    "TooLargeError",
    "UnsupportedMediumError",
    "VersionUnsupportedError",
]


class AskFirstError(Exception):
    """One clear line that says what is wrong, and one that says what to do.

    Args:
        message: What is wrong, without a full stop.
        advice: What the reader should do next; empty where nothing can be done.
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        """Return the message and the advice on one line."""
        return f"{self.message}: {self.advice}" if self.advice else self.message


class InputError(AskFirstError):
    """Somebody gave us something we cannot use.

    Args:
        message: What is wrong.
        kind: A short stable name of the flaw (`truncated`, `encrypted`), used in manifests.
        advice: What to do next.
    """

    def __init__(self, message: str, *, kind: str = "unusable", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.kind = kind


class UnsupportedMediumError(InputError):
    """There is no reader for this kind of file."""


class MalformedMediaError(InputError):
    """A file is not what it claims to be, or ends before its end."""


class TooLargeError(InputError):
    """A limit was passed; nothing beyond it was read."""

    def __init__(self, message: str, *, limit: int, kind: str = "too-large", advice: str = "") -> None:
        super().__init__(message, kind=kind, advice=advice)
        self.limit = limit


class BadCatalogueError(InputError):
    """A catalogue of works has a row or a header we cannot use."""

    def __init__(self, message: str, *, row: int | None = None, column: str = "", advice: str = "") -> None:
        super().__init__(message, kind="bad-catalogue", advice=advice)
        self.row = row
        self.column = column


class FormatError(AskFirstError):
    """A file in a format of ours is not in that format.

    Args:
        message: What is wrong.
        path: The file, relative to its folder.
        expected: What the format asks for.
        found: What is there.
        advice: What to do next.
    """

    def __init__(self, message: str, *, path: str = "", expected: str = "", found: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.path = path
        self.expected = expected
        self.found = found


class SnapshotCorruptError(FormatError):
    """A register is not what its manifest says it is."""


class VersionUnsupportedError(FormatError):
    """A file was written in a version of the format that this program does not read."""


class ProofError(AskFirstError):
    """A proof or a signature does not hold.

    Args:
        message: What does not hold.
        kind: A short stable name (`inclusion`, `consistency`, `signature`, `rolled-back`, `recount`).
        advice: What to do next.
    """

    def __init__(self, message: str, *, kind: str, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.kind = kind


class FetchError(AskFirstError):
    """Something outside could not be read; the audit turns it into a gap."""


class InterruptedRunError(AskFirstError):
    """The run was stopped before its end; what is finished is kept."""


class ConfigError(AskFirstError):
    """A setting has a value that cannot be used."""

    def __init__(self, message: str, *, key: str, value: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.key = key
        self.value = value
