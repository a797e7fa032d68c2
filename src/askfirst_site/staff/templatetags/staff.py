"""The menu, form fields, and small words of the staff pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template
from django.forms import BoundField
from django.forms.widgets import CheckboxInput
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from askfirst_site.staff import menu, words

register = template.Library()


@register.inclusion_tag("staff/menu.html", takes_context=True)
def staff_menu(context: dict[str, Any]) -> dict[str, Any]:
    """Render the menu for the role of whoever looks."""
    return menu.menu(context["request"], context.get("statement"))


@register.inclusion_tag("staff/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Render one field of a form: label, help, errors, input."""
    return {"field": bound, "is_check": isinstance(bound.field.widget, CheckboxInput)}


@register.inclusion_tag("staff/fields.html")
def fields(form: Any) -> dict[str, Any]:
    """Render all fields of a form, hidden ones included, and what is wrong with it as a whole."""
    return {"form": form}


@register.filter
def flag_words(flag: str) -> str:
    """Say what a flag on a signature means."""
    return words.flag(flag)


@register.filter
def verb_words(verb: str) -> str:
    """Say what somebody of the staff did."""
    return words.verb(verb)


@register.filter
def ago(moment: Any, now: Any) -> str:
    """Say how long ago something was."""
    if not moment:
        return _("never")
    passed = max(now - moment, timedelta(0)).total_seconds()
    return _("%(time)s ago") % {"time": words.duration(passed)}


@register.filter
def language_name(code: str) -> str:
    """Name a language in itself: `de` is Deutsch."""
    return words.language_name(code)


@register.filter
def direction(code: str) -> str:
    """Return `rtl` for languages that are written from right to left."""
    try:
        return "rtl" if get_language_info(code)["bidi"] else "ltr"
    except KeyError:
        return "ltr"


@register.filter
def people(count: int) -> str:
    """Say how many signatures."""
    return ngettext("%(count)s signature", "%(count)s signatures", count) % {"count": f"{count:,}"}
