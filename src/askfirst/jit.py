"""Compiled kernels: one decorator around numba, so that its options are the same everywhere.

A kernel is compiled once per machine and kept on disk. No fast-math: the same input gives the same bits on
every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inline", "kernel", "load_compiler"]

F = TypeVar("F", bound="Callable[..., Any]")


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; it runs without the interpreter's lock.

    Falls back to compiling in memory where neither the package's folder nor the user's cache is writable.
    """
    try:
        return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # numba's "no locator available": nowhere to keep the compiled code
        return cast("F", numba.njit(nogil=True, error_model="numpy")(function))


def load_compiler() -> None:
    """Load what the first kernel that is called would load: all that numba knows, a quarter of a second."""
    _nothing()


def inline(function: F) -> F:
    """Compile a small function that kernels call; it is inlined into them."""
    return cast("F", numba.njit(inline="always", error_model="numpy")(function))


@kernel
def _nothing() -> int:
    return 0
