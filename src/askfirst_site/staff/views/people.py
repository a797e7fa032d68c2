"""Who has access."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from askfirst_site.accounts.models import User
from askfirst_site.staff import actions, queries
from askfirst_site.staff.forms import ColleagueForm
from askfirst_site.staff.gate import StaffRequest, attempt

__all__ = ["colleague", "colleagues"]


def colleagues(request: StaffRequest) -> HttpResponse:
    """Everybody with access, and a form for one more."""
    from allauth.mfa.models import Authenticator  # noqa: PLC0415 - its models load after this room

    now = timezone.now()
    form = ColleagueForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def add() -> tuple[User, str]:
            return actions.add_colleague(
                actor=request.user,
                email=given["email"],
                name=given["name"],
                is_organiser=given["role"] == "organiser",
                now=now,
            )

        if (made := attempt(request, add, form=form)) is not None:
            return _with_password(request, *made)
    protected = set(Authenticator.objects.values_list("user_id", flat=True))
    rows = [{"user": user, "second_factor": user.pk in protected} for user in queries.staff()]
    return render(request, "staff/colleagues.html", {"rows": rows, "form": form, "now": now})


def _with_password(request: StaffRequest, user: User, password: str) -> HttpResponse:
    """Show a password once: it is in this answer, and nowhere else."""
    return render(request, "staff/colleague.html", {"colleague": user, "password": password})


def colleague(request: StaffRequest, user_id: int) -> HttpResponse:
    """One of them: role, access, lost phone."""
    user = get_object_or_404(User, pk=user_id, is_staff=True)
    if request.method != "POST":
        return render(request, "staff/colleague.html", {"colleague": user})
    now, actor, deed = timezone.now(), request.user, request.POST.get("do", "")
    if deed == "reset":
        made = attempt(request, lambda: actions.reset_access(actor=actor, user=user, now=now))
        return _with_password(request, *made) if made else redirect("staff:colleague", user_id=user_id)
    known = {
        "organiser": lambda: actions.change_role(actor=actor, user=user, is_organiser=True, now=now),
        "moderator": lambda: actions.change_role(actor=actor, user=user, is_organiser=False, now=now),
        "close": lambda: actions.close_account(actor=actor, user=user, now=now),
        "open": lambda: actions.open_account(actor=actor, user=user, now=now),
    }
    if deed in known:
        attempt(request, known[deed], _("Done."))
    else:
        messages.error(request, _("Nothing was chosen."))
    return redirect("staff:colleague", user_id=user_id)
