import json

import pytest
import report_sample

from askfirst.errors import FormatError, VersionUnsupportedError
from askfirst.model import Outcome
from askfirst.report.summary import (
    OUTCOMES,
    Example,
    GapGroup,
    HostRow,
    Others,
    RightsholderRow,
    Summary,
    outcome_counts,
    rule_outcome,
)
from askfirst.verdict import decision_table


def test_summary_json_has_the_promised_keys_first():
    assert list(report_sample.summary().to_dict()) == [
        "items",
        "outcomes",
        "opt_out_difference",
        "use",
        "regime",
        "register",
        "input_digest",
        "tool",
        "seconds",
        "policy",
        "sources",
        "by_medium",
        "by_rightsholder",
        "other_rightsholders",
        "by_host",
        "other_hosts",
        "rules",
        "bases",
        "gaps",
        "notes",
        "version",
    ]
    assert list(report_sample.summary().to_dict()["register"]) == ["origin", "size", "root"]


def test_outcomes_in_their_order():
    assert OUTCOMES == ("permitted", "refused", "unasked", "unreadable")
    assert list(outcome_counts(1, 2, 3, 4).items()) == [
        ("permitted", 1),
        ("refused", 2),
        ("unasked", 3),
        ("unreadable", 4),
    ]


@pytest.mark.parametrize("summary", [report_sample.summary(), report_sample.empty(), report_sample.silent()])
def test_summary_round_trip_through_json(summary):
    assert Summary.from_dict(json.loads(json.dumps(summary.to_dict()))) == summary


@pytest.mark.parametrize("example", report_sample.examples(), ids=lambda example: example.kind)
def test_example_round_trip_through_json(example):
    assert Example.from_dict(json.loads(json.dumps(example.to_dict()))) == example


def test_summary_of_another_version():
    plain = {**report_sample.summary().to_dict(), "version": "summary_v1", "something": "new"}
    with pytest.raises(VersionUnsupportedError) as caught:
        Summary.from_dict(plain)
    assert (caught.value.expected, caught.value.found) == ("summary_v0", "summary_v1")


def test_summary_without_a_version():
    with pytest.raises(VersionUnsupportedError):
        Summary.from_dict({"items": 1})


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"outcomes": outcome_counts(1)}, "outcomes"),
        ({"outcomes": {"permitted": 10_000}}, "outcomes"),
        ({"outcomes": {**outcome_counts(10_001), "refused": -1}}, "outcomes"),
        ({"opt_out_difference": -1}, "opt_out_difference"),
        ({"opt_out_difference": 5_874}, "opt_out_difference"),
        ({"by_medium": {"text": outcome_counts(1)}}, "by_medium.*.permitted"),
        ({"by_medium": {"text": {"permitted": 1}}}, "by_medium.text"),
        ({"rules": {"robots.txt": 1}}, "rule"),
    ],
)
def test_summary_whose_numbers_do_not_add_up(changes, path):
    with pytest.raises(FormatError) as caught:
        report_sample.summary(**changes)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "make",
    [
        lambda: RightsholderRow("a", 1, 1, {}),
        lambda: HostRow("a", 1, {"permitted": 1}),
        lambda: Others(1, 1, {"permitted": 1}),
    ],
)
def test_row_without_all_outcomes(make):
    with pytest.raises(FormatError):
        make()


def test_example_of_no_outcome():
    with pytest.raises(FormatError) as caught:
        Example("a", "b", "", "not reserved", "silence", "text", None, 1.0)
    assert caught.value.path == "example.outcome"


def test_example_of_no_rule():
    with pytest.raises(FormatError) as caught:
        Example("a", "b", "", "refused", "because", "text", None, 1.0)
    assert caught.value.path == "rule"


def test_rule_outcome_agrees_with_the_decision_table():
    for decision in decision_table():
        assert rule_outcome(decision.rule) is decision.outcome
        assert rule_outcome(f"{decision.rule}:anything") is decision.outcome


def test_reasons_most_frequent_first():
    summary = report_sample.silent()
    assert summary.reasons() == [("silence", Outcome.UNASKED, 1_000)]
    many = report_sample.summary(rules={"own": 0, "signal:b": 2, "signal:a": 2, "agreement": 9})
    assert [rule for rule, _, _ in many.reasons()] == ["agreement", "signal:a", "signal:b"]


def test_gap_group_round_trip():
    group = GapGroup("corrupt", "it ends early", "fetch it again", 3, "a.jpg")
    assert GapGroup.from_dict(group.to_dict()) == group
