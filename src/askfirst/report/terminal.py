"""The end of an audit on a terminal: the answer, the four outcomes, the reasons, where the report is."""

from __future__ import annotations

from pathlib import PurePath

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from askfirst.model import Outcome
from askfirst.report.answer import difference, headline
from askfirst.report.summary import Summary
from askfirst.report.words import Words, one_line, shorten, words

__all__ = ["print_summary"]

_REASONS = 3
_REASON_LETTERS = 60
_COLOURS = {
    Outcome.PERMITTED: "green",
    Outcome.REFUSED: "red",
    Outcome.UNASKED: "yellow",
    Outcome.UNREADABLE: "magenta",
}


def print_summary(summary: Summary, console: Console, out: str, language: str = "en") -> None:
    """Print the result of an audit.

    Every outcome is named by its word; colour is only added to it. Nothing in a name from outside acts on the
    terminal.

    Args:
        summary: The numbers.
        console: Where to print.
        out: Folder of the results, which holds `report.html`.
        language: `en`, `de` or `nl`.

    Raises:
        ConfigError: There is no catalogue for the language.
    """
    phrases = words(language)
    console.print()
    console.print(Text(headline(phrases, summary)[0].plain(phrases), style="bold"))
    console.print()
    console.print(_outcomes(phrases, summary))
    console.print()
    if summary.items:
        console.print(Text(difference(phrases, summary).plain(phrases)))
        console.print()
        _print_reasons(phrases, summary, console)
    report = one_line(str(PurePath(out) / "report.html"))
    console.print(Text(f"{phrases.say('terminal.report')} {report}"), soft_wrap=True)


def _outcomes(phrases: Words, summary: Summary) -> Table:
    """Return the table of the four outcomes."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(phrases.say("terminal.outcome"), no_wrap=True)
    table.add_column(phrases.say("table.items"), justify="right", no_wrap=True)
    table.add_column(phrases.say("terminal.share"), justify="right", no_wrap=True)
    table.add_column(phrases.say("terminal.means"), overflow="fold")
    for outcome, n in summary.outcomes.items():
        word = Text(phrases.say(f"outcome.{outcome}"), style=f"bold {_COLOURS[Outcome(outcome)]}")
        share = phrases.share(n, summary.items)
        table.add_row(word, phrases.number(n), share, phrases.say(f"brief.{outcome}"))
    return table


def _print_reasons(phrases: Words, summary: Summary, console: Console) -> None:
    """Print the most frequent reasons why not; where everything is permitted, why."""
    reasons = summary.reasons()
    against = [entry for entry in reasons if entry[1] is not Outcome.PERMITTED]
    shown = (against or reasons)[:_REASONS]
    if not shown:
        return
    console.print(Text(phrases.say("terminal.reasons" if against else "terminal.reasons_yes")))
    width = max(len(phrases.number(n)) for _, _, n in shown)
    for rule, _outcome, n in shown:
        reason = shorten(phrases.reason(rule), _REASON_LETTERS)
        console.print(Text(f"  {phrases.number(n):>{width}}  {reason}"))
    console.print()
