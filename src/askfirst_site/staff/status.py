"""How things stand, in words with a tone (`good`, `bad`, empty for waiting): statement, signature, site."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from askfirst_site.outbox import queries as outbox
from askfirst_site.staff import queries, words
from askfirst_site.statement.models import Signature, SignatureState, Statement, TextVersion, WatchedName
from askfirst_site.transparency import queries as transparency
from askfirst_site.transparency.models import Alarm

__all__ = ["Status", "alarm_words", "health", "of_sequencer", "of_signature", "of_statement", "steps"]

SEQUENCER_LIMIT_S = 30
MAILER_LIMIT_S = 60
DELAY_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Status:
    """A badge and a sentence."""

    tone: str
    label: str
    said: str = ""
    name: str = ""


def of_statement(statement: Statement, frozen: TextVersion | None, now: datetime) -> Status:
    """Say whether people can sign."""
    if frozen is None:
        return Status("", _("not yet"), _("No version is frozen: nobody can sign."))
    version = _("Version %(n)d.") % {"n": frozen.number}
    if statement.closes is not None and statement.closes <= now:
        return Status("bad", _("closed"), f"{version} {_when(_('Closed on %(when)s UTC.'), statement.closes)}")
    if statement.opens is not None and statement.opens > now:
        return Status("", _("opens later"), f"{version} {_when(_('Opens on %(when)s UTC.'), statement.opens)}")
    until = _when(_("Closes on %(when)s UTC."), statement.closes) if statement.closes else _("No closing date.")
    return Status("good", _("open"), f"{version} {until}")


def _when(sentence: str, moment: datetime) -> str:
    return sentence % {"when": formats.date_format(moment, "Y-m-d H:i")}


def of_signature(signature: Signature) -> Status:
    """Say where a signature stands."""
    if signature.state == SignatureState.CONFIRMED:
        return Status("good", _("counts"))
    if signature.state == SignatureState.HELD:
        return Status("", _("held for proof"))
    if signature.state == SignatureState.PENDING:
        return Status("", _("suspect: gets no mail") if signature.suspect else _("waits for its code"))
    if signature.state == SignatureState.WITHDRAWN:
        return Status("bad", _("withdrawn by its signer"))
    return Status("bad", _("taken out"))


def of_sequencer() -> Status:
    """Say whether the sequencer lives."""
    age_s = transparency.heartbeat_age_s(settings.ASKFIRST.heartbeat_folder, time.time())
    name = _("Counting")
    if age_s is None:
        return Status("bad", _("not running"), _("It has never run: signatures wait, nothing is lost."), name)
    said = _("last run %(time)s ago") % {"time": words.duration(age_s)}
    if age_s > SEQUENCER_LIMIT_S:
        return Status(
            "bad", _("stopped"), f"{said}. {_('Signatures wait, nothing is lost. Start the site again.')}", name
        )
    return Status("good", _("well"), said, name)


def _of_mail(now: datetime) -> Status:
    name = _("Mail")
    states = queries.mail_states(now)
    age_s = outbox.heartbeat_age_s(settings.ASKFIRST.heartbeat_folder, time.time())
    delay_s = outbox.delay_s(now)
    said = _(
        "codes are %(delay)s behind; %(codes)d codes and %(others)d other mails wait; "
        "%(sent)d sent in a day, %(failed)d failed, %(bounced)d bounced"
    ) % {
        "delay": words.duration(delay_s),
        **states,
    }
    if age_s is None or age_s > MAILER_LIMIT_S:
        return Status("bad", _("stopped"), f"{said}. {_('Nothing is lost. Start the site again.')}", name)
    if delay_s > DELAY_LIMIT_S:
        more = _("The page tells signers so. Ask your mail service for a higher rate and raise ASKFIRST_MAIL_RATE.")
        return Status("", _("behind"), f"{said}. {more}", name)
    return Status("good", _("well"), said, name)


def _of_witnesses(now: datetime) -> Status:
    name = _("Witnesses")
    seen = transparency.latest_cosignatures()
    if not seen:
        return Status("plain", _("none"), _("Nobody outside watches the log yet."), name)
    newest = max(one.at for one in seen)
    said = ngettext("%(n)d has signed", "%(n)d have signed", len(seen)) % {"n": len(seen)}
    said += ", " + _("the last %(time)s ago") % {"time": words.duration((now - newest).total_seconds())}
    return Status("good", _("well"), said, name)


def health(now: datetime) -> list[Status]:
    """Say of each part of the site whether it runs."""
    return [of_sequencer(), _of_mail(now), _of_witnesses(now)]


def alarm_words(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm as the pages show it: title, detail, what to do."""
    advice = {
        "recount": _(
            "Quote no numbers until somebody technical has looked: a stored total and the log differ. On the server "
            "`askfirst site recount` says what differs, and with `--repair`, while the site is stopped, puts it right. "
            "`askfirst verify --log` counts the log again; what it says is right."
        ),
        "log": _(
            "The count stands still until this is repaired; signatures wait, nothing is lost. Call somebody technical."
        ),
        "witness": _(
            "Ask whoever runs that witness. If it saw another log than ours, it is serious: call somebody technical."
        ),
    }
    title = {
        "recount": _("The nightly recount does not agree."),
        "log": _("The log cannot go on."),
        "witness": _("A witness does not agree with our log."),
    }
    return {
        "id": alarm.pk,
        "title": title.get(alarm.kind, alarm.kind.replace("-", " ").capitalize() + "."),
        "detail": alarm.detail,
        "advice": advice.get(alarm.kind, _("Show this to whoever runs the server.")),
        "raised": alarm.raised,
        "cleared": alarm.cleared,
        "cleared_by": alarm.cleared_by,
    }


def steps(statement: Statement | None, frozen: TextVersion | None, *, second_factor: bool) -> list[dict[str, str]]:
    """Return what an organiser should do next, the most urgent first."""
    found: list[dict[str, str]] = []

    def step(said: str, label: str, name: str, of: Statement | None = None) -> None:
        url = reverse(f"staff:{name}", kwargs={"slug": of.slug} if of else None)
        found.append({"said": said, "label": label, "url": url})

    if not second_factor:
        step(_("Your account has no second factor."), _("Set it up"), "account")
    if statement is not None:
        if frozen is None:
            step(_("No version is frozen yet: nobody can sign."), _("Write and freeze"), "statement", statement)
        if not WatchedName.objects.exists():
            step(_("No names are watched: anybody can sign as somebody famous."), _("Paste a list"), "watched")
        if not statement.addressees.exists():
            step(_("Nobody is asked yet."), _("Say who should answer"), "addressees", statement)
        if not transparency.latest_cosignatures():
            step(_("No witness watches the log."), _("What a witness does"), "log")
    return found
