"""Rights signals: what machine-readable texts say about a use. One file for every protocol; no file I/O.

Reading never raises. A text that cannot be understood is a gap, a text that says nothing is no permission.
"""

from __future__ import annotations

from askfirst.signals.reading import NOTHING, Reading

__all__ = ["NOTHING", "Reading"]
