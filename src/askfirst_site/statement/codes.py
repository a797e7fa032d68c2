"""Codes that are mailed and typed: six characters that cannot be mistaken for one another.

A code is made from the site's key and a row's random bytes. So nothing that opens a signature is stored, and a
reminder can carry the same code as the first mail.
"""

from __future__ import annotations

import hmac
import unicodedata

from askfirst_site import crypto

__all__ = ["ALPHABET", "CODE_LENGTH", "TRIES", "code_mac", "is_code", "make_code", "normal_code", "token_mac"]

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 characters; without 0, 1, I and O, which are read as each other."""
CODE_LENGTH = 6
"""32^6 is a thousand million; with five tries a guess succeeds once in two hundred million codes."""
TRIES = 5


def make_code(purpose: str, seed: bytes, round_number: int = 0) -> str:
    """Return the code of a row.

    Args:
        purpose: What it opens: `confirm`, or an action.
        seed: The row's own random bytes.
        round_number: Counts up when a code is used up and a new one is mailed.
    """
    number = int.from_bytes(crypto.mac(f"code:{purpose}:{round_number}", seed)[:8], "big")
    characters = []
    for _index in range(CODE_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(characters)


def normal_code(typed: str) -> str:
    """Return a code as it was mailed: capitals, without spaces, hyphens and whatever else was pasted with it."""
    upper = unicodedata.normalize("NFKC", typed[:100]).upper()
    return "".join(char for char in upper if char in ALPHABET)[:20]


def code_mac(code: str) -> bytes:
    """Return what is stored of a code: 32 bytes, keyed."""
    return crypto.mac("typed-code", normal_code(code))


def is_code(typed: str, stored_mac: bytes) -> bool:
    """Return whether a typed code is the one that was mailed; takes the same time for every answer."""
    return hmac.compare_digest(code_mac(typed), bytes(stored_mac))


def token_mac(browser: bytes) -> bytes:
    """Return what is stored of a browser's cookie: 32 bytes, keyed."""
    return crypto.mac("browser", browser)
