"""The values of `Content-Usage` (AIPREF) and `Content-Signal`, in robots.txt and in headers alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

from askfirst.model import Use
from askfirst.signals.structured import read_dictionary
from askfirst.signals.vocabulary import (
    AI_INPUT,
    AIPREF,
    AIPREF_LEGACY,
    CONTENT_SIGNAL,
    CONTENT_SIGNAL_BELOW_TRAINING,
    TRAINING,
)

__all__ = ["Preferences", "read_content_signal", "read_content_usage"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one value says.

    Args:
        disallows: Uses it disallows.
        allows: Uses it allows; never one that it also disallows.
        flaw: Why a statement in it could not be understood; empty if there is none.
    """

    disallows: frozenset[Use] = frozenset()
    allows: frozenset[Use] = frozenset()
    flaw: str = ""


_MEANT_AS_NO = frozenset({"n", "no", "?0", "0", "false", "deny", "disallow", "none", "off", "conditional"})
"""Values, without quotation marks and in lower case, that are not in a protocol and still mean something."""


def read_content_usage(value: str) -> Preferences:
    """Read a `Content-Usage` dictionary: labels with the tokens `y` and `n`.

    Labels of the current draft allow and disallow; labels of earlier drafts only disallow. Unknown labels,
    parameters and values say nothing, as the draft asks; but a value that breaks the grammar, or a known
    label that was plainly meant as a no (`Train-AI=n`, `train-ai=no`), is a flaw.

    Source: draft-ietf-aipref-vocab-08; keys and values are case-sensitive.
    """
    members = read_dictionary(value)
    if members is None:
        return Preferences(flaw="Content-Usage is not a dictionary of RFC 9651")
    disallows: frozenset[Use] = frozenset()
    allows: frozenset[Use] = frozenset()
    flaw = ""
    for label, said in members.items():
        uses = AIPREF.get(label) or AIPREF_LEGACY.get(label)
        if uses is None:
            continue
        if said == "n":
            disallows |= uses
        elif said == "y":
            allows |= AIPREF.get(label, frozenset())
        elif said.strip('"').lower() in _MEANT_AS_NO:
            flaw = f"Content-Usage has {label}={said[:40]} where only y or n is defined"
    return Preferences(disallows, allows - disallows, flaw)


# Keys and values are separated in every way that was seen: commas, semicolons, spaces, spaces around "=".
_PAIR = re.compile(r"(?<![\w-])([A-Za-z][\w-]*+)\s*+=\s*+([\w.-]++)")
_BETWEEN_PAIRS = re.compile(r"[\s,;]*+")


def read_content_signal(value: str) -> Preferences:
    """Read the value of `Content-Signal`: keys with `yes` and `no`, and the level `use`.

    Keys and values count in any case. Of two statements about one use, the no counts. `use` below `full`
    disallows training, and leaves input to an assistant open that would else be allowed. A known key with a
    value that is not defined, or text that is no pair, is a flaw; what else the line disallows still counts.

    Source: contentsignals.org (2026).
    """
    disallows: frozenset[Use] = frozenset()
    allows: frozenset[Use] = frozenset()
    flaw = ""
    conditional: frozenset[Use] = frozenset()
    at = 0
    for pair in _PAIR.finditer(value):
        if not _BETWEEN_PAIRS.fullmatch(value, at, pair.start()):
            flaw = f"Content-Signal holds {value[at : pair.start()].strip()[:40]!r}, which is no pair"
        at = pair.end()
        key, word = pair[1].lower().replace("_", "-"), pair[2].lower()
        if key == "use":
            if word in CONTENT_SIGNAL_BELOW_TRAINING:
                disallows |= TRAINING
                conditional = AI_INPUT
        elif key in CONTENT_SIGNAL:
            if word == "no":
                disallows |= CONTENT_SIGNAL[key]
            elif word == "yes":
                allows |= CONTENT_SIGNAL[key]
            else:
                flaw = f"Content-Signal has {key}={word[:40]} where only yes or no is defined"
    if not _BETWEEN_PAIRS.fullmatch(value, at):
        flaw = f"Content-Signal holds {value[at:].strip()[:40]!r}, which is no pair"
    return Preferences(disallows, allows - disallows - conditional, flaw)
