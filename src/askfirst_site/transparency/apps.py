"""How Django names this room."""

from __future__ import annotations

from django.apps import AppConfig


class TransparencyConfig(AppConfig):
    name = "askfirst_site.transparency"
    label = "transparency"
