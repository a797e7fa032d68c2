"""How the pages write numbers, hours, addresses and the texts of organisers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.template import Context
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, gettext, ngettext

from askfirst_site.public.pages import direction_of
from askfirst_site.public.shown import day_in_words
from askfirst_site.statement.markdown import to_html

__all__ = ["register"]

register = template.Library()
register.filter("markdown", to_html)


@register.simple_tag(takes_context=True)
def at(context: Context, name: str, **more: Any) -> str:
    """Return the address of another page of the same statement in the same language."""
    return str(context["page"].address(name, **more))


@register.simple_tag(takes_context=True)
def here(context: Context, language: str) -> str:
    """Return the address of this page in another language."""
    match = context["request"].resolver_match
    name = match.url_name if match and match.url_name in context["page"].TURNABLE else "statement"
    more = {"n": match.kwargs["n"]} if name == "version" else {}
    return str(context["page"].address(name, lang=language, **more))


@register.filter
def count(value: int | None) -> str:
    """Return a number grouped as the reader's language groups it."""
    return "" if value is None else str(formats.number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True))


@register.filter
def day(value: date | None) -> str:
    """Return a day in words, as the reader's language writes it."""
    return day_in_words(value) if value else ""


@register.filter
def moment(value: datetime | None) -> str:
    """Return a day and a time to the minute."""
    return f"{day_in_words(value)}, {value:%H:%M}" if value else ""


@register.filter
def second(value: datetime | None) -> str:
    """Return a day and a time to the second."""
    return f"{day_in_words(value)}, {value:%H:%M:%S}" if value else ""


@register.filter
def short(digest: str) -> str:
    """Return the two ends of a digest."""
    return f"{digest[:6]}…{digest[-4:]}" if len(digest) > 12 else digest


@register.filter
def host(url: str) -> str:
    """Return the host of an address."""
    return urlsplit(url).hostname or url


@register.filter
def direction(language: str) -> str:
    """Return `rtl` or `ltr`."""
    return direction_of(language)


@register.filter
def language_name(code: str) -> str:
    """Return a language's own name."""
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code


@register.simple_tag
def signed_by(people: int, organisations: int, url: str) -> SafeString:
    """Return the count as a sentence. Its numbers are found by the script that keeps them fresh."""
    number = '<b class="n" data-count="{}" data-url="{}">{}</b>'
    person = format_html(number, "people", url, count(people))
    organisation = format_html(number, "organisations", url, count(organisations))
    if not organisations:
        return format_html(ngettext("{n} person has signed.", "{n} people have signed.", people), n=person)
    return format_html(
        gettext("{people} and {organisations} have signed."),
        people=format_html(ngettext("{n} person", "{n} people", people), n=person),
        organisations=format_html(ngettext("{n} organisation", "{n} organisations", organisations), n=organisation),
    )
