"""What somebody typed to sign, and how it is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from askfirst_site.statement import addresses, names
from askfirst_site.statement.countries import COUNTRY_CODES
from askfirst_site.statement.errors import FormError, StatementError
from askfirst_site.statement.models import Discipline, Display, Kind, Statement

__all__ = ["SignForm", "check_form"]


@dataclass(frozen=True, slots=True)
class SignForm:
    """What somebody typed, word for word.

    Args:
        statement: What they sign.
        language: Of the text they read.
        mail_language: Of the page: mails are written in it.
        kind: `person` or `organisation`.
        name: Theirs, or the organisation's.
        role: What they do; for an organisation what it is.
        affiliation: For an organisation: who signs for it, and as what.
        website: For an organisation: its domain.
        discipline: One of `Discipline`.
        country: Two letters, or empty.
        display: One of `Display`.
        email: Where the code goes.
        updates: Whether they want news.
        source: `page`, `api` or `paper`.
    """

    statement: Statement
    language: str
    mail_language: str
    kind: str
    name: str
    email: str
    role: str = ""
    affiliation: str = ""
    website: str = ""
    discipline: str = Discipline.OTHER
    country: str = ""
    display: str = Display.FULL
    updates: bool = False
    source: str = "page"


def check_form(form: SignForm) -> SignForm:
    """Return a form with every value as it is stored.

    Raises:
        FormError: Something is missing or cannot be used; a text for each field.
    """
    values: dict[str, str] = {}
    wrong: dict[str, object] = {}
    readers: dict[str, Callable[[str], str]] = {
        "name": names.clean_name,
        "role": names.clean_line,
        "affiliation": names.clean_line,
        "website": addresses.clean_website,
        "email": addresses.clean_email,
    }
    for field, read in readers.items():
        try:
            values[field] = read(getattr(form, field))
        except StatementError as error:
            wrong[field] = error.user_text
    values["country"] = form.country.strip().upper()
    choices = {"kind": Kind.values, "discipline": Discipline.values, "display": Display.values}
    wrong |= {field: _("Please choose one.") for field, known in choices.items() if getattr(form, field) not in known}
    if values["country"] and values["country"] not in COUNTRY_CODES:
        wrong["country"] = _("Please choose one.")
    if form.kind == Kind.ORGANISATION:
        missing = [field for field in ("affiliation", "website") if values.get(field) == ""]
        wrong |= {field: _("An organisation needs this.") for field in missing}
    else:
        values["website"] = ""
        wrong.pop("website", None)
    if wrong:
        raise FormError(wrong)
    return replace(
        form,
        name=values["name"],
        email=values["email"],
        role=values["role"],
        affiliation=values["affiliation"],
        website=values["website"],
        country=values["country"],
    )
