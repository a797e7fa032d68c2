"""How recall is counted, and pictures of what went wrong."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PRECISION = 0.99


@dataclass(frozen=True, slots=True)
class Truth:
    """What n queries are.

    Args:
        work: i64[n], the registered work that a query is made of; -1 for one made of something unregistered.
        weight: f64[n], what a query counts: works weigh 1 over all their transformations together.
        family: The family of transformation of each query.
        name: The transformation of each query.
        is_hard: bool[n], unregistered, and from the group of look-alikes.
    """

    work: NDArray[np.int64]
    weight: NDArray[np.float64]
    family: NDArray[np.str_]
    name: NDArray[np.str_]
    is_hard: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a method says of n queries: the likeliest work, -1 for none, and how sure it is of it."""

    work: NDArray[np.int64]
    score: NDArray[np.float64]


def threshold(truth: Truth, answers: Answers, asked: NDArray[np.bool_], precision: float = PRECISION) -> float:
    """Return the lowest score down to which at least this share of what is found, by weight, is right."""
    said = np.flatnonzero(asked & (answers.work >= 0))
    order = said[np.argsort(-answers.score[said], kind="stable")]
    right = (answers.work[order] == truth.work[order]) * truth.weight[order]
    wrong = (answers.work[order] != truth.work[order]) * truth.weight[order]
    good = np.cumsum(right) >= precision * np.cumsum(right + wrong)
    score = answers.score[order]
    good &= np.append(score[1:] != score[:-1], True)  # queries of one score are found together
    return float(score[np.flatnonzero(good)[-1]]) if good.any() else np.inf


def threshold_at_rate(truth: Truth, answers: Answers, asked: NDArray[np.bool_], rate: float = 0.01) -> float:
    """Return the score above which this share of the unregistered queries is taken for a work."""
    score = np.sort(np.where(answers.work >= 0, answers.score, -np.inf)[asked & (truth.work < 0)])[::-1]
    return float(np.nextafter(score[int(rate * len(score))], np.inf)) if len(score) else -np.inf


def found(truth: Truth, answers: Answers, least: float) -> NDArray[np.bool_]:
    """Return which queries are given the right work with at least this score."""
    return (truth.work >= 0) & (answers.work == truth.work) & (answers.score >= least)


def false_matches(truth: Truth, answers: Answers, least: float) -> NDArray[np.bool_]:
    """Return which queries are given a work they are not made of."""
    return (answers.work >= 0) & (answers.work != truth.work) & (answers.score >= least)


def share(hits: NDArray[np.bool_], of: NDArray[np.bool_]) -> float:
    """Return how many of some queries are hits; 0 if there are none of them."""
    return float(hits[of].mean()) if of.any() else 0.0


def evaluate(truth: Truth, answers: Answers, families: Sequence[str]) -> dict[str, object]:
    """Return the figures of one method: recall at the precision, overall, by family and by transformation."""
    positive = truth.work >= 0
    out: dict[str, object] = {}
    for name, asked in {"diverse": ~truth.is_hard, "hard": np.ones(len(positive), np.bool_)}.items():
        least = threshold(truth, answers, asked)
        at_rate = threshold_at_rate(truth, answers, asked)
        hits = found(truth, answers, least)
        out[name] = {
            "threshold": least,
            "recall": share(hits, positive),
            "recall_at_1_percent_false": share(found(truth, answers, at_rate), positive),
            "families": {f: share(hits, positive & (truth.family == f)) for f in families},
            "transformations": {
                str(t): share(hits, positive & (truth.name == t)) for t in dict.fromkeys(truth.name[positive])
            },
        }
    return out


def table(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> str:
    """Return a plain table: the first column to the left, the others to the right."""
    every = [list(headings), *map(list, rows)]
    widths = [max(len(row[i]) for row in every) for i in range(len(headings))]
    lines = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True)))
        for r in every
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def contact_sheet(cells: Sequence[tuple[str, bytes, bytes | None]], file: Path, columns: int = 6) -> None:
    """Write a PNG of what went wrong: each cell shows a query, the work beside it, and a line about both.

    Args:
        cells: The line, the query's file, the work's file.
        file: Where to write it.
        columns: Cells in a row.
    """
    side, line_px = 120, 30
    rows = max(1, -(-len(cells) // columns))
    sheet = Image.new("RGB", (columns * (2 * side + 12), rows * (side + line_px + 6)), (245, 245, 245))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, (line, *files) in enumerate(cells):
        x, y = i % columns * (2 * side + 12), i // columns * (side + line_px + 6)
        for k, data in enumerate(files):
            if data is None:
                continue
            with Image.open(io.BytesIO(data)) as image:
                small = image.convert("RGB")
            small.thumbnail((side, side))
            sheet.paste(small, (x + 4 + k * (side + 2), y + 2))
        words = [line[:44], line[44:88]]
        for k, part in enumerate(words):
            pen.text((x + 4, y + side + 3 + 13 * k), part, "black", font)
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file)
