"""Prove an installation: the published vectors, and one small audit from end to end."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from askfirst import tlog
from askfirst.fingerprint.audio import stored_peaks
from askfirst.fingerprint.image import hash_image
from askfirst.fingerprint.text import LONG, SHORT, fold, window_minima
from askfirst.fingerprint.url import normalise, url_key
from askfirst.fingerprint.video import stored_frames
from askfirst.jobs.audit import AuditRequest, audit
from askfirst.jobs.build import build_register
from askfirst.model import Outcome, Use
from askfirst.policy import Policy
from askfirst.proof.receipt import commit
from askfirst.proof.recount import recount
from askfirst.proof.verify import verify_receipt
from askfirst.verdict import Facts, decide, decision_table

__all__ = ["checks"]

_WORDS = "the tide came in and the tide went out and nobody on the harbour wall had asked the sea for its consent "


def checks() -> Iterator[tuple[str, str]]:
    """Run every check.

    Yields:
        Its name, and what is wrong; empty if nothing is.
    """
    for name, check in _CHECKS.items():
        yield name, check()


def vectors(name: str) -> Mapping[str, Any]:
    """Return the published vectors of one algorithm."""
    value: Mapping[str, Any] = json.loads((files("askfirst") / "vectors" / f"{name}.json").read_text("utf-8"))
    return value


def _decision() -> str:
    wrong = [d for d in decision_table()[:1] if d.outcome != Outcome.UNASKED]
    refused = decide(Facts(register_refusal=True, open_consent=True, own=True)).outcome
    return "" if not wrong and refused == Outcome.REFUSED and len(decision_table()) == 512 else "the table has changed"


def _text() -> str:
    published, densities = vectors("text_v0"), {params.name: params for params in (LONG, SHORT)}
    for case in published["fold"]:
        text = bytes.fromhex(case["utf8"]).decode("utf-8", "ignore")
        if fold(text).hex() != case["letters"]:
            return f"folding of {case['name']!r}"
    for case in published["sample"]:
        hashes, positions = window_minima(fold(case["text"]), densities[case["params"]])
        found = [
            [position, f"{value:016x}"] for value, position in zip(hashes.tolist(), positions.tolist(), strict=True)
        ]
        if found != case["stored"]:
            return f"fingerprints of {case['name']!r}, {case['params']}"
    return ""


def _image() -> str:
    for case in vectors("image_v0")["cases"]:
        code, quality = hash_image(_grey(case))
        if (code.astype(">u8").tobytes().hex(), quality) != (case["hash"], case["quality"]):
            return f"hash of {case['name']!r}"
    return ""


def _audio() -> str:
    for case in vectors("audio_v0")["cases"]:
        samples = _signal(case["seed"], case["samples"])
        peaks = stored_peaks(samples)
        if [list(pair) for pair in zip(peaks.frame.tolist(), peaks.bin.tolist(), strict=True)] != case["stored"]:
            return f"peaks of {case['name']!r}"
    return ""


def _signal(seed: int, count: int) -> NDArray[np.int16]:
    """Return samples by the rule in `about` of the vectors."""
    state, samples = seed, np.zeros(count, np.int64)
    n = np.arange(4000)
    for start in range(0, count, 1000):
        state = (1664525 * state + 1013904223) % 2**32
        step = 20 + (state >> 16) % 200
        grain = (abs(n * step % 1024 - 512) - 256) * (4000 - n) // 128
        samples[start : start + 4000] += grain[: count - start]
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        samples[i] += (state >> 16) % 64 - 32
    return samples.astype(np.int16)


def _video() -> str:
    for case in vectors("video_v0")["cases"]:
        frames = [_Frame(one["time_ms"] / 1000, _grey(one)) for one in case["frames"]]
        stored = stored_frames(frames)
        hashes = [code.astype(">u8").tobytes().hex() for code in stored.codes]
        rows = zip(stored.time_ms.tolist(), stored.orientations.tolist(), hashes, strict=True)
        if [list(row) for row in rows] != case["stored"]:
            return f"frames of {case['name']!r}"
    return ""


class _Frame(NamedTuple):
    seconds: float
    grey: NDArray[np.uint8]


def _grey(case: Mapping[str, Any]) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(case["grey"]), np.uint8).reshape(case["height"], case["width"])


def _url() -> str:
    for case in vectors("url_v0")["cases"]:
        url = normalise(case["url"])
        if (url.text, f"{url_key(url.text):016x}") != (case["normal"], case["key"]):
            return f"normal form of {case['name']!r}"
    return ""


def _log() -> str:
    published = vectors("log_v1")
    tree, head = published["tree"], tlog.Checkpoint.parse(published["checkpoint"].partition("\n\n")[0] + "\n")
    leaves = [tlog.leaf_hash(bytes.fromhex(entry)) for entry in tree["entries"]]
    if [tlog.root_of(leaves[:size]).hex() for size in range(len(leaves) + 1)] != tree["roots"]:
        return "roots of trees"
    entries = [entry.encode() for entry in published["entries"]]
    if tlog.root_of(map(tlog.leaf_hash, entries)) != head.root:
        return "root of the log"
    if {name: count.as_dict() for name, count in recount(entries).items()} != published["counts"]:
        return "numbers of the log"
    for case in published["commitments"]:
        if commit(bytes.fromhex(case["salt"]), case["fields"]) != case["commitment"]:
            return "commitments"
    log = tlog.NoteVerifier.parse(published["log"]["vkey"])
    witness = tlog.CosignatureVerifier.parse(published["witness"]["vkey"])
    for text in (published["receipt"], published["closed"]["receipt"], published["corrected"]):
        finding = verify_receipt(text, [log], [witness], statement=published["statement"])
        if not finding.good:
            return f"a receipt: {finding.reasons[-1].text}"
    return ""


def _audit() -> str:
    """Audit three small texts: a copy of a refused work, a copy of a permitted one, and one nobody registered."""
    with tempfile.TemporaryDirectory(prefix="askfirst-") as name:
        folder = Path(name)
        (folder / "works").mkdir()
        (folder / "dataset").mkdir()
        texts = {"refused": _WORDS * 9, "permitted": _WORDS[::-1] * 9, "unasked": "la la " * 200}
        for outcome, text in texts.items():
            (folder / "dataset" / f"{outcome}.txt").write_text(text.upper())
            (folder / "works" / f"{outcome}.txt").write_text(text)
        (folder / "works" / "catalogue.csv").write_text(
            "file,permitted_uses\nrefused.txt,\npermitted.txt,train-generative\n"
        )
        build_register(folder / "works" / "catalogue.csv", folder / "register", workers=1)
        request = AuditRequest(
            sources=[str(folder / "dataset")],
            register=folder / "register",
            out=folder / "out",
            policy=Policy(Use.TRAIN_GENERATIVE, date(2026, 1, 1)),
            workers=1,
        )
        rows = {row["item_id"]: row["outcome"] for row in audit(request).items()}
    return "" if rows == {f"dataset/{o}.txt": o for o in texts} else f"verdicts {rows}"


_CHECKS: dict[str, Callable[[], str]] = {
    "the decision table": _decision,
    "text_v0, published vectors": _text,
    "image_v0, published vectors": _image,
    "audio_v0, published vectors": _audio,
    "video_v0, published vectors": _video,
    "url_v0, published vectors": _url,
    "log_v1, published vectors": _log,
    "an audit from end to end": _audit,
}
