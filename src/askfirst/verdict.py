"""The decision: facts about an item in, one of four outcomes out.

The table is read from the top; the first row whose fact is true decides. There is no other place in the
program where an outcome is chosen: columns of millions of items use `decision_table`, which is this function
evaluated for every combination of facts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from askfirst.model import Basis, Outcome

__all__ = ["FACT_NAMES", "Decision", "Facts", "decide", "decision_table"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one item for one use on one day, reduced to yes or no.

    The five facts that permit say that works with such a standing account for the *whole* item
    (`Policy.cover_min`) and that no recognised work has a lesser one; the facts that refuse are true
    however small the part is.

    Args:
        agreement: The caller holds an agreement that covers every recognised work, this use, this day.
        contested: A recognised work outside such an agreement has contested rights.
        register_refusal: The register entry of such a work refuses this use.
        signal_refusal: A machine-readable signal disallows this use.
        gap: Something that should have been read could not be.
        open_consent: The register says yes to everybody.
        open_licence: An open licence with recorded conditions.
        public_domain: In the public domain.
        own: The caller's own work.
    """

    agreement: bool = False
    contested: bool = False
    register_refusal: bool = False
    signal_refusal: bool = False
    gap: bool = False
    open_consent: bool = False
    open_licence: bool = False
    public_domain: bool = False
    own: bool = False


FACT_NAMES: tuple[str, ...] = tuple(f.name for f in fields(Facts))
"""Facts in the order of their bits: fact i has the value `1 << i` in a column of facts."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome and the rule that led to it."""

    outcome: Outcome
    rule: str
    basis: Basis | None = None


_ROWS: tuple[tuple[str, Decision], ...] = (
    ("agreement", Decision(Outcome.PERMITTED, "agreement", Basis.AGREEMENT)),
    ("contested", Decision(Outcome.REFUSED, "register-contested")),
    ("register_refusal", Decision(Outcome.REFUSED, "register-refusal")),
    ("signal_refusal", Decision(Outcome.REFUSED, "signal")),
    ("gap", Decision(Outcome.UNREADABLE, "gap")),
    ("open_consent", Decision(Outcome.PERMITTED, "open-consent", Basis.OPEN_CONSENT)),
    ("open_licence", Decision(Outcome.PERMITTED, "open-licence", Basis.OPEN_LICENCE)),
    ("public_domain", Decision(Outcome.PERMITTED, "public-domain", Basis.PUBLIC_DOMAIN)),
    ("own", Decision(Outcome.PERMITTED, "own", Basis.OWN)),
)
_SILENCE = Decision(Outcome.UNASKED, "silence")


def decide(facts: Facts) -> Decision:
    """Return the decision of the first row of the table whose fact is true; silence is not consent."""
    for name, decision in _ROWS:
        if getattr(facts, name):
            return decision
    return _SILENCE


def decision_table() -> tuple[Decision, ...]:
    """Return `decide` for every combination of facts, indexed by the facts' bits.

    Returns:
        2**9 decisions; entry `b` is for the facts whose `FACT_NAMES` index is a set bit of `b`.
    """
    bits = range(1 << len(FACT_NAMES))
    return tuple(decide(Facts(**{n: bool(b >> i & 1) for i, n in enumerate(FACT_NAMES)})) for b in bits)
