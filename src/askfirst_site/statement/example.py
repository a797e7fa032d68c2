"""The example campaign: invented from the first letter to the last, the same on every machine.

Its people sign without mails and without a browser, and stand in the log like everybody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import transaction
from django.utils import timezone

from askfirst_site.accounts.models import User
from askfirst_site.statement import actions, codes
from askfirst_site.statement.actions.proofs import refresh_level
from askfirst_site.statement.actions.sign_form import SignForm, check_form
from askfirst_site.statement.actions.signing import build_row, settle
from askfirst_site.statement.example_words import (
    ADDRESSEES,
    CONSENT,
    CONTEXT,
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
    NOTABLES,
    ORGANISATIONS,
    ROLES,
    SENTENCE,
    TITLE,
    UPDATES,
)
from askfirst_site.statement.models import Display, Kind, Proof, Signature, Statement, Text, Update

__all__ = ["SLUG", "load"]

SLUG = "ask-first"
PEOPLE = 280
DAYS = 21


@dataclass(slots=True)
class _Source:
    """Bytes that look random and are the same every time."""

    seed: bytes = b"askfirst example"
    drawn: int = 0

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(self.seed + self.drawn.to_bytes(8, "big")).digest(size)


def load(*, now: datetime | None = None) -> Statement:
    """Make the example campaign, unless it is there already.

    Cost:
        About two seconds.
    """
    now = now or timezone.now()
    found = Statement.objects.filter(slug=SLUG).first()
    if found is not None:
        return found
    randomness = _Source()
    with transaction.atomic():
        actor = User.objects.filter(is_superuser=True).order_by("pk").first() or User.objects.create_superuser(
            "organiser@askfirst.example", name="The Makers' Table"
        )
        begun = now - timedelta(days=DAYS)
        statement = _statement(actor, begun)
        _organisations(statement, actor, begun, now, randomness)
        signers = _people(statement, begun + timedelta(days=1), now, randomness)
        for place, signature in enumerate(signers[: len(NOTABLES)]):
            actions.mark_notable(
                actor=actor,
                signature=signature,
                rank=10 * (place + 1),
                provenance="Invented for the example.",
                now=now,
            )
        _around(statement, actor, now)
    return statement


def _statement(actor: User, begun: datetime) -> Statement:
    draft = Statement(
        slug=SLUG,
        organiser_name="The Makers’ Table",
        organiser_email="table@makers.example",
        organiser_url="https://makers.example/",
        canonical_language="en",
        is_primary=not Statement.objects.filter(is_primary=True).exists(),
    )
    statement = actions.save_statement(actor=actor, statement=draft, now=begun)
    version = statement.versions.get()
    for language in ("en", "de", "nl"):
        actions.save_text(
            actor=actor,
            version=version,
            language=language,
            sentence=SENTENCE[language],
            consent=CONSENT[language],
            title=TITLE[language],
            context=CONTEXT[language],
            translator="" if language == "en" else "Ask First",
            reviewer="" if language == "en" else "Ask First",
            now=begun,
        )
    actions.freeze_version(actor=actor, version=version, now=begun)
    return statement


def _people(
    statement: Statement, begun: datetime, now: datetime, randomness: Callable[[int], bytes]
) -> list[Signature]:
    chance = Random(2026)
    moments = sorted(begun + (now - begun) * chance.random() ** 1.7 for _person in range(PEOPLE + len(NOTABLES)))
    texts = {text.language: text for text in statement.versions.get().texts.select_related("version")}
    signers, names = [], set()
    for number, moment in enumerate(moments):
        if number < len(NOTABLES):
            name, role, discipline, country, language = NOTABLES[number]
        else:
            name = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
            discipline = chance.choices(list(ROLES), [len(roles) for roles in ROLES.values()])[0]
            role, country = chance.choice(ROLES[discipline]), chance.choice(COUNTRIES)
            language = {"DE": "de", "AT": "de", "CH": "de", "NL": "nl", "BE": "nl"}.get(country, "en")
        if name in names:
            continue
        names.add(name)
        display = Display.FULL if number < len(NOTABLES) else chance.choices(list(Display.values), [84, 10, 6])[0]
        form = SignForm(
            statement=statement,
            language=language,
            mail_language=language,
            kind=Kind.PERSON,
            name=name,
            email=f"signer{number}@makers.example",
            role=role,
            discipline=discipline,
            country=country,
            display=display,
            source="example",
        )
        signers.append(_sign(form, texts[language], moment, randomness))
    return signers


def _sign(form: SignForm, text: Text, moment: datetime, randomness: Callable[[int], bytes]) -> Signature:
    clean = check_form(form)
    signature = build_row(clean, text, randomness(32), moment)
    signature.browser_mac = codes.token_mac(randomness(18).hex().encode())
    signature.save()
    settle(signature, now=moment, randomness=randomness)
    return signature


def _organisations(
    statement: Statement, actor: User, begun: datetime, now: datetime, randomness: Callable[[int], bytes]
) -> None:
    texts = {text.language: text for text in statement.versions.get().texts.select_related("version")}
    for number, (name, role, domain, discipline, country, proven) in enumerate(ORGANISATIONS):
        language = {"DE": "de", "AT": "de", "NL": "nl", "BE": "nl"}.get(country, "en")
        form = SignForm(
            statement=statement,
            language=language,
            mail_language=language,
            kind=Kind.ORGANISATION,
            name=name,
            email=f"office@{domain}",
            role=role,
            affiliation="for the board",
            website=domain,
            discipline=discipline,
            country=country,
            source="example",
        )
        signature = _sign(form, texts[language], begun + timedelta(hours=number + 1), randomness)
        if proven:
            Proof.objects.create(
                signature=signature,
                method="by-hand",
                subject="Invented for the example.",
                checked=now,
                checked_by=actor,
                expires=now + timedelta(days=365),
            )
            refresh_level(signature, now)


def _around(statement: Statement, actor: User, now: datetime) -> None:
    for name, request, days_ago, answers in ADDRESSEES:
        asked_on = (now - timedelta(days=days_ago)).date()
        addressee = actions.add_addressee(
            actor=actor, statement=statement, name=name, asked_on=asked_on, request=request, now=now
        )
        for days_later, status, summary in answers:
            actions.record_answer(
                actor=actor,
                addressee=addressee,
                on=asked_on + timedelta(days=days_later),
                status=status,
                summary=summary,
                now=now,
            )
    actions.import_count(
        actor=actor,
        statement=statement,
        source="The Paper Boat reading tour, on paper",
        n=412,
        as_of=(now - timedelta(days=4)).date(),
        now=now,
    )
    for days_ago, language, title, body in UPDATES:
        update = Update(statement=statement, language=language, title=title, body=body, by=actor)
        actions.publish_update(actor=actor, update=update, now=now - timedelta(days=days_ago))
