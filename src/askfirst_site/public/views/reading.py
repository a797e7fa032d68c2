"""What everybody reads: the statement, the wall, the numbers, the ledger, news, press, paper, privacy."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils import timezone, translation
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from askfirst_site.page_cache import cacheable
from askfirst_site.public import words
from askfirst_site.public.charts import bars, growth
from askfirst_site.public.forms import SignatureForm
from askfirst_site.public.pages import Page, interface_languages, on_page, show
from askfirst_site.public.shown import grouped, key_label, shown
from askfirst_site.public.views.machine import primary
from askfirst_site.statement import queries
from askfirst_site.statement.charts import Bar, Charts
from askfirst_site.statement.consents import updates_wording
from askfirst_site.statement.countries import choices as countries
from askfirst_site.statement.countries import country_name
from askfirst_site.statement.events import events_of
from askfirst_site.statement.formula import formula_of
from askfirst_site.statement.models import Discipline
from askfirst_site.transparency.queries import last_checkpoint, latest_cosignatures

__all__ = [
    "answers",
    "embed",
    "feed",
    "front",
    "numbers",
    "paper",
    "press",
    "privacy",
    "slash",
    "statement",
    "statement_context",
    "updates",
    "verify",
    "version",
    "wall",
]

NOTABLES_SHOWN = 24
LINES_SHOWN = 28
ORGANISATIONS_SHOWN = 40
LEDGER_SHOWN = 5
UPDATES_SHOWN = 2
PAPER_ROWS = 12


@require_safe
def slash(_request: HttpRequest, lang: str) -> HttpResponse:
    """Send `/de` to `/de/`."""
    return HttpResponsePermanentRedirect(f"/{lang}/")


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Show the statement of the front page in the reader's language, or in the one it was written in."""
    row = primary()
    wanted = translation.get_language() or ""
    found = queries.current_version(row)
    codes = queries.languages_of(found, row.canonical_language) if found else []
    code = next((one for one in (wanted, wanted.partition("-")[0]) if one in codes), row.canonical_language)
    return statement(request, lang=code)


@require_safe
@on_page
def statement(request: HttpRequest, page: Page) -> HttpResponse:
    """Show the statement, the form beside it, and those who have signed."""
    if page.text.language != page.language:
        return HttpResponsePermanentRedirect(page.address("statement", lang=page.text.language))
    return cacheable(show(request, "statement.html", page, statement_context(page, SignatureForm(page))))


def statement_context(page: Page, form: SignatureForm) -> dict[str, Any]:
    """Return what the statement's page shows."""
    now = timezone.now()
    row = page.statement
    facts = queries.page_facts(row, page.ui, now)
    later = row.opens is not None and now < row.opens
    organisations = [shown(line) for line in facts.organisations]
    return {
        "form": form,
        "countries": countries(page.ui),
        "facts": facts.counts,
        "imports": facts.imports,
        "version": page.version,
        "is_open": facts.is_open,
        "opens_later": later,
        "notables": [shown(line) for line in facts.notables[:NOTABLES_SHOWN]],
        "organisations": organisations[:ORGANISATIONS_SHOWN],
        "more_organisations": len(organisations) > ORGANISATIONS_SHOWN,
        "lines": grouped(facts.lines[:LINES_SHOWN]),
        "ledger": facts.ledger[:LEDGER_SHOWN],
        "updates": facts.updates[:UPDATES_SHOWN],
        "updates_consent": updates_wording(page.ui),
        **_bars(page, facts.charts),
    }


def _bars(page: Page, charts: Charts) -> dict[str, Any]:
    """Return the charts with their labels in words."""

    def labelled(dimension: str, rows: list[Bar]) -> Any:
        return bars((key_label(dimension, bar.key, page.ui), bar.n) for bar in rows)

    names = {language.code: language.name for language in page.languages}
    return {
        "disciplines_bars": labelled("discipline", charts.disciplines),
        "countries_bars": labelled("country", charts.countries),
        "levels_bars": labelled("level", charts.levels),
        "languages_bars": bars(
            (names.get(bar.key, key_label("language", bar.key, page.ui)), bar.n) for bar in charts.languages
        ),
    }


@require_safe
@on_page
def wall(request: HttpRequest, page: Page) -> HttpResponse:
    """Show everybody who chose to be shown, the newest first; find names, disciplines, countries."""
    asked = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "discipline", "country")}
    before, around = _number(request.GET.get("before")), _number(request.GET.get("around"))
    if around is not None:
        before = around + 5
    found = queries.wall(
        page.statement,
        discipline=asked["discipline"],
        country=asked["country"],
        search=asked["q"],
        before=before,
        limit=120,
    )
    filters = {name: value for name, value in asked.items() if value}
    context = {
        **asked,
        "facts": queries.count_facts(page.statement),
        "lines": grouped(found.lines),
        "mine": around,
        "before": before,
        "newest": _with(page.address("wall"), filters),
        "older": _with(page.address("wall"), filters | {"before": found.next}) if found.next is not None else "",
        "chosen": _chosen(asked, page.ui),
        "disciplines": Discipline.choices,
        "found_countries": _wall_countries(page),
    }
    response = show(request, "wall.html", page, context)
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return cacheable(response)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def _with(address: str, query: dict[str, Any]) -> str:
    return f"{address}?{urlencode(query)}" if query else address


def _chosen(asked: dict[str, str], language: str) -> str:
    parts = [
        f"“{asked['q']}”" if asked["q"] else "",
        str(dict(Discipline.choices).get(asked["discipline"], "")),
        country_name(asked["country"], language) if asked["country"] else "",
    ]
    return " · ".join(part for part in parts if part)


def _wall_countries(page: Page) -> list[tuple[str, str]]:
    """Return the countries from which enough have signed, to filter by."""
    keys = [bar.key for bar in queries.charts(page.statement).countries if len(bar.key) == 2]
    return sorted(((key, country_name(key, page.ui)) for key in keys), key=lambda pair: pair[1])


@require_safe
@on_page
def numbers(request: HttpRequest, page: Page) -> HttpResponse:
    """Say how the number is made, and how to check it."""
    charts = queries.charts(page.statement)
    context = {
        "facts": queries.count_facts(page.statement),
        "imports": list(page.statement.imports.all()),
        "vkey": settings.ASKFIRST.log_vkey,
        "checkpoint": last_checkpoint(),
        "cosignatures": [
            {"witness": one.witness, "size": one.checkpoint.size, "at": one.at} for one in latest_cosignatures()
        ],
        "batches": queries.invalidations(page.statement),
        "growth": growth(charts.days, events_of(page.statement, page.ui, timezone.now())),
        "formula": formula_of(page.statement),
        **_bars(page, charts),
    }
    return cacheable(show(request, "numbers.html", page, context))


@require_safe
@on_page
def answers(request: HttpRequest, page: Page) -> HttpResponse:
    """Show who is asked, and what they answered."""
    ledger = queries.ledger(page.statement, timezone.now().date())
    return cacheable(show(request, "answers.html", page, {"ledger": ledger}))


@require_safe
@on_page
def updates(request: HttpRequest, page: Page) -> HttpResponse:
    """Show the news."""
    return cacheable(show(request, "updates.html", page, {"updates": queries.updates(page.statement, page.ui, 50)}))


@require_safe
@on_page
def feed(request: HttpRequest, page: Page) -> HttpResponse:
    """Return the news as an Atom feed."""
    news = queries.updates(page.statement, page.ui, 30)
    changed = news[0].published if news else page.version.frozen_at
    response = show(request, "feed.xml", page, {"updates": news, "updated": changed})
    response["Content-Type"] = "application/atom+xml; charset=utf-8"
    return cacheable(response, 60)


@require_safe
@on_page
def press(request: HttpRequest, page: Page) -> HttpResponse:
    """Show what the press needs."""
    context = {"facts": queries.count_facts(page.statement), "imports": list(page.statement.imports.all())}
    return cacheable(show(request, "press.html", page, context))


@require_safe
@on_page
def paper(request: HttpRequest, page: Page) -> HttpResponse:
    """Show a sheet to print and sign."""
    return cacheable(show(request, "paper.html", page, {"version": page.version, "rows": range(PAPER_ROWS)}), 60)


@require_safe
@on_page
def privacy(request: HttpRequest, page: Page) -> HttpResponse:
    """Say what is known about whom, and what they can do about it."""
    return cacheable(show(request, "privacy.html", page), 60)


@require_safe
@on_page
def version(request: HttpRequest, page: Page, n: int) -> HttpResponse:
    """Show the texts of a version, as they were signed."""
    frozen = page.statement.versions.filter(frozen_at__isnull=False)
    row = frozen.filter(number=n).first()
    if row is None:
        raise Http404
    context = {
        "version": row,
        "texts": sorted(row.texts.all(), key=lambda text: text.language != page.language),
        "versions": list(frozen.order_by("-number")),
        "is_newest": row == page.version,
        "newest_number": page.version.number,
    }
    return cacheable(show(request, "version.html", page, context), 60)


@require_safe
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})
@on_page
def embed(request: HttpRequest, page: Page) -> HttpResponse:
    """Return a small page for other people's pages."""
    response = show(request, "embed.html", page, {"facts": queries.count_facts(page.statement)})
    return cacheable(response, 60)


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Let a receipt be checked in the browser."""
    spoken = interface_languages()
    asked = request.GET.get("lang", "")
    ui = next((code for code in (asked, translation.get_language() or "") if code in spoken), spoken[0])
    names = {code: name for code, name in settings.LANGUAGES if code in spoken}
    with translation.override(ui):
        context = {
            "ui": ui,
            "words": words.verify_words(),
            "vkey": settings.ASKFIRST.log_vkey,
            "interface_languages": names.items(),
        }
        response = show(request, "verify.html", None, context)
        response["Content-Language"] = ui
    return response
