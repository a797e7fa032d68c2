"""Engines map a function over units of work. They know nothing of works, consent or files."""

from askfirst.engines.local import Died, Workers, run

__all__ = ["Died", "Workers", "run"]
