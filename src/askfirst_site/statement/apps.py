"""How Django names this room."""

from __future__ import annotations

from django.apps import AppConfig


class StatementConfig(AppConfig):
    name = "askfirst_site.statement"
    label = "statement"
