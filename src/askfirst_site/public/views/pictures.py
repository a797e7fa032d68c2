"""Pictures and small files: cards, the sentence for print, the badge, the QR code, the accent's style sheet."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import segno
from defusedcsv import csv as safe_csv
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from askfirst_site.page_cache import cacheable
from askfirst_site.public import accents, cards
from askfirst_site.public.pages import Page, on_page
from askfirst_site.public.templatetags.askfirst import count
from askfirst_site.public.views.signing import own_signature
from askfirst_site.statement import queries
from askfirst_site.statement.models import Display

__all__ = ["accent", "badge", "card", "my_card", "notables_csv", "qr", "sentence_svg"]

MINUTES_S = 600


def signed_line(people: int, *, is_rounded: bool = True) -> str:
    """Return how many have signed, in the language in use."""
    n = cards.rounded(people) if is_rounded else people
    if is_rounded and n != people:
        return gettext("More than %(n)s people have signed") % {"n": count(n)}
    return ngettext("%(n)s person has signed", "%(n)s people have signed", n) % {"n": count(n)}


def _sentence(page: Page) -> str:
    """Return the sentence in the page's language, or in the original's if our typeface lacks its letters."""
    if cards.can_draw(page.text.sentence):
        return page.text.sentence
    texts = {text.language: text.sentence for text in page.version.texts.all()}
    original = texts.get(page.statement.canonical_language, page.text.sentence)
    return original if cards.can_draw(original) else next(filter(cards.can_draw, texts.values()), page.text.title)


@require_safe
@on_page
def card(_request: HttpRequest, page: Page) -> HttpResponse:
    """Return the picture that is shown beside links to the statement."""
    people = queries.count_facts(page.statement).people
    png = cards.card(_sentence(page), signed_line(people), page.statement.accent)
    return cacheable(HttpResponse(png, content_type="image/png"), MINUTES_S)


@require_safe
@on_page
def my_card(request: HttpRequest, page: Page) -> HttpResponse:
    """Return a picture with the signer's name, for themselves, and only if they are shown by name."""
    mine = own_signature(request, page)
    if mine is None or mine.display != Display.FULL or mine.state != "confirmed" or mine.hidden:
        raise Http404
    name = mine.name if cards.can_draw(mine.name) else gettext("I have signed")
    people = queries.count_facts(page.statement).people
    png = cards.personal_card(name, _sentence(page), signed_line(people), page.statement.accent)
    response = HttpResponse(png, content_type="image/png")
    response["Content-Disposition"] = 'attachment; filename="i-have-signed.png"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@on_page
def sentence_svg(_request: HttpRequest, page: Page) -> HttpResponse:
    """Return the sentence as SVG, for print."""
    people = queries.count_facts(page.statement).people
    svg = cards.sentence_svg(
        page.text.sentence, signed_line(people), page.text.language, page.direction, page.statement.accent
    )
    return cacheable(HttpResponse(svg, content_type="image/svg+xml"), 60)


@require_safe
@on_page
def badge(_request: HttpRequest, page: Page) -> HttpResponse:
    """Return the count as a small SVG for other people's pages."""
    people = queries.count_facts(page.statement).people
    response = HttpResponse(
        cards.badge(signed_line(people, is_rounded=False), page.text.title), content_type="image/svg+xml"
    )
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return cacheable(response, 60)


@require_safe
@on_page
def qr(_request: HttpRequest, page: Page) -> HttpResponse:
    """Return the statement's address as a QR code."""
    out = BytesIO()
    address = f"{page.origin}{page.address('statement')}"
    segno.make(address, error="m").save(out, kind="svg", border=2, xmldecl=False, nl=False)
    return cacheable(HttpResponse(out.getvalue(), content_type="image/svg+xml"), MINUTES_S)


@require_safe
@on_page
def accent(_request: HttpRequest, page: Page) -> HttpResponse:
    """Return the statement's own colour as a style sheet."""
    return cacheable(HttpResponse(accents.sheet(page.statement.accent), content_type="text/css"), 60)


@require_safe
@on_page
def notables_csv(_request: HttpRequest, page: Page) -> HttpResponse:
    """Return the well-known signatories, who agreed to be shown, as a table that no spreadsheet runs."""
    out = StringIO()
    writer = safe_csv.writer(out, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(["name", "role", "discipline", "country", "entry"])
    for line in queries.notables(page.statement):
        writer.writerow([line.name, line.role, line.discipline, line.country, line.position])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{page.statement.slug}-signatories.csv"'
    response["X-Robots-Tag"] = "noindex"
    return cacheable(response, 60)
