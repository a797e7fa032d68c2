"""A package that is to be absent looks as if it were not installed."""

import subprocess
import sys

CODE = """
from askfirst.engines.lean import do_without
do_without("json")
try:
    import json
except ImportError as error:
    print(error)
import colorsys
"""


def test_an_absent_package_cannot_be_imported_and_others_can():
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}{CODE}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "No module named 'json'\n"
