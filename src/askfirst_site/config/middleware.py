"""What stands around every request: who may post, and which network it comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

__all__ = ["StaffCsrf", "VisitorAddress", "network_of"]


class StaffCsrf(CsrfViewMiddleware):
    """Asks for a token where a session gives somebody power: under /staff/.

    Public forms stand on pages that everybody gets from the cache, without a cookie. Nothing they post acts in the
    name of whoever is signed in, and their views check where the form was (`public.origin`).
    """

    def process_request(self, request: HttpRequest) -> None:
        """Read the token's cookie, on staff pages only."""
        if _is_for_staff(request):
            super().process_request(request)

    def process_view(
        self, request: HttpRequest, callback: Callable[..., HttpResponseBase], callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        """Refuse a post without the token, on staff pages only."""
        if not _is_for_staff(request):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class VisitorAddress:
    """Sets `request.network`: the visitor's network, for throttles. It is hashed before it is stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find the address and pass the request on."""
        request.network = network_of(request.META, settings.ASKFIRST.trusted_proxies)  # type: ignore[attr-defined]  # ours
        return self.get_response(request)


def network_of(meta: dict[str, Any], trusted_proxies: int) -> str:
    """Return the network a request comes from: an IPv4 address, an IPv6 /64, or empty where it is not known.

    Each trusted proxy adds the address it was called from at the right of X-Forwarded-For. What stands left of those
    was written by the visitor and is not believed.
    """
    address = meta.get("REMOTE_ADDR", "")
    if trusted_proxies:
        hops = [hop.strip() for hop in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        address = hops[-trusted_proxies] if len(hops) >= trusted_proxies else address
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _is_for_staff(request: HttpRequest) -> bool:
    return request.path_info.startswith("/staff/")
