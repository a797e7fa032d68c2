"""Whether a form that is posted was one of ours.

Pages come from a cache, the same for everybody: they hold no token and no session. So a post is taken only if the
browser says that it comes from this site. Browsers always say so; programs that say nothing act for nobody but
themselves, as no cookie gives them power, and are taken too.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

__all__ = ["check"]


def check(request: HttpRequest) -> bool:
    """Return whether a post comes from a page of this site, or from a program that is no browser."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    if origin is None:
        return True
    hosts = {settings.ASKFIRST.host.lower()}
    if not settings.ASKFIRST.production:
        hosts.add(request.get_host().lower())
    return urlsplit(origin).netloc.lower() in hosts
