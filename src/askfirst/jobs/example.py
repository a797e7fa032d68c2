"""A few matches for people to look at: the item beside the work.

In a worker, where the item is at hand, its picture or passage is kept. Afterwards the work's side is added,
if the machine that audits is the one that built the register: works are not in a register.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from askfirst.audit import Verdicts
from askfirst.audit.manifest import OUTCOMES
from askfirst.errors import InputError
from askfirst.fingerprint.text import fold_offsets
from askfirst.io.documents import open_text
from askfirst.io.files import read_path
from askfirst.jobs.items import Prepared
from askfirst.match.hits import KINDS
from askfirst.model import MatchKind
from askfirst.register import Register
from askfirst.report.summary import Example, Passage, WorkName

__all__ = ["collect", "first_examples", "gather_examples"]

_ROOM = {
    MatchKind.IMAGE: 8,
    MatchKind.TEXT: 8,
    MatchKind.AUDIO: 4,
    MatchKind.VIDEO: 4,
    MatchKind.DIGEST: 2,
    MatchKind.URL: 2,
    MatchKind.URL_PREFIX: 2,
    MatchKind.DOMAIN: 2,
}
"""Matches of each kind that a report shows; a unit keeps as many, so that the first of all units are there."""

_SIDE_PX = 240
_PASSAGE_CHARACTERS = 600
_AROUND_CHARACTERS = 90


def collect(prepared: Prepared, verdicts: Verdicts, kept: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the first matches of a batch, each of another work, with the item's side, as JSON values.

    Args:
        prepared: The batch, with the bytes of its pictures.
        verdicts: Its verdicts.
        kept: How many of each kind are kept already.
    """
    hits, decisive = verdicts.found.hits, verdicts.decisive
    chosen: list[tuple[int, int]] = []
    matched = np.flatnonzero(decisive >= 0)
    kinds = hits.kind[decisive[matched]] if len(hits) else np.empty(0, np.uint8)
    for code, kind in enumerate(KINDS):
        rows = matched[kinds == code]
        room = _ROOM[kind] - kept.get(kind, 0)
        if room > 0 and len(rows):
            _works, first = np.unique(hits.work[decisive[rows]], return_index=True)
            chosen += [(int(row), int(decisive[row])) for row in rows[np.sort(first)][:room]]
    return [_item_side(prepared, verdicts, row, hit) for row, hit in sorted(chosen)]


def first_examples(collected: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first examples of each kind, each of another work, in their order."""
    room, seen, first = dict(_ROOM), set(), []
    for value in collected:
        kind = MatchKind(value["kind"])
        if room[kind] > 0 and (kind, value["work"]) not in seen:
            room[kind] -= 1
            seen.add((kind, value["work"]))
            first.append(value)
    return first


def gather_examples(chosen: Sequence[Mapping[str, Any]], register: Register) -> list[Example]:
    """Return the examples of a report, by kind, with the work's side where it is at hand.

    Args:
        chosen: What `collect` and `first_examples` returned.
        register: Where the works lie, if they lie on this machine.
    """
    order = {kind: i for i, kind in enumerate(_ROOM)}
    return [_example(value, register) for value in sorted(chosen, key=lambda v: order[MatchKind(v["kind"])])]


def _item_side(prepared: Prepared, verdicts: Verdicts, row: int, hit: int) -> dict[str, Any]:
    hits, batch = verdicts.found.hits, prepared.batch
    kind, where = KINDS[hits.kind[hit]], hits.where[hit].as_py()
    value: dict[str, Any] = {
        "item_id": batch.item_ids[row].as_py(),
        "source": batch.source,
        "url": (batch.urls[row].as_py() or "") if batch.urls is not None else "",
        "outcome": OUTCOMES[verdicts.ruling.outcome[row]].value,
        "rule": verdicts.ruling.rules[verdicts.ruling.rule[row]],
        "kind": kind.value,
        "work": int(hits.work[hit]),
        "score": round(float(hits.score[hit]), 4),
        "where": where if where is None or where.startswith("{") else json.dumps({"address": where}),
    }
    if row in prepared.pictures:
        value["item_thumbnail"] = _thumbnail(prepared.pictures[row])
    if kind == MatchKind.TEXT and batch.texts is not None:
        start, end = json.loads(where)["item"]
        value["item_passage"] = _passage(batch.texts[row].as_py(), start, end)
    return value


def _example(value: Mapping[str, Any], register: Register) -> Example:
    work = register.work(value["work"])
    where = json.loads(value["where"]) if value["where"] else {}
    file = _at_home(register, value["work"])
    work_thumbnail = work_passage = None
    if file is not None and value["kind"] in {MatchKind.TEXT, MatchKind.IMAGE, MatchKind.DIGEST}:
        work_thumbnail, work_passage = _work_side(file, where, is_picture="item_thumbnail" in value)
    picture, passage = value.get("item_thumbnail"), value.get("item_passage")
    return Example(
        item_id=value["item_id"],
        source=value["source"],
        url=value["url"],
        outcome=value["outcome"],
        rule=value["rule"],
        kind=value["kind"],
        work=WorkName(work.work_id, work.title, work.creator),
        score=value["score"],
        where=where,
        item_thumbnail=base64.b64decode(picture) if picture else None,
        work_thumbnail=work_thumbnail,
        item_passage=Passage(**passage) if passage else None,
        work_passage=work_passage,
    )


def _at_home(register: Register, index: int) -> Path | None:
    paths = register.local_paths
    name = paths[index].as_py() if paths is not None else None
    return Path(name) if name and Path(name).is_file() else None


def _work_side(file: Path, where: Mapping[str, Any], *, is_picture: bool) -> tuple[bytes | None, Passage | None]:
    try:
        data = read_path(file)
        if is_picture:
            return _small(data), None
        if "work" in where:
            return None, Passage(**_passage(open_text(data, file.suffix), *where["work"]))
    except InputError:  # the work was moved or changed since: the report says that it is not at hand
        return None, None
    return None, None


def _small(data: bytes) -> bytes:
    from askfirst.io.images import thumbnail  # noqa: PLC0415  # many a worker meets no picture

    return thumbnail(data, _SIDE_PX)


def _thumbnail(data: bytes) -> str | None:
    try:
        return base64.b64encode(_small(data)).decode()
    except InputError:  # its grey values could be read, its colours cannot: the match stands without a picture
        return None


def _passage(text: str, start: int, end: int) -> dict[str, str]:
    """Return the characters of letters `start` to `end` of a text, and some of what stands around them."""
    _letters, index = fold_offsets(text)
    if not 0 <= start < end <= len(index):
        return {"before": "", "text": text[:_PASSAGE_CHARACTERS], "after": ""}
    first, last = int(index[start]), int(index[end - 1]) + 1
    shown = min(last, first + _PASSAGE_CHARACTERS)
    return {
        "before": text[max(0, first - _AROUND_CHARACTERS) : first],
        "text": text[first:shown],
        "after": "…" if shown < last else text[last : last + _AROUND_CHARACTERS],
    }
