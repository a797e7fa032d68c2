"""What is missing before strangers may come, in plain words."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from askfirst.errors import AskFirstError
from askfirst_site.accounts.models import User
from askfirst_site.outbox import queries as outbox
from askfirst_site.statement.models import Statement
from askfirst_site.transparency import queries as transparency
from askfirst_site.transparency.witnessing import read_witnesses

__all__ = ["findings"]

Finding = tuple[bool, str]


def findings() -> Iterator[Finding]:
    """Yield whether something is in order, and a sentence that says it or what to do."""
    yield from _address()
    yield from _mail()
    site = settings.ASKFIRST
    if not site.log_key_file.is_file():
        yield (
            False,
            f"In {site.data} the site was never started: `askfirst site up`, or name its folder in ASKFIRST_DATA.",
        )
        return
    yield from _keys()
    good, words = _database()
    yield good, words
    if good:
        yield from _people()
        yield from _statements()
        yield from _processes()
    yield from _log()


def _address() -> Iterator[Finding]:
    site = settings.ASKFIRST
    if site.production:
        yield True, f"The site's address is {site.url}."
    else:
        yield False, f"The address is {site.url}: set ASKFIRST_URL to the https:// address that people will type."
    if site.trusted_proxies:
        yield True, f"{site.trusted_proxies} proxy in front is trusted to name visitors' networks."
    else:
        words = "No proxy is trusted: set ASKFIRST_TRUSTED_PROXIES=1 if one stands in front, as it must for https"
        yield not site.production, f"{words}. Else all visitors look like one network, and the throttles stop them."


def _mail() -> Iterator[Finding]:
    site = settings.ASKFIRST
    if site.email_url:
        yield True, f"Mail is sent, at most {site.mail_rate:g} a second, from {site.mail_from}."
        if "ask-first@" in site.mail_from:
            yield False, "Set ASKFIRST_MAIL_FROM to an address that your mail provider lets you send from."
    else:
        yield False, f"Mail is only written into {site.mail_folder}: set ASKFIRST_EMAIL_URL, or nobody can confirm."
    if site.email_url.startswith("anymail+") and "WEBHOOK_SECRET" not in getattr(settings, "ANYMAIL", {}):
        yield False, "Bounces are not heard: add ?webhook_secret=NAME:PASSWORD to ASKFIRST_EMAIL_URL."


def _keys() -> Iterator[Finding]:
    site = settings.ASKFIRST
    loose = [
        path.name
        for path in sorted(site.keys_folder.glob("*"))
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if loose:
        yield False, f"Others can read {', '.join(loose)} in {site.keys_folder}: chmod 600 them."
    else:
        yield True, f"The keys in {site.keys_folder} can be read by their owner only. Keep a copy elsewhere."


def _database() -> Finding:
    try:
        plan = MigrationExecutor(connection)
        is_current = not plan.migration_plan(plan.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return False, f"The database does not answer: {str(error).strip().splitlines()[0]}"
    if not is_current:
        return False, "The database is not up to date: start the site once with `askfirst site up`."
    if connection.vendor == "sqlite":
        return True, "The database is SQLite: enough for a campaign on one machine; PostgreSQL by DATABASE_URL."
    return True, "The database is PostgreSQL."


def _people() -> Iterator[Finding]:
    admins = User.objects.filter(is_superuser=True, is_active=True)
    if not admins.exists():
        yield False, "Nobody can run the site: `askfirst site manage createsuperuser`."
    unprotected = admins.exclude(authenticator__isnull=False)
    if unprotected.exists():
        names = ", ".join(unprotected.values_list("email", flat=True)[:5])
        yield False, f"These organisers sign in without a second factor: {names}. They add one under /staff/account/."
    elif admins.exists():
        yield True, "All organisers sign in with a second factor."
    if admins.filter(email__endswith="@example.org").exists():
        yield False, "An organiser has an address at example.org: give the account a real one, or replace it."


def _statements() -> Iterator[Finding]:
    primary = Statement.objects.filter(is_primary=True).first()
    if primary is None:
        yield False, "No statement stands on the front page: write one under /staff/."
        return
    frozen = primary.versions.filter(frozen_at__isnull=False).order_by("-number").first()
    if frozen is None:
        yield False, f"The statement {primary.slug} is not frozen: nobody can sign it yet."
        return
    have = set(frozen.texts.values_list("language", flat=True))
    lacking = [code for code in settings.ASKFIRST.languages if code not in have]
    if lacking:
        yield False, f"The statement {primary.slug} has no text in: {', '.join(lacking)}."
    else:
        yield True, f"The statement {primary.slug} is frozen, in {', '.join(sorted(have))}."
    if primary.organiser_email.endswith(("example.org", "example.com")):
        yield False, "The organiser's address on the page is an example's: set one that you read."


def _processes() -> Iterator[Finding]:
    now_s, folder = time.time(), settings.ASKFIRST.heartbeat_folder
    ages = {
        "sequencer": transparency.heartbeat_age_s(folder, now_s),
        "mailer": outbox.heartbeat_age_s(folder, now_s),
    }
    for name, age_s in ages.items():
        if age_s is not None and age_s < 60:
            yield True, f"The {name} runs."
        else:
            yield False, f"The {name} does not run: `askfirst site up` starts it."
    for alarm in transparency.open_alarms()[:10]:
        yield False, f"An alarm is open since {alarm.raised:%d %B %Y, %H:%M}: {alarm.kind}: {alarm.detail}"


def _log() -> Iterator[Finding]:
    site = settings.ASKFIRST
    expected = f"{site.host}/log"
    if site.origin == expected:
        yield True, f"The log is called {site.origin}."
    elif site.production:
        words = f"The log was begun as {site.origin}, the site is now at {site.host}. A log's name never changes"
        yield False, f"{words}: if nothing real is in it, begin again with another data folder and an empty database."
    try:
        witnesses = read_witnesses(site.witnesses)
    except AskFirstError as error:
        yield False, str(error)
        return
    if witnesses:
        yield True, f"{len(witnesses)} witnesses watch the log."
    else:
        yield (
            False,
            "Nobody watches the log: ask a guild or a union to run `askfirst witness`, name it in ASKFIRST_WITNESSES.",
        )
