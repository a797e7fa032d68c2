"""Terms: what a maker allows, to whom, from when until when. Where no terms say yes, the answer is no."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from askfirst.errors import InputError
from askfirst.model import Standing, Use
from askfirst.policy import Policy

__all__ = ["PUBLIC_DOMAIN_MARKS", "Terms", "parse_terms", "standing_of"]

PUBLIC_DOMAIN_MARKS = frozenset({"CC0-1.0", "PDM-1.0", "public-domain"})
"""Licence names that mean: no rights are claimed. The first two are SPDX and Creative Commons names."""

KNOWN_CONDITIONS: dict[str, tuple[str, ...]] = {
    "CC-BY-4.0": ("attribution",),
    "CC-BY-SA-4.0": ("attribution", "share-alike"),
    "CC-BY-NC-4.0": ("attribution", "non-commercial"),
    "CC-BY-ND-4.0": ("attribution", "no-derivatives"),
}
"""Conditions of licences that name them themselves. Source: the licences' own summaries, version 4.0."""

_KEYS = frozenset({"title", "permits", "refuses", "party", "from", "until", "licence", "conditions"})
_TRAINING = frozenset({Use.TRAIN_GENERATIVE, Use.TRAIN_OTHER})


@dataclass(frozen=True, slots=True)
class Terms:
    """One answer of a maker.

    Args:
        terms_id: Name of the terms in the register.
        title: What they are called, for people.
        permits: Uses they allow. A use that is not named is not allowed.
        refuses: Uses they refuse in so many words; refusing `mine` refuses every training.
        party: With whom; empty for everybody. Terms with a party are an agreement.
        valid_from: First day; None for no beginning.
        valid_until: Last day; None for no end.
        licence: The open licence they stand for, by its SPDX name; empty for none.
        conditions: What the licence asks in return.
    """

    terms_id: str
    title: str = ""
    permits: frozenset[Use] = frozenset()
    refuses: frozenset[Use] = frozenset()
    party: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    licence: str = ""
    conditions: tuple[str, ...] = ()

    def applies(self, policy: Policy) -> bool:
        """Return whether these terms speak to the caller on the day of the policy."""
        begun = self.valid_from is None or self.valid_from <= policy.on
        ended = self.valid_until is not None and policy.on > self.valid_until
        return begun and not ended and self.party in ("", policy.party)

    def refuses_use(self, use: Use) -> bool:
        """Return whether the use is refused in so many words."""
        return use in self.refuses or (Use.MINE in self.refuses and use in _TRAINING)

    def to_dict(self) -> dict[str, Any]:
        """Return the terms as JSON values, the same for the same terms."""
        return {
            "title": self.title,
            "permits": sorted(self.permits),
            "refuses": sorted(self.refuses),
            "party": self.party,
            "from": self.valid_from.isoformat() if self.valid_from else None,
            "until": self.valid_until.isoformat() if self.valid_until else None,
            "licence": self.licence,
            "conditions": list(self.conditions),
        }


def parse_terms(terms_id: str, value: object) -> Terms:
    """Read terms from JSON values.

    Args:
        terms_id: Their name.
        value: An object with any of the keys title, permits, refuses, party, from, until, licence, conditions.

    Raises:
        InputError: A key, use or date that is not known, or a licence whose conditions are not recorded.
    """
    where = f"terms {terms_id!r}"
    if not isinstance(value, Mapping):
        raise InputError(f"{where} are not an object", advice='write {"permits": [...], "refuses": [...]}')
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        raise InputError(f"{where} have an unknown key {unknown[0]!r}", advice=f"known: {', '.join(sorted(_KEYS))}")
    licence = _text(value, "licence", where)
    conditions = tuple(_texts(value, "conditions", where)) or KNOWN_CONDITIONS.get(licence, ())
    if licence and licence not in PUBLIC_DOMAIN_MARKS and not conditions:
        raise InputError(
            f"{where} name the licence {licence!r} without its conditions",
            advice='add "conditions", for example ["attribution"]',
        )
    return Terms(
        terms_id,
        title=_text(value, "title", where),
        permits=parse_uses(_texts(value, "permits", where), where),
        refuses=parse_uses(_texts(value, "refuses", where), where),
        party=_text(value, "party", where),
        valid_from=_day(value, "from", where),
        valid_until=_day(value, "until", where),
        licence=licence,
        conditions=conditions,
    )


def parse_uses(names: Sequence[str], where: str) -> frozenset[Use]:
    """Return the uses of these names.

    Raises:
        InputError: A name that is no use.
    """
    known = {use.value: use for use in Use}
    for name in names:
        if name not in known:
            raise InputError(f"{where} name the use {name!r}", advice=f"known uses: {', '.join(known)}")
    return frozenset(known[name] for name in names)


def standing_of(terms: Sequence[Terms], policy: Policy) -> Standing:
    """Return what the terms of one work say to the caller about the use; silence refuses.

    1. An agreement with the caller that permits the use wins: it was made in knowledge of the rest.
    2. Any terms that refuse the use refuse it, whatever other terms permit.
    3. Terms that permit it to everybody do so.
    4. Nothing said is no.
    """
    applying = [t for t in terms if t.applies(policy)]
    if any(t.party and policy.use in t.permits and not t.refuses_use(policy.use) for t in applying):
        return Standing.AGREEMENT
    if any(t.refuses_use(policy.use) for t in applying):
        return Standing.REFUSED
    for one in applying:
        if policy.use in one.permits:
            if one.licence in PUBLIC_DOMAIN_MARKS:
                return Standing.PUBLIC_DOMAIN
            return Standing.OPEN_LICENCE if one.licence else Standing.OPEN_CONSENT
    return Standing.REFUSED


def _text(value: Mapping[str, Any], key: str, where: str) -> str:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise InputError(f"{where}: {key!r} is not text but {json.dumps(text, default=str)[:40]}")
    return text or ""


def _texts(value: Mapping[str, Any], key: str, where: str) -> list[str]:
    texts = value.get(key) or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{where}: {key!r} is not a list of texts", advice=f'write "{key}": ["..."]')
    return texts


def _day(value: Mapping[str, Any], key: str, where: str) -> date | None:
    text = _text(value, key, where)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{where}: {key!r} is not a day but {text!r}", advice="write it as 2026-11-22") from error
