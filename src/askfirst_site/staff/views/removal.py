"""Take many signatures out: say which, look, give the reason, do it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from askfirst_site.staff.forms import RemovalForm
from askfirst_site.staff.gate import StaffRequest, attempt
from askfirst_site.statement import actions
from askfirst_site.statement.models import Statement

__all__ = ["do", "invalidate"]


def _criteria(form: RemovalForm) -> actions.Criteria:
    return actions.Criteria(**{name: value for name, value in form.cleaned_data.items() if value not in (None, "", ())})


@require_safe
def invalidate(request: StaffRequest, statement: Statement) -> HttpResponse:
    """Say which are meant; see how many, and which."""
    asked = request.GET.get("look") == "yes"
    form = RemovalForm(request.GET if asked else None)
    preview = None
    if asked and form.is_valid():
        criteria = _criteria(form)
        preview = attempt(
            request, lambda: actions.preview_invalidation(statement=statement, criteria=criteria), form=form
        )
    page = {
        "statement": statement,
        "form": form,
        "preview": preview,
        "hidden": [(name, request.GET.get(name, "")) for name in form.fields] if preview else [],
        "past": statement.invalidations.select_related("by").order_by("-at")[:20],
    }
    return render(request, "staff/invalidate.html", page)


@require_POST
def do(request: StaffRequest, statement: Statement) -> HttpResponse:
    """Take them out, if there are still about as many as were shown."""
    back = redirect("staff:invalidate", slug=statement.slug)
    form = RemovalForm(request.POST)
    expected = request.POST.get("expected", "")
    if not form.is_valid() or not expected.isdigit():
        messages.error(request, _("Say which signatures are meant, and look at them first."))
        return back
    criteria = _criteria(form)
    now = timezone.now()
    preview = attempt(request, lambda: actions.preview_invalidation(statement=statement, criteria=criteria))
    if preview is None:
        return back
    if preview.count > max(int(expected) * 1.1, int(expected) + 10):
        messages.error(request, _("Many more fit now than you were shown: nothing was done. Please look again."))
        return back
    attempt(
        request,
        lambda: actions.invalidate(
            actor=request.user, statement=statement, criteria=criteria, reason=request.POST.get("reason", ""), now=now
        ),
        _("Taken out. The count and the public line follow within seconds."),
    )
    return back
