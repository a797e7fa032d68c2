"""The words of the staff pages: what a flag, a deed or a length of time is called."""

from __future__ import annotations

from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _

__all__ = ["duration", "flag", "language_name", "verb"]

FLAGS = {
    "no-work": gettext_lazy("signed without the small puzzle (no JavaScript, or a script)"),
    "work-used": gettext_lazy("used a puzzle that was solved for another signature"),
    "honeypot": gettext_lazy("filled in a field that people cannot see"),
    "burst": gettext_lazy("one of many at once from one network"),
    "wave": gettext_lazy("one of many within an hour from one mail domain"),
    "mail-limit": gettext_lazy("its mailbox has had enough mails for a day"),
    "not-me": gettext_lazy("the owner of the mailbox said before: this was not me"),
    "watched": gettext_lazy("a watched name"),
    "organisation": gettext_lazy("an organisation whose mail address is not at its own domain"),
    "look-alike": gettext_lazy("much like a watched name"),
    "duplicate": gettext_lazy("much like another signature from the same network"),
    "held-by-hand": gettext_lazy("held by one of the staff"),
}


def flag(name: str) -> str:
    """Say what a flag means; the part behind a colon is the other signature or the watched name."""
    kind, _colon, other = name.partition(":")
    said = str(FLAGS.get(kind, kind.replace("-", " ")))
    return f"{said} ({other})" if other else said


VERBS = {
    "add_addressee": gettext_lazy("added somebody who is asked:"),
    "add_colleague": gettext_lazy("gave an account to"),
    "change_addressee": gettext_lazy("changed what is asked of"),
    "change_role": gettext_lazy("changed the role of"),
    "clear_alarm": gettext_lazy("closed the alarm"),
    "clear_flags": gettext_lazy("looked at the flags of, and removed them:"),
    "close_account": gettext_lazy("closed the account of"),
    "delete_import": gettext_lazy("removed a count from elsewhere from"),
    "export": gettext_lazy("exported the signatures of"),
    "freeze_version": gettext_lazy("froze"),
    "hide_line": gettext_lazy("took off the wall:"),
    "hold": gettext_lazy("held for proof:"),
    "import_count": gettext_lazy("entered a count from elsewhere for"),
    "invalidate": gettext_lazy("took many out:"),
    "look_at_email": gettext_lazy("looked at the e-mail address of"),
    "make_admin": gettext_lazy("made the first account:"),
    "mark_notable": gettext_lazy("put in front:"),
    "new_version": gettext_lazy("began"),
    "open_account": gettext_lazy("opened again the account of"),
    "prove_by_hand": gettext_lazy("recorded a proof of"),
    "prove_orcid": gettext_lazy("proved an ORCID iD:"),
    "publish_update": gettext_lazy("published"),
    "queue_update_mails": gettext_lazy("queued mails of"),
    "rank_notables": gettext_lazy("changed the order in front of"),
    "record_answer": gettext_lazy("recorded an answer of"),
    "reject_held": gettext_lazy("rejected"),
    "release": gettext_lazy("released"),
    "reset_access": gettext_lazy("gave a new password to"),
    "restore_signature": gettext_lazy("restored"),
    "save_statement": gettext_lazy("changed"),
    "save_text": gettext_lazy("wrote a text of"),
    "save_update": gettext_lazy("wrote"),
    "search_by_email": gettext_lazy("searched by e-mail address in"),
    "set_dates": gettext_lazy("set the dates of"),
    "set_own": gettext_lazy("changed their own name or language:"),
    "show_line": gettext_lazy("put back on the wall:"),
    "unmark_notable": gettext_lazy("took out of the front:"),
    "unwatch_name": gettext_lazy("stopped watching"),
    "watch_name": gettext_lazy("watches"),
}


def verb(name: str) -> str:
    """Say what somebody did, before what it was done to."""
    return str(VERBS.get(name, name.replace("-", " ").replace("_", " ")))


def duration(seconds: float | None) -> str:
    """Say a length of time in its largest whole unit."""
    if seconds is None:
        return _("not known")
    whole = int(seconds)
    if whole < 60:
        return ngettext("%(n)d second", "%(n)d seconds", whole) % {"n": whole}
    if whole < 3600:
        return ngettext("%(n)d minute", "%(n)d minutes", whole // 60) % {"n": whole // 60}
    if whole < 172_800:
        return ngettext("%(n)d hour", "%(n)d hours", whole // 3600) % {"n": whole // 3600}
    return ngettext("%(n)d day", "%(n)d days", whole // 86_400) % {"n": whole // 86_400}


def language_name(code: str) -> str:
    """Name a language in itself; an unknown code stays a code."""
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code
