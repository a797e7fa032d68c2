"""Read what a domain says about itself: one TXT record, one small file. Strangers choose the domain: trust nothing.

https only, no redirects, at most 10 kB, five seconds, and never an address inside a private network: the name is
looked up once, checked, and that very address is connected to.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import dns.exception
import dns.resolver
import requests
from requests_hardened import Config, Manager

from askfirst.errors import FetchError

__all__ = ["FILE_PATH", "RECORD_NAME", "Fetcher", "Resolver", "fetch_file", "fetch_records"]

FILE_PATH = "/.well-known/askfirst.txt"
RECORD_NAME = "_askfirst"
TIMEOUT_S = 5.0
SIZE_LIMIT_BYTES = 10_000

Fetcher = Callable[[str], str]
"""Domain to the text of its file; FetchError if it cannot be read."""
Resolver = Callable[[str], list[str]]
"""Domain to its TXT records; FetchError if there is no answer."""


def _manager() -> Manager:
    return Manager(
        Config(
            default_timeout=(TIMEOUT_S, TIMEOUT_S),
            never_redirect=True,
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=False,
            ip_filter_tls_sni_support=True,
            user_agent_override="AskFirst (domain proof)",
        )
    )


def fetch_file(domain: str) -> str:
    """Return the text of `https://DOMAIN/.well-known/askfirst.txt`.

    Raises:
        FetchError: It cannot be read: not there, too large, redirected, or at an address that is not public.
    """
    url = f"https://{domain}{FILE_PATH}"
    deadline = time.monotonic() + 2 * TIMEOUT_S
    try:
        with _manager().send_request("GET", url, stream=True) as response:
            if response.status_code != 200:
                raise FetchError(f"{url} answers {response.status_code}")
            data = bytearray()
            for byte in response.iter_content(1):  # more at a time would wait for a server that sends one now and then
                data += byte
                if len(data) > SIZE_LIMIT_BYTES or time.monotonic() > deadline:
                    raise FetchError(f"{url} is larger than {SIZE_LIMIT_BYTES} bytes, or takes too long")
    except (requests.RequestException, OSError) as error:
        raise FetchError(f"{url} cannot be read ({type(error).__name__})") from error
    return data.decode("utf-8", "replace")


def fetch_records(domain: str) -> list[str]:
    """Return the TXT records of `_askfirst.DOMAIN`.

    Raises:
        FetchError: No answer.
    """
    name = f"{RECORD_NAME}.{domain}"
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=TIMEOUT_S)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise FetchError(f"{name} cannot be looked up ({type(error).__name__})") from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in list(answer)[:20]]
