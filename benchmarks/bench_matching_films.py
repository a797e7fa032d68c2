"""Clips of ten seconds, edited in 13 ways, against films and unregistered films: ours and frames by PDQ, as vPDQ.

    python benchmarks/bench_matching_films.py [--films 14] [--others 40] [--failures FOLDER] [--collection FOLDER]

Ours answers at its default threshold. The peer takes one frame a second of both sides, hashes it by pdqhash as it
is and mirrored, and counts a film as found where at least a fifth, or half, of the clip's frames are within 31 bits of
one of its frames. Needs ffmpeg, and the packages named in suites/media.py.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askfirst.fingerprint.video import query_frames, stored_frames
from askfirst.io.films import open_film
from askfirst.match.video import match_films
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register import video_index
from measure import machine, save
from suites import films, media, scoring
from suites.processes import in_processes

PDQ_BITS = 31
PDQ_QUALITY = 50
SHARES = (0.2, 0.5)
SPAN_OFF_S = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    file: Path
    work: int
    edit: str
    starts_s: float
    speed: float


@dataclass(frozen=True, slots=True)
class Task:
    works: list[Path]
    asked: list[Asked]


def make_task(arguments: argparse.Namespace) -> Task:
    """Choose and make films, and all clips; those made before are kept in the cache."""
    folder = arguments.cache / "queries" / "films"
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(media.pictures(arguments.cache), key=lambda p: hashlib.sha256(p.name.encode()).digest())
    pictures = [p.file for p in found if p.group == "diverse"]
    under, pictures = pictures[:20], pictures[20:]
    groups = [pictures[i::70] for i in range(70)]
    made = in_processes(lambda k: films.make(f"made-{k}", groups[k], folder), range(arguments.films))
    works = media.films(arguments.cache, arguments.collection) + (made if arguments.collection is None else [])

    def edit(job: tuple[int, films.Edit]) -> Asked:
        number, change = job
        name = f"{number:02d}-{works[number].stem}"
        file, starts_s = films.query(change, name, works[number], under[number % len(under)], folder)
        return Asked(file, number, change.name, starts_s, change.speed)

    asked = in_processes(edit, [(k, change) for k in range(len(works)) for change in films.EDITS])
    last = len(groups) - 1
    others = in_processes(
        lambda k: films.make(f"other-{k}", groups[last - k], folder, films.CLIP_S), range(arguments.others)
    )
    return Task(works, asked + [Asked(file, -1, "", 0, 1) for file in others])


def _policy() -> Policy:
    return Policy(use=Use.TRAIN_GENERATIVE, on=date(2026, 1, 1))


def our_index(works: Sequence[Path]) -> tuple[video_index.VideoIndex, int]:
    """Return the product's index of works, and how many rows it has."""
    made = in_processes(lambda data: stored_frames(open_film(data, dense=True).frames), works)
    owner = np.repeat(np.arange(len(works), dtype=np.uint32), [len(codes.codes) for codes in made])
    codes, turned, times = (
        np.concatenate([getattr(one, part) for one in made]) for part in ("codes", "orientations", "time_ms")
    )
    return video_index.VideoIndex.from_arrays(video_index.build(codes, owner, turned, times)), len(owner)


def our_answers(index: video_index.VideoIndex, files: Sequence[Path]) -> list[list[tuple[int, float, Any]]]:
    """Return all hits of each file: work, score, where."""
    return in_processes(partial(_look_up, index=index), files)


def pdq_frames(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return u8[f, 32] of one frame a second that has enough detail, as it is and mirrored."""
    import av
    import pdqhash

    plain, mirrored, due = [], [], 0.0
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(video=0):
            if frame.time is None or frame.time < due:
                continue
            due = frame.time + 1.0
            codes, quality = pdqhash.compute_dihedral(frame.to_ndarray(format="rgb24"))
            if quality >= PDQ_QUALITY:
                plain.append(codes[0])
                mirrored.append(codes[5])
    pack = [np.packbits(np.array(rows, np.uint8).reshape(-1, 256), axis=1) for rows in (plain, mirrored)]
    return pack[0], pack[1]


def pdq_shares(works: Sequence[Path], files: Sequence[Path]) -> NDArray[np.float64]:
    """Return f64[files, works]: the share of frames of a file that are within the distance of a frame of the work."""
    stored = [plain.view(np.uint64) for plain, _ in in_processes(pdq_frames, works)]
    out = np.zeros((len(files), len(works)))
    for i, both in enumerate(in_processes(pdq_frames, files)):
        for codes in (one.view(np.uint64) for one in both):
            for k, frames in enumerate(stored):
                if len(codes) and len(frames):
                    bits = np.bitwise_count(codes[:, None] ^ frames[None]).sum(2, dtype=np.int64)
                    out[i, k] = max(out[i, k], float((bits.min(1) <= PDQ_BITS).mean()))
    return out


def speed(index: video_index.VideoIndex, folder: Path, sample: Path) -> dict[str, float]:
    """Return how many times faster than playing each side is, for two minutes at 1280 x 720, per core."""
    steps: dict[str, Callable[[bytes], object]] = {"ours": lambda data: _look_up(data, index)}
    if find_spec("pdqhash"):
        steps["PDQ, 1 frame a second"] = pdq_frames
    out = {}
    for gap_s in (2, 10):
        file = folder / f"speed-720p-{gap_s}.mp4"
        if not file.is_file():
            size = ["-vf", f"scale=1280:720,fps={films.RATE}", "-g", str(gap_s * films.RATE)]
            films.run("-stream_loop", "60", "-i", sample, "-t", "120", *size, *films.X264, file)
        data = file.read_bytes()
        for name, step in steps.items():
            start = time.process_time()
            step(data)
            out[f"{name}, key frame every {gap_s} s"] = 120 / (time.process_time() - start)
    return out


def _look_up(data: bytes, index: video_index.VideoIndex) -> list[tuple[int, float, Any]]:
    film = open_film(data)
    hits = match_films(np.zeros(1, np.int32), [query_frames(film.frames, film.seconds)], index, _policy())
    return [
        (int(w), float(s), json.loads(where.as_py()))
        for w, s, where in zip(hits.work, hits.score, hits.where, strict=True)
    ]


def hard_truths(cache: Path) -> dict[str, dict[str, int]]:
    """Print and return how many films that are alike are taken for each other."""
    folder = cache / "queries" / "films"
    out, rows = {}, []
    for name, load in films.LOOK_ALIKES.items():
        pairs = load(folder, cache)
        if not pairs:
            continue
        works, asked = [w for w, _ in pairs], [a for _, a in pairs]
        said = our_answers(our_index(works)[0], asked)
        counts = {"films": len(works), "ours": sum(any(w != i for w, _, _ in hits) for i, hits in enumerate(said))}
        if find_spec("pdqhash"):
            shares = pdq_shares(works, asked)
            np.fill_diagonal(shares, 0)
            counts["pdq, a fifth"] = int((shares.max(1) >= SHARES[0]).sum())
        out[name] = counts
        rows.append([name, *map(str, counts.values())])
    print("\nalike, not copies: taken for another one of the set")
    print(scoring.table(rows, ["set", *next(iter(out.values()))]))
    return out


def report_failures(task: Task, said: list[list[tuple[int, float, Any]]], folder: Path) -> None:
    """Write a sheet of frames: what was found wrongly, then what was missed."""
    wrong, missed = [], []
    for one, hits in zip(task.asked, said, strict=True):
        label = f"{one.edit} {one.file.stem}"
        wrong += [
            (f"FALSE {label} {s:.2f}", still(one.file), still(task.works[w])) for w, s, _ in hits if w != one.work
        ]
        if one.work >= 0 and one.work not in {w for w, _, _ in hits}:
            missed.append((f"missed {label}", still(one.file), still(task.works[one.work])))
    scoring.contact_sheet([*wrong[:30], *missed[:60]], folder / "films.png")
    print(f"{len(wrong)} false and {len(missed)} missed are shown in {folder}")


def still(file: Path) -> bytes:
    """Return a frame of the middle of a film, as a JPEG."""
    frames = open_film(file.read_bytes()).frames
    out = io.BytesIO()
    Image.fromarray(frames[len(frames) // 2].grey).save(out, "JPEG")
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--films", type=int, default=14, help="how many films to make of pictures; at most 25")
    parser.add_argument("--others", type=int, default=40, help="how many unregistered ones to make; at most 40")
    parser.add_argument("--cache", type=Path, default=media.default_cache())
    parser.add_argument("--collection", type=Path)
    parser.add_argument("--failures", type=Path)
    parser.add_argument("--prepare", action="store_true", help="make the clips and stop")
    arguments = parser.parse_args()
    if which("ffmpeg") is None:
        sys.exit("this needs ffmpeg")
    task = make_task(arguments)
    counts = f"{len(task.works)} films x {len(films.EDITS)} edits, {sum(a.work < 0 for a in task.asked)} others"
    print(counts)
    if arguments.prepare:
        return
    index, rows_stored = our_index(task.works)
    files = [a.file for a in task.asked]
    said = our_answers(index, files)
    truth = np.array([a.work for a in task.asked])
    hits = {"ours": np.array([[any(w == k for w, _, _ in one) for k in range(len(task.works))] for one in said])}
    if find_spec("pdqhash"):
        shares = pdq_shares(task.works, files)
        hits |= {f"PDQ 1/s, {least:.0%} of frames": shares >= least for least in SHARES}
    figures: dict[str, Any] = {}
    right = np.arange(len(task.works))[None, :] == truth[:, None]
    for name, matrix in hits.items():
        found = (matrix & right).any(1)
        by_edit = {e.name: float(found[[a.edit == e.name for a in task.asked]].mean()) for e in films.EDITS}
        figures[name] = {
            "recall": float(found[truth >= 0].mean()),
            "false_pairs": int((matrix & ~right).sum()),
            "pairs": int((~right).sum()),
            "edits": by_edit,
        }
    rows = [[e.name, *(f"{100 * f['edits'][e.name]:.0f}" for f in figures.values())] for e in films.EDITS]
    rows.append(["all", *(f"{100 * f['recall']:.1f}" for f in figures.values())])
    rows.append(["false pairs", *(f"{f['false_pairs']}/{f['pairs']}" for f in figures.values())])
    print(f"\n{machine()}\nrecall in percent\n" + scoring.table(rows, ["edit", *figures]))
    off = [
        abs(where["work"][0] - where["item"][0] * a.speed - a.starts_s)
        for a, one in zip(task.asked, said, strict=True)
        for w, _, where in one
        if w == a.work
    ]
    near = float(np.mean(np.array(off) <= SPAN_OFF_S)) if off else 0.0
    fast = speed(index, arguments.cache / "queries" / "films", task.works[0])
    print(f"begins within {SPAN_OFF_S:.0f} s of the truth: {near:.3f}; {rows_stored} rows stored")
    print("times real time at 720p, a core: " + "; ".join(f"{k} {v:.0f}" for k, v in fast.items()))
    same = hard_truths(arguments.cache)
    if arguments.failures:
        report_failures(task, said, arguments.failures)
    extra = {"span_within_1_s": near, "times_real_time": fast, "alike": same}
    save("matching-films", {"task": counts, "sides": figures, **extra})


if __name__ == "__main__":
    main()
