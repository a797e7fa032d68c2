"""Two passages side by side: which words do they share?"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

__all__ = ["SHARED_WORDS_MIN", "mark_shared"]

SHARED_WORDS_MIN = 4
"""Words in a row that both sides must have before they are marked: shorter runs are the language's own."""

Pieces = list[tuple[str, bool]]
_Word = tuple[int, int, str]  # where it begins, where it ends, its letters folded

_SEPARATE = (
    r"\s!-&(-/:-@\[-`{-\xbf\u2010-\u2018\u201a-\u205e\u3000-\u303f\uff01-\uff0f"
    r"\u05be\u060c\u061b\u061f\u06d4\u0964\u0965"
)
_ALONE = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # scripts without spaces
_WORD = re.compile(f"[{_ALONE}]|[^{_SEPARATE}{_ALONE}]+")


def mark_shared(item_text: str, work_text: str) -> tuple[Pieces, Pieces]:
    """Cut two texts into pieces and say of each whether the other text has it too.

    A word is marked where it stands in a run of at least `SHARED_WORDS_MIN` words that the other text also
    has, whatever the case and the punctuation between them.

    Args:
        item_text: The passage of the item.
        work_text: The passage of the work.

    Returns:
        The pieces of either text with their mark. Joined together they are the text again, to the letter;
        no piece is empty.

    Cost: linear in the length of both texts.
    """
    item_words, work_words = _words(item_text), _words(work_text)
    item_runs, work_runs = _runs(item_words), _runs(work_words)
    item_pieces = _pieces(item_text, item_words, item_runs, set(work_runs))
    return item_pieces, _pieces(work_text, work_words, work_runs, set(item_runs))


def _words(text: str) -> list[_Word]:
    """Return the words of a text; an apostrophe alone is none."""
    found = ((m.start(), m.end(), _folded(m.group())) for m in _WORD.finditer(text))
    return [word for word in found if word[2]]


def _folded(word: str) -> str:
    """Return the letters of a word without case, without the shape of its apostrophes."""
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'").strip("'")


def _runs(words: list[_Word]) -> list[tuple[str, ...]]:
    """Return every run of `SHARED_WORDS_MIN` words; run i begins with word i."""
    keys = [word[2] for word in words]
    return list(zip(*(keys[i:] for i in range(SHARED_WORDS_MIN)), strict=False))


def _pieces(text: str, words: list[_Word], runs: list[tuple[str, ...]], other: set[tuple[str, ...]]) -> Pieces:
    """Return a text in marked and unmarked pieces; overlapping shared runs become one piece."""
    edges = [0]
    for start, run in enumerate(runs):
        if run not in other:
            continue
        first, end = words[start][0], words[start + SHARED_WORDS_MIN - 1][1]
        if len(edges) > 1 and first < edges[-1]:
            edges[-1] = end
        else:
            edges += [first, end]
    edges.append(len(text))
    spans = [(text[a:b], bool(i % 2)) for i, (a, b) in enumerate(pairwise(edges))]
    return [(piece, shared) for piece, shared in spans if piece]
