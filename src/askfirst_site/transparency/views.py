"""Serve the log's files. A web server in front may do the same from the same folder."""

from __future__ import annotations

import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from askfirst_site.page_cache import cacheable

__all__ = ["checkpoint", "tile"]

_NUMBER = r"(?:x[0-9]{3}/)*[0-9]{3}"
_TILE = re.compile(
    rf"(?:[0-9]|[1-5][0-9]|6[0-3]|entries)/{_NUMBER}(?:\.p/(?:[1-9][0-9]?|1[0-9]{{2}}|2[0-4][0-9]|25[0-5]))?"
)
_FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # a view
    """Return the newest published checkpoint."""
    try:
        note = (settings.ASKFIRST.log_folder / "checkpoint").read_bytes()
    except FileNotFoundError as error:
        raise Http404("nothing is in the log yet") from error
    return _open_to_all(cacheable(HttpResponse(note, content_type="text/plain; charset=utf-8"), 2))


@require_safe
def tile(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001  # a view
    """Return a tile of hashes or a bundle of entries: they never change."""
    if not _TILE.fullmatch(rest):
        raise Http404("no tile has this name")
    try:
        data = (settings.ASKFIRST.log_folder / "tile" / rest).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise Http404("the log does not have this tile") from error
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Cache-Control"] = _FOR_EVER
    return _open_to_all(response)


def _open_to_all(response: HttpResponse) -> HttpResponse:
    """Let pages of others read it: a log that only its own page can check proves nothing."""
    response["Access-Control-Allow-Origin"] = "*"
    return response
