"""Every confirmed signature as a file, without addresses."""

from __future__ import annotations

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from askfirst_site.accounts.actions import record
from askfirst_site.staff.gate import StaffRequest
from askfirst_site.statement import exports as files
from askfirst_site.statement.models import Statement

__all__ = ["download", "exports"]

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


@require_safe
def exports(request: StaffRequest, statement: Statement) -> HttpResponse:
    """What can be exported."""
    kinds = [
        {
            "name": "csv",
            "label": _("Table (CSV)"),
            "said": _("For spreadsheets. Cells that a spreadsheet would run as a formula are made harmless."),
            "button": _("Download CSV"),
        },
        {
            "name": "json",
            "label": "JSON",
            "said": _("For programs: exactly what was written, unchanged."),
            "button": _("Download JSON"),
        },
        {
            "name": "parquet",
            "label": "Parquet",
            "said": _("For statistics: typed columns, small."),
            "button": _("Download Parquet"),
        },
    ]
    return render(request, "staff/exports.html", {"statement": statement, "kinds": kinds})


@require_POST
def download(request: StaffRequest, statement: Statement, form: str) -> StreamingHttpResponse:
    """Send the file, piece by piece; that it was taken is recorded first."""
    if form not in TYPES:
        raise Http404
    now = timezone.now()
    record(actor=request.user, verb="export", subject=f"statement:{statement.pk}", detail={"format": form}, now=now)
    write = {"csv": files.csv_lines, "json": files.json_lines, "parquet": files.parquet_parts}[form]
    response = StreamingHttpResponse(write(statement), content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{statement.slug}-{now:%Y-%m-%d}.{form}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
