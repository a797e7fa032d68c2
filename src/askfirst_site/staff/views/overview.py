"""What is happening now; the log; what staff did."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from askfirst_site.staff import actions, queries, status
from askfirst_site.staff.forms import language_choices
from askfirst_site.staff.gate import ORGANISER, StaffRequest, attempt
from askfirst_site.statement.models import Statement, TextVersion
from askfirst_site.statement.queries import counts
from askfirst_site.transparency import queries as transparency
from askfirst_site.transparency.actions import clear_alarm
from askfirst_site.transparency.models import Alarm

__all__ = ["account", "close_alarm", "deeds", "log", "overview"]

BAR_STEP = 40


def bars(days: list[tuple[str, int]]) -> dict[str, Any] | None:
    """Return the measures of a bar chart of days: width, and for each bar where it stands."""
    if not days:
        return None
    most = max(n for _day, n in days) or 1
    shown = []
    for index, (day, n) in enumerate(days):
        height = max(1, round(90 * n / most)) if n else 0
        x = index * BAR_STEP + 5
        shown.append(
            {"day": day, "short": day[5:], "n": n, "x": x, "middle": x + 15, "y": 92 - height, "height": height}
        )
    return {"width": max(len(days), 7) * BAR_STEP, "items": shown}


def _second_factor(request: StaffRequest) -> bool:
    from allauth.mfa.utils import is_mfa_enabled  # noqa: PLC0415 - its models load after this room

    return bool(is_mfa_enabled(request.user))


@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """Numbers, what waits, whether everything runs."""
    now = timezone.now()
    frozen: dict[int, TextVersion] = {}
    for version in TextVersion.objects.filter(frozen_at__isnull=False).order_by("number"):
        frozen[version.statement_id] = version
    statements = list(Statement.objects.order_by("-is_primary", "-id")[:5])
    campaigns = [_campaign(one, frozen.get(one.pk), now) for one in statements]
    first = statements[0] if statements else None
    organiser = request.role == ORGANISER
    steps = (
        status.steps(first, frozen.get(first.pk) if first else None, second_factor=_second_factor(request))
        if organiser
        else []
    )
    page = {
        "now": now,
        "organiser": organiser,
        "campaigns": campaigns,
        "alarms": [status.alarm_words(alarm) for alarm in transparency.open_alarms()[:5]],
        "health": status.health(now),
        "steps": steps,
    }
    return render(request, "staff/overview.html", page)


def _campaign(statement: Statement, frozen: TextVersion | None, now: Any) -> dict[str, Any]:
    numbers = counts(statement)
    return {
        "statement": statement,
        "people": numbers["people"],
        "organisations": numbers["organisations"],
        "hour": queries.hour(statement, now),
        "waiting": queries.waiting_in_queue(statement),
        "state": status.of_statement(statement, frozen, now),
        "days": bars(queries.days(statement)),
    }


class OwnForm(forms.Form):
    """One's own name and language."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of these pages"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["language"]).choices = language_choices()


def account(request: StaffRequest) -> HttpResponse:
    """One's own name, language and second factor."""
    user = request.user
    form = OwnForm(request.POST or None, initial={"name": user.name, "language": user.language})
    if request.method == "POST" and form.is_valid():
        attempt(request, lambda: actions.set_own(actor=user, now=timezone.now(), **form.cleaned_data), _("Saved."))
        return redirect("staff:account")
    page = {"form": form, "second_factor": _second_factor(request), "organiser": request.role == ORGANISER}
    return render(request, "staff/account.html", page)


@require_safe
def log(request: StaffRequest) -> HttpResponse:
    """The log, its alarms and its witnesses."""
    site = settings.ASKFIRST
    page = {
        "now": timezone.now(),
        "state": {"checkpoint": transparency.last_checkpoint(), "waiting": transparency.waiting_entries()},
        "sequencer": status.of_sequencer(),
        "alarms": [status.alarm_words(alarm) for alarm in queries.alarms()],
        "witnesses": [
            {"name": one.witness, "size": one.checkpoint.size, "at": one.at}
            for one in transparency.latest_cosignatures()
        ],
        "origin": site.origin,
        "vkey": site.log_vkey,
    }
    return render(request, "staff/log.html", page)


@require_POST
def close_alarm(request: StaffRequest, alarm_id: int) -> HttpResponse:
    """Close an alarm."""
    alarm = get_object_or_404(Alarm, pk=alarm_id)
    attempt(
        request, lambda: clear_alarm(actor=request.user, alarm=alarm, now=timezone.now()), _("The alarm is closed.")
    )
    return redirect("staff:log")


def before(request: StaffRequest) -> int | None:
    """Return where the page before this one ended."""
    text = request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@require_safe
def deeds(request: StaffRequest) -> HttpResponse:
    """What staff did."""
    rows = queries.deeds(before(request))
    older = rows[queries.PAGE - 1].pk if len(rows) > queries.PAGE else None
    return render(request, "staff/deeds.html", {"rows": rows[: queries.PAGE], "older": older})
