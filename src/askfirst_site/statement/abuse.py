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
from typing import Any

from django.conf import settings
from django.db import connection

from askfirst_site import crypto
from askfirst_site.statement.addresses import PROVIDERS
from askfirst_site.statement.models import Signature

__all__ = [
    "LIMITS",
    "WORK_BITS",
    "Judgement",
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of a new signature.

    Args:
        flags: What is odd about it.
        suspect: It waits for a person.
        send: Its mailbox gets the code: it has not had enough mail, and its owner has not said no.
        again: Its mailbox has one that counts, or is held.
    """

    flags: list[str]
    suspect: bool
    send: bool
    again: bool


_SEEN = """
SELECT in_10min.n, in_day.n, in_hour.n, mails.in_hour, mails.in_day, mails.not_me, EXISTS (
    SELECT 1 FROM statement_signature WHERE statement_id = %(statement)s AND kind = %(kind)s
    AND email_mac = %(mailbox)s AND state IN ('confirmed', 'held'))
FROM (SELECT COUNT(*) AS n FROM (SELECT 1 FROM statement_signature
      WHERE network_mac = %(network)s AND created > %(ten_min_ago)s LIMIT %(network_10min)s) AS found) AS in_10min,
     (SELECT COUNT(*) AS n FROM (SELECT 1 FROM statement_signature
      WHERE network_mac = %(network)s AND created > %(day_ago)s LIMIT %(network_day)s) AS found) AS in_day,
     (SELECT COUNT(*) AS n FROM (SELECT 1 FROM statement_signature
      WHERE email_domain = %(domain)s AND created > %(hour_ago)s LIMIT %(domain_hour)s) AS found) AS in_hour,
     (SELECT COALESCE(SUM(CASE WHEN created > %(hour_ago)s THEN code_mails END), 0) AS in_hour,
      COALESCE(SUM(code_mails), 0) AS in_day, COUNT(not_me) AS not_me
      FROM (SELECT created, code_mails, not_me FROM statement_signature
      WHERE email_mac = %(mailbox)s AND created > %(day_ago)s ORDER BY id DESC LIMIT 50) AS found) AS mails
"""
"""By hand: Django takes ten times as long to write such questions as a database takes to answer them."""


def judge(signature: Signature, *, worked: bool, honeypot: bool, now: datetime) -> Judgement:
    """Judge a signature that is about to be stored.

    Cost:
        One query of bounded counts, the same for everybody.
    """
    ten_min = LIMITS.network_10min if worked else LIMITS.network_10min_no_work
    day = LIMITS.network_day if worked else LIMITS.network_day_no_work
    moment = connection.ops.adapt_datetimefield_value
    asked: dict[str, Any] = {
        "statement": signature.statement_id,
        "kind": str(signature.kind),
        "mailbox": signature.email_mac,
        "network": signature.network_mac or b"\0" * 32,
        "domain": signature.email_domain,
        "ten_min_ago": moment(now - timedelta(minutes=10)),
        "hour_ago": moment(now - timedelta(hours=1)),
        "day_ago": moment(now - timedelta(days=1)),
        "network_10min": ten_min,
        "network_day": day,
        "domain_hour": LIMITS.domain_hour,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, asked)
        in_10min, in_day, domain_in_hour, mails_in_hour, mails_in_day, said_no, again = cursor.fetchone()
    found = {
        "no-work": not worked,
        "honeypot": honeypot,
        "burst": in_10min >= ten_min or in_day >= day,
        "wave": domain_in_hour >= LIMITS.domain_hour and signature.email_domain not in PROVIDERS,
        "not-me": said_no >= LIMITS.address_not_me,
        "mail-limit": mails_in_hour >= LIMITS.address_mails_hour or mails_in_day >= LIMITS.address_mails_day,
    }
    suspect = found["honeypot"] or found["burst"] or found["wave"]
    send = not (suspect or found["not-me"] or found["mail-limit"])
    return Judgement([name for name, is_so in found.items() if is_so], suspect, send, bool(again))
