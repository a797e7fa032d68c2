"""The nouns: what an audit talks about, as values that never change.

An `Item` found in a dataset is compared with the works of a register. What is found are `Match`es; what
somebody said about the item are `Signal`s; what should have been read and could not be is a `Gap`. Together
they are the `Evidence`, and the evidence has one `Verdict`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

__all__ = [
    "MEDIA",
    "Basis",
    "Evidence",
    "Gap",
    "Match",
    "MatchKind",
    "Medium",
    "Outcome",
    "Preference",
    "Regime",
    "Signal",
    "Standing",
    "Use",
    "Verdict",
]


class Use(StrEnum):
    """What somebody wants to do with a work."""

    TRAIN_GENERATIVE = "train-generative"
    TRAIN_OTHER = "train-other"
    AI_INPUT = "ai-input"
    SEARCH = "search"
    MINE = "mine"
    STYLE = "style"


class Medium(StrEnum):
    """The kind of a work or an item; `OTHER` is one that nothing here can read."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    OTHER = "other"


MEDIA: tuple[Medium, ...] = tuple(Medium)
"""Media in the order of their codes in columns: `MEDIA[code]`."""


class Outcome(StrEnum):
    """What is concluded. Only `PERMITTED` may be trained on."""

    PERMITTED = "permitted"
    REFUSED = "refused"
    UNASKED = "unasked"
    UNREADABLE = "unreadable"


class Basis(StrEnum):
    """Why an item is permitted."""

    AGREEMENT = "agreement"
    OPEN_CONSENT = "open-consent"
    OPEN_LICENCE = "open-licence"
    PUBLIC_DOMAIN = "public-domain"
    OWN = "own"


class Standing(StrEnum):
    """What the register says about one work, for one use, one day and one caller."""

    CONTESTED = "contested"
    REFUSED = "refused"
    AGREEMENT = "agreement"
    OPEN_CONSENT = "open-consent"
    OPEN_LICENCE = "open-licence"
    PUBLIC_DOMAIN = "public-domain"
    OWN = "own"


class Regime(StrEnum):
    """Which question is asked: who said yes, or who did not say no."""

    OPT_IN = "opt-in"
    OPT_OUT = "opt-out"


class Preference(StrEnum):
    """What a party said about a use. Allowing is not licensing."""

    ALLOWED = "allowed"
    DISALLOWED = "disallowed"
    UNKNOWN = "unknown"


class MatchKind(StrEnum):
    """How an item was recognised as a registered work."""

    DIGEST = "digest"
    URL = "url"
    URL_PREFIX = "url-prefix"
    DOMAIN = "domain"
    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Match:
    """An item, or a part of it, is a registered work or a part of it.

    Args:
        work_id: The work in the register.
        kind: How it was recognised.
        score: 0 to 1; 1 for exact kinds. Not yet a probability: see `docs/formats/manifest.md`.
        where: What matched, for a program: a URL of the register, or a JSON object with offsets.
        cover: Share of the item that the match accounts for, 0 to 1.
    """

    work_id: str
    kind: MatchKind
    score: float
    where: str
    cover: float = 1.0


@dataclass(frozen=True, slots=True)
class Signal:
    """A machine-readable statement about what may be done with an item.

    Args:
        protocol: Name of the protocol, as in `docs/formats/verdict.md` (`robots.txt`, `iptc-plus`).
        disallows: Uses the statement forbids.
        allows: Uses the statement allows. A preference that allows is not a licence.
        source: Where it was found: a file, a header, a column.
        quote: The words themselves, verbatim, at most 500 characters.
        scope: What it binds: a path, an agent, a representation.
    """

    protocol: str
    disallows: frozenset[Use]
    allows: frozenset[Use] = frozenset()
    source: str = ""
    quote: str = ""
    scope: str = ""

    def preference(self, use: Use) -> Preference:
        """Return what this signal says about one use; a ban wins over a permission."""
        if use in self.disallows:
            return Preference.DISALLOWED
        return Preference.ALLOWED if use in self.allows else Preference.UNKNOWN


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that should have been read and could not be. Never permission.

    Args:
        kind: A short stable name of the flaw (`truncated`, `encrypted`, `malformed-signal`).
        cause: One line a person understands.
        source: What could not be read.
        advice: What to do about it.
    """

    kind: str
    cause: str
    source: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known about one item."""

    matches: tuple[Match, ...] = ()
    signals: tuple[Signal, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion about one item for one use, with the rule that led to it.

    A verdict has no truth value: `if verdict:` would hide which of the four outcomes it is.
    """

    outcome: Outcome
    rule: str
    basis: Basis | None = None
    evidence: Evidence = field(default_factory=Evidence)

    def __bool__(self) -> NoReturn:
        """Refuse to be a truth value."""
        raise TypeError("a verdict is not a truth value: compare verdict.outcome with Outcome.PERMITTED")
