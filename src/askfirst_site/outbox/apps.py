"""How Django names this room."""

from __future__ import annotations

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "askfirst_site.outbox"
    label = "outbox"
