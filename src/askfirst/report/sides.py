"""An item beside the work it was recognised as, as the page shows it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from askfirst.report.passages import mark_shared
from askfirst.report.summary import Example, Passage
from askfirst.report.words import Words, clean, shorten

__all__ = ["NAME_LETTERS", "likeness", "show_example"]

NAME_LETTERS = 100
"""The most that is shown of a name, a title or an address; longer ones lose their middle."""

_PASSAGE_LETTERS = 600
_CONTEXT_LETTERS = 100
_IMAGE_BITS, _DESCRIPTOR_BITS = 256, 512
_ADDRESS_KINDS = ("url", "url-prefix", "domain")


def show_example(phrases: Words, example: Example) -> dict[str, Any]:
    """Return what the page shows of one item beside the work it was recognised as.

    Args:
        phrases: The catalogue of the page's language.
        example: The item and the work.
    """
    item_pieces, work_pieces = _passages(example)
    return {
        "title": _title(phrases, example),
        "outcome": example.outcome,
        "kind": phrases.name("kind", example.kind),
        "reason": shorten(phrases.reason(example.rule), NAME_LETTERS),
        "facts": likeness(phrases, example.where, example.score),
        "item_image": _image(example.item_thumbnail),
        "item_alt": phrases.say("match.item_alt", name=shorten(example.item_id, NAME_LETTERS)),
        "item_pieces": item_pieces,
        "item_names": _names(
            ("match.source", example.source),
            ("match.file", example.item_id),
            ("match.address", example.url if example.url != example.item_id else ""),
        ),
        "work_image": _image(example.work_thumbnail),
        "work_alt": phrases.say(
            "match.work_alt", name=shorten(example.work.title if example.work else "", NAME_LETTERS)
        ),
        "work_pieces": work_pieces,
        "work_note": _work_note(example),
        "work_names": _names(
            ("match.work_id", example.work.work_id if example.work else ""),
            ("match.registered", str(example.where.get("address") or "")),
        ),
        "marked": ("match.shared" if work_pieces else "match.found") if item_pieces else "",
    }


def _title(phrases: Words, example: Example) -> Markup:
    """Return the name of a work with its maker, or of the item where no work was recognised."""
    isolated = Markup("<bdi>{}</bdi>")
    if example.work is None:
        return isolated.format(clean(shorten(example.item_id, NAME_LETTERS)))
    title = clean(shorten(example.work.title, NAME_LETTERS))
    quoted = Markup(escape(phrases.table["quoted"])).format(text=isolated.format(title))  # noqa: S704 escaped on this line
    name = quoted if title else escape(phrases.say("match.untitled"))
    if not example.work.creator:
        return name
    creator = isolated.format(clean(shorten(example.work.creator, NAME_LETTERS)))
    return Markup(escape(phrases.table["match.titled"])).format(title=name, creator=creator)  # noqa: S704 escaped on this line


def _names(*entries: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the entries that have a value, shortened."""
    return [(key, shorten(value, NAME_LETTERS)) for key, value in entries if value]


def _work_note(example: Example) -> str:
    """Return the key of the sentence that stands where the work is not shown."""
    if example.work is None:
        return "match.no_work"
    if example.work_thumbnail or example.work_passage:
        return ""
    return "match.address_only" if example.kind in _ADDRESS_KINDS else "match.kept_at_home"


def likeness(phrases: Words, where: Mapping[str, Any], score: float) -> list[str]:
    """Return in sentences how alike an item and a work are.

    Args:
        phrases: The catalogue.
        where: What matched, as in the manifest; anything unknown in it is left out.
        score: 0 to 1; 1 needs no words.
    """
    facts = []
    letters, hits, distance = (where.get(key) for key in ("letters", "hits", "distance_bits"))
    transform = str(where.get("transform") or "")
    if type(letters) is int:
        facts.append(phrases.count("match.letters", letters))
    if type(hits) is int:
        facts.append(phrases.count("match.hits", hits))
    if f"transform.{transform}" in phrases.table:
        facts.append(phrases.say("match.transform", transform=phrases.say(f"transform.{transform}")))
    if type(distance) is int:
        bits = _DESCRIPTOR_BITS if where.get("by") == "descriptor" else _IMAGE_BITS
        facts.append(phrases.say("match.bits", same=phrases.number(bits - distance), all=phrases.number(bits)))
    if f"view.{where.get('view')}" in phrases.table:
        facts.append(phrases.say("match.view", part=phrases.say(f"view.{where['view']}")))
    facts += _times(phrases, where)
    if score < 1:
        facts.append(phrases.say("match.score", score=phrases.decimal(score, 2)))
    return facts


def _times(phrases: Words, where: Mapping[str, Any]) -> list[str]:
    """Return in sentences which part of a recording or film is which part of the work, and what was done to it."""
    spans = [where.get("item"), where.get("work")]
    facts = []
    if "letters" not in where and all(isinstance(span, list) and len(span) == 2 for span in spans):
        names = ("start", "end", "work_start", "work_end")
        moments = [_moment(second) for span in spans if span for second in span]
        facts.append(phrases.say("match.span", **dict(zip(names, moments, strict=True))))
    for key, names_of in (("match.tempo", ("tempo", "speed")), ("match.pitch", ("pitch",))):
        percent = round(100 * next((where[name] for name in names_of if name in where), 1.0))
        if percent != 100:
            facts.append(phrases.say(key, percent=phrases.say("number.percent", figure=phrases.number(percent))))
    if type(where.get("frames")) is int:
        facts.append(phrases.count("match.frames", where["frames"]))
    return facts


def _moment(seconds: float) -> str:
    """Return a moment as a player shows it: 1:05, 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _image(jpeg: bytes | None) -> str:
    """Return a picture as a data: URL."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii") if jpeg else ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a passage: whether both sides share it, whether it only stands around the passage."""

    text: str
    shared: bool = False
    context: bool = False


def _passages(example: Example) -> tuple[list[_Piece], list[_Piece]]:
    """Return both sides' passages in pieces; without the work's side, what was recognised is marked."""
    if example.item_passage is None:
        work = example.work_passage
        return [], _framed(work, [(_cut(work), True)]) if work else []
    if example.work_passage is None:
        return _framed(example.item_passage, [(_cut(example.item_passage), True)]), []
    item, work_pieces = mark_shared(_cut(example.item_passage), _cut(example.work_passage))
    return _framed(example.item_passage, item), _framed(example.work_passage, work_pieces)


def _cut(passage: Passage) -> str:
    """Return the piece that was recognised, at most `_PASSAGE_LETTERS` of it."""
    text = clean(passage.text)
    return text if len(text) <= _PASSAGE_LETTERS else text[:_PASSAGE_LETTERS] + "…"


def _framed(passage: Passage, pieces: Sequence[tuple[str, bool]]) -> list[_Piece]:
    """Return a passage with a little of what stands around it."""
    before, after = clean(passage.before)[-_CONTEXT_LETTERS:], clean(passage.after)[:_CONTEXT_LETTERS]
    return [
        *([_Piece(f"… {before.lstrip('… ')}", context=True)] if before else []),
        *(_Piece(text, shared) for text, shared in pieces),
        *([_Piece(f"{after.rstrip('… ')} …", context=True)] if after else []),
    ]
