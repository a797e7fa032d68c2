"""The answer of an audit in sentences, before it is known whether a page or a terminal shows them."""

from __future__ import annotations

from dataclasses import dataclass, field

from askfirst.model import Regime
from askfirst.report.summary import OUTCOMES, Summary
from askfirst.report.words import Words

__all__ = ["Sentence", "difference", "headline"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """An entry of the catalogue and what fills it.

    Args:
        key: The entry, with the form its number asks for.
        figures: Placeholders filled with numbers, grouped.
        phrases: Placeholders filled with words of the catalogue.
    """

    key: str
    figures: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)

    def plain(self, words: Words) -> str:
        """Return the sentence as plain text."""
        return words.say(self.key, **self.figures, **self.phrases)


def headline(words: Words, summary: Summary) -> tuple[Sentence, Sentence]:
    """Return the answer in one sentence, and the sentence after it."""
    items, yes = summary.items, summary.outcomes["permitted"]
    purpose = {"purpose": words.say(f"purpose.{summary.use}")}
    causes = [words.say(f"cause.{outcome}") for outcome in OUTCOMES[1:] if summary.outcomes[outcome]]
    because = {"causes": words.either(causes)}
    if not items:
        return Sentence("headline.empty"), Sentence("lede.empty")
    if summary.regime is Regime.OPT_OUT:
        through = yes + summary.opt_out_difference
        return _some(words, "headline.optout", through, items, purpose), _counted(words, "lede.optout", yes)
    if yes == items:
        return _counted(words, "headline.all", items, purpose), Sentence("lede.all")
    if not yes:
        return _counted(words, "headline.none", items, purpose), Sentence("lede.none", phrases=because)
    rest = _counted(words, "lede.rest", items - yes, because)
    return _some(words, "headline.some", yes, items, purpose), rest


def difference(words: Words, summary: Summary) -> Sentence:
    """Return what a rule that only looks for a no would have let through."""
    more = summary.opt_out_difference
    return _counted(words, "optout.more", more) if more else Sentence("optout.none")


def _counted(words: Words, key: str, number: int, phrases: dict[str, str] | None = None) -> Sentence:
    """Return the entry for one or for any other number."""
    return Sentence(words.form(key, number), {"n": words.number(number)}, phrases or {})


def _some(words: Words, key: str, part: int, whole: int, phrases: dict[str, str]) -> Sentence:
    """Return the entry for a part of a whole."""
    figures = {"n": words.number(part), "items": words.number(whole)}
    return Sentence(words.form(key, part), figures, phrases)
