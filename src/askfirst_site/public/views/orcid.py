"""Prove an ORCID iD by signing in at ORCID. It proves a signature; nobody is signed in here by it.

1. `start`: a signer with a grant is sent to ORCID. The grant waits in a cookie that only we can write.
2. `back`: ORCID sends the browser back. The adapter of allauth calls `finish` or `fail`, and goes no further.
3. What came of it is in the cookie; the page that says so reads it (`views.mine.after_orcid`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.orcid.views import OrcidOAuth2Adapter, oauth2_callback
from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from askfirst_site.public.pages import Page, find_page
from askfirst_site.statement import actions
from askfirst_site.statement.actions import Grant
from askfirst_site.statement.errors import StatementError

__all__ = ["back", "fail", "finish", "is_offered", "origin", "outcome", "start"]

AGE_S = 1800
SALT = "askfirst.orcid"
DONE, CANCELLED, FAILED, REFUSED = "done", "cancelled", "failed", "refused"


def is_offered() -> bool:
    """Return whether this site can send people to ORCID."""
    return settings.ASKFIRST.orcid is not None


def origin() -> str:
    """Return where ORCID's sign-in is, as a content policy names it."""
    parts = urlsplit(OrcidOAuth2Adapter.authorize_url)
    return f"{parts.scheme}://{parts.netloc}"


def start(request: HttpRequest, page: Page, grant: Grant) -> HttpResponse:
    """Send a signer to ORCID."""
    if not is_offered():
        raise Http404
    provider = get_adapter(request).get_provider(request, "orcid")
    response: HttpResponse = provider.redirect(request, process=AuthProcess.REDIRECT)
    _keep(response, {"grant": actions.seal_grant(grant), "lang": page.language, "slug": page.slug})
    return response


@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """Take a browser that comes back from ORCID."""
    if not is_offered():
        raise Http404
    try:
        response: HttpResponse = oauth2_callback(request)
    except (KeyError, TypeError, ValueError):  # an answer that is not one of ORCID's
        return fail(request, is_cancelled=False)
    return response


def finish(request: HttpRequest, orcid: str) -> HttpResponse:
    """Record what ORCID confirmed, for the grant in the cookie; without one, nothing happens."""
    waiting = _waiting(request)
    if waiting is None:
        return _leave(request, HttpResponseRedirect("/"))
    page = find_page(waiting["lang"], waiting["slug"])
    with translation.override(page.ui):
        try:
            actions.prove_orcid(grant=actions.open_grant(waiting["grant"]), orcid=orcid, now=timezone.now())
        except StatementError as error:
            return _say(request, page, waiting | {"came": REFUSED, "why": str(error.user_text)})
    return _say(request, page, {"came": DONE, "orcid": orcid})


def fail(request: HttpRequest, *, is_cancelled: bool) -> HttpResponse:
    """Bring somebody back whom ORCID did not confirm: they can try again."""
    waiting = _waiting(request)
    if waiting is None:
        return _leave(request, HttpResponseRedirect("/"))
    page = find_page(waiting["lang"], waiting["slug"])
    return _say(request, page, waiting | {"came": CANCELLED if is_cancelled else FAILED})


def outcome(request: HttpRequest) -> tuple[str, str, str] | None:
    """Return what came of it, in words; the iD, if it is proven; else the sealed grant, to try again with."""
    state = _read(request)
    came = state.get("came") if state else None
    if state is None or came is None:
        return None
    if came == DONE:
        return _("Your ORCID iD is proven"), str(state["orcid"]), ""
    words = {
        CANCELLED: _("You came back from ORCID without signing in. Nothing has changed."),
        FAILED: _("ORCID could not confirm who you are. Nothing has changed; please try again in a while."),
        REFUSED: state.get("why", ""),
    }
    return words[came], "", str(state["grant"])


def _say(request: HttpRequest, page: Page, state: dict[str, str]) -> HttpResponse:
    response = HttpResponseRedirect(page.address("mine_orcid"))
    _keep(response, state)
    return _leave(request, response, has_news=True)


def _leave(request: HttpRequest, response: HttpResponse, *, has_news: bool = False) -> HttpResponse:
    """Forget what the way to ORCID and back needed. Staff who are signed in stay so."""
    if not has_news:
        response.delete_cookie(_cookie_name(), samesite="Lax")
    if not request.user.is_authenticated:
        request.session.flush()
    response["Cache-Control"] = "private, no-store"
    return response


def _waiting(request: HttpRequest) -> dict[str, str] | None:
    state = _read(request)
    return state if state is not None and "came" not in state else None


def _cookie_name() -> str:
    return "__Host-askfirst-orcid" if settings.ASKFIRST.production else "askfirst-orcid"


def _read(request: HttpRequest) -> dict[str, str] | None:
    try:
        state: dict[str, str] = signing.loads(request.COOKIES.get(_cookie_name(), ""), salt=SALT, max_age=AGE_S)
    except signing.BadSignature:
        return None
    return state


def _keep(response: HttpResponse, state: dict[str, Any]) -> None:
    response.set_cookie(
        _cookie_name(),
        signing.dumps(state, salt=SALT),
        max_age=AGE_S,
        path="/",
        secure=settings.ASKFIRST.production,
        httponly=True,
        samesite="Lax",
    )
