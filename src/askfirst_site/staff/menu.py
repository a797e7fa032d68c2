"""The menu of the staff pages, for each role."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from askfirst_site.staff import queries
from askfirst_site.staff.gate import ORGANISER
from askfirst_site.statement.models import Statement
from askfirst_site.transparency import queries as transparency

__all__ = ["menu"]


def menu(request: HttpRequest, statement: Statement | None) -> dict[str, Any]:
    """Return the entries of the menu: on top, of one statement, of the site."""
    here = request.resolver_match.url_name or "" if request.resolver_match else ""
    statement = statement or queries.primary_statement()
    organiser = getattr(request, "role", None) == ORGANISER

    def entry(label: str, name: str, *also: str, badge: int = 0, of: Statement | None = None) -> dict[str, Any]:
        url = reverse(f"staff:{name}", kwargs={"slug": of.slug} if of else None)
        return {"label": label, "url": url, "current": here in (name, *also), "badge": badge}

    top = [entry(_("Overview"), "overview")]
    campaign: list[dict[str, Any]] = []
    site: list[dict[str, Any]] = []
    if statement is not None:
        waiting = queries.waiting_in_queue(statement)
        campaign.append(entry(_("Queue"), "queue", "queue-act", badge=waiting, of=statement))
    if organiser:
        top.append(entry(_("Statements"), "statements", "statement-new"))
        site = [
            entry(_("Watched names"), "watched"),
            entry(_("People with access"), "colleagues", "colleague"),
            entry(_("What staff did"), "deeds"),
            entry(_("Log and witnesses"), "log", badge=transparency.open_alarms().count()),
        ]
    if organiser and statement is not None:
        campaign += [
            entry(_("Texts and dates"), "statement", "version", "text", "freeze", "version-new", of=statement),
            entry(_("Signatures"), "signatures", "signature", of=statement),
            entry(_("In front"), "notables", of=statement),
            entry(_("Organisations"), "organisations", of=statement),
            entry(_("Who is asked"), "addressees", "addressee", "addressee-new", of=statement),
            entry(_("Counts from elsewhere"), "imports", "import", "import-new", of=statement),
            entry(_("Updates"), "updates", "update", "update-new", "update-send", of=statement),
            entry(_("Take out many"), "invalidate", "invalidate-preview", of=statement),
            entry(_("Export"), "exports", of=statement),
        ]
    return {"top": top, "campaign": campaign, "site": site, "statement": statement}
