"""The one cookie: it lets the browser that signed type its code and see its receipt. Only signing sets it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

__all__ = ["cookie_name", "recall", "remember"]

AGE_S = 30 * 86_400
SALT = "askfirst.browser"


def cookie_name() -> str:
    """Return the cookie's name; with https it is bound to this host."""
    return "__Host-askfirst" if settings.ASKFIRST.production else "askfirst"


def recall(request: HttpRequest) -> bytes | None:
    """Return the token of the browser, if it has signed something here."""
    value = request.get_signed_cookie(cookie_name(), default=None, salt=SALT, max_age=AGE_S)
    return value.encode() if value else None


def remember(response: HttpResponse, token: str) -> None:
    """Give the browser its token."""
    response.set_signed_cookie(
        cookie_name(),
        token,
        salt=SALT,
        max_age=AGE_S,
        path="/",
        secure=settings.ASKFIRST.production,
        httponly=True,
        samesite="Lax",
    )
