"""What is shown to a form from elsewhere. The other errors are templates: 403.html, 404.html, 500.html."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from askfirst_site.public.pages import show

__all__ = ["foreign"]


def foreign(request: HttpRequest) -> HttpResponse:
    """Refuse a form that stood on another site's page."""
    heading = _("This form came from another page")
    line = _("For your safety it was not taken. Please open the statement here, and sign there.")
    return show(request, "error.html", None, {"heading": heading, "line": line}, status=403)
