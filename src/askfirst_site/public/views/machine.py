"""What programs read: the numbers, the texts, the log's key, a puzzle."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from askfirst_site.page_cache import cacheable
from askfirst_site.public.pages import Page, on_page
from askfirst_site.statement import abuse, queries
from askfirst_site.statement.models import Statement

__all__ = ["count_of", "front_count", "primary", "robots", "statement_file", "vkey", "work"]


def primary() -> Statement:
    """Return the statement of the front page.

    Raises:
        Http404: There is none yet.
    """
    statement = queries.primary_statement()
    if statement is None:
        raise Http404
    return statement


@require_safe
def front_count(_request: HttpRequest) -> HttpResponse:
    """Return the numbers of the statement on the front page."""
    return _counts(primary())


@require_safe
@on_page
def count_of(_request: HttpRequest, page: Page) -> HttpResponse:
    """Return the numbers of a statement."""
    return _counts(page.statement)


def _counts(statement: Statement) -> HttpResponse:
    response = JsonResponse(queries.counts(statement))
    response["Access-Control-Allow-Origin"] = "*"
    return cacheable(response)


@require_safe
def statement_file(request: HttpRequest) -> HttpResponse:
    """Return the texts of a version, as `askfirst verify --statement` reads them; the newest if none is named."""
    slug, number = request.GET.get("slug", ""), request.GET.get("version", "")
    statement = Statement.objects.filter(slug=slug).first() if slug else primary()
    if statement is None:
        raise Http404
    version = queries.current_version(statement)
    if number:
        frozen = statement.versions.filter(frozen_at__isnull=False)
        version = frozen.filter(number=int(number)).first() if number.isdecimal() and len(number) < 5 else None
    if version is None:
        raise Http404
    response = JsonResponse(queries.manifest(version), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Access-Control-Allow-Origin"] = "*"
    return cacheable(response, 60)


@require_safe
def vkey(_request: HttpRequest) -> HttpResponse:
    """Return the log's public key."""
    response = HttpResponse(f"{settings.ASKFIRST.log_vkey}\n", content_type="text/plain; charset=utf-8")
    response["Access-Control-Allow-Origin"] = "*"
    return cacheable(response, 60)


@require_safe
def work(_request: HttpRequest) -> HttpResponse:
    """Return a fresh puzzle: a browser spends half a second on it, a botnet half a second a signature."""
    challenge = abuse.new_challenge(timezone.now())
    response = JsonResponse({"challenge": challenge, "bits": abuse.challenge_bits(challenge)})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def robots(_request: HttpRequest) -> HttpResponse:
    """Tell robots that names are not theirs to collect."""
    lines = ["User-agent: *", "Disallow: /staff/", "Disallow: /api/", "Disallow: /*/signatories", "Disallow: /*/mine"]
    return cacheable(HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8"), 60)
