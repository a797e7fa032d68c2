"""How Django names this room, and what it does when the log grows."""

from __future__ import annotations

from django.apps import AppConfig


class StatementConfig(AppConfig):
    name = "askfirst_site.statement"
    label = "statement"

    def ready(self) -> None:
        """Register with the sequencer."""
        from askfirst_site.statement import tallies
        from askfirst_site.statement.actions.retention import hourly, nightly
        from askfirst_site.transparency import hooks

        hooks.on_positions(tallies.count_entries)
        hooks.on_published(tallies.publish_counts)
        hooks.on_hourly(hourly)
        hooks.on_nightly(tallies.recount)
        hooks.on_nightly(nightly)
