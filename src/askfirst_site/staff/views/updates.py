"""News: write, look, publish, mail."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from askfirst_site.accounts.actions import record
from askfirst_site.staff import queries
from askfirst_site.staff.forms import UpdateForm
from askfirst_site.staff.gate import StaffRequest, attempt
from askfirst_site.statement import actions
from askfirst_site.statement.markdown import to_html
from askfirst_site.statement.models import Statement, Update

__all__ = ["mail", "publish", "update", "updates"]

MAIL_BATCH = 1_000


@require_safe
def updates(request: StaffRequest, statement: Statement) -> HttpResponse:
    """All updates."""
    return render(request, "staff/updates.html", {"statement": statement, "rows": statement.updates.all()})


def update(request: StaffRequest, statement: Statement, update_id: int | None = None) -> HttpResponse:
    """Write an update beside its preview; once published it only shows."""
    kept = get_object_or_404(Update, statement=statement, pk=update_id) if update_id else None
    is_open = kept is None or kept.published is None
    given = request.POST if request.method == "POST" and is_open else None
    form = UpdateForm(given, instance=kept, initial={"language": statement.canonical_language})
    if form.is_valid() and request.POST.get("do") == "save":
        saved = attempt(
            request,
            lambda: actions.save_update(
                actor=request.user, statement=statement, update=kept, now=timezone.now(), **form.cleaned_data
            ),
            _("The draft is saved. Nobody sees it yet."),
            form=form,
        )
        if saved is not None:
            return redirect("staff:update", slug=statement.slug, update_id=saved.pk)
    shown = form.instance
    page = {
        "statement": statement,
        "update": kept,
        "form": form,
        "shown": shown,
        "body_html": to_html(shown.body),
        "progress": queries.mail_progress(kept) if kept and kept.published and kept.mail else None,
    }
    return render(request, "staff/update.html", page)


def publish(request: StaffRequest, statement: Statement, update_id: int) -> HttpResponse:
    """Publish an update, after a page that says what happens."""
    kept = get_object_or_404(Update, statement=statement, pk=update_id)
    there = redirect("staff:update", slug=statement.slug, update_id=update_id)
    if kept.published is not None:
        return there
    if request.method == "POST":
        attempt(
            request,
            lambda: actions.publish_update(actor=request.user, update=kept, now=timezone.now()),
            _("Published. The page shows it within seconds."),
        )
        return there
    will = [_("It stands on the page, in the list of updates and in the feed, within seconds.")]
    if kept.mail:
        readers = queries.readers(statement, kept.language)
        will.append(
            ngettext(
                "%(n)d person asked for news in this language. You queue the mail on the next page.",
                "%(n)d people asked for news in this language. You queue the mails on the next page.",
                readers,
            )
            % {"n": readers}
        )
    page = {
        "statement": statement,
        "heading": _("Publish “%(title)s”") % {"title": kept.title},
        "will": will,
        "undo": False,
        "undo_words": _("Feeds and readers keep what they have seen. A correction is a new update."),
        "action": "",
        "button": _("Publish"),
        "back": there.url,
    }
    return render(request, "staff/confirm.html", page)


@require_POST
def mail(request: StaffRequest, statement: Statement, update_id: int) -> HttpResponse:
    """Queue the next mails of an update."""
    kept = get_object_or_404(Update, statement=statement, pk=update_id)
    now = timezone.now()
    queued = attempt(request, lambda: actions.queue_update_mails(update=kept, limit=MAIL_BATCH, now=now))
    if queued is not None:
        record(
            actor=request.user,
            verb="queue_update_mails",
            subject=f"update:{kept.pk}",
            detail={"mails": int(queued)},
            now=now,
        )
        said = ngettext("%(n)d mail is queued.", "%(n)d mails are queued.", queued) % {"n": queued}
        messages.success(request, said)
    return redirect("staff:update", slug=statement.slug, update_id=update_id)
