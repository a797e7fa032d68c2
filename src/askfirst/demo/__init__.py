"""Example data: works to register, and a dataset that hides some of them.

Everything is made from files that two packages ship; `docs/guide/demo.md` names every file with its source
and licence. The makers are invented. What is made stands in `works.json`, how it is made in the modules.
"""

from __future__ import annotations

from askfirst.demo.example import CATALOGUE_COLUMNS, DemoData, prepare

__all__ = ["CATALOGUE_COLUMNS", "DemoData", "prepare"]
