"""Leave optional packages out of a process that is all ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

__all__ = ["do_without"]


def do_without(*packages: str) -> None:
    """Make packages look as if they were not installed, before anything imports them.

    For what others import only because it is there: half a second for nothing. In a process that runs somebody
    else's code this would be wrong.
    """
    sys.meta_path.insert(0, _Absent(frozenset(packages)))


class _Absent:
    """Says of a few packages that there are none."""

    def __init__(self, packages: frozenset[str]) -> None:
        self.packages = packages

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        """Raise for what is to be absent; leave everything else to others."""
        if name in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
