"""Keeping robots and borrowed names out of the list, without third parties and without telling them.

Nothing here refuses anybody: a signature that looks wrong is flagged, and whoever sent it sees what everybody sees.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from askfirst_site import crypto
from askfirst_site.statement.addresses import PROVIDERS
from askfirst_site.statement.models import Signature

__all__ = [
    "LIMITS",
    "WORK_BITS",
    "Limits",
    "challenge_bits",
    "check_work",
    "judge",
    "network_mac",
    "new_challenge",
    "solve",
]

WORK_BITS = 18
"""Leading zero bits: 262,144 hashes on average, about half a second in a browser."""
CHALLENGE_AGE = timedelta(hours=2)
"""A form may lie open that long before its challenge is stale."""
SOLUTION_MAX = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """How many signatures are still no burst."""

    network_10min: int = 120  # with work: a theatre, a newsroom, a mobile network behind one address
    network_day: int = 2000
    network_10min_no_work: int = 15
    network_day_no_work: int = 100
    domain_hour: int = 300
    address_mails_hour: int = 3
    address_mails_day: int = 5
    address_not_me: int = 2


LIMITS = Limits()


def new_challenge(now: datetime, randomness: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return a puzzle that this site can recognise without having stored it: `time.random.bits.mac`."""
    bits = getattr(settings, "ASKFIRST_WORK_BITS", WORK_BITS)
    head = f"{int(now.timestamp())}.{randomness(8).hex()}.{bits}"
    return f"{head}.{_challenge_mac(head)}"


def _challenge_mac(head: str) -> str:
    return urlsafe_b64encode(crypto.mac("challenge", head)[:15]).decode()


def challenge_bits(challenge: str) -> int:
    """Return how many leading zero bits a challenge asks for."""
    return int(challenge.split(".")[2])


def check_work(challenge: str, solution: str, now: datetime) -> bool:
    """Return whether a challenge is ours and fresh, and its solution right.

    SHA-256 of `challenge:solution` must begin with as many zero bits as the challenge says.
    """
    parts = challenge.split(".")
    if len(challenge) > 64 or not challenge.isascii() or len(parts) != 4 or not 0 < len(solution) <= SOLUTION_MAX:
        return False
    if not hmac.compare_digest(_challenge_mac(".".join(parts[:3])), parts[3]):
        return False
    age_s = now.timestamp() - int(parts[0])
    if not -60 <= age_s <= CHALLENGE_AGE.total_seconds():
        return False
    return _zero_bits(challenge, solution) >= int(parts[2])


def _zero_bits(challenge: str, solution: str) -> int:
    digest = hashlib.sha256(f"{challenge}:{solution}".encode("utf-8", "replace")).digest()
    return 256 - int.from_bytes(digest, "big").bit_length()


def solve(challenge: str) -> str:
    """Return a solution, as a browser would find it; for tests and load runs."""
    bits = challenge_bits(challenge)
    number = 0
    while _zero_bits(challenge, str(number)) < bits:
        number += 1
    return str(number)


def network_mac(network: str, now: datetime) -> bytes | None:
    """Return what tells networks apart for a day, and no longer: the address itself is not stored.

    Args:
        network: An IP address; the 64 bits of an IPv6 network count as one, as a household has them.
        now: The key changes with its day.
    """
    try:
        address = ipaddress.ip_address(network.strip())
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None) or address
    prefix = 32 if mapped.version == 4 else 64
    folded = ipaddress.ip_network((mapped, prefix), strict=False)
    return crypto.mac(f"network:{now:%Y-%m-%d}", str(folded))


def judge(
    *, mac: bytes | None, email_mac: bytes, email_domain: str, worked: bool, honeypot: bool, now: datetime
) -> tuple[list[str], bool, bool]:
    """Return what is odd about a new signature, whether it waits for a person, and whether its mailbox has had enough.

    Cost:
        Five bounded counts, the same for everybody.
    """
    flags = [] if worked else ["no-work"]
    ten_min = LIMITS.network_10min if worked else LIMITS.network_10min_no_work
    day = LIMITS.network_day if worked else LIMITS.network_day_no_work
    from_network = Signature.objects.filter(network_mac=mac if mac is not None else b"\0" * 32)
    burst = _reaches(from_network, now - timedelta(minutes=10), ten_min)
    burst |= _reaches(from_network, now - timedelta(days=1), day)
    from_domain = Signature.objects.filter(email_domain=email_domain)
    wave = _reaches(from_domain, now - timedelta(hours=1), LIMITS.domain_hour) and email_domain not in PROVIDERS
    from_mailbox = Signature.objects.filter(email_mac=email_mac, created__gt=now - timedelta(days=1))
    recent = list(from_mailbox.order_by("-id").values_list("created", "code_mails", "not_me")[:50])
    in_hour = sum(mails for created, mails, _not_me in recent if created > now - timedelta(hours=1))
    enough = in_hour >= LIMITS.address_mails_hour or sum(row[1] for row in recent) >= LIMITS.address_mails_day
    said_no = sum(row[2] is not None for row in recent) >= LIMITS.address_not_me
    names = {"honeypot": honeypot, "burst": burst, "wave": wave, "not-me": said_no, "mail-limit": enough}
    flags += [name for name, found in names.items() if found]
    return flags, honeypot or burst or wave, enough or said_no


def _reaches(signatures: QuerySet[Signature], since: datetime, limit: int) -> bool:
    return signatures.filter(created__gt=since).order_by().values("pk")[:limit].count() >= limit
