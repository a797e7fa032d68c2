"""How Django names this room."""

from __future__ import annotations

from django.apps import AppConfig


class PublicConfig(AppConfig):
    name = "askfirst_site.public"
    label = "public"
