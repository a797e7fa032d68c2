"""How Django names this room."""

from __future__ import annotations

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "askfirst_site.staff"
    label = "staff"
