"""The text suite, `text_suite_v0`: what happens to a passage on its way into a dataset.

    python -m suites.text FOLDER OUT [--condition ocr3] [--seed 1]        (in the folder `benchmarks`)

writes every .txt file of FOLDER, changed, into OUT/CONDITION. `change` does the same to one text.
`python -m suites.text --check` tells whether this Python changes texts as the published suite does.

Conditions
    clean         nothing
    format        one of the six of `FORMATS`, chosen by the first number drawn
    ocr1 ocr3 ocr5  `misread` at 1, 3 and 5 % of the letters and digits
    format+ocr3   `format`, then `misread` at 3 %
    capitals wrapped typographic unspaced decomposed hyphens   one of the six by name

The six formats
    capitals      upper case; of every character that is neither letter, digit nor white space, a space
    wrapped       all white space is one space, then lines of at most 58 characters; a word that does not fit is
                  cut with "-" where the line ends if at least two of its letters stay and three go over
    typographic   fi fl ff ffi ffl are ligatures; straight quotes are curly; every fourth space does not break
    unspaced      8 % of the spaces and line ends are lost
    decomposed    NFD, then "ß" becomes "ss"
    hyphens       soft hyphens within words of seven letters and more, after every third letter; a thin space before
                  each of , . ; : ! ?

Misreading at p: every letter or digit is hit with probability p, one by one. Of the hit 70 % are taken for what
they look like (`LOOKALIKES`; a letter without an entry for the next of the alphabet), 15 % are lost, and behind
15 % stands one of `STRAYS` as well. White space and punctuation are not hit: the rate holds for letters.

Random numbers: `random.Random(f"{seed}:{name}")`, of which only `.random()` is used: the same for every Python.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["CONDITIONS", "FORMATS", "SUITE", "change", "misread"]

SUITE = "text_suite_v0"

CONDITIONS = ("clean", "format", "ocr1", "ocr3", "ocr5", "format+ocr3")
"""The conditions of the published table, in its order."""

LINE_LENGTH = 58
LOST_SPACES = 0.08
STRAYS = "il.,'1-;tI"

# fmt: off
LOOKALIKES: Mapping[str, tuple[str, ...]] = {
    "a": ("o", "u", "e"), "b": ("h", "6", "lo"), "c": ("e", "o"), "d": ("cl", "ol"), "e": ("c", "o"),
    "f": ("t", "l"), "g": ("q", "9", "y"), "h": ("b", "li", "n"), "i": ("l", "1", "j"), "j": ("i", ";"),
    "k": ("lc", "h"), "l": ("1", "i", "I"), "m": ("rn", "in", "nn"), "n": ("u", "ri", "h"), "o": ("0", "c", "e"),
    "p": ("n", "y"), "q": ("g", "9"), "r": ("t", "i"), "s": ("5", "a"), "t": ("f", "l", "r"), "u": ("n", "ii", "v"),
    "v": ("y", "u"), "w": ("vv", "m"), "x": ("z", "k"), "y": ("v", "g"), "z": ("2", "s"),
    "A": ("4", "R"), "B": ("8", "R"), "C": ("G", "O"), "D": ("O", "I)"), "E": ("F", "B"), "F": ("P", "E"),
    "G": ("C", "6"), "H": ("I-I", "N"), "I": ("l", "1"), "J": ("T", "I"), "K": ("R", "X"), "L": ("I", "1"),
    "M": ("N", "IVI"), "N": ("M", "H"), "O": ("0", "Q"), "P": ("F", "R"), "Q": ("O", "0"), "R": ("B", "K"),
    "S": ("5", "8"), "T": ("I", "Y"), "U": ("V", "II"), "V": ("Y", "U"), "W": ("VV", "M"), "X": ("K", "Y"),
    "Y": ("V", "T"), "Z": ("2", "7"), "0": ("O", "o"), "1": ("l", "I"), "2": ("Z", "z"), "3": ("8", "B"),
    "4": ("A", "9"), "5": ("S", "s"), "6": ("b", "G"), "7": ("T", "1"), "8": ("B", "3"), "9": ("g", "q"),
    "ä": ("a", "ii"), "ö": ("o", "ii"), "ü": ("u", "ii"), "ß": ("B", "fs"), "ſ": ("f",),
}
# fmt: on

_LIGATURES = (("ffi", "ﬃ"), ("ffl", "ﬄ"), ("ff", "ﬀ"), ("fi", "ﬁ"), ("fl", "ﬂ"))


def change(text: str, condition: str, *, seed: str | int = 0, name: str = "") -> str:
    """Return a text as a condition leaves it; the same for the same seed and name."""
    rng = random.Random(f"{seed}:{name}")
    for part in condition.split("+"):
        if part == "format":
            text = tuple(FORMATS.values())[int(rng.random() * len(FORMATS))](text, rng)
        elif part in FORMATS:
            text = FORMATS[part](text, rng)
        elif part.startswith("ocr"):
            text = misread(text, int(part.removeprefix("ocr")) / 100, rng)
        elif part != "clean":
            raise SystemExit(f"no condition is called {part!r}; known: {', '.join((*CONDITIONS, *FORMATS))}")
    return text


def format_of(condition: str, *, seed: str | int = 0, name: str = "") -> str:
    """Return which of the formats `change` chooses; empty if none."""
    if not condition.startswith("format"):
        return ""
    return tuple(FORMATS)[int(random.Random(f"{seed}:{name}").random() * len(FORMATS))]


def misread(text: str, rate: float, rng: random.Random) -> str:
    """Return a text as a machine reads it that takes letters for others, loses some and sees some too many."""
    read = []
    for character in text:
        if not character.isalnum() or rng.random() >= rate:
            read.append(character)
            continue
        kind = rng.random()
        if kind < 0.70:
            likes = LOOKALIKES.get(character) or (chr(ord(character) + 1),)
            read.append(likes[int(rng.random() * len(likes))])
        elif kind >= 0.85:
            read += (character, STRAYS[int(rng.random() * len(STRAYS))])
    return "".join(read)


def _capitals(text: str, _: random.Random) -> str:
    return "".join(c if c.isalnum() or c.isspace() else " " for c in text.upper())


def _wrapped(text: str, _: random.Random) -> str:
    lines, line = [], ""
    for word in text.split():
        rest, room = word, LINE_LENGTH - len(line) - bool(line)
        while len(rest) > room:
            cut = room - 1
            if cut >= 2 and len(rest) - cut >= 3 and rest[:cut].isalpha():
                line, rest = f"{line} {rest[:cut]}-".strip(), rest[cut:]
            elif not line:
                line, rest = rest[:LINE_LENGTH], rest[LINE_LENGTH:]
            lines.append(line)
            line, room = "", LINE_LENGTH
        line = f"{line} {rest}".strip()
    return "\n".join([*lines, line])


def _typographic(text: str, _: random.Random) -> str:
    for plain, ligature in _LIGATURES:
        text = text.replace(plain, ligature)
    text = re.sub(r'(^|[\s(\[])"', "\\1\u201c", text).replace('"', "\u201d")
    text = re.sub(r"(^|[\s(\[])'", "\\1\u2018", text).replace("'", "\u2019")
    parts = text.split(" ")
    return "".join(f"{part}{' ' if i % 4 else chr(0xA0)}" for i, part in enumerate(parts, 1))[:-1]


def _unspaced(text: str, rng: random.Random) -> str:
    return "".join("" if c.isspace() and rng.random() < LOST_SPACES else c for c in text)


def _decomposed(text: str, _: random.Random) -> str:
    return unicodedata.normalize("NFD", text).replace("ß", "ss")


def _hyphens(text: str, _: random.Random) -> str:
    text = re.sub(r"[^\W\d_]{7,}", lambda m: "\u00ad".join(re.findall(r".{1,3}", m[0])), text)
    return re.sub(r"([,.;:!?])", "\u2009\\1", text)


FORMATS: Mapping[str, Callable[[str, random.Random], str]] = {
    "capitals": _capitals,
    "wrapped": _wrapped,
    "typographic": _typographic,
    "unspaced": _unspaced,
    "decomposed": _decomposed,
    "hyphens": _hyphens,
}
"""Changes that leave every letter in its place, by name."""


_SAMPLE = """Die "Straße" führt, so heißt es, zum Fluß; an office of the first kind - 'affluent' - lies beyond.
No traveller, however far he came, had found it unaltered: the windows were 12 in number, and Überraschungen rare."""
_SAMPLE_DIGEST = "77ceb48cd7b15338d35e50cb37ed596fa86672b2ae2931f419737300730d7487"


def digest() -> str:
    """Return the SHA-256 of what every condition and format makes of a sample; another one is another suite."""
    made = [change(_SAMPLE * 5, c, seed=1, name=str(i)) for c in (*CONDITIONS, *FORMATS) for i in range(20)]
    return hashlib.sha256("\0".join(made).encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description="Change every text of a folder as the suite does.")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--check", action="store_true", help="only tell whether this is the published suite")
    parser.add_argument("--condition", action="append", help="one condition; may be repeated; all of the table's")
    parser.add_argument("--seed", default="0")
    arguments = parser.parse_args()
    if arguments.check:
        if digest() != _SAMPLE_DIGEST:
            raise SystemExit(f"this is not {SUITE}: {digest()}")
        print(f"this is {SUITE}")
        return
    if arguments.folder is None or arguments.out is None:
        parser.error("give a folder of texts, and one for the changed texts")
    for condition in arguments.condition or CONDITIONS:
        for file in sorted(arguments.folder.rglob("*.txt")):
            name = file.relative_to(arguments.folder)
            out = arguments.out / condition / name
            out.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text(encoding="utf-8", errors="replace")
            out.write_text(change(text, condition, seed=arguments.seed, name=name.as_posix()), encoding="utf-8")


if __name__ == "__main__":
    main()
