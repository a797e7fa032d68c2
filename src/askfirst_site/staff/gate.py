"""Who may open which staff page. Every page goes through `page`, so none can be forgotten.

An organiser may do everything; a moderator sees the overview and works through the queue. On a site that is live (an
https address) nobody gets further than the set-up of a second factor without one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from askfirst.errors import AskFirstError
from askfirst_site.accounts.models import User
from askfirst_site.statement.errors import FormError, StatementError
from askfirst_site.statement.models import Statement

__all__ = ["MODERATOR", "ORGANISER", "StaffRequest", "attempt", "needs_second_factor", "page", "role_of"]

ORGANISER = "organiser"
MODERATOR = "moderator"


class StaffRequest(HttpRequest):
    """What a view behind the gate gets: somebody who works here is signed in.

    Args:
        user: Who it is.
        role: What they may do: `organiser` or `moderator`.
    """

    user: User
    role: str


def role_of(user: Any) -> str | None:
    """Return what somebody may do here: `organiser`, `moderator`, or None for everybody else."""
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return None
    return ORGANISER if user.is_superuser else MODERATOR


def needs_second_factor(user: User) -> bool:
    """Return whether a second factor must be set up first: on a live site, always."""
    from allauth.mfa.utils import is_mfa_enabled  # noqa: PLC0415 - its models load after this room

    return settings.ASKFIRST.production and not is_mfa_enabled(user)


def page(route: str, view: Callable[..., HttpResponseBase], name: str, role: str = ORGANISER) -> URLPattern:
    """Return the address of a staff page behind its gate.

    A `slug` in the route becomes the view's argument `statement`.

    Args:
        route: The route below /staff/.
        view: Takes the request and what the route captures.
        name: The name of the address in the namespace `staff`.
        role: Who may open it: `organiser`, or `moderator` for both.
    """

    @functools.wraps(view)
    def gated(request: HttpRequest, **captured: Any) -> HttpResponseBase:
        have = role_of(request.user)
        if have is None:
            if request.user.is_authenticated:
                return render(request, "staff/refused.html", status=403)
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        known = cast("StaffRequest", request)
        if needs_second_factor(known.user):
            return redirect("mfa_index")
        if role == ORGANISER and have != ORGANISER:
            return render(request, "staff/refused.html", {"role": have}, status=403)
        if (slug := captured.pop("slug", None)) is not None:
            captured["statement"] = get_object_or_404(Statement, slug=slug)
        known.role = have
        with translation.override(known.user.language):
            response = view(known, **captured)
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return path(route, never_cache(csrf_protect(gated)), name=name)


def attempt(request: HttpRequest, action: Callable[[], Any], said: str = "", form: Any = None) -> Any:
    """Run an action and say how it went; return what it returned (True for nothing), or None if it was refused.

    Args:
        request: For the message on the next page.
        action: A call without arguments.
        said: What to say when it is done; it may be empty.
        form: Gets what is wrong with its fields.
    """
    try:
        done = action()
    except FormError as error:
        for name, text in error.fields.items():
            known = form is not None and name in form.fields
            form.add_error(name, str(text)) if known else messages.error(request, str(text))
        return None
    except StatementError as error:
        messages.error(request, str(error.user_text))
        return None
    except AskFirstError as error:
        messages.error(request, str(error))
        return None
    if said:
        messages.success(request, said)
    return True if done is None else done
