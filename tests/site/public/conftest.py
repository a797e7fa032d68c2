"""A campaign with a few signatures in the log, for looking at its pages."""

from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def campaign(live, now):
    """An open statement in English, German and Arabic that nobody has signed yet."""
    from askfirst_site.accounts.models import User
    from askfirst_site.statement import actions
    from askfirst_site.statement.models import Statement

    user = User.objects.create_user("organiser@example.org", "a long password for tests", is_staff=True)
    statement = Statement(
        slug="ask",
        canonical_language="en",
        organiser_name="The Guild",
        organiser_email="hello@example.org",
        opens=now - timedelta(days=3),
    )
    actions.save_statement(actor=user, statement=statement, is_primary=True, now=now)
    version = statement.versions.get()
    for language, sentence in (
        ("en", "Ask <first> & pay."),
        ("de", "Erst fragen, dann zahlen."),
        ("nl", "Eerst vragen."),
    ):
        actions.save_text(
            actor=user,
            version=version,
            language=language,
            sentence=sentence,
            consent=f"I agree ({language}).",
            title="Ask",
            context="**Why**\n\n<script>alert(1)</script>",
            now=now,
        )
    actions.freeze_version(actor=user, version=version, now=now)
    return statement


@pytest.fixture
def sequence(live):
    """Give everything that waits its position, and publish."""

    def run():
        from django.conf import settings

        from askfirst_site.transparency.sequencer import Sequencer

        site = settings.ASKFIRST
        with Sequencer.of(site.log_folder, site.signer_state_file, site.log_key_file) as sequencer:
            while sequencer.step(datetime.now(UTC)):
                pass

    return run


@pytest.fixture
def signed(campaign, now):
    """Sign and confirm; returns the signature."""
    import secrets

    from askfirst_site.statement import actions
    from askfirst_site.statement.actions.signing import settle
    from askfirst_site.statement.models import Signature

    def sign(name="Ada Example", **values):
        known = {"language": "en", "mail_language": "en", "kind": "person", "discipline": "music", "role": "drummer"}
        values = known | {"email": f"{secrets.token_hex(4)}@example.org"} | values
        form = actions.SignForm(statement=campaign, name=name, **values)
        pending = actions.sign(form=form, visit=actions.Visit(), now=now)
        row = Signature.objects.get(pk=pending.signature_id)
        settle(row, now=now, randomness=secrets.token_bytes)
        return row

    return sign
