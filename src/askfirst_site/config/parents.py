"""Processes that end when the one that started them is gone, however it went."""

from __future__ import annotations

import ctypes
import os

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1


def end_with_parent(number: int, parent: int | None = None) -> None:
    """Ask the kernel (Linux) to send this process a signal when its parent dies.

    Args:
        number: The signal.
        parent: Whose child this process was made as: if that one is gone already, the signal comes at once.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)
