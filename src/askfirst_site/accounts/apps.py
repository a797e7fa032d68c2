"""How Django names this room."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "askfirst_site.accounts"
    label = "accounts"
