"""Values that hardly ever change, kept in this process for a moment: on a busy day everybody asks for the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.conf import settings

__all__ = ["Remembered"]

V = TypeVar("V")


class Remembered(Generic[V]):
    """What was made for a key, for `ASKFIRST_REMEMBER_S` seconds. Shared by threads: what is kept must not be changed.

    Keys come from what was found, not from what was asked for: there are never many.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return what is kept for a key, or make it and keep it; an exception is raised and keeps nothing."""
        now = time.monotonic()
        until, value = self._kept.get(key, (0.0, None))
        if value is None or now >= until:
            value = make()
            self._kept[key] = (now + settings.ASKFIRST_REMEMBER_S, value)
        return value
