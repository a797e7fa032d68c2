"""What signers do with their own signature: ask for a code, type it, do it. There are no accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_update
from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from askfirst_site.public import origin
from askfirst_site.public.forms import AskForm, CodeForm, DomainForm, LineForm, PlainForm, VouchForm
from askfirst_site.public.pages import Page, on_page, show
from askfirst_site.public.shown import line_of
from askfirst_site.public.views import errors, orcid
from askfirst_site.statement import actions
from askfirst_site.statement.actions import Grant
from askfirst_site.statement.actions.proofs import PROOF_PREFIX
from askfirst_site.statement.errors import FormError, StatementError, WrongCodeError
from askfirst_site.statement.models import Kind
from askfirst_site.statement.receipts import receipt_of

__all__ = ["act", "after_orcid", "ask", "type_code"]


@require_http_methods(["GET", "HEAD", "POST"])
@on_page
def ask(request: HttpRequest, page: Page) -> HttpResponse:
    """Ask what for, and mail a code. The answer is the same whether the address has signed."""
    if request.method != "POST":
        return show(
            request, "mine/ask.html", page, {"form": AskForm(initial={"action": request.GET.get("action", "show")})}
        )
    if not origin.check(request):
        return errors.foreign(request)
    form = AskForm(request.POST)
    if form.is_valid():
        email = form.cleaned_data["email"]
        try:
            actions.request_code(email=email, action=form.cleaned_data["action"], now=timezone.now())
        except FormError as error:
            form.refuse(error)
        else:
            return show(request, "mine/code.html", page, {"form": _code_form(initial={"email": email})})
    return show(request, "mine/ask.html", page, {"form": form}, status=422)


def _code_form(*args: Any, **kwargs: Any) -> CodeForm:
    """Return a form for a code; an address that was typed a moment ago is not asked for again (WCAG 3.3.7)."""
    form = CodeForm(*args, **kwargs)
    if kwargs.get("initial"):
        form.fields["email"].widget = forms.HiddenInput()
    return form


@require_http_methods(["GET", "HEAD", "POST"])
@on_page
def type_code(request: HttpRequest, page: Page) -> HttpResponse:
    """Take the code, and open what it is for."""
    if request.method != "POST":
        return show(request, "mine/code.html", page, {"form": _code_form()})
    if not origin.check(request):
        return errors.foreign(request)
    form = _code_form(request.POST)
    if form.is_valid():
        try:
            grant = actions.redeem_code(
                email=form.cleaned_data["email"], code=form.cleaned_data["code"], now=timezone.now()
            )
        except StatementError as error:
            form.add_error("code", str(error.user_text))
        else:
            return _open(request, page, grant)
    return show(request, "mine/code.html", page, {"form": form}, status=422)


@require_POST
@on_page
def act(request: HttpRequest, page: Page, action: str) -> HttpResponse:
    """Do what a code allowed."""
    if not origin.check(request):
        return errors.foreign(request)
    try:
        grant = actions.open_grant(request.POST.get("grant", "")[:200])
        if grant.action != action:
            raise WrongCodeError
        return DOERS[action](request, page, grant)
    except StatementError as error:
        return _refused(request, page, error)


@require_safe
@on_page
def after_orcid(request: HttpRequest, page: Page) -> HttpResponse:
    """Say what came of the way to ORCID; where nothing did, let them try again."""
    came = orcid.outcome(request)
    if came is None:
        return _refused(request, page, WrongCodeError())
    words, proven, sealed = came
    if proven:
        lines = (proven, _("Your line shows a ✓. It holds for a year; then you can prove it again."))
        response = _done(request, page, words, *lines)
        response["Cache-Control"] = "private, no-store"
        return response
    try:
        grant = actions.open_grant(sealed)
    except StatementError as error:
        return _refused(request, page, error)
    return _open(request, page, grant, lines=[words])


def _open(request: HttpRequest, page: Page, grant: Grant, form: forms.Form | None = None, **more: Any) -> HttpResponse:
    """Show the page on which something is done, with the grant in its form."""
    heading, lines, button = _words()[grant.action]
    context = {
        "heading": heading,
        "lines": lines,
        "button": button,
        "form": form or _form(page, grant),
        "grant": actions.seal_grant(grant),
        "target": page.address("mine_act", action=grant.action),
        "preview": line_of(grant.signature),
        "orcid": orcid.is_offered() and grant.action == "prove" and grant.signature.kind == Kind.PERSON,
    }
    response = show(request, "mine/act.html", page, context | more, status=422 if form and form.errors else 200)
    response["Cache-Control"] = "private, no-store"
    if context["orcid"]:  # browsers hold a form's policy against where its answer sends them, too
        csp_update({"form-action": [orcid.origin()]})(lambda _request: response)(request)
    return response


def _words() -> dict[str, tuple[str, list[str], str]]:
    return {
        "show": (_("How you are shown"), [_("Change what you like.")], _("Save")),
        "withdraw": (
            _("Withdraw your signature?"),
            [_("Your line goes at once, the number within seconds. You can sign again later.")],
            _("Withdraw my signature"),
        ),
        "export": (
            _("Everything we hold about you"),
            [_("One file (JSON) with what you typed, what you agreed to, and your receipt.")],
            _("Download"),
        ),
        "erase": (
            _("Delete everything about you?"),
            [
                _("Your signature is withdrawn, and everything that we hold about you is deleted."),
                _("The log keeps an entry that nobody can open any more."),
                _("Download your receipt first if you want to keep it: we cannot make it again."),
            ],
            _("Delete everything"),
        ),
        "prove": (
            _("Prove your domain"),
            [_("If a web domain is yours, a DNS record or a small file on it shows that. Your line gets a ✓.")],
            _("Go on"),
        ),
        "vouch": (
            _("Vouch for somebody"),
            [
                _("As a verified organisation you can say that you know a signer, and that they are who they say."),
                _("Ask them for the number of their entry."),
            ],
            _("Vouch for this person"),
        ),
    }


def _form(page: Page, grant: Grant) -> PlainForm:
    row = grant.signature
    if grant.action == "show":
        fields = ("name", "role", "affiliation", "discipline", "country", "display")
        return LineForm(page, row.kind, initial={name: getattr(row, name) for name in fields})
    if grant.action == "prove":
        return DomainForm(initial={"domain": row.website})
    return VouchForm() if grant.action == "vouch" else PlainForm()


def _show(request: HttpRequest, page: Page, grant: Grant) -> HttpResponse:
    form = LineForm(page, grant.signature.kind, request.POST)
    if form.is_valid():
        values = {"affiliation": grant.signature.affiliation, "display": grant.signature.display} | form.cleaned_data
        try:
            actions.correct(grant=grant, **values, now=timezone.now())
        except FormError as error:
            form.refuse(error)
        else:
            return _done(request, page, _("Changed"), _("The wall shows it within seconds."))
    return _open(request, page, grant, form)


def _withdraw(request: HttpRequest, page: Page, grant: Grant) -> HttpResponse:
    actions.withdraw(grant=grant, now=timezone.now())
    lines = (
        _("It no longer counts and is no longer shown."),
        _("To delete your data as well, ask for a code to delete everything."),
    )
    return _done(request, page, _("Your signature is withdrawn"), *lines)


def _export(_request: HttpRequest, _page: Page, grant: Grant) -> HttpResponse:
    everything = actions.export(grant=grant) | {"receipt": receipt_of(grant.signature)}
    response = JsonResponse(everything, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = 'attachment; filename="askfirst-my-data.json"'
    response["Cache-Control"] = "private, no-store"
    return response


def _erase(request: HttpRequest, page: Page, grant: Grant) -> HttpResponse:
    actions.erase(grant=grant, now=timezone.now())
    return _done(request, page, _("Everything about you is deleted"), _("Thank you for having been here."))


def _prove(request: HttpRequest, page: Page, grant: Grant) -> HttpResponse:
    if request.POST.get("stage") == "orcid":
        return orcid.start(request, page, grant)
    form = DomainForm(request.POST)
    if not form.is_valid():
        return _open(request, page, grant, form)
    try:
        proof = actions.start_domain_proof(grant=grant, domain=form.cleaned_data["domain"], now=timezone.now())
    except FormError as error:
        form.refuse(error)
        return _open(request, page, grant, form)
    if request.POST.get("stage") == "check":
        proof = actions.check_domain_proof(proof=proof, now=timezone.now())
        if proof.checked is not None and not proof.failure:
            return _done(
                request, page, _("Your domain is proven"), _("Your line shows a ✓. We look again once a year.")
            )
    form.fields["domain"].widget = forms.HiddenInput()
    more = {
        "proof": proof,
        "proof_line": f"{PROOF_PREFIX}{proof.token}",
        "stage": "check",
        "button": _("I have done it: check now"),
        "preview": None,
    }
    return _open(request, page, grant, form, **more)


def _vouch(request: HttpRequest, page: Page, grant: Grant) -> HttpResponse:
    form = VouchForm(request.POST)
    if not form.is_valid():
        return _open(request, page, grant, form)
    actions.vouch(grant=grant, position=form.cleaned_data["number"], now=timezone.now())
    return _done(request, page, _("Thank you for vouching"), _("Their line shows ✓✓ now."))


def _refused(request: HttpRequest, page: Page, error: StatementError) -> HttpResponse:
    context = {"heading": _("That did not work"), "lines": [str(error.user_text)]}
    return show(request, "done.html", page, context, status=409)


def _done(request: HttpRequest, page: Page, heading: str, *lines: str) -> HttpResponse:
    return show(request, "done.html", page, {"heading": heading, "lines": lines})


DOERS: dict[str, Callable[[HttpRequest, Page, Grant], HttpResponse]] = {
    "show": _show,
    "withdraw": _withdraw,
    "export": _export,
    "erase": _erase,
    "prove": _prove,
    "vouch": _vouch,
}
