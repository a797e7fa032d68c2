"""Statements, their versions and texts; freezing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from askfirst_site.staff import status, words
from askfirst_site.staff.forms import DatesForm, StatementForm, TextForm
from askfirst_site.staff.gate import StaffRequest, attempt
from askfirst_site.statement import actions
from askfirst_site.statement.markdown import to_html
from askfirst_site.statement.models import Statement, Text, TextVersion

__all__ = ["freeze", "new_statement", "new_version", "statement", "statements", "text", "version"]


def _versions(statement: Statement) -> QuerySet[TextVersion]:
    return statement.versions.prefetch_related("texts").order_by("-number")


def _newest_frozen(versions: list[TextVersion]) -> TextVersion | None:
    return next((one for one in versions if one.frozen_at is not None), None)


def statements(request: StaffRequest) -> HttpResponse:
    """All statements."""
    now = timezone.now()
    found = Statement.objects.prefetch_related("versions").order_by("-is_primary", "-id")
    rows = [
        {"statement": one, "state": status.of_statement(one, _newest_frozen(list(one.versions.all())), now)}
        for one in found
    ]
    return render(request, "staff/statements.html", {"rows": rows})


def new_statement(request: StaffRequest) -> HttpResponse:
    """Begin a statement."""
    form = StatementForm(request.POST or None, initial={"is_primary": not Statement.objects.exists()})
    if request.method == "POST" and form.is_valid():
        made = attempt(request, lambda: _save(request, form), form=form)
        if made is not None:
            return redirect("staff:version", slug=made.slug, number=1)
    page = {
        "heading": _("Write a new statement"),
        "intro": [
            _("First its name and who runs it; the texts come next. Nothing is public before you freeze a version.")
        ],
        "form": form,
        "button": _("Go on to the texts"),
        "back": "/staff/statements/",
    }
    return render(request, "staff/form.html", page)


def _save(request: StaffRequest, form: StatementForm) -> Statement:
    changed = form.save(commit=False)
    return actions.save_statement(
        actor=request.user, statement=changed, is_primary=form.cleaned_data["is_primary"], now=timezone.now()
    )


def statement(request: StaffRequest, statement: Statement) -> HttpResponse:
    """A statement: its versions, dates, and who runs it."""
    now = timezone.now()
    deed = request.POST.get("do", "")
    given = request.POST if request.method == "POST" else None
    shown = Statement.objects.get(pk=statement.pk)  # a form that does not validate must not change the page's heading
    form = StatementForm(given if deed == "statement" else None, instance=statement)
    dates = DatesForm(
        given if deed == "dates" else None, initial={"opens": statement.opens, "closes": statement.closes}
    )
    done = None
    if deed == "statement" and form.is_valid():
        done = attempt(request, lambda: _save(request, form), _("Saved."), form=form)
    if deed == "dates" and dates.is_valid():
        done = attempt(
            request,
            lambda: actions.set_dates(actor=request.user, statement=shown, now=now, **dates.cleaned_data),
            _("The dates are set. The page says so within seconds."),
            form=dates,
        )
    if done is not None:
        return redirect("staff:statement", slug=shown.slug)
    versions = list(_versions(shown))
    page = {
        "statement": shown,
        "versions": versions,
        "state": status.of_statement(shown, _newest_frozen(versions), now),
        "can_add_version": bool(versions) and versions[0].frozen_at is not None,
        "form": form,
        "dates": dates,
    }
    return render(request, "staff/statement.html", page)


def new_version(request: StaffRequest, statement: Statement) -> HttpResponse:
    """Begin a new version, after a page that says what that means."""
    back = redirect("staff:statement", slug=statement.slug)
    if request.method == "POST":
        made = attempt(
            request,
            lambda: actions.new_version(actor=request.user, statement=statement, now=timezone.now()),
            _("A new version, with copies of the texts of the last one."),
        )
        return redirect("staff:version", slug=statement.slug, number=made.number) if made else back
    page = {
        "statement": statement,
        "heading": _("Begin a new version"),
        "will": [
            _("All texts of the last version are copied into a draft. Nothing public changes."),
            _("When you freeze the draft, people sign the new words. Those who signed before stay with the old ones."),
            _("Older versions can still be read on the public pages."),
        ],
        "undo": True,
        "undo_words": _("A draft that is never frozen is seen by nobody but staff."),
        "action": "",
        "button": _("Begin a new version"),
        "back": back.url,
    }
    return render(request, "staff/confirm.html", page)


def _missing(text: Text, canonical: str) -> tuple[list[str], list[str]]:
    """Return what stands against freezing a text, and what should be thought about."""
    wrong, missing = [], []
    if not text.sentence.strip():
        wrong.append(_("The sentence is missing."))
    if not text.consent.strip():
        wrong.append(_("The agreement is missing: people must know what they consent to."))
    if not text.title.strip():
        wrong.append(_("The title is missing."))
    if text.language != canonical and not text.translator:
        missing.append(_("No translator is named."))
    if text.language != canonical and not text.reviewer:
        missing.append(_("Nobody is named who read the translation."))
    return wrong, missing


def version(request: StaffRequest, statement: Statement, number: int) -> HttpResponse:
    """A version's texts, side by side."""
    found = get_object_or_404(TextVersion, statement=statement, number=number)
    texts = _in_order(found, statement)
    sides = []
    for one in texts:
        wrong, missing = _missing(one, statement.canonical_language)
        sides.append({"text": one, "wrong": wrong, "missing": missing})
    have = {one.language for one in texts}
    page = {
        "statement": statement,
        "version": found,
        "sides": sides,
        "open_languages": [code for code in settings.ASKFIRST.languages if code not in have],
    }
    return render(request, "staff/version.html", page)


def _in_order(version: TextVersion, statement: Statement) -> list[Text]:
    return sorted(version.texts.all(), key=lambda one: (one.language != statement.canonical_language, one.language))


def text(request: StaffRequest, statement: Statement, number: int, language: str) -> HttpResponse:
    """One language: write it beside the original, look at it, save it."""
    found = get_object_or_404(TextVersion, statement=statement, number=number)
    have = {one.language: one for one in found.texts.all()}
    kept = have.get(language)
    if kept is None and (found.frozen_at is not None or language not in settings.ASKFIRST.languages):
        return redirect("staff:version", slug=statement.slug, number=number)
    given = request.POST if request.method == "POST" and found.frozen_at is None else None
    form = TextForm(given, instance=kept, language=language)
    valid = form.is_valid()
    if valid and request.POST.get("do") == "save":
        saved = attempt(
            request,
            lambda: actions.save_text(
                actor=request.user, version=found, language=language, now=timezone.now(), **form.cleaned_data
            ),
            _("Saved: %(language)s.") % {"language": words.language_name(language)},
            form=form,
        )
        if saved is not None:
            return redirect("staff:version", slug=statement.slug, number=number)
    shown = form.instance
    original = have.get(statement.canonical_language)
    page = {
        "statement": statement,
        "version": found,
        "language": language,
        "form": form,
        "shown": shown,
        "context_html": to_html(shown.context),
        "original": original if language != statement.canonical_language else None,
    }
    return render(request, "staff/text.html", page)


def _checks(statement: Statement, texts: list[Text]) -> list[status.Status]:
    """Return what is checked before a version is frozen; a bad one stands against it."""
    have = {one.language for one in texts}
    found = []
    canonical = words.language_name(statement.canonical_language)
    if statement.canonical_language in have:
        found.append(status.Status("good", _("there"), _("The original, %(language)s.") % {"language": canonical}))
    else:
        found.append(status.Status("bad", _("missing"), _("The original, %(language)s.") % {"language": canonical}))
    for code in settings.ASKFIRST.languages:
        if code not in have:
            said = _("No text in %(language)s: that page will show the original.") % {
                "language": words.language_name(code)
            }
            found.append(status.Status("", _("think"), said))
    for one in texts:
        language = words.language_name(one.language)
        wrong, missing = _missing(one, statement.canonical_language)
        found += [status.Status("bad", _("missing"), f"{language}: {line}") for line in wrong]
        found += [status.Status("", _("think"), f"{language}: {line}") for line in missing]
        if not wrong and not missing:
            found.append(status.Status("good", _("complete"), f"{language}: {one.title}"))
    if not statement.organiser_email:
        found.append(status.Status("bad", _("missing"), _("The address of those who run it.")))
    return found


def _opening(statement: Statement, now: datetime) -> str:
    if statement.closes is not None and statement.closes <= now:
        return _("Nobody can sign: the closing date has passed.")
    if statement.opens is not None and statement.opens > now:
        return _("People can sign from %(when)s UTC on, as you have set.") % {
            "when": f"{statement.opens:%Y-%m-%d %H:%M}"
        }
    return _("People can sign at once: no later opening date is set.")


def freeze(request: StaffRequest, statement: Statement, number: int) -> HttpResponse:
    """Check a version, say what freezing means, and freeze it."""
    found = get_object_or_404(TextVersion, statement=statement, number=number)
    there = redirect("staff:version", slug=statement.slug, number=number)
    if found.frozen_at is not None:
        return there
    texts = _in_order(found, statement)
    checks = _checks(statement, texts)
    possible = all(check.tone != "bad" for check in checks)
    now = timezone.now()
    if request.method == "POST" and possible and request.POST.get("sure") == "yes":
        attempt(
            request,
            lambda: actions.freeze_version(actor=request.user, version=found, now=now),
            _("Frozen. People can sign these words, and nobody can change them."),
        )
        return there
    page: dict[str, Any] = {
        "statement": statement,
        "version": found,
        "texts": texts,
        "checks": checks,
        "possible": possible,
        "opening": _opening(statement, now),
    }
    return render(request, "staff/freeze.html", page)
