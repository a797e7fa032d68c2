"""Music changed in 25 ways, 5, 10 and 30 seconds of it, against works and unregistered music: ours and Chromaprint.

    python benchmarks/bench_matching_sounds.py [--tracks 40] [--others 200] [--failures FOLDER]
                                               [--collection FOLDER] [--half report|tune|all]

The first two minutes of each track are registered. Ours answers at its default threshold. Chromaprint is looked up
by an index of its numbers, exactly and with one bit turned, and gets, for each length, the threshold that just
lets none of the unregistered excerpts through. Needs ffmpeg and espeak-ng, and the packages named in suites/media.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from askfirst.fingerprint import audio
from askfirst.io.sounds import open_sound
from askfirst.match.audio import match_sounds
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register import audio_index
from measure import machine, save
from suites import media, scoring, sounds
from suites.processes import in_processes
from suites.sound_peers import ChromaprintIndex, chromaprint_cuts, chromaprint_of

SPAN_OFF_S = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One look-up: a file, from where to where, and the truth.

    Args:
        file: What is decoded.
        length_s: How much of it is looked up, from `sounds.SKIP_S` on.
        work: The track registered, or -1.
        change: The transformation's name, or nothing.
        starts_s: Where in the work it begins.
    """

    file: Path
    length_s: int
    work: int
    change: str
    starts_s: float


@dataclass(frozen=True, slots=True)
class Task:
    works: list[bytes]
    names: list[str]
    asked: list[Asked]


def make_task(arguments: argparse.Namespace) -> Task:
    """Choose tracks and make all queries; those made before are kept in the cache."""
    tracks = distinct(media.sounds(arguments.cache, arguments.collection))
    mixed = sorted(tracks, key=lambda f: hashlib.sha256(f.name.encode()).digest())
    mine = [f for f in mixed if media.in_half(f.name, arguments.half)]
    works, unregistered = mine[: arguments.tracks], mine[arguments.tracks :]
    fill = [f for f in mixed if not media.in_half(f.name, arguments.half)]
    folder = arguments.cache / "queries" / "sounds"
    folder.mkdir(parents=True, exist_ok=True)
    asked = []
    for files in in_processes(lambda i: _make_queries(works[i], folder), range(len(works))):
        for change, (file, work_name, starts_s) in zip(sounds.TRANSFORMATIONS, files, strict=True):
            number = [f.name for f in works].index(work_name)
            asked += [
                Asked(file, length, number, change.name, starts_s + sounds.SKIP_S * change.tempo)
                for length in sounds.LENGTHS_S
            ]
    a_track = -(-arguments.others // max(1, len(unregistered)))
    for files in in_processes(lambda i: _cut(unregistered[i], a_track, folder), range(len(unregistered))):
        asked += [Asked(file, length, -1, "", 0) for file in files for length in sounds.LENGTHS_S]
    start = in_processes(_begin, works + fill)
    return Task(start, [name_of(f) for f in works + fill], asked)


def distinct(tracks: Sequence[Path]) -> list[Path]:
    """Return the tracks of at least a minute; of several with one name or one size, the first."""
    seen: set[object] = set()
    out = []
    for file in tracks:
        keys = {file.stat().st_size, re.sub(r"\W|\d", "", file.stem.lower()) or file.name}
        if not keys & seen and file.stat().st_size > 400_000:
            out.append(file)
        seen |= keys
    return out


def name_of(file: Path) -> str:
    """Return a name for a track that may be part of a file name."""
    return f"{hashlib.sha256(file.name.encode()).hexdigest()[:8]}-{re.sub(r'[^A-Za-z0-9]+', '', file.stem)[:30]}"


def _begin(data: bytes) -> bytes:
    return sounds.wav_of(sounds.decode(data, 22_050, length_s=sounds.WORK_S), 22_050)


def _make_queries(file: Path, folder: Path) -> list[tuple[Path, str, float]]:
    length_s = len(sounds.decode(file, 4000)) / 4000
    starts_s = sounds.start_of(file.name, length_s)
    clip = sounds.decode(file, start_s=starts_s, length_s=sounds.CLIP_S * 1.1)
    return [
        (sounds.query(change, name_of(file), clip, folder), file.name, starts_s) for change in sounds.TRANSFORMATIONS
    ]


def _cut(file: Path, count: int, folder: Path) -> list[Path]:
    """Cut excerpts out of a track that is not registered."""
    out = []
    for k in range(count):
        made = folder / f"{name_of(file)}-excerpt{k}.wav"
        if not made.is_file():
            making = made.with_suffix(".part")
            making.write_bytes(sounds.wav_of(sounds.decode(file, 22_050, 5 + 17.3 * k, sounds.CLIP_S), 22_050))
            making.rename(made)
        if made.stat().st_size > (sounds.CLIP_S - 2) * 2 * 22_050:
            out.append(made)
    return out


# Ours ---------------------------------------------------------------------------------------------------------------


def _policy() -> Policy:
    return Policy(use=Use.TRAIN_GENERATIVE, on=date(2026, 1, 1))


def our_index(works: Sequence[bytes]) -> tuple[audio_index.AudioIndex, int]:
    """Return the product's index of works, and how many bytes their fingerprints take."""
    peaks = in_processes(lambda data: audio.stored_peaks(open_sound(data).samples), works)
    owner = np.repeat(np.arange(len(works), dtype=np.uint32), [len(p) for p in peaks])
    frame, pitch = np.concatenate([p.frame for p in peaks]), np.concatenate([p.bin for p in peaks])
    built = audio_index.build(owner, frame, pitch)
    return audio_index.AudioIndex.from_arrays(built), sum(len(audio.pack_peaks(p)) for p in peaks)


def our_answers(index: audio_index.AudioIndex, asked: Sequence[Asked]) -> list[tuple[int, float, float]]:
    """Return for each look-up the best work, -1 for none, the score, and where in the work it is said to begin."""
    policy = _policy()

    def look_up(file: Path) -> list[tuple[int, float, float]]:
        samples = open_sound(file.read_bytes()).samples[int(sounds.SKIP_S * audio.RATE_HZ) :]
        out = []
        for length in sounds.LENGTHS_S:
            query = audio.query_peaks(samples[: length * audio.RATE_HZ])
            hits = match_sounds(np.zeros(1, np.int32), [query], index, policy)
            if not len(hits):
                out.append((-1, 0.0, 0.0))
                continue
            best = int(np.argmax(hits.score))
            where = json.loads(hits.where[best].as_py())
            begins = where["work"][0] - where["item"][0] * where["tempo"]
            out.append((int(hits.work[best]), float(hits.score[best]), float(begins)))
        return out

    return for_each_file(look_up, asked)


def chromaprint_answers(task: Task) -> list[tuple[int, float]]:
    """Return for each look-up the best work by Chromaprint, and how sure it is."""
    index = ChromaprintIndex(in_processes(chromaprint_of, task.works))

    def look_up(file: Path) -> list[tuple[int, float]]:
        return [index.look_up(numbers) for numbers in chromaprint_cuts(file)]

    return for_each_file(look_up, task.asked)


def for_each_file(look_up: Callable[[Path], list[Any]], asked: Sequence[Asked]) -> list[Any]:
    """Return an answer for each look-up; those of one file stand together, one of each length."""
    files = [one.file for one in asked[:: len(sounds.LENGTHS_S)]]
    answers = in_processes(lambda number: look_up(files[number]), range(len(files)))
    return [answer for three in answers for answer in three]


def cut_at_others(task: Task, said: list[tuple[int, float]]) -> list[int]:
    """Return the works said, with the threshold of each length just above the best unregistered excerpt."""
    least = dict.fromkeys(sounds.LENGTHS_S, 0.0)
    for one, (_, score) in zip(task.asked, said, strict=True):
        if one.work < 0:
            least[one.length_s] = max(least[one.length_s], score)
    return [w if s > least[a.length_s] else -1 for a, (w, s) in zip(task.asked, said, strict=True)]


# Figures ------------------------------------------------------------------------------------------------------------


def recalls(task: Task, works: Sequence[int]) -> dict[str, list[float]]:
    """Return recall at each length for each transformation."""
    hits: dict[tuple[str, int], list[bool]] = {}
    for one, work in zip(task.asked, works, strict=True):
        hits.setdefault((one.change, one.length_s), []).append(work == one.work)
    return {
        change.name: [float(np.mean(hits[change.name, length])) for length in sounds.LENGTHS_S]
        for change in sounds.TRANSFORMATIONS
    }


def false_counts(task: Task, works: Sequence[int]) -> dict[str, int]:
    """Return how many unregistered excerpts are given a work, and how many works another one."""
    pairs = list(zip(task.asked, works, strict=True))
    return {
        "unregistered": sum(a.work < 0 for a in task.asked),
        "false": sum(a.work < 0 <= w for a, w in pairs),
        "other_work": sum(0 <= a.work != w >= 0 for a, w in pairs),
    }


def times_real_time(step: Callable[[bytes], object], files: Sequence[bytes], seconds: float) -> float:
    """Return seconds of sound a second of processor time, children counted, after one to warm up."""
    step(files[0])

    def spent() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    start = spent()
    for data in files:
        step(data)
    return seconds * len(files) / (spent() - start)


def speeds(index: audio_index.AudioIndex, task: Task) -> dict[str, float]:
    """Return how many times faster than playing each side is, from MP3 files of two minutes, per core."""
    files = [_mp3(data) for data in task.works[:8]]
    policy = _policy()

    def ours(data: bytes) -> object:
        query = audio.query_peaks(open_sound(data).samples)
        return match_sounds(np.zeros(1, np.int32), [query], index, policy)

    def fpcalc(data: bytes) -> object:
        with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
            file.write(data)
            file.flush()
            # It prints the fingerprint and yet ends with 3 where a file ends before its last frame.
            done = subprocess.run(["fpcalc", "-length", "120", file.name], check=False, capture_output=True)
            assert b"FINGERPRINT=" in done.stdout
            return done

    out = {
        "ours, decode only": times_real_time(open_sound, files, sounds.WORK_S),
        "ours, decode and fingerprint": times_real_time(
            lambda d: audio.stored_peaks(open_sound(d).samples), files, sounds.WORK_S
        ),
        "ours, decode, fingerprint, match": times_real_time(ours, files, sounds.WORK_S),
    }
    if shutil.which("fpcalc"):
        out["fpcalc, decode and fingerprint"] = times_real_time(fpcalc, files, sounds.WORK_S)
    return out


def _mp3(data: bytes) -> bytes:
    command = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3", "-"]
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def hard_truths(has_chromaprint: bool) -> dict[str, dict[str, int]]:
    """Print and return how many sounds that are alike are taken for each other."""
    out, rows = {}, []
    for name in sounds.LOOK_ALIKES:
        works, asked_bytes = sounds.look_alikes(name)
        index, _ = our_index(works)
        policy = _policy()
        queries = [audio.query_peaks(open_sound(data).samples) for data in asked_bytes]
        hits = match_sounds(np.arange(len(queries), dtype=np.int32), queries, index, policy)
        counts = {"sounds": len(works), "ours": len(set(hits.row[hits.row != hits.work].tolist()))}
        if has_chromaprint:
            theirs = ChromaprintIndex([chromaprint_of(data) for data in works])
            said = [theirs.look_up(chromaprint_of(data)) for data in asked_bytes]
            counts["chromaprint"] = sum(w not in {-1, i} and s > 0.1 for i, (w, s) in enumerate(said))
        out[name] = counts
        rows.append([name, *map(str, counts.values())])
    print("\nalike, not copies: taken for another one of the set")
    print(scoring.table(rows, ["set", *next(iter(out.values()))]))
    return out


def report_failures(task: Task, said: Sequence[tuple[int, float, float]], folder: Path) -> None:
    """Write a picture of spectra: what was missed at 30 seconds, and what was found wrongly."""
    cells = []
    for one, (work, score, _) in zip(task.asked, said, strict=True):
        is_false = work >= 0 and work != one.work
        if is_false or (one.work >= 0 > work and one.length_s == max(sounds.LENGTHS_S)):
            line = f"{'FALSE' if is_false else 'missed'} {one.length_s} s {one.change} {one.file.stem[9:]} {score:.2f}"
            shown = work if is_false else one.work
            cells.append((not is_false, line, one, shown))
    cells.sort(key=lambda c: c[0])
    sheet = [
        (line, spectrum(one.file.read_bytes(), one.length_s), spectrum(task.works[shown], 30))
        for _, line, one, shown in cells[:48]
    ]
    scoring.contact_sheet(sheet, folder / "sounds.png")
    print(f"{len(sheet)} of {len(cells)} failures are shown in {folder}")


def spectrum(data: bytes, length_s: float) -> bytes:
    """Return a picture of a sound: time to the right, pitch upwards."""
    command = ["ffmpeg", "-v", "error", "-t", str(length_s + sounds.SKIP_S), "-i", "pipe:0", "-lavfi"]
    command += ["showspectrumpic=s=240x120:legend=0:scale=log", "-f", "image2pipe", "-c:v", "png", "-"]
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracks", type=int, default=40)
    parser.add_argument("--others", type=int, default=200, help="excerpts of unregistered tracks, at least")
    parser.add_argument("--half", choices=("report", "tune", "all"), default="report")
    parser.add_argument("--cache", type=Path, default=media.default_cache())
    parser.add_argument("--collection", type=Path)
    parser.add_argument("--failures", type=Path)
    parser.add_argument("--prepare", action="store_true", help="make the queries and stop")
    parser.add_argument("--ours-only", action="store_true")
    arguments = parser.parse_args()
    if missing := sounds.missing_programs():
        sys.exit(f"this needs {' and '.join(missing)}")
    task = make_task(arguments)
    counts = f"{arguments.tracks} tracks x {len(sounds.TRANSFORMATIONS)} forms, {len(task.works)} registered"
    print(counts)
    if arguments.prepare:
        return
    index, size_bytes = our_index(task.works)
    ours = our_answers(index, task.asked)
    sides = {"ours": [w for w, _, _ in ours]}
    has_chromaprint = not arguments.ours_only and find_spec("chromaprint") is not None
    if has_chromaprint:
        sides["chromaprint"] = cut_at_others(task, chromaprint_answers(task))
    figures = {name: {"recall": recalls(task, works), **false_counts(task, works)} for name, works in sides.items()}
    heads = [f"{name} {s} s" for name in sides for s in sounds.LENGTHS_S]
    rows = [
        [change.name, *(f"{100 * share:.0f}" for name in sides for share in figures[name]["recall"][change.name])]
        for change in sounds.TRANSFORMATIONS
    ]
    print(f"\n{machine()}\nrecall in percent\n" + scoring.table(rows, ["transformation", *heads]))
    for name, side in figures.items():
        print(f"{name}: {side['false']} false of {side['unregistered']} excerpts; {side['other_work']} another work")
    right = [(a, begins) for a, (w, _, begins) in zip(task.asked, ours, strict=True) if a.work >= 0 and w == a.work]
    near = float(np.mean([abs(begins - a.starts_s) <= SPAN_OFF_S for a, begins in right])) if right else 0.0
    minutes = sum(len(w) for w in task.works) / 2 / 22_050 / 60
    speed = speeds(index, task)
    print(f"begins within {SPAN_OFF_S:.0f} s of the truth: {near:.3f}; {size_bytes / minutes:,.0f} bytes a minute")
    print("times real time, a core: " + "; ".join(f"{k} {v:.0f}" for k, v in speed.items()))
    same = hard_truths(has_chromaprint)
    if arguments.failures:
        report_failures(task, ours, arguments.failures)
    extra = {"span_within_1_s": near, "bytes_a_minute": size_bytes / minutes, "times_real_time": speed}
    if not arguments.ours_only:
        save("matching-sounds", {"task": counts, "half": arguments.half, "sides": figures, **extra, "alike": same})


if __name__ == "__main__":
    main()
