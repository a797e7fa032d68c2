"""Sign, type the code, get the receipt, and say that it was somebody else."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from askfirst_site.outbox.queries import delay_s
from askfirst_site.public import browser, origin, own
from askfirst_site.public.forms import CodeForm, SignatureForm
from askfirst_site.public.pages import Page, on_page, show
from askfirst_site.public.shown import line_of
from askfirst_site.public.views import errors
from askfirst_site.public.views.reading import statement_context
from askfirst_site.statement import actions, codes
from askfirst_site.statement.addresses import domain_of, likely_domain
from askfirst_site.statement.errors import FormError, NotOpenError, StatementError, WrongCodeError
from askfirst_site.statement.log_entries import email_of
from askfirst_site.statement.models import Display, Signature
from askfirst_site.statement.receipts import receipt_of

__all__ = ["code", "not_me", "own_signature", "receipt", "receipt_file", "resend", "sign", "stop"]

RECEIPT_AGE_S = 3600
RECEIPT_SALT = "askfirst.receipt"


class SeeOther(HttpResponseRedirect):
    """Go on with GET, whatever was sent."""

    status_code = 303


def visit_of(request: HttpRequest, values: dict[str, Any]) -> actions.Visit:
    """Return what came with a form."""
    return actions.Visit(
        browser=browser.recall(request) or b"",
        network=getattr(request, "network", ""),
        honeypot=values.get("fax", ""),
        challenge=values.get("challenge", ""),
        solution=values.get("solution", ""),
    )


@require_POST
@on_page
def sign(request: HttpRequest, page: Page) -> HttpResponse:
    """Take a signature. Whatever happens to it, whoever signs sees the same."""
    if not origin.check(request):
        return errors.foreign(request)
    form = SignatureForm(page, request.POST)
    if form.is_valid():
        try:
            pending = actions.sign(
                form=form.signature(), visit=visit_of(request, form.cleaned_data), now=timezone.now()
            )
        except FormError as error:
            form.refuse(error)
        except NotOpenError as error:
            form.add_error(None, str(error.user_text))
        else:
            response = SeeOther(page.address("code"))
            browser.remember(response, pending.cookie)
            return response
    return show(request, "statement.html", page, statement_context(page, form), status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@on_page
def code(request: HttpRequest, page: Page) -> HttpResponse:
    """Ask for the code, and count the signature when it is right. A link alone confirms nothing."""
    token = browser.recall(request)
    if request.method != "POST":
        form = CodeForm(initial={"code": request.GET.get("code", "")[:20]}, known=token is not None)
        return _code_page(request, page, form, token)
    if not origin.check(request):
        return errors.foreign(request)
    form = CodeForm(request.POST, known=token is not None)
    if form.is_valid():
        try:
            confirmed = _confirm(form.cleaned_data["code"], form.cleaned_data["email"], token)
        except StatementError as error:
            form.add_error("code", str(error.user_text))
            form.known = False
        else:
            is_mine = token is not None and bytes(confirmed.signature.browser_mac) == codes.token_mac(token)
            if is_mine and not confirmed.already:
                return SeeOther(page.address("receipt"))
            return SeeOther(f"{page.address('receipt')}?of={_seal(confirmed.signature)}")
    return _code_page(request, page, form, token, status=422)


def _confirm(typed: str, email: str, token: bytes | None) -> actions.Confirmed:
    """Try the code with the browser's cookie, then with the address."""
    now = timezone.now()
    if token is not None:
        try:
            return actions.confirm(code=typed, browser=token, now=now)
        except WrongCodeError:
            if not email:
                raise
    return actions.confirm(code=typed, email=email, now=now)


def _code_page(
    request: HttpRequest, page: Page, form: CodeForm, token: bytes | None, status: int = 200
) -> HttpResponse:
    waiting = own.waiting(token, page.statement) if token else None
    late_s = delay_s(timezone.now())
    typed = domain_of(email_of(waiting)) if waiting else ""
    context = {
        "form": form,
        "ask_email": not form.known,
        "known": token is not None,
        "preview": line_of(waiting) if waiting else None,
        "delay_minutes": round(late_s / 60),
        "delay_hours": late_s // 3600,
        "sent_again": "again" in request.GET,
        "typed": typed,
        "meant": likely_domain(typed),
    }
    return show(request, "code.html", page, context, status=status)


@require_POST
@on_page
def resend(request: HttpRequest, page: Page) -> HttpResponse:
    """Mail the code again; the answer is the same whether there is one."""
    if not origin.check(request):
        return errors.foreign(request)
    token, email = browser.recall(request), request.POST.get("email", "")[:254]
    if email:
        actions.resend_code(email=email, now=timezone.now())
    elif token is not None:
        actions.resend_code(browser=token, now=timezone.now())
    return SeeOther(f"{page.address('code')}?again")


def _seal(signature: Signature) -> str:
    return signing.dumps(signature.pk, salt=RECEIPT_SALT)


def own_signature(request: HttpRequest, page: Page) -> Signature | None:
    """Return the signature of this browser, or the one whose code was just typed in another one."""
    if sealed := request.GET.get("of"):
        try:
            number = signing.loads(sealed, salt=RECEIPT_SALT, max_age=RECEIPT_AGE_S)
        except signing.BadSignature:
            return None
        return Signature.objects.filter(pk=number, statement=page.statement, erased=False).first()
    token = browser.recall(request)
    return own.signed(token, page.statement) if token else None


@require_safe
@on_page
def receipt(request: HttpRequest, page: Page) -> HttpResponse:
    """Thank, and give the receipt."""
    signature = own_signature(request, page)
    context: dict[str, Any] = {"mine": None}
    if signature is not None:
        sealed = request.GET.get("of", "")
        query = f"?of={sealed}" if sealed else ""
        is_full = signature.display == Display.FULL and signature.state == "confirmed" and not signature.hidden
        context = {
            "mine": signature,
            "line": line_of(signature),
            "waiting": signature.state == "confirmed" and receipt_of(signature) is None,
            "file": page.address("receipt_file") + query,
            "again": page.address("receipt") + query,
            "personal_card": page.address("my_card") + query if is_full and signature.position is not None else "",
            "share": f"{page.text.sentence}\n\n{page.origin}{page.address('statement')}",
        }
    response = show(request, "receipt.html", page, context)
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@on_page
def receipt_file(request: HttpRequest, page: Page) -> HttpResponse:
    """Give the receipt as a file."""
    signature = own_signature(request, page)
    text = receipt_of(signature) if signature is not None else None
    if text is None or signature is None:
        raise Http404
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    name = f"askfirst-{page.statement.slug}-{signature.position}.tlog-proof"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@on_page
def not_me(request: HttpRequest, page: Page, token: str) -> HttpResponse:
    """Let the owner of a mailbox say that it was somebody else: first a question, then a button."""
    if request.method != "POST":
        return show(request, "not_me.html", page, {"token": token})
    if not origin.check(request):
        return errors.foreign(request)
    actions.not_me(token=token, now=timezone.now())
    return _done(
        request,
        page,
        _("Thank you. We write no more about it."),
        _("Without its code nothing counts, and what was typed is deleted within two days. We look at the rest."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@on_page
def stop(request: HttpRequest, page: Page, token: str) -> HttpResponse:
    """Stop news by mail. Mail programs post here themselves (RFC 8058), so a post is taken from anywhere."""
    if request.method != "POST":
        return show(request, "stop.html", page, {"token": token})
    actions.stop_updates(token=token, now=timezone.now())
    return _done(request, page, _("You get no more news."), _("Your signature stands as it is."))


def _done(request: HttpRequest, page: Page, heading: str, *lines: str) -> HttpResponse:
    return show(request, "done.html", page, {"heading": heading, "lines": lines})
