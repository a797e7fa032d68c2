"""How Django names this room."""

from __future__ import annotations

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "askfirst_site.outbox"
    label = "outbox"

    def ready(self) -> None:
        """Listen to what mail services say about bounces."""
        from anymail.signals import tracking

        from askfirst_site.outbox.bounces import receive

        tracking.connect(receive, dispatch_uid="askfirst_site.outbox")
