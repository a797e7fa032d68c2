import io
import re

import pytest
import report_sample
from rich.console import Console

from askfirst.errors import ConfigError
from askfirst.report.summary import outcome_counts
from askfirst.report.terminal import print_summary
from askfirst.report.words import LANGUAGES


def _printed(summary, out="out", language="en", **options):
    file = io.StringIO()
    settings = {"width": 80, "color_system": None, "force_terminal": False, "legacy_windows": False}
    print_summary(summary, Console(file=file, **{**settings, **options}), out, language)
    return _stripped(file.getvalue())


def _stripped(text):
    return "\n".join(line.rstrip() for line in text.split("\n"))


def test_print_summary_without_colour():
    assert (
        _printed(report_sample.summary())
        == """
4,127 of 10,000 items may be used for training generative AI.

Outcome      Items   Share   Meaning
─────────────────────────────────────────────────────────
Permitted    4,127   41.3%   somebody entitled said yes
Refused      2,264   22.6%   there is a no, or a dispute
Unasked      3,518   35.2%   nobody was asked
Unreadable      91    0.9%   not readable, so never a yes

A rule that only looks for a no would have let 3,518 more items through, without
anybody having been asked.

The most frequent reasons why not
  3,518  Nobody was asked: no yes and no no was found
  1,120  A notice says no: robots.txt
    481  A notice says no: tdmrep

Read the report: out/report.html
"""
    )


def test_print_summary_of_nothing():
    assert (
        _printed(report_sample.empty())
        == """
No items were found in the sources.

Outcome      Items   Share   Meaning
─────────────────────────────────────────────────────────
Permitted        0      0%   somebody entitled said yes
Refused          0      0%   there is a no, or a dispute
Unasked          0      0%   nobody was asked
Unreadable       0      0%   not readable, so never a yes

Read the report: out/report.html
"""
    )


def test_print_summary_of_permitted_items_says_why():
    summary = report_sample.summary(
        items=3,
        outcomes=outcome_counts(3),
        opt_out_difference=0,
        by_medium={},
        rules={"own": 2, "public-domain": 1},
    )
    assert _printed(summary).split("\n")[-6:-2] == [
        "The most frequent reasons",
        "  2  The own work of whoever asked",
        "  1  In the public domain",
        "",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("items", [1_000, 10**12])
def test_print_summary_fits_80_columns(language, items):
    outcomes = outcome_counts(items - 3, 1, 1, 1)
    summary = report_sample.summary(items=items, outcomes=outcomes, opt_out_difference=1, by_medium={})
    lines = _printed(summary, language=language).split("\n")
    assert max(map(len, lines)) <= 80
    table = lines[lines.index("") + 1 :]
    meanings = [LANGUAGES[language][f"brief.{outcome}"] for outcome in outcomes]
    assert [m for m in meanings if any(line.endswith(m) for line in table)] == meanings


@pytest.mark.parametrize("width", [40, 60, 132])
def test_print_summary_at_other_widths(width):
    lines = _printed(report_sample.summary(), width=width).split("\n")
    assert max(map(len, lines)) <= width


def test_print_summary_long_path_stays_whole():
    out = "a-rather-long-folder-name/" * 8
    assert f"Read the report: {out}report.html" in _printed(report_sample.summary(), out).split("\n")


def test_print_summary_colour_is_only_added():
    plain = _printed(report_sample.summary())
    coloured = _printed(report_sample.summary(), color_system="truecolor", force_terminal=True)
    assert _stripped(re.sub(r"\x1b\[[\d;]*m", "", coloured)) == plain
    assert coloured != plain


def test_print_summary_hostile_names_do_not_act_on_the_terminal():
    summary, _ = report_sample.hostile()
    printed = _printed(summary, "out/[red]\x1b[31m\nRead the report: evil")
    assert "\x1b" not in printed
    assert "Read the report: out/[red]\ufffd[31m Read the report: evil/report.html" in printed.split("\n")


def test_print_summary_unknown_language():
    with pytest.raises(ConfigError):
        _printed(report_sample.summary(), language="fr")
