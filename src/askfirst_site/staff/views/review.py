"""The queue, and every signature one by one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from askfirst_site.accounts.actions import record
from askfirst_site.crypto import decrypt
from askfirst_site.staff import queries, status
from askfirst_site.staff.forms import ReasonForm, SearchForm, WatchedForm
from askfirst_site.staff.gate import ORGANISER, StaffRequest, attempt
from askfirst_site.staff.views.overview import before
from askfirst_site.statement import actions, addresses
from askfirst_site.statement.models import Notable, Signature, SignatureState, Statement, WatchedName

__all__ = ["act", "do", "email", "queue", "signature", "signatures", "unwatch", "watched"]

SHOWN = 25
_REASON = {"prove": "how"}
SURE_FROM = 2
"""From so many signatures on, a page asks first."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done to a signature in the queue."""

    name: str
    key: str
    label: str
    means: str
    undo: str
    call: Callable[..., Any]
    danger: bool = False
    can_be_undone: bool = True
    needs_reason: bool = False


def _release() -> Act:
    return Act(
        "release",
        "r",
        _("Release"),
        _("it counts and is shown as its signer chose."),
        _("It can be taken out again later, with a reason; the log shows both."),
        actions.release,
    )


def _reject() -> Act:
    return Act(
        "reject",
        "d",
        _("Reject"),
        _("it never counts and is never shown; its signer gets a kind mail that says so."),
        _("A rejected signature stays rejected; its signer can sign again."),
        actions.reject_held,
        danger=True,
        can_be_undone=False,
        needs_reason=True,
    )


def _let_through() -> Act:
    return Act(
        "let-through",
        "r",
        _("Send the code"),
        _("it is not suspect: its signer gets the code by mail and goes on as everybody does."),
        _("It can be held when the code is typed."),
        actions.release,
    )


def _drop() -> Act:
    return Act(
        "drop",
        "d",
        _("Reject"),
        _("no mail is sent, it never counts; the signer is not told."),
        _("A rejected signature stays rejected; its signer can sign again."),
        actions.reject_held,
        danger=True,
        can_be_undone=False,
        needs_reason=True,
    )


def _fine() -> Act:
    return Act(
        "fine",
        "r",
        _("Both are real"),
        _("nothing changes, the flag goes."),
        _("The flag does not come back, but the signature can still be taken out."),
        actions.clear_flags,
    )


def _hide() -> Act:
    return Act(
        "hide",
        "h",
        _("Off the wall"),
        _("it still counts; its line is not shown."),
        _("An organiser can show it again on its own page."),
        actions.hide_line,
        needs_reason=True,
    )


def _acts(lane: str) -> list[Act]:
    makers = {
        "held": (_release, _reject),
        "suspect": (_let_through, _drop),
        "alike": (_fine, _hide),
        "reported": (_fine, _hide),
    }
    return [make() for make in makers[lane]]


def _about(lane: str) -> str:
    return {
        "held": _(
            "The code was typed, but the name is watched or known. Ask them where you know they are: their agency, "
            "their office, an address you had before. Never the address they typed."
        ),
        "suspect": _("Something about these looks like a script or a flood. They get no mail before somebody looked."),
        "alike": _("Confirmed and counted, but much like another one. Usually both are real: families, common names."),
        "reported": _("The owner of the mailbox said: this was not me. Organisers can take these out."),
    }[lane]


def _lane(request: StaffRequest) -> str:
    asked = request.POST.get("lane") or request.GET.get("lane")
    return asked if asked in queries.LANES else queries.LANES[0]


@require_safe
def queue(request: StaffRequest, statement: Statement) -> HttpResponse:
    """What waits for a person, in lanes."""
    lane, sizes = _lane(request), queries.lane_sizes(statement)
    labels = {
        "held": _("Held for proof"),
        "suspect": _("Suspect"),
        "alike": _("Look alike"),
        "reported": _("“Not me”"),
    }
    found = list(queries.lane(statement, lane)[:SHOWN])
    others = queries.alike(found)
    rows = [{"signature": one, "others": _others(one, others)} for one in found]
    page = {
        "statement": statement,
        "lane": lane,
        "tabs": [{"name": key, "label": labels[key], "n": sizes[key], "current": key == lane} for key in queries.LANES],
        "about": _about(lane),
        "acts": _acts(lane),
        "rows": rows,
        "more": max(0, sizes[lane] - SHOWN),
        "now": timezone.now(),
        "organiser": request.role == ORGANISER,
    }
    return render(request, "staff/queue.html", page)


def _others(signature: Signature, known: dict[int, Signature]) -> list[Signature]:
    ids = [flag.partition(":")[2] for flag in signature.flags]
    return [known[int(other)] for other in ids if other.isdigit() and int(other) in known]


def _picked(request: StaffRequest) -> tuple[str, list[int]]:
    """Return which act was pressed, and for which signatures."""
    name, _colon, one = request.POST.get("one", "").partition(":")
    picked = [one] if one else request.POST.getlist("pick")
    return name or request.POST.get("many", ""), [int(text) for text in picked if text.isascii() and text.isdigit()][
        :500
    ]


@require_POST
def act(request: StaffRequest, statement: Statement) -> HttpResponse:
    """Do one thing to one or many; many, or what cannot be undone, after a page that says what happens."""
    lane = _lane(request)
    back = f"{redirect('staff:queue', slug=statement.slug).url}?lane={lane}"
    name, ids = _picked(request)
    known = {one.name: one for one in _acts(lane)}
    found = list(queries.lane(statement, lane).filter(pk__in=ids))
    if name not in known or not found:
        messages.error(request, _("Tick at least one that still waits here, and choose what to do."))
        return redirect(back)
    chosen = known[name]
    form = ReasonForm(request.POST if request.POST.get("sure") == "yes" else None)
    must_ask = len(found) >= SURE_FROM or not chosen.can_be_undone or chosen.needs_reason
    if must_ask and not (request.POST.get("sure") == "yes" and (not chosen.needs_reason or form.is_valid())):
        return _ask(request, statement, chosen, found, form)
    more = {"reason": form.cleaned_data["reason"]} if chosen.needs_reason else {}
    now, done = timezone.now(), 0
    for one in found:
        call = functools.partial(chosen.call, actor=request.user, signature=one, now=now, **more)
        done += attempt(request, call) is not None
    if done:
        messages.success(request, f"{chosen.label}: {_how_many(done)}.")
    return redirect(back)


def _how_many(n: int) -> str:
    """Say how many signatures."""
    return ngettext("%(n)d signature", "%(n)d signatures", n) % {"n": n}


def _ask(
    request: StaffRequest, statement: Statement, chosen: Act, found: list[Signature], form: ReasonForm
) -> HttpResponse:
    lane = _lane(request)
    page = {
        "statement": statement,
        "heading": f"{chosen.label}: {_how_many(len(found))}",
        "will": [f"{chosen.label}: {chosen.means}"],
        "undo": chosen.can_be_undone,
        "undo_words": chosen.undo,
        "sample_heading": _("These"),
        "sample": [f"{one.name} · {one.role or one.affiliation}" for one in found[:50]],
        "action": redirect("staff:queue-act", slug=statement.slug).url,
        "hidden": [("lane", lane), ("many", chosen.name), *(("pick", one.pk) for one in found)],
        "form": form if chosen.needs_reason else None,
        "button": chosen.label,
        "back": f"{redirect('staff:queue', slug=statement.slug).url}?lane={lane}",
    }
    return render(request, "staff/confirm.html", page)


@require_safe
def signatures(request: StaffRequest, statement: Statement) -> HttpResponse:
    """Search among all signatures."""
    form = SearchForm(request.GET or None)
    criteria: dict[str, Any] = {}
    if form.is_valid():
        criteria = {key: form.cleaned_data[key] for key in ("name", "state", "kind")}
        if address := form.cleaned_data["email"]:
            criteria["email_mac"] = addresses.email_mac(address)
            subject = f"statement:{statement.pk}"
            record(actor=request.user, verb="search_by_email", subject=subject, now=timezone.now())
    rows = queries.found(statement, criteria, before(request))
    older = ""
    if len(rows) > queries.PAGE:
        query = request.GET.copy()
        query["before"] = str(rows[queries.PAGE - 1].pk)
        older = query.urlencode()
        rows = rows[: queries.PAGE]
    page = {
        "statement": statement,
        "form": form,
        "rows": [(row, status.of_signature(row)) for row in rows],
        "older": older,
    }
    return render(request, "staff/signatures.html", page)


def _own_acts(signature: Signature) -> list[dict[str, Any]]:
    """Return what can be done to this signature as it stands, each with its words and, for a reason, a form."""
    acts = [
        _shown(one.name, one.label, f"{one.means} {one.undo}", reason=one.needs_reason, danger=one.danger)
        for lane in ("held", "suspect")
        if _in_lane(signature, lane)
        for one in _acts(lane)
    ]
    if signature.state == SignatureState.CONFIRMED and signature.hidden:
        acts.append(_shown("show", _("Back on the wall"), _("Its line is shown again as its signer chose.")))
    if signature.state == SignatureState.CONFIRMED and not signature.hidden:
        hide = _hide()
        acts.append(_shown("hide", hide.label, f"{hide.means} {hide.undo}", reason=True))
    if signature.state == SignatureState.CONFIRMED:
        means = _("It leaves the wall and the count until it is released from the queue. The log shows both.")
        acts.append(_shown("hold", _("Hold for proof"), means, reason=True, danger=True))
    if signature.state == SignatureState.INVALIDATED and signature.entry_id is not None:
        means = _("It was taken out by mistake: it counts again. The log shows both.")
        acts.append(_shown("restore", _("Restore"), means, reason=True))
    if signature.state in (SignatureState.CONFIRMED, SignatureState.HELD) and not signature.level:
        means = _(
            "You have proof from outside this site. The wall then marks the signature as proven. Say how you know."
        )
        acts.append(_shown("prove", _("Record a proof by hand"), means, reason=True))
    return acts


def _shown(name: str, label: str, means: str, *, reason: bool = False, danger: bool = False) -> dict[str, Any]:
    form = ReasonForm(auto_id=f"{name}-%s") if reason else None
    return {"name": name, "label": label, "means": means, "form": form, "danger": danger}


def _in_lane(signature: Signature, lane: str) -> bool:
    if lane == "held":
        return signature.state == SignatureState.HELD
    return signature.state == SignatureState.PENDING and signature.suspect


def _one(statement: Statement, signature_id: int) -> Signature:
    return get_object_or_404(Signature, statement=statement, pk=signature_id)


@require_safe
def signature(request: StaffRequest, statement: Statement, signature_id: int) -> HttpResponse:
    """One signature, and what can be done to it."""
    return _show(request, statement, _one(statement, signature_id))


def _show(request: StaffRequest, statement: Statement, found: Signature, address: str = "") -> HttpResponse:
    page = {
        "statement": statement,
        "signature": found,
        "stands": status.of_signature(found),
        "notable": Notable.objects.filter(signature=found).first(),
        "can_front": found.state == SignatureState.CONFIRMED,
        "proofs": queries.proofs(found),
        "acts": _own_acts(found),
        "email": address,
    }
    return render(request, "staff/signature.html", page)


@require_POST
def email(request: StaffRequest, statement: Statement, signature_id: int) -> HttpResponse:
    """Show the address of one signature; that somebody looked is recorded first."""
    found = _one(statement, signature_id)
    record(actor=request.user, verb="look_at_email", subject=f"signature:{found.pk}", now=timezone.now())
    return _show(request, statement, found, decrypt(bytes(found.email_encrypted)).decode())


@require_POST
def do(request: StaffRequest, statement: Statement, signature_id: int) -> HttpResponse:
    """Do one thing to one signature."""
    found, now = _one(statement, signature_id), timezone.now()
    there = redirect("staff:signature", slug=statement.slug, signature_id=signature_id)
    name = request.POST.get("do", "")
    known = {one.name: one.call for lane in queries.LANES for one in _acts(lane)}
    known |= {"show": actions.show_line, "hold": actions.hold, "restore": actions.restore_signature}
    known |= {"prove": actions.prove_by_hand}
    offered = {one["name"]: one["form"] is not None for one in _own_acts(found)}
    form = ReasonForm(request.POST)
    if name not in offered:
        messages.error(request, _("This cannot be done to the signature as it stands now."))
    elif offered[name] and not form.is_valid():
        messages.error(request, _("Say why: the reason is kept with what you did."))
    else:
        more = {_REASON.get(name, "reason"): form.cleaned_data["reason"]} if offered[name] else {}
        call = functools.partial(known[name], actor=request.user, signature=found, now=now, **more)
        attempt(request, call, _("Done."))
    return there


def watched(request: StaffRequest) -> HttpResponse:
    """Names that are watched; paste many at once."""
    form = WatchedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        names = [line.strip() for line in form.cleaned_data["names"].splitlines() if line.strip()]
        now, added = timezone.now(), 0
        for name in dict.fromkeys(names):
            note = form.cleaned_data["note"]
            call = functools.partial(actions.watch_name, actor=request.user, name=name, note=note, now=now)
            added += attempt(request, call) is not None
        if added:
            messages.success(
                request, ngettext("%(n)d name is watched.", "%(n)d names are watched.", added) % {"n": added}
            )
        return redirect("staff:watched")
    find = request.GET.get("find", "").strip()[:200]
    found = WatchedName.objects.filter(name__icontains=find) if find else WatchedName.objects.all()
    rows = list(found[:200])
    page = {"form": form, "rows": rows, "find": find, "total": WatchedName.objects.count(), "shown_of": found.count()}
    return render(request, "staff/watched.html", page)


@require_POST
def unwatch(request: StaffRequest, watched_id: int) -> HttpResponse:
    """Stop watching a name."""
    row = get_object_or_404(WatchedName, pk=watched_id)
    said = _("%(name)s is no longer watched.") % {"name": row.name}
    attempt(request, lambda: actions.unwatch_name(actor=request.user, watched=row, now=timezone.now()), said)
    return redirect("staff:watched")
