"""Who appears in the tests of the staff pages: an organiser, a moderator, a campaign, and those who signed."""

from datetime import UTC, datetime

from django.test import Client
from django.urls import reverse

from askfirst_site.accounts.models import User
from askfirst_site.statement import actions, mails, tallies
from askfirst_site.statement.models import Signature, Statement
from askfirst_site.transparency.models import Entry

PASSWORD = "correct horse battery"
SENTENCES = {
    "en": "Generative AI may learn from creative work only when its maker has said yes.",
    "de": "Generative KI darf nur dann aus schöpferischen Werken lernen, wenn die Menschen dahinter Ja gesagt haben.",
    "nl": "Generatieve AI mag alleen van creatief werk leren als de maker ja heeft gezegd.",
}


def url(name, **more):
    """Return the address of a staff page of the campaign."""
    return reverse(f"staff:{name}", kwargs={"slug": "yes-first", **more})


def now():
    return datetime.now(UTC)


def organiser(email="olga@campaign.test"):
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, name="Olga Organiser", is_staff=True, is_superuser=True)


def moderator(email="mo@campaign.test"):
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, name="Mo Moderator", is_staff=True)


def signed_in(user, **options):
    client = Client(**options)
    client.force_login(user)
    return client


def draft(slug="yes-first", languages=("en", "de", "nl")):
    """A statement with texts, not frozen."""
    statement = actions.save_statement(
        actor=organiser(),
        statement=Statement(
            slug=slug, organiser_name="Yes First", organiser_email="hello@campaign.test", canonical_language="en"
        ),
        is_primary=slug == "yes-first",
        now=now(),
    )
    for language in languages:
        actions.save_text(
            actor=organiser(),
            version=statement.versions.get(),
            language=language,
            sentence=SENTENCES[language],
            consent="I agree that my signature is stored and counted.",
            title="Ask first",
            context="Because **people** made it.",
            translator="" if language == "en" else "Tessa Translator",
            reviewer="" if language == "en" else "Rik Reviewer",
            now=now(),
        )
    return statement


def campaign(slug="yes-first", **more):
    """A statement that can be signed."""
    statement = draft(slug, **more)
    actions.freeze_version(actor=organiser(), version=statement.versions.get(), now=now())
    return statement


def sign(statement, name, *, email=None, confirm=True, when=None, **more):
    """Sign, and type the code: the signature is held or confirmed, as its name deserves."""
    when = when or now()
    fields = {"kind": "person", "role": "writer", "discipline": "literature", "country": "NL"} | more
    visit = {"network": fields.pop("network", ""), "honeypot": fields.pop("honeypot", "")}
    form = actions.SignForm(
        statement=statement,
        language="en",
        mail_language="en",
        name=name,
        email=email or f"{abs(hash((name, len(more), when))) % 10**9}@mail.test",
        **fields,
    )
    pending = actions.sign(form=form, visit=actions.Visit(**visit), now=when)
    signature = Signature.objects.get(pk=pending.signature_id)
    if confirm and not signature.suspect:
        code = mails.code_of(signature)
        done = actions.confirm(code=code, email=None, browser=pending.cookie.encode(), now=when)
        signature = done.signature
    signature.refresh_from_db()
    return signature


def sequence():
    """Give everything that waits its position, and count it, as the sequencer does; without files, inside a test."""
    while waiting := list(Entry.objects.filter(position__isnull=True).order_by("id")):
        start = Entry.objects.filter(position__isnull=False).count()
        for position, entry in enumerate(waiting, start):
            Entry.objects.filter(pk=entry.pk).update(position=position)
            entry.position = position
        tallies.count_entries(waiting, now())
        tallies.publish_counts(start, start + len(waiting), None, "", now())
