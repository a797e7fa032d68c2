"""The application that a web server runs: pages that are the same for everybody come from the cache, before Django."""

from __future__ import annotations

import os
from http.cookies import CookieError, SimpleCookie
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "askfirst_site.config.settings")

from askfirst_site.config.environment import prepare, read_site

prepare(read_site())  # before the settings are read: they read the keys

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from askfirst_site.page_cache import PageCache

__all__ = ["application", "language_of"]


def language_of(environ: dict[str, Any]) -> str:
    """Return the language in which `/` answers a visitor: their choice, then their browser's, then the site's first."""
    try:
        chosen = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(settings.LANGUAGE_COOKIE_NAME)
    except CookieError:
        chosen = None
    asked = [chosen.value] if chosen else []
    asked += [code for code, _ in parse_accept_lang_header(environ.get("HTTP_ACCEPT_LANGUAGE", "")[:200])]
    for code in asked:
        try:
            return str(get_supported_language_variant(code))
        except LookupError:
            continue
    return str(settings.LANGUAGE_CODE)


_django = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018  # every view is imported now: a broken one stops the start, not a visitor
application = PageCache(_django, vary=language_of)
