"""The published log, as static files: C2SP tlog-tiles."""

from __future__ import annotations

from django.urls import path

from askfirst_site.transparency import views

urlpatterns = [
    path("checkpoint", views.checkpoint, name="log-checkpoint"),
    path("tile/<path:rest>", views.tile, name="log-tile"),
]
