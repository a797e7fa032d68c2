"""Fingerprints compared with a register: which items are which works, and where."""

from askfirst.match.hits import Hits

__all__ = ["Hits"]
