"""The signature of the browser that asks: the one that waits for its code, or the one that counts."""

from __future__ import annotations

from django.db.models import QuerySet

from askfirst_site.statement import codes
from askfirst_site.statement.models import Signature, SignatureState, Statement

__all__ = ["signed", "waiting"]


def _rows(browser: bytes, statement: Statement) -> QuerySet[Signature]:
    rows = Signature.objects.filter(browser_mac=codes.token_mac(browser), statement=statement, erased=False)
    return rows.select_related("statement", "version", "correct_entry").order_by("-id")


def waiting(browser: bytes, statement: Statement) -> Signature | None:
    """Return the newest signature of a browser that waits for its code."""
    return _rows(browser, statement).filter(state=SignatureState.PENDING).first()


def signed(browser: bytes, statement: Statement) -> Signature | None:
    """Return the newest signature of a browser whose code was typed."""
    return _rows(browser, statement).exclude(state=SignatureState.PENDING).order_by("-confirmed", "-id").first()
