"""The made-up audit of the report's tests, and the running site, are imported by their plain names."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "library" / "report"))
sys.path.insert(0, str(Path(__file__).parent))
