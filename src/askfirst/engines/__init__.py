"""Engines map a function over units of work. They know nothing of works, consent or files."""

from askfirst.engines.local import Died, run

__all__ = ["Died", "run"]
