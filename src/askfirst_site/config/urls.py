"""All addresses of the site. Each room names its own."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from askfirst_site.config.health import health
from askfirst_site.public.views import orcid

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health, name="health"),
    path("log/", include("askfirst_site.transparency.urls")),
    path("mail/", include("anymail.urls")),  # what mail services tell about bounces, under a secret of its own
    path("staff/login/", include("allauth.account.urls")),
    path("staff/login/", include("allauth.mfa.urls")),
    path("orcid/callback", orcid.back, name="orcid_callback"),  # allauth looks for this name
    path("staff/", include("askfirst_site.staff.urls")),
    path("", include("askfirst_site.public.urls")),
]
