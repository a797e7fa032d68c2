"""The made-up audit of the report's tests is imported by its plain name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "library" / "report"))
