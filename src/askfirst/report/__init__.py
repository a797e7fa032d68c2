"""The report: an audit's numbers and verdicts in words, on a terminal and on one page of HTML."""
