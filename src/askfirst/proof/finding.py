"""What a check found: yes or no, with the reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from askfirst.errors import FormatError, ProofError
from askfirst.tlog.checkpoint import Checkpoint
from askfirst.tlog.cosignature import CosignatureVerifier
from askfirst.tlog.note import NoteVerifier, open_note

__all__ = ["Finding", "Head", "Reason", "Trust", "find", "head_reasons", "open_head"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was checked, in a sentence. `good` is None for what is worth knowing but decides nothing."""

    good: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of something found.

    A finding has no truth value: `if finding:` would hide the reasons.

    Args:
        kind: What was checked: `receipt`, `log`.
        reasons: What was found, in the order it was checked; after the first no, nothing more is checked.
        facts: The same for a program, as plain JSON values.
    """

    kind: str
    reasons: tuple[Reason, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether something was checked and all of it holds."""
        decided = [reason.good for reason in self.reasons if reason.good is not None]
        return bool(decided) and all(decided)

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {
            "kind": self.kind,
            "good": self.good,
            "reasons": [{"good": reason.good, "text": reason.text} for reason in self.reasons],
            "facts": dict(self.facts),
        }

    def __bool__(self) -> NoReturn:
        """Refuse to be a truth value."""
        raise TypeError("a finding is not a truth value: look at finding.good and finding.reasons")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count.

    Args:
        logs: Keys of logs. A log's key has the log's name; without one, nothing is ever good.
        witnesses: Keys of witnesses.
        quorum: How many different witnesses must have signed; by default all of them.
    """

    logs: Sequence[NoteVerifier]
    witnesses: Sequence[CosignatureVerifier] = ()
    quorum: int | None = None

    @property
    def required(self) -> int:
        """How many witnesses must have signed."""
        return len({each.public_key for each in self.witnesses}) if self.quorum is None else self.quorum


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint whose signatures were checked, and the witnesses that saw it, with the hour in words."""

    checkpoint: Checkpoint
    witnessed: Mapping[str, str]


def open_head(note: str, trust: Trust) -> Head:
    """Check the signatures of a checkpoint.

    Raises:
        FormatError: It is no signed checkpoint.
        ProofError: It is not signed by the log it names, or not by enough witnesses.
    """
    if not trust.logs:
        raise ProofError(
            "without the log's key nobody can say whose log this is",
            kind="no-key",
            advice="give the key that the log publishes with --key, from a place you trust",
        )
    opened = open_note(note, [*trust.logs, *trust.witnesses])
    checkpoint = Checkpoint.parse(opened.body)
    signed = set(opened.signatures)
    if not any((each.name, each.key_id) in signed for each in trust.logs if each.name == checkpoint.origin):
        raise ProofError(
            f"the log names itself {checkpoint.origin}, and no known key of that name signed", kind="signature"
        )
    seen = {each.public_key: each for each in trust.witnesses if (each.name, each.key_id) in signed}
    if len(seen) < trust.required:
        raise ProofError(f"{len(seen)} of the known witnesses signed, {trust.required} must", kind="quorum")
    return Head(checkpoint, {each.name: _moment(opened.times[each.name, each.key_id]) for each in seen.values()})


def head_reasons(head: Head, trust: Trust) -> list[Reason]:
    """Return in words what `open_head` found."""
    checkpoint = head.checkpoint
    reasons = [Reason(True, f"{checkpoint.origin} signed that its log has {checkpoint.size:,} entries")]
    reasons += [Reason(True, f"{name} saw this log, unbroken, at {when}") for name, when in head.witnessed.items()]
    if not trust.witnesses:
        text = "no witness was asked for: the log itself could still show others a different list"
        reasons.append(Reason(None, text))
    return reasons


def find(kind: str, steps: Callable[[list[Reason], dict[str, Any]], None]) -> Finding:
    """Run a check that adds its reasons and facts as it goes; the error that ends it is the reason for no."""
    reasons: list[Reason] = []
    facts: dict[str, Any] = {}
    try:
        steps(reasons, facts)
    except ProofError as error:
        reasons.append(Reason(False, str(error)))
        facts["failed"] = error.kind
    except FormatError as error:
        reasons.append(Reason(False, str(error)))
        facts["failed"] = "damaged"
    return Finding(kind, tuple(reasons), facts)


def _moment(time_s: int) -> str:
    try:
        return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return f"second {time_s} since 1970"
