"""A statement that can be signed, and the people around it. All is real: rows, log, keys, mails in the outbox."""

import os
import re
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings

from askfirst.proof.recount import recount
from askfirst_site.accounts.models import User
from askfirst_site.config.environment import prepare, read_site
from askfirst_site.outbox.actions import open_message
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import actions, queries, tallies
from askfirst_site.statement.models import Signature, Statement
from askfirst_site.transparency.models import Entry
from askfirst_site.transparency.sequencer import Sequencer

START = datetime(2026, 11, 22, 5, 10, tzinfo=UTC)
SENTENCE = "Generative AI may learn from creative work only when its maker has said yes, on terms the maker has set."
TEXTS = {
    "en": (SENTENCE, "I sign this statement, and agree that it is kept and shown as I chose.", "Ask first"),
    "de": ("Generative KI darf nur lernen, wenn die Menschen Ja gesagt haben.", "Ich unterzeichne.", "Erst fragen"),
    "nl": ("Generatieve AI mag alleen leren als de maker ja heeft gezegd.", "Ik onderteken.", "Vraag het eerst"),
}


class World:
    """A campaign, a clock, and short names for what people do."""

    def __init__(self):
        self.now = START
        self.actor = User.objects.create_superuser("organiser@example.org", name="Organiser")
        self.statement = self.make_statement("makers-first", is_primary=True)
        self.browsers = {}
        self._sequencer = None

    def make_statement(self, slug, *, is_primary=False):
        draft = Statement(
            slug=slug,
            organiser_name="The Makers' Table",
            organiser_email="table@example.org",
            canonical_language="en",
            is_primary=is_primary,
        )
        statement = actions.save_statement(actor=self.actor, statement=draft, now=self.now)
        version = statement.versions.get()
        for language, (sentence, consent, title) in TEXTS.items():
            actions.save_text(
                actor=self.actor,
                version=version,
                language=language,
                sentence=sentence,
                consent=consent,
                title=title,
                now=self.now,
            )
        actions.freeze_version(actor=self.actor, version=version, now=self.now)
        return statement

    def later(self, **how_long):
        self.now += timedelta(**how_long)

    def form(self, **values):
        start = {
            "statement": self.statement,
            "language": "en",
            "mail_language": "en",
            "kind": "person",
            "name": "Ada Example",
            "role": "composer",
            "discipline": "music",
            "country": "NL",
            "display": "full",
            "email": "ada@mailbox.example",
        }
        return actions.SignForm(**(start | values))

    def sign(self, *, visit=None, **values):
        return actions.sign(form=self.form(**values), visit=visit or actions.Visit(network="192.0.2.7"), now=self.now)

    def mails(self, kind=None):
        rows = Mail.objects.order_by("pk") if kind is None else Mail.objects.filter(kind=kind).order_by("pk")
        return [(row, open_message(row)) for row in rows if row.message_encrypted]

    def mailed_code(self, kind="code"):
        text = self.mails(kind)[-1][1].text
        return re.search(r"^    ([2-9A-HJ-NP-Z]{6})$", text, re.MULTILINE).group(1)

    def confirm(self, pending, code=None):
        code = code or self.mailed_code()
        return actions.confirm(code=code, browser=pending.cookie.encode(), now=self.now)

    def signed(self, **values):
        """A signature whose code was typed; each its own mailbox unless told otherwise."""
        number = Signature.objects.count() + Mail.objects.count()
        values = {"email": f"signer{number}@mailbox.example"} | values
        pending = self.sign(visit=actions.Visit(network=f"198.51.{number // 200 % 250}.{number % 200}"), **values)
        self.confirm(pending)
        return Signature.objects.get(pk=pending.signature_id)

    def grant(self, signature, action):
        return actions.Grant(signature, action)

    def sequence(self):
        """Let the sequencer run until nothing waits, as often as it takes."""
        if self._sequencer is None:
            site = django_settings.ASKFIRST
            self._sequencer = Sequencer.of(site.log_folder, site.signer_state_file, site.log_key_file)
        while self._sequencer.step(self.now):
            pass

    def step(self):
        if self._sequencer is None:
            self.sequence()
        self._sequencer.step(self.now)

    @property
    def log(self):
        return self._sequencer.log if self._sequencer else None

    def is_between_batches(self):
        """Whether a batch of removals is announced in the log, and its removals still wait."""
        return Entry.objects.filter(position__isnull=True, kind="invalidate").exists()

    def counts(self):
        found = queries.count_facts(self.statement)
        return found.people, found.organisations

    def check(self):
        """The invariant: tallies, rows, log and page say the same."""
        self.sequence()
        assert tallies.compare() == []
        counted = recount(self.log.entries())[self.statement.slug]
        assert self.counts() == (counted.people, counted.organisations)
        assert queries.count_facts(self.statement).log_size == self.log.size
        return counted


@pytest.fixture
def world(db, site):
    return World()


@pytest.fixture
def live_world(live):
    return World()


@pytest.fixture
def fresh_worlds(db, tmp_path):
    """Make worlds one after the other, each with an empty database and a log of its own."""
    numbers = count()

    class Fresh(World):
        def __init__(self):
            self.atomic = transaction.atomic()
            self.atomic.__enter__()
            own = read_site({**os.environ, "ASKFIRST_DATA": str(tmp_path / f"world{next(numbers)}")})
            prepare(own)
            self.settings = override_settings(ASKFIRST=own)
            self.settings.enable()
            super().__init__()

        def close(self):
            if self._sequencer:
                self._sequencer.log.close()
            self.settings.disable()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    return Fresh
