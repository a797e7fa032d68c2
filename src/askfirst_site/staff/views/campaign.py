"""What stands around the signatures: those in front, organisations, who is asked, counts from elsewhere."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from askfirst_site.staff import queries
from askfirst_site.staff.forms import AddresseeForm, AnswerForm, ImportForm, NotableForm
from askfirst_site.staff.gate import StaffRequest, attempt
from askfirst_site.statement import actions
from askfirst_site.statement.models import Addressee, ImportedCount, Notable, Signature, Statement

__all__ = ["addressee", "addressees", "answer", "imports", "notable", "notables", "organisations", "remove_import"]


def notables(request: StaffRequest, statement: Statement) -> HttpResponse:
    """The first band of the wall, and its order."""
    found = Notable.objects.filter(signature__statement=statement).select_related("signature", "by")
    rows = list(found.order_by("rank", "signature__position", "id"))
    if request.method == "POST":
        places: dict[int, int] = {}
        for row in rows:
            typed = request.POST.get(f"rank-{row.signature_id}", "")
            if typed.isascii() and typed.isdigit() and 0 < int(typed[:9]) <= 100_000:
                places[row.signature_id] = int(typed)
        order = sorted(rows, key=lambda row: (places.get(row.signature_id, row.rank), row.rank, row.pk))
        attempt(
            request,
            lambda: actions.rank_notables(
                actor=request.user,
                statement=statement,
                signatures=[row.signature_id for row in order],
                now=timezone.now(),
            ),
            _("The order is saved. The page shows it within seconds."),
        )
        return redirect("staff:notables", slug=statement.slug)
    return render(request, "staff/notables.html", {"statement": statement, "rows": rows})


def notable(request: StaffRequest, statement: Statement, signature_id: int) -> HttpResponse:
    """Put a signature in front, say how it is known to be real, or take it out of the front."""
    signature = get_object_or_404(Signature, statement=statement, pk=signature_id)
    kept = Notable.objects.filter(signature=signature).first()
    there = redirect("staff:notables", slug=statement.slug)
    now = timezone.now()
    if request.POST.get("do") == "remove":
        attempt(
            request,
            lambda: actions.unmark_notable(actor=request.user, signature=signature, now=now),
            _("No longer in front."),
        )
        return there
    initial = {"rank": kept.rank, "provenance": kept.provenance} if kept else None
    form = NotableForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        done = attempt(
            request,
            lambda: actions.mark_notable(actor=request.user, signature=signature, now=now, **form.cleaned_data),
            _("In front."),
            form=form,
        )
        if done is not None:
            return there
    page = {"statement": statement, "signature": signature, "notable": kept, "form": form}
    return render(request, "staff/notable.html", page)


@require_safe
def organisations(request: StaffRequest, statement: Statement) -> HttpResponse:
    """The organisations that signed, and their proofs."""
    page = {"statement": statement, "rows": queries.organisations(statement)}
    return render(request, "staff/organisations.html", page)


@require_safe
def addressees(request: StaffRequest, statement: Statement) -> HttpResponse:
    """Who is asked, and what they answered."""
    rows = statement.addressees.prefetch_related("answers").order_by("asked_on", "id")
    return render(request, "staff/addressees.html", {"statement": statement, "rows": rows})


def addressee(request: StaffRequest, statement: Statement, addressee_id: int | None = None) -> HttpResponse:
    """Ask somebody, or change what they are asked."""
    kept = get_object_or_404(Addressee, statement=statement, pk=addressee_id) if addressee_id else None
    form = AddresseeForm(request.POST or None, instance=kept)
    now = timezone.now()
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def save() -> Addressee:
            if kept is not None:
                return actions.change_addressee(actor=request.user, addressee=kept, now=now, **given)
            return actions.add_addressee(actor=request.user, statement=statement, now=now, **given)

        if (saved := attempt(request, save, _("Saved. The page shows it within seconds."), form=form)) is not None:
            return redirect("staff:addressee", slug=statement.slug, addressee_id=saved.pk)
    page = {
        "statement": statement,
        "addressee": kept,
        "form": form,
        "answers": kept.answers.all() if kept else (),
        "answer_form": AnswerForm(initial={"on": now.date()}),
    }
    return render(request, "staff/addressee.html", page)


@require_POST
def answer(request: StaffRequest, statement: Statement, addressee_id: int) -> HttpResponse:
    """Record what somebody answered."""
    asked = get_object_or_404(Addressee, statement=statement, pk=addressee_id)
    form = AnswerForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        attempt(
            request,
            lambda: actions.record_answer(actor=request.user, addressee=asked, now=timezone.now(), **given),
            _("The answer is recorded. The page shows it within seconds."),
            form=form,
        )
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, str(error))
    return redirect("staff:addressee", slug=statement.slug, addressee_id=addressee_id)


def imports(request: StaffRequest, statement: Statement) -> HttpResponse:
    """Counts that others collected."""
    form = ImportForm(request.POST or None)
    now = timezone.now()
    if request.method == "POST" and form.is_valid():
        done = attempt(
            request,
            lambda: actions.import_count(actor=request.user, statement=statement, now=now, **form.cleaned_data),
            _("Saved. It stands on the page on a line of its own."),
            form=form,
        )
        if done is not None:
            return redirect("staff:imports", slug=statement.slug)
    page = {"statement": statement, "rows": statement.imports.all(), "form": form}
    return render(request, "staff/imports.html", page)


@require_POST
def remove_import(request: StaffRequest, statement: Statement, import_id: int) -> HttpResponse:
    """Take a count from elsewhere off the page."""
    row = get_object_or_404(ImportedCount, statement=statement, pk=import_id)
    attempt(
        request,
        lambda: actions.delete_import(actor=request.user, imported=row, now=timezone.now()),
        _("Removed."),
    )
    return redirect("staff:imports", slug=statement.slug)
