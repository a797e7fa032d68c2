"""E-mail addresses: which two reach the same mailbox. And the site's own addresses, for mails."""

from __future__ import annotations

import idna
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from askfirst_site import crypto
from askfirst_site.statement.errors import StatementError
from askfirst_site.statement.models import Statement

__all__ = [
    "PROVIDERS",
    "BadAddressError",
    "canonical_email",
    "clean_email",
    "clean_website",
    "domain_of",
    "email_mac",
    "likely_domain",
    "page_url",
]

EMAIL_MAX = 254
"""RFC 5321, 4.5.3.1.3, less the angle brackets."""
_PROVIDERS = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.de yahoo.co.uk ymail.com
icloud.com me.com mac.com aol.com proton.me protonmail.com pm.me gmx.de gmx.net gmx.at gmx.ch web.de t-online.de
freenet.de mailbox.org posteo.de tutanota.com tuta.io ziggo.nl kpnmail.nl planet.nl xs4all.nl home.nl hetnet.nl
fastmail.com zoho.com mail.com yandex.ru yandex.com mail.ru qq.com 163.com orange.fr free.fr laposte.net wp.pl
libero.it telenet.be skynet.be bluewin.ch sunrise.ch hotmail.de hotmail.nl hotmail.co.uk live.nl outlook.de
"""
PROVIDERS = frozenset(_PROVIDERS.split())
"""Anybody may have an address there: it says nothing about who they are, and many of them are no burst."""
_COMMON_TEXT = """
gmail.com outlook.com hotmail.com yahoo.com icloud.com live.com googlemail.com protonmail.com proton.me aol.com
gmx.de web.de gmx.net t-online.de gmx.at gmx.ch freenet.de posteo.de mailbox.org outlook.de hotmail.de yahoo.de
ziggo.nl kpnmail.nl hotmail.nl live.nl planet.nl xs4all.nl hotmail.co.uk yahoo.co.uk orange.fr telenet.be bluewin.ch
"""
_COMMON = tuple(_COMMON_TEXT.split())
"""Where most addresses are, the largest first: what somebody meant who typed almost this."""
_SHORT = 5
_SAME = {"googlemail.com": "gmail.com", "pm.me": "proton.me", "protonmail.com": "proton.me", "me.com": "icloud.com",
         "mac.com": "icloud.com"}  # fmt: skip
_DOTS_MEAN_NOTHING = frozenset({"gmail.com", "proton.me"})
_HYPHEN_TAGS = frozenset({"yahoo.com", "yahoo.de", "yahoo.co.uk", "ymail.com"})
_validate = EmailValidator()


class BadAddressError(StatementError):
    """An address that no mail can reach."""


def clean_email(text: str) -> str:
    """Return an address as mail is sent to it: as typed, its domain in ASCII and small letters.

    Raises:
        BadAddressError: Not an address.
    """
    stripped = text.strip().strip("<>")
    local, at, domain = stripped.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
        address = f"{local}{at}{ascii_domain.lower().rstrip('.')}"
        _validate(address)
    except (ValidationError, idna.IDNAError, UnicodeError) as error:
        raise BadAddressError(_("Please check the e-mail address: mail cannot reach it as it is.")) from error
    if len(address) > EMAIL_MAX or "[" in address or not address.isascii() or '"' in address:
        raise BadAddressError(_("Please check the e-mail address: mail cannot reach it as it is."))
    return address


def canonical_email(address: str) -> str:
    """Return one spelling for every address that reaches the same mailbox: without case, tags and idle dots."""
    local, _at, domain = address.casefold().rpartition("@")
    domain = _SAME.get(domain, domain)
    local = local.split("+")[0] or local
    if domain in _HYPHEN_TAGS:
        local = local.split("-")[0] or local
    if domain in _DOTS_MEAN_NOTHING:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def email_mac(address: str) -> bytes:
    """Return what finds a mailbox again without storing its address: 32 bytes, keyed."""
    return crypto.mac("email", canonical_email(address))


def domain_of(address: str) -> str:
    """Return the part after the at sign."""
    return address.rpartition("@")[2].lower()


def likely_domain(domain: str) -> str | None:
    """Return the very common mail domain that is one slip of a finger away, such as `gmail.com` for `gmial.com`.

    None for one that is itself known, and where a domain of one's own is as likely: a short name must have the same
    letters, and countries are not mixed up (`live.be` is no slip for `live.nl`).
    """
    typed = domain.lower()
    if typed in PROVIDERS or typed in _COMMON:
        return None
    return next((known for known in _COMMON if _is_slip(typed, known)), None)


def _is_slip(typed: str, known: str) -> bool:
    endings = typed.rpartition(".")[2], known.rpartition(".")[2]
    if endings[0] != endings[1] and {len(one) for one in endings} == {2}:
        return False
    if len(known.partition(".")[0]) < _SHORT and sorted(typed) != sorted(known):
        return False
    return _is_one_edit(typed, known)


def _is_one_edit(one: str, other: str) -> bool:
    """Return whether one letter more, less, another, or two neighbours swapped make the one of the other."""
    short, long = sorted((one, other), key=len)
    same = next((i for i, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = short[:same] + short[same : same + 2][::-1] + short[same + 2 :]
    return short != long and long in {swapped, short[:same] + long[same : same + 1] + short[same + 1 :]}


def clean_website(text: str) -> str:
    """Return the bare domain of a website as somebody types it, such as `example.org`; empty for none.

    Raises:
        BadAddressError: Not a domain with a dot, or one at which anybody may have an address.
    """
    host = text.strip().lower().removeprefix("https://").removeprefix("http://").split("/")[0].split(":")[0]
    host = host.removeprefix("www.").rstrip(".")
    if not host:
        return ""
    try:
        ascii_host = host if host.isascii() else idna.encode(host, uts46=True).decode()
        _validate(f"a@{ascii_host}")
    except (ValidationError, idna.IDNAError, UnicodeError) as error:
        raise BadAddressError(_("Please give the website as a domain, such as example.org.")) from error
    if "[" in ascii_host or "." not in ascii_host or ascii_host in PROVIDERS or len(ascii_host) > 200:
        raise BadAddressError(_("Please give the website as a domain, such as example.org."))
    return ascii_host


def page_url(statement: Statement, language: str, path: str = "") -> str:
    """Return the full address of a statement's page in a language."""
    base = settings.ASKFIRST.url.rstrip("/")
    start = f"{base}/{language}/" if statement.is_primary else f"{base}/{language}/s/{statement.slug}/"
    return f"{start}{path}"
