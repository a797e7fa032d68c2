"""Folding, the first half of `text_v0`: any writing becomes a stream of letters and digits.

What a copy loses or gains on its way (case, accents, ligatures, hyphenation, line breaks, punctuation, soft
hyphens, the width of a letter) is dropped here, so that the second half sees the same bytes.

The rules, for one character: decompose it (NFKD), drop combining marks other than vowel signs, fold case,
decompose again; keep letters and numbers; drop modifier letters that stand for an apostrophe or lengthen a word
(U+02B0 to U+02FF, U+0640). Then:

- æ is ae, œ is oe, þ is th; ø đ ð ħ ł ŧ ı ȷ are their plain letters; decimal digits of every script are 0 to 9;
- final forms are the letter itself (ς ך ם ן ף ץ), and so are forms that copies confuse: ى ی are ي, ک is ك,
  ة ہ ھ ە ۃ are ه, ٱ is ا;
- every other letter, number or vowel sign below U+3000 is one byte, 0x80 to 0xFF: those of one script (the first
  word of their Unicode names) are numbered in the order of their code points, from 0x80 again after 0xFF. So
  scripts share bytes, and a gram of k letters spans as many words in Cyrillic as in Latin script;
- Hangul has a byte, 0x80 to 0xC2, for each of its 67 parts, so that composed and decomposed Korean agree;
- the rest (Han, kana, scripts of scholars) is its UTF-8: three bytes say as much as three letters.

Vowel signs are the marks so named below U+3000, except Arabic ones, and SARA of Thai: without them the words of India
and of South-East Asia would be their consonants. "Letters" everywhere below counts bytes. Bytes that are not UTF-8,
unassigned characters and those from U+40000 on are dropped; U+20000 to U+3FFFF stay as they are.

The rules were applied once, with Unicode 15.1, and the result is frozen in `fold_v0.npz`: a newer Unicode
changes nothing. The file has two arrays. `entries` u32[0x20000] has one entry a character: 0 dropped, 1 white
space, 2 kept as it stands, else the length in the high byte and in the low 24 bits either up to three bytes,
first byte lowest, or the place of a longer result in `pool` u8.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import TooLargeError
from askfirst.jit import inline, kernel

__all__ = [
    "CHUNK_BYTES",
    "TEXT_BYTES_MAX",
    "Folded",
    "chunk_rows",
    "fold",
    "fold_column",
    "fold_offsets",
    "text_counts",
]

TEXT_BYTES_MAX = 1 << 28
"""Longest text in bytes (256 MiB): its letters, at most six times as many, are counted in 32 bits."""

CHUNK_BYTES = 1 << 19
"""Bytes of text folded and sampled together: letters and grams then stay in a core's cache."""

_WHITE, _KEEP = 1, 2
_TABLE_END = 0x20000
_KEPT_END = 0x40000

_SLACK = 4096
"""Bytes of room behind the last letter: what a block may grow by."""

_NO_ROOM = 0xFFFFFFFF

_GROWTH_MAX = 6
"""A character folds into at most six times its bytes (U+3316, a word of kana in one character)."""

_BLOCK = 256
"""Bytes looked at together. Starts of words in a block are counted in eight bits: at most 128."""


class Folded(NamedTuple):
    """A folded column of n texts.

    Args:
        letters: u8[at least offsets[n]], the letters of all texts, one after the other; room behind the last.
        offsets: i64[n + 1], text i has `letters[offsets[i]:offsets[i + 1]]`.
        words: u32[n], runs of characters that are not white space.
    """

    letters: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    words: NDArray[np.uint32]


class _Rules(NamedTuple):
    """The frozen rules, as in the file."""

    entries: NDArray[np.uint32]
    pool: NDArray[np.uint8]


@cache
def _rules() -> _Rules:
    with files(__package__).joinpath("fold_v0.npz").open("rb") as stream, np.load(stream) as frozen:
        return _Rules(frozen["entries"], frozen["pool"])


@inline
def _ascii_letter(byte: np.uint8) -> np.uint8:
    """Return the letter of a byte below 0x80, or 0: the rules as arithmetic, which becomes vector code."""
    lower = np.uint8(byte | np.uint8(0x20))
    is_letter = np.uint8(lower - np.uint8(0x61)) < np.uint8(26)
    is_digit = np.uint8(byte - np.uint8(0x30)) < np.uint8(10)
    return lower if is_letter else (byte if is_digit else np.uint8(0))


@inline
def _is_white(byte: np.uint8) -> bool:
    """Return whether a byte below 0x80 is white space: the space and U+0009 to U+000D."""
    return bool((byte == np.uint8(0x20)) | (np.uint8(byte - np.uint8(9)) < np.uint8(5)))


@inline
def _decode(data: NDArray[np.uint8], i: np.uintp, end: np.uintp) -> tuple[np.uint32, np.uintp]:
    """Return the character that starts at `i` and its width in bytes; width 0 for what is not UTF-8."""
    lead = np.uint32(data[i])
    wide, widest = lead >= 0xE0, lead >= 0xF0
    width = np.uintp(2) + np.uintp(wide) + np.uintp(widest)
    if lead < 0xC2 or lead > 0xF4 or i + width > end:
        return np.uint32(0), np.uintp(0)
    tail = np.uint32(data[i + np.uintp(1)]) ^ np.uint32(0x80)  # six bits, where it is a tail byte
    point, tails = lead << np.uint32(6) | tail, tail
    if wide:
        tail = np.uint32(data[i + np.uintp(2)]) ^ np.uint32(0x80)
        point, tails = point << np.uint32(6) | tail, tails | tail
    if widest:
        tail = np.uint32(data[i + np.uintp(3)]) ^ np.uint32(0x80)
        point, tails = point << np.uint32(6) | tail, tails | tail
    point &= np.uint32(0x1FFFFF if widest else 0xFFFF if wide else 0x7FF)
    lowest = np.uint32(0x10000 if widest else 0x800 if wide else 0x80)
    if tails > 0x3F or point < lowest or point > 0x10FFFF or point >> np.uint32(11) == 0x1B:
        return np.uint32(0), np.uintp(0)  # a broken tail, too long a form, too high, or a surrogate
    return point, width


@inline
def _fold_ascii(block: NDArray[np.uint8], count: int, letters: NDArray[np.uint8], size: np.uintp) -> np.uintp:
    """Write the letters of a block, zeros left out, to `letters[size]` and following; return the new size.

    Each is written, and the place moves on only if it is a letter: a branch would be mispredicted.
    """
    for j in range(count):
        letter = block[np.uintp(j)]
        letters[size] = letter
        size += np.uintp(letter != 0)
    return size


@inline
def _count_starts(here: NDArray[np.uint8], inside: bool) -> np.uint32:
    """Return how many words start in an ASCII block; `inside` says that one runs on from before."""
    starts = np.uint8(0)
    for j in range(1, len(here)):
        starts += np.uint8(_is_white(here[j - 1]) & (not _is_white(here[j])))
    return np.uint32(starts) + np.uint32((not inside) & (not _is_white(here[0])))


@kernel
def _fold_mixed(
    data: NDArray[np.uint8],
    span: tuple[np.uintp, np.uintp, np.uintp],
    rules: _Rules,
    letters: NDArray[np.uint8],
    state: tuple[np.uintp, np.uint32, bool],
) -> tuple[np.uintp, np.uintp, np.uint32, bool]:
    """Fold character by character from `span[0]` until `span[1]`, in a text that ends at `span[2]`.

    1. A byte below 0x80 is its own character.
    2. Anything else is decoded and looked up. What is not UTF-8 is dropped, one byte at a time.
    3. Kept as it stands, written from the entry, or copied from the pool.

    Returns:
        Where it stopped, and the state: size of `letters`, number of words, whether inside a word.
    """
    entries, pool = rules.entries, rules.pool
    i, stop, end = span
    size, words, inside = state
    while i < stop:
        byte = data[i]
        if byte < 0x80:  # 1
            white = _is_white(byte)
            letter = _ascii_letter(byte)
            letters[size] = letter
            size += np.uintp(letter != 0)
            i += np.uintp(1)
        else:
            point, width = _decode(data, i, end)  # 2
            entry = np.uint32(0)
            if width == 0:
                width = np.uintp(1)
            elif point < _TABLE_END:
                entry = entries[point]
            elif point < _KEPT_END:
                entry = np.uint32(_KEEP)
            length = np.uintp(entry >> np.uint32(24))
            if entry == _KEEP:  # 3
                for step in range(width):
                    letters[size + np.uintp(step)] = data[i + np.uintp(step)]
                length = width
            elif length <= np.uintp(3):
                letters[size] = np.uint8(entry)
                letters[size + np.uintp(1)] = np.uint8(entry >> np.uint32(8))
                letters[size + np.uintp(2)] = np.uint8(entry >> np.uint32(16))
            else:
                place = np.uintp(entry & np.uint32(0xFFFFFF))
                for step in range(length):
                    letters[size + np.uintp(step)] = pool[place + np.uintp(step)]
            white = entry == _WHITE
            size += length
            i += width
        words += np.uint32((not inside) & (not white))
        inside = not white
    return i, size, words, inside


@kernel
def _fold_row(
    data: NDArray[np.uint8],
    span: tuple[np.uintp, np.uintp],
    rules: _Rules,
    letters: NDArray[np.uint8],
    size: np.uintp,
    block: NDArray[np.uint8],
) -> tuple[np.uintp, np.uint32]:
    """Fold one text to `letters[size]` and following; return the new size and the number of words.

    1. Take a block: its letters as if all were ASCII, and whether all are.
    2. All ASCII: count the starts of words, write the letters.
    3. Otherwise character by character; the last one may end behind the block. Stop where room may run out:
       the words are then `_NO_ROOM`.
    """
    i, end = span
    words = np.uint32(0)
    inside = False
    while i < end:
        here = data[i : min(end, i + np.uintp(_BLOCK))]  # 1
        every = np.uint8(0)
        for j in range(len(here)):
            every |= here[j]
            block[j] = _ascii_letter(here[j])
        stop = i + np.uintp(len(here))
        if every < 0x80:  # 2
            words += _count_starts(here, inside)
            inside = not _is_white(here[len(here) - 1])
            size = _fold_ascii(block, len(here), letters, size)
            i = stop
        else:  # 3
            if size + np.uintp(_GROWTH_MAX * _BLOCK) + (end - i) > np.uintp(len(letters)):
                return size, np.uint32(_NO_ROOM)
            state = (size, words, inside)
            i, size, words, inside = _fold_mixed(data, (i, stop, end), rules, letters, state)
    return size, words


@kernel
def _fold_rows(data: NDArray[np.uint8], offsets: NDArray[np.int64], rules: _Rules, out: Folded) -> bool:
    """Fold every text of a column into `out`; False where its letters may not fit."""
    letters, block = out.letters, np.empty(_BLOCK, np.uint8)
    size = np.uintp(0)
    out.offsets[0] = 0
    for row in range(len(offsets) - 1):
        span = (np.uintp(offsets[row]), np.uintp(offsets[row + 1]))
        if size + (span[1] - span[0]) + np.uintp(_SLACK) > np.uintp(len(letters)):
            return False
        size, words = _fold_row(data, span, rules, letters, size, block)
        if words == _NO_ROOM:
            return False
        out.offsets[row + 1] = size
        out.words[row] = words
    return True


def fold_column(data: NDArray[np.uint8], offsets: NDArray[np.int64], room: NDArray[np.uint8] | None = None) -> Folded:
    """Fold a column of texts.

    Args:
        data: u8[...], UTF-8; what is not UTF-8 is dropped.
        offsets: i64[n + 1], ascending; text i is `data[offsets[i]:offsets[i + 1]]`.
        room: u8[...] to write to, from an earlier call; made where absent or too small.

    Returns:
        The folded texts; `letters` is the room.

    Raises:
        TooLargeError: A text is longer than `TEXT_BYTES_MAX`.
        ValueError: The offsets do not lie in the data.

    Cost: about 2 GB a second for English; a block of 256 bytes with one wide character about half of that.
    """
    data, offsets = data.view(), offsets.astype(np.int64, copy=False).view()
    data.flags.writeable = offsets.flags.writeable = False  # one compiled form for all callers
    lengths = np.diff(offsets)
    if len(lengths) and (offsets[0] < 0 or offsets[-1] > len(data) or lengths.min() < 0):
        raise ValueError("offsets do not lie in the data")
    if len(lengths) and lengths.max() > TEXT_BYTES_MAX:
        raise TooLargeError(f"a text of {lengths.max():,} bytes", limit=TEXT_BYTES_MAX, advice="cut it into chapters")
    size = int(lengths.sum()) + _SLACK
    out_offsets, words = np.zeros(len(lengths) + 1, np.int64), np.zeros(len(lengths), np.uint32)
    for growth in (1, _GROWTH_MAX):
        if room is None or len(room) < growth * size:
            room = np.empty(growth * size, np.uint8)
        folded = Folded(room, out_offsets, words)
        if _fold_rows(data, offsets, _rules(), folded):
            break
    return folded


def chunk_rows(offsets: NDArray[np.int64], size: int = CHUNK_BYTES) -> Iterator[tuple[int, int]]:
    """Yield first and end of runs of rows of about `size` bytes, a longer row by itself."""
    first, rows = 0, len(offsets) - 1
    while first < rows:
        end = max(int(np.searchsorted(offsets, offsets[first] + size, "right")) - 1, first + 1)
        yield first, end
        first = end


def text_counts(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the letters u32[n] and words u32[n] of every text of a column; arguments as in `fold_column`."""
    folded = fold_column(data, offsets)
    return np.diff(folded.offsets).astype(np.uint32), folded.words


def fold(text: str) -> bytes:
    """Return the letters of a text."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    folded = fold_column(data, np.array([0, len(data)], np.int64))
    return folded.letters[: folded.offsets[1]].tobytes()


def fold_offsets(text: str) -> tuple[bytes, NDArray[np.int32]]:
    """Return the letters of a text, and for each the index of its character, to show where a match lies.

    Returns:
        The letters, and i32[number of letters], ascending: `text[index[a] : index[b - 1] + 1]` are the
        characters of letters a to b - 1.
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    entries = np.full(len(points), _KEEP, np.uint32)
    entries[points >= _KEPT_END] = 0
    known = points < _TABLE_END
    entries[known] = _rules().entries[points[known]]
    width = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    lengths = np.where(entries == _KEEP, width, entries >> 24)
    return fold(text), np.repeat(np.arange(len(points), dtype=np.int32), lengths)
