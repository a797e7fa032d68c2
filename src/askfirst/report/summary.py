"""The numbers of an audit, and a few of its matches, as values without a language.

A `Summary` is what `summary.json` holds; an `Example` is one recognised item beside the work it was
recognised as, shown in `report.html` only. Both are written and read exactly: an unknown, missing or mistyped
value is an error that names its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from askfirst.errors import VersionUnsupportedError
from askfirst.model import Outcome, Regime, Use
from askfirst.report.record import Record, decode, wrong
from askfirst.verdict import FACT_NAMES, Facts, decide

__all__ = [
    "OUTCOMES",
    "SUMMARY_VERSION",
    "TOP",
    "Example",
    "GapGroup",
    "HostRow",
    "Others",
    "Passage",
    "RegisterHead",
    "RightsholderRow",
    "Summary",
    "WorkName",
    "outcome_counts",
    "rule_outcome",
]

SUMMARY_VERSION = "summary_v0"
TOP = 50
"""Rightsholders and hosts that are named in a summary; the rest is added up in `Others`."""

OUTCOMES: tuple[str, ...] = tuple(outcome.value for outcome in Outcome)
"""The outcomes in the order in which they are always shown."""

Counts = dict[str, int]

_DECISIONS = [decide(Facts()), *(decide(Facts(**{name: True})) for name in FACT_NAMES)]
_RULE_OUTCOMES = {decision.rule: decision.outcome for decision in _DECISIONS}


def outcome_counts(permitted: int = 0, refused: int = 0, unasked: int = 0, unreadable: int = 0) -> Counts:
    """Return the items of each outcome, in the order in which outcomes are shown."""
    return dict(zip(OUTCOMES, (permitted, refused, unasked, unreadable), strict=True))


def rule_outcome(rule: str) -> Outcome:
    """Return the outcome a rule leads to; what stands after a colon (`signal:robots.txt`) plays no part.

    Raises:
        FormatError: The decision table has no such rule.
    """
    outcome = _RULE_OUTCOMES.get(rule.partition(":")[0])
    if outcome is None:
        raise wrong("rule", " or ".join(_RULE_OUTCOMES), rule)
    return outcome


@dataclass(frozen=True, slots=True)
class RegisterHead(Record):
    """Which register the items were compared with.

    Args:
        origin: Who publishes it, as in its checkpoint; a folder name for a register of one's own.
        size: Works in it.
        root: Its root hash, as text.
    """

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class RightsholderRow(Record):
    """One rightsholder whose works were recognised.

    Args:
        rightsholder: The name; empty where the register names nobody.
        works: Works of theirs that were recognised.
        items: Items in which they were recognised.
        outcomes: These items by outcome.
    """

    rightsholder: str
    works: int
    items: int
    outcomes: Counts

    def __post_init__(self) -> None:
        """Refuse counts without the four outcomes."""
        _check_counts(self.outcomes, "by_rightsholder.outcomes")


@dataclass(frozen=True, slots=True)
class HostRow(Record):
    """One host that items came from.

    Args:
        host: The host of the items' addresses.
        items: Items from there.
        outcomes: These items by outcome.
        exact: False where the counts are lower bounds.
    """

    host: str
    items: int
    outcomes: Counts
    exact: bool = True

    def __post_init__(self) -> None:
        """Refuse counts without the four outcomes."""
        _check_counts(self.outcomes, "by_host.outcomes")


@dataclass(frozen=True, slots=True)
class Others(Record):
    """The rightsholders or hosts after the first `TOP`, added up.

    Args:
        names: How many they are.
        items: Their items.
        outcomes: These items by outcome.
        works: Their works; 0 for hosts.
        exact: False where the counts are lower bounds.
    """

    names: int = 0
    items: int = 0
    outcomes: Counts = field(default_factory=outcome_counts)
    works: int = 0
    exact: bool = True

    def __post_init__(self) -> None:
        """Refuse counts without the four outcomes."""
        _check_counts(self.outcomes, "others.outcomes")


@dataclass(frozen=True, slots=True)
class GapGroup(Record):
    """Items that could not be read for one reason.

    Args:
        kind: The slug of the flaw, as in `model.Gap.kind`.
        cause: One line a person understands.
        advice: What to do about it.
        count: Items it happened to.
        example_item: One of them.
    """

    kind: str
    cause: str
    advice: str
    count: int
    example_item: str


@dataclass(frozen=True, slots=True)
class Summary(Record):
    """Everything an audit has to say in numbers.

    Args:
        items: Items looked at.
        outcomes: Items by outcome; all four, adding up to `items`.
        opt_out_difference: Items an opt-out rule would let through and an opt-in rule does not.
        use: The use that was asked about.
        regime: Which question was asked.
        register: What the items were compared with.
        input_digest: Digest of the input, as text.
        tool: Name and version of the program.
        seconds: How long it took.
        policy: `Policy.as_dict()`.
        sources: Names of what was read.
        by_medium: Items by medium and outcome; adds up to `outcomes`.
        by_rightsholder: The first `TOP`, most items first.
        other_rightsholders: The rest.
        by_host: The first `TOP`, most items first.
        other_hosts: The rest.
        rules: Items by deciding rule (`silence`, `signal:robots.txt`, `gap:truncated`).
        bases: Permitted items by basis.
        gaps: What could not be read, by cause.
        notes: Remarks of the run a reader should know.
        version: Version of this form.
    """

    items: int
    outcomes: Counts
    opt_out_difference: int
    use: Use
    regime: Regime
    register: RegisterHead
    input_digest: str
    tool: str
    seconds: float
    policy: dict[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    by_medium: dict[str, Counts] = field(default_factory=dict)
    by_rightsholder: tuple[RightsholderRow, ...] = ()
    other_rightsholders: Others = field(default_factory=Others)
    by_host: tuple[HostRow, ...] = ()
    other_hosts: Others = field(default_factory=Others)
    rules: Counts = field(default_factory=dict)
    bases: Counts = field(default_factory=dict)
    gaps: tuple[GapGroup, ...] = ()
    notes: tuple[str, ...] = ()
    version: str = SUMMARY_VERSION

    def __post_init__(self) -> None:
        """Refuse numbers that do not add up: a reader could not recompute them."""
        _check_version(self.version)
        _check_counts(self.outcomes, "outcomes")
        _check_sum(sum(self.outcomes.values()), self.items, "outcomes")
        if not 0 <= self.opt_out_difference <= self.items - self.outcomes["permitted"]:
            raise wrong("opt_out_difference", "0 to the items that are not permitted", self.opt_out_difference)
        for medium, counts in self.by_medium.items():
            _check_counts(counts, f"by_medium.{medium}")
        for rule in self.rules:
            rule_outcome(rule)
        for outcome in OUTCOMES if self.by_medium else ():
            total = sum(counts[outcome] for counts in self.by_medium.values())
            _check_sum(total, self.outcomes[outcome], f"by_medium.*.{outcome}")

    def reasons(self) -> list[tuple[str, Outcome, int]]:
        """Return every deciding rule with its outcome and its items: most items first, then by name."""
        ranked = sorted(self.rules.items(), key=lambda entry: (-entry[1], entry[0]))
        return [(rule, rule_outcome(rule), n) for rule, n in ranked if n]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            VersionUnsupportedError: It was written in another version of the form.
            FormatError: A key is missing or unknown, a value is of the wrong type, or numbers do not add up.
        """
        _check_version(data.get("version"))
        value: Self = decode(cls, data, "summary")
        return value


@dataclass(frozen=True, slots=True)
class WorkName(Record):
    """How a registered work is called.

    Args:
        work_id: Its name in the register.
        title: Its title.
        creator: Who made it.
    """

    work_id: str
    title: str
    creator: str


@dataclass(frozen=True, slots=True)
class Passage(Record):
    """A piece of a text with a little of what stands around it.

    Args:
        before: Words before the piece; empty where the text begins with it.
        text: The piece that was recognised.
        after: Words after it; empty where the text ends with it.
    """

    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class Example(Record):
    """One item beside the work it was recognised as.

    Args:
        item_id: The item, as in the manifest.
        source: Where it was found.
        url: Its web address; empty if it has none.
        outcome: One of `OUTCOMES`.
        rule: The rule that decided.
        kind: How it was recognised, as in `model.MatchKind`.
        work: The registered work; None where the reason is not a work.
        score: 0 to 1.
        where: What matched: offsets, distance, or the registered `address`.
        item_thumbnail: A small JPEG of the item.
        work_thumbnail: A small JPEG of the work, where its maker put one at hand.
        item_passage: The passage in the item.
        work_passage: The passage in the work, where the work is at hand.
    """

    item_id: str
    source: str
    url: str
    outcome: str
    rule: str
    kind: str
    work: WorkName | None
    score: float
    where: dict[str, Any] = field(default_factory=dict)
    item_thumbnail: bytes | None = None
    work_thumbnail: bytes | None = None
    item_passage: Passage | None = None
    work_passage: Passage | None = None

    def __post_init__(self) -> None:
        """Refuse an outcome or a rule that is none."""
        rule_outcome(self.rule)
        if self.outcome not in OUTCOMES:
            raise wrong("example.outcome", " or ".join(OUTCOMES), self.outcome)


def _check_version(version: object) -> None:
    """Refuse a summary of another version before anything else in it is read."""
    if version != SUMMARY_VERSION:
        raise VersionUnsupportedError(
            "this summary was written in another version of the format",
            path="summary.version",
            expected=SUMMARY_VERSION,
            found=str(version)[:80],
            advice="read it with the version of Ask First that wrote it",
        )


def _check_counts(counts: Mapping[str, int], path: str) -> None:
    """Refuse counts that are not one number, zero or more, for each of the four outcomes."""
    if set(counts) != set(OUTCOMES) or min(counts.values()) < 0:
        raise wrong(path, "one number for each of " + ", ".join(OUTCOMES), dict(counts))


def _check_sum(total: int, expected: int, path: str) -> None:
    """Refuse parts that do not add up to their whole."""
    if total != expected:
        raise wrong(path, f"numbers that add up to {expected}", total)
