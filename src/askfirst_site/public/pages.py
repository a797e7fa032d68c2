"""Which statement a page is about, in which language, and where its other pages are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language_info

from askfirst_site.public import accents
from askfirst_site.statement import queries
from askfirst_site.statement.models import Statement, Text, TextVersion
from askfirst_site.statement.remembered import Remembered

__all__ = ["Language", "Page", "direction_of", "find_page", "interface_languages", "on_page", "show"]

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """A language the statement can be read in."""

    code: str
    name: str


@dataclass(frozen=True)
class Page:
    """What every page of a statement knows.

    Args:
        statement: The one it is about.
        version: The version that is signed now.
        text: In the language of the address, else in the one the statement was written in.
        language: As in the address.
        ui: The language of everything around the text.
        languages: Those the statement can be read in.
        slug: As in the address; empty for the statement on the front page.
    """

    statement: Statement
    version: TextVersion
    text: Text
    language: str
    ui: str
    languages: tuple[Language, ...]
    slug: str = ""

    TURNABLE: ClassVar[frozenset[str]] = frozenset(
        {"statement", "wall", "numbers", "answers", "updates", "press", "paper", "privacy", "mine", "code", "version"}
    )
    """Pages that are the same in another language."""

    def address(self, name: str, **more: Any) -> str:
        """Return the path of a page of this statement, here in the same language unless `lang` says otherwise."""
        where = {"lang": self.language} | ({"slug": self.slug} if self.slug else {})
        return reverse(f"public:{name}", kwargs=where | more)

    @property
    def origin(self) -> str:
        """Scheme and host of the site."""
        return str(settings.ASKFIRST.url)

    @property
    def direction(self) -> str:
        """In which direction the text runs."""
        return direction_of(self.text.language)

    @property
    def card(self) -> str:
        """Path of the picture that others show beside a link."""
        return self.address("card") if self.slug else reverse("public:front_card", kwargs={"lang": self.language})

    @property
    def count_url(self) -> str:
        """Path of the numbers as JSON."""
        return self.address("count") if self.slug else reverse("public:front_count")

    @property
    def accent(self) -> bool:
        """Whether the statement has a colour of its own."""
        return self.statement.accent.lower() != accents.DEFAULT


def direction_of(language: str) -> str:
    """Return `rtl` or `ltr`."""
    try:
        return "rtl" if get_language_info(language)["bidi"] else "ltr"
    except KeyError:
        return "ltr"


def interface_languages() -> list[str]:
    """Return the languages the pages themselves speak: those with a catalogue, and English."""
    found = {entry.name for folder in settings.LOCALE_PATHS for entry in folder.glob("*") if entry.is_dir()}
    return [code for code, _name in settings.LANGUAGES if code == FALLBACK or code in found] or [FALLBACK]


_PAGES: Remembered[Page] = Remembered()


def find_page(lang: str, slug: str = "") -> Page:
    """Return what an address is about.

    Raises:
        Http404: There is no such statement, it cannot be read yet, or not in this language.
    """
    return _PAGES.get((lang, slug), partial(_find_page, lang, slug))


def _find_page(lang: str, slug: str) -> Page:
    statement = queries.statement_by_slug(slug) if slug else queries.primary_statement()
    version = queries.current_version(statement) if statement else None
    if statement is None or version is None:
        raise Http404
    texts = {text.language: text for text in version.texts.all()}
    spoken = interface_languages()
    text = texts.get(lang) or (texts.get(statement.canonical_language) if lang in spoken else None)
    if text is None:
        raise Http404
    order = [code for code, _name in settings.LANGUAGES]
    codes = sorted(texts, key=lambda code: (order.index(code) if code in order else 99, code))
    languages = tuple(Language(code, _own_name(code)) for code in codes)
    ui = lang if lang in spoken else FALLBACK if FALLBACK in spoken else spoken[0]
    return Page(statement, version, text, lang, ui, languages, slug)


def _own_name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code


def on_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view of `(request, page, ...)` from an address of `lang` and perhaps `slug`, in the page's language."""

    @wraps(view)
    def wrapped(request: HttpRequest, lang: str, slug: str = "", **more: Any) -> HttpResponse:
        page = find_page(lang, slug)
        with translation.override(page.ui):
            response = view(request, page, **more)
            response.headers.setdefault("Content-Language", page.ui)
        return response

    return wrapped


def show(
    request: HttpRequest, template: str, page: Page | None, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Return a page."""
    return render(request, f"public/{template}", {"page": page} | (context or {}), status=status)
