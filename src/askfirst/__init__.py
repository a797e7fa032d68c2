"""Ask First: which items of this dataset may be trained on? Silence is not consent.

import askfirst

askfirst.build_register("works/", out="register/")
result = askfirst.audit_dataset("dataset/", register="register/", out="out/")
print(result.outcomes)
for row in result.items("refused"):
    print(row["item_id"], row["rule"], row["work_id"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from askfirst.version import __version__

if TYPE_CHECKING:
    from askfirst.api import audit_dataset, build_register, match_file

__all__ = ["__version__", "audit_dataset", "build_register", "match_file"]


def __getattr__(name: str) -> Any:
    """Load the functions when they are first asked for: `askfirst --help` needs none of them."""
    if name in {"audit_dataset", "build_register", "match_file"}:
        import askfirst.api  # noqa: PLC0415  # see above

        return getattr(askfirst.api, name)
    raise AttributeError(f"module 'askfirst' has no attribute {name!r}")
