"""The decision table, over every combination of facts, against a second wording of the rule."""

from itertools import product

import pytest

from askfirst.model import Basis, Outcome, Verdict
from askfirst.verdict import FACT_NAMES, Facts, decide, decision_table

EVERY_COMBINATION = [Facts(*values) for values in product((False, True), repeat=len(FACT_NAMES))]


def outcome_in_other_words(facts: Facts) -> Outcome:
    """Say the rule backwards: what an item would need for each outcome, without looking at the table's order."""
    said_no = facts.contested or facts.register_refusal or facts.signal_refusal
    said_yes_to_everybody = facts.open_consent or facts.open_licence or facts.public_domain or facts.own
    if not facts.agreement and said_no:
        return Outcome.REFUSED
    if not facts.agreement and facts.gap:
        return Outcome.UNREADABLE
    if facts.agreement or said_yes_to_everybody:
        return Outcome.PERMITTED
    return Outcome.UNASKED


def test_outcome_agrees_with_the_rule_for_every_combination_of_facts():
    assert [decide(f).outcome for f in EVERY_COMBINATION] == [outcome_in_other_words(f) for f in EVERY_COMBINATION]


def test_nothing_known_is_not_consent():
    assert decide(Facts()).outcome == Outcome.UNASKED
    assert decide(Facts()).rule == "silence"


def test_permission_always_has_a_basis_and_nothing_else_has_one():
    for facts in EVERY_COMBINATION:
        decision = decide(facts)
        assert (decision.basis is not None) == (decision.outcome == Outcome.PERMITTED)


def test_basis_is_a_fact_that_is_true():
    for facts in EVERY_COMBINATION:
        basis = decide(facts).basis
        assert basis is None or getattr(facts, basis.value.replace("-", "_"))


def test_one_more_refusal_or_gap_never_permits():
    for facts in EVERY_COMBINATION:
        for worse in ("contested", "register_refusal", "signal_refusal", "gap"):
            with_it = decide(Facts(**{n: getattr(facts, n) or n == worse for n in FACT_NAMES}))
            assert decide(facts).outcome == Outcome.PERMITTED or with_it.outcome != Outcome.PERMITTED


@pytest.mark.parametrize(
    ("facts", "rule", "basis"),
    [
        (Facts(agreement=True, contested=True), "agreement", Basis.AGREEMENT),
        (Facts(contested=True, register_refusal=True), "register-contested", None),
        (Facts(register_refusal=True, signal_refusal=True), "register-refusal", None),
        (Facts(signal_refusal=True, gap=True), "signal", None),
        (Facts(gap=True, open_consent=True), "gap", None),
        (Facts(open_consent=True, open_licence=True), "open-consent", Basis.OPEN_CONSENT),
        (Facts(open_licence=True, public_domain=True), "open-licence", Basis.OPEN_LICENCE),
        (Facts(public_domain=True, own=True), "public-domain", Basis.PUBLIC_DOMAIN),
        (Facts(own=True), "own", Basis.OWN),
    ],
)
def test_the_first_row_whose_fact_is_true_decides(facts, rule, basis):
    assert (decide(facts).rule, decide(facts).basis) == (rule, basis)


def test_table_by_bits_is_the_function_for_every_combination():
    table = decision_table()
    for facts in EVERY_COMBINATION:
        bits = sum(1 << i for i, name in enumerate(FACT_NAMES) if getattr(facts, name))
        assert table[bits] == decide(facts)


def test_verdict_has_no_truth_value():
    with pytest.raises(TypeError, match=r"compare verdict\.outcome"):
        bool(Verdict(Outcome.PERMITTED, "own"))
