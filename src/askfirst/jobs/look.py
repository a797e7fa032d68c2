"""Look at single things: one item of an audit, one file beside a register, one file's fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from askfirst.errors import AskFirstError, InputError
from askfirst.fingerprint.audio import query_peaks
from askfirst.fingerprint.image import query_codes
from askfirst.fingerprint.video import query_frames
from askfirst.io.files import read_path
from askfirst.jobs.describer import Describer
from askfirst.jobs.media import Opened, open_bytes
from askfirst.jobs.prints import Print, print_of
from askfirst.match import Hits
from askfirst.match.audio import match_sounds
from askfirst.match.descriptor import match_descriptors
from askfirst.match.digest import match_digests
from askfirst.match.hits import KINDS
from askfirst.match.image import match_images
from askfirst.match.text import match_texts
from askfirst.match.video import match_films
from askfirst.policy import Policy
from askfirst.register import Register

__all__ = ["find_item", "fingerprint_file", "match_file", "read_manifest", "works_of"]

_FIRST = np.zeros(1, np.int32)
_LIKE = 3


def read_manifest(out: Path, outcome: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of an audit's manifest, all or those of one outcome, in the order of the input.

    Raises:
        InputError: There is no finished audit in `out`.
    """
    for batch in _batches(out):
        table = batch if outcome is None else batch.filter(pc.equal(batch["outcome"], outcome))
        yield from table.to_pylist()


def find_item(out: Path, item_id: str) -> dict[str, Any]:
    """Return the manifest's row of one item.

    Raises:
        InputError: There is no finished audit in `out`, or no such item in it.
    """
    like: list[str] = []
    first: list[str] = []
    for batch in _batches(out):
        row = pc.index(batch["item_id"], item_id).as_py()
        if row >= 0:
            found: dict[str, Any] = batch.slice(row, 1).to_pylist()[0]
            return found
        if len(like) < _LIKE:
            like += batch["item_id"].filter(pc.match_substring(batch["item_id"], item_id[-40:])).to_pylist()[:_LIKE]
        first = first or batch["item_id"][:2].to_pylist()
    names = ", ".join(like[:_LIKE] or first)
    raise InputError(f"the audit has no item {item_id!r}", kind="missing", advice=f"for example: {names}")


def works_of(out: Path, row: Mapping[str, Any], register: Path | None) -> dict[str, dict[str, str]]:
    """Return title and creator of the works named in one row's evidence, by `work_id`.

    Args:
        out: Folder of the audit; it remembers where its register was.
        row: A row of its manifest.
        register: Where the register is now; None to look where it was.
    """
    folder = register or _remembered_register(out)
    if folder is None:
        return {}
    opened, works = Register.open(folder), {}
    for work_id in {fact["work_id"] for fact in row["evidence"]} - {None}:
        if (work := opened.find_work(work_id)) is not None:
            terms = ", ".join(t.title or t.terms_id for t in work.terms)
            works[work_id] = {"title": work.title, "creator": work.creator, "terms": terms}
    return works


def match_file(file: Path, register: Register, policy: Policy, describer: Describer | None = None) -> dict[str, Any]:
    """Compare one file with a register, its pictures by a model too where there is one.

    Returns:
        {"file", "medium", "matches": [{"work_id", "kind", "score", "where", "cover"}], "error"}
    """
    try:
        opened = open_bytes(read_path(file), file.name, colour_px=describer.colour_px if describer else 0)
    except InputError as error:
        return {"file": str(file), "medium": None, "matches": [], "error": str(error)}
    hits = _hits(opened, register, policy, describer)
    matches = [
        {
            "work_id": register.work_ids[int(hits.work[i])].as_py(),
            "kind": KINDS[hits.kind[i]].value,
            "score": round(float(hits.score[i]), 4),
            "where": _where(hits.where[i].as_py()),
            "cover": round(float(hits.cover[i]), 4),
        }
        for i in range(len(hits))
    ]
    flaw = opened.gaps[0].cause if opened.gaps else None
    return {"file": str(file), "medium": opened.medium.value, "matches": matches, "error": flaw}


def fingerprint_file(file: Path) -> dict[str, Any]:
    """Return what a register would hold of one file, as JSON values.

    Returns:
        {"file", "medium", "digests": [hex], "text": {density: {"hashes": [hex], "positions": [int]}},
        "image": [hex], "audio": {"frames": [int], "bins": [int]}, "video": {"codes": [hex], "times_ms": [int]},
        "error"}
    """
    try:
        opened = open_bytes(read_path(file), file.name, dense=True)
    except InputError as error:
        return {"file": str(file), "medium": None, **_fingerprints(Print()), "error": str(error)}
    one = print_of(opened)
    return {"file": str(file), "medium": opened.medium.value, **_fingerprints(one), "error": one.problem or None}


def _fingerprints(one: Print) -> dict[str, Any]:
    return {
        "digests": [digest.hex() for digest in one.digests],
        "text": {
            name: {"hashes": [f"{h:016x}" for h in grams.hashes.tolist()], "positions": grams.positions.tolist()}
            for name, grams in one.grams.items()
        },
        "image": _hex(one.codes),
        "audio": {"frames": one.peaks.frame.tolist(), "bins": one.peaks.bin.tolist()},
        "video": {"codes": _hex(one.frames.codes), "times_ms": one.frames.time_ms.tolist()},
    }


def _hex(codes: NDArray[np.uint64]) -> list[str]:
    return [code.astype(">u8").tobytes().hex() for code in codes]


def _hits(opened: Opened, register: Register, policy: Policy, describer: Describer | None) -> Hits:
    digest: NDArray[np.uint8] = np.frombuffer(opened.digest, np.uint8).reshape(1, 32)
    parts = [match_digests(_FIRST, digest, register.digests)]
    if opened.grey is not None:
        parts.append(match_images(_FIRST, (query_codes(opened.grey),), register.images, policy))
    if describer and opened.rgb is not None:
        codes = (describer.describe(opened.rgb),)
        parts.append(match_descriptors(_FIRST, codes, register.descriptors, describer.level, policy, with_review=True))
    if opened.sound is not None:
        parts.append(match_sounds(_FIRST, (query_peaks(opened.sound),), register.sounds, policy))
    if opened.film is not None:
        film = query_frames(opened.film.frames, opened.film.seconds)
        parts.append(match_films(_FIRST, (film,), register.films, policy))
    if opened.text is not None:
        texts = pa.array([opened.text], pa.large_string())
        parts.append(match_texts(texts, register.texts, policy, register.size, register.wholes).hits)
    return Hits.concat(parts)


def _where(text: str | None) -> Mapping[str, Any] | None:
    return json.loads(text) if text else None


def _remembered_register(out: Path) -> Path | None:
    """Return the folder of an audit's register, if it is still the same one."""
    file = out / "register.json"
    if not file.is_file():
        return None
    known = json.loads(file.read_bytes())
    folder = (out / known["path"]).resolve()
    try:
        return folder if Register.open(folder).manifest.root == known["root"] else None
    except AskFirstError:  # moved, replaced or damaged since: the verdict stands without the names
        return None


def _batches(out: Path) -> Iterator[pa.RecordBatch]:
    """Yield the manifest in batches, in the order of the input."""
    folder = out / "manifest"
    if not folder.is_dir():
        raise InputError(
            f"{out} holds no finished audit", kind="missing", advice="make one with: askfirst audit SOURCE --out DIR"
        )
    for part in sorted(folder.glob("*.parquet")):
        yield from pq.ParquetFile(part).iter_batches()
