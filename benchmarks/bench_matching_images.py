"""Pictures changed in 46 ways, against works, other works and look-alikes: ours and every peer that is installed.

    python benchmarks/bench_matching_images.py [--works 100] [--model MODELDIR] [--failures FOLDER]
                                               [--collection FOLDER] [--half report|tune|all]

Works are registered; each is asked for in 46 forms. Then pictures are asked for that are not registered, each in
two forms: `diverse` ones, and `hard` ones (garments on the same floors, deep sky) that look like works. Recall is
counted at the threshold, chosen for each method, at which 99 % of what it finds is right; and at the threshold the
method uses by default. Needs the packages named in suites/media.py, or a folder of pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import measure
from askfirst.fingerprint.descriptor import DescriptorQuery
from askfirst.fingerprint.image import ImageQuery, query_codes, stored_codes
from askfirst.io.embedding import Embedder
from askfirst.io.images import open_image
from askfirst.jobs.descriptor import COLOUR_PX, STORED_VIEWS, Depth, describe_items
from askfirst.match.descriptor import match_descriptors
from askfirst.match.image import match_images
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register import descriptor_index, image_index
from suites import images, lookalikes, media, picture_peers, scoring
from suites.processes import in_processes
from suites.scoring import Answers, Truth

FORMS_OF_OTHERS = 2
SHARE_HARD = 0.3
"""Share of works out of the hard group."""

WIDE_BITS = 63
"""The largest distance our search gives: for choosing a threshold afterwards."""

WIDE_DESCRIPTOR_BITS = 180
"""The same for descriptors."""

PUBLISHED = {
    "imagehash phash 64": 1 - 6 / 64,
    "imagehash dhash 64": 1 - 6 / 64,
    "imagehash whash 64": 1 - 6 / 64,
    "ISCC image code 64": 1 - 6 / 64,
    "ISCC image code 256": 1 - 24 / 256,
    "PDQ (pdqhash)": 1 - 31 / 256,
    "PDQ, 8 orientations": 1 - 31 / 256,
    "SSCD, raw cosine": 0.75,
}
"""Scores from which these methods' authors, or those who use them, speak of a copy."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is registered and what is asked; the first works are those that are asked for."""

    registered: list[Path]
    asked: list[Path]
    truth: Truth
    label: list[str]


def choose(pictures: Sequence[media.Picture], works: int, half: str) -> tuple[list[media.Picture], ...]:
    """Return works, unregistered pictures, backgrounds and other registered works, each in a stable mixed order."""
    mixed = sorted(pictures, key=lambda p: hashlib.sha256(p.name.encode()).digest())
    asked = [p for p in mixed if media.in_half(p.name, half)]
    diverse, hard = ([p for p in asked if p.group == group] for group in ("diverse", "hard"))
    hard_works = min(round(SHARE_HARD * works), len(hard) // 3)
    many = min(works - hard_works, len(diverse) // 3)
    backgrounds = diverse[many : many + 40]
    unregistered = diverse[many + len(backgrounds) :] + hard[hard_works : hard_works + 500]
    others = [p for p in mixed if not media.in_half(p.name, half)]
    return diverse[:many] + hard[:hard_works], unregistered, backgrounds, others


def make_task(arguments: argparse.Namespace) -> Task:
    """Choose the pictures and make all queries; those made before are kept in the cache."""
    pictures = media.pictures(arguments.cache, arguments.collection)
    works, unregistered, backgrounds, others = choose(pictures, arguments.works, arguments.half)
    jobs: list[tuple[media.Picture, images.Transformation, int]] = []
    for i, work in enumerate(works):
        jobs += [(work, change, i) for change in images.TRANSFORMATIONS]
    for picture in unregistered:
        picks = images.generator("pick", picture.name).permutation(len(images.TRANSFORMATIONS))[:FORMS_OF_OTHERS]
        jobs += [(picture, images.TRANSFORMATIONS[int(k)], -1) for k in picks]
    suite = hashlib.sha256(Path(images.__file__).read_bytes()).hexdigest()[:12]
    folder = arguments.cache / "queries" / f"images-{suite}"
    folder.mkdir(parents=True, exist_ok=True)
    back = [p.file for p in backgrounds]
    asked = in_processes(partial(_make_query, jobs=jobs, folder=folder, backgrounds=back), range(len(jobs)))
    truth = Truth(
        work=np.array([i for _, _, i in jobs]),
        weight=np.array([1 / len(images.TRANSFORMATIONS) if i >= 0 else 1.0 for _, _, i in jobs]),
        family=np.array([change.family for _, change, _ in jobs]),
        name=np.array([change.name for _, change, _ in jobs]),
        is_hard=np.array([i < 0 and p.group == "hard" for p, _, i in jobs]),
    )
    return Task([p.file for p in [*works, *others]], asked, truth, [f"{c.name} | {p.name}" for p, c, _ in jobs])


def _make_query(
    number: int, jobs: list[tuple[media.Picture, images.Transformation, int]], folder: Path, backgrounds: list[Path]
) -> Path:
    picture, change, _ = jobs[number]
    four = images.generator("backgrounds", change.name, picture.name).permutation(len(backgrounds))[:4]
    files = [backgrounds[int(k)] for k in four]
    made_of = "/".join([change.name, picture.name, *(f.stem for f in files)])
    file = folder / f"{hashlib.sha256(made_of.encode()).hexdigest()[:20]}.img"
    if not file.is_file():
        image, *others = (Image.open(f).convert("RGB") for f in [picture.file, *files])
        making = file.with_suffix(".part")
        making.write_bytes(images.query(change, picture.name, image, others))
        making.rename(file)
    return file


def _policy(bits: int | None = None) -> Policy:
    plain = Policy(use=Use.TRAIN_GENERATIVE, on=date(2026, 1, 1))
    return plain if bits is None else Policy(use=plain.use, on=plain.on, image_distance_bits=bits)


def our_query(data: bytes) -> ImageQuery:
    """Return what the product makes of a file that it looks up, in fast mode."""
    return query_codes(open_image(data).grey)


def our_work(data: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Return what the product registers of a file, in fast mode."""
    return stored_codes(open_image(data).grey)


def our_index(works: Sequence[bytes | Path]) -> image_index.ImageIndex:
    """Return the product's index of works."""
    made = in_processes(our_work, works)
    owner = np.repeat(np.arange(len(works), dtype=np.uint32), [len(codes) for codes, _ in made])
    codes, turned = (np.concatenate([part[k] for part in made]) for k in (0, 1))
    return image_index.ImageIndex.from_arrays(image_index.build(codes, owner, turned))


def our_answers(queries: Sequence[ImageQuery], index: image_index.ImageIndex, bits: int | None) -> Answers:
    """Return the best hit of each query; by the default policy, or within so many bits."""
    hits = match_images(np.arange(len(queries), dtype=np.int32), queries, index, _policy(bits))
    return best_of(hits.row, hits.work, hits.score, len(queries))


def best_of(row: NDArray[Any], work: NDArray[Any], score: NDArray[Any], count: int) -> Answers:
    """Return the hit of the highest score for each row."""
    out = Answers(np.full(count, -1, np.int64), np.full(count, -np.inf))
    for i in np.argsort(score, kind="stable"):
        out.work[row[i]], out.score[row[i]] = work[i], score[i]
    return out


def rate(step: Callable[[bytes], Any], files: Sequence[Path]) -> float:
    """Return pictures a second of processor time, one process, after one to warm up."""
    data = [f.read_bytes() for f in files]
    step(data[0])
    start = time.process_time()
    for one in data:
        step(one)
    return len(data) / (time.process_time() - start)


def timed(files: Sequence[Path]) -> list[Path]:
    """Return the works' files whose decoding and coding is timed."""
    return list(files[:60])


class Method:
    """One way to find pictures: codes of works and queries, answers, and the score from which it speaks of a copy."""

    def __init__(self, name: str, size_bytes: int, step: Callable[[bytes], Any]) -> None:
        self.name, self.size_bytes, self.step = name, size_bytes, step
        self.published = PUBLISHED.get(name, -np.inf)

    def answers(self, works: Sequence[bytes | Path], asked: Sequence[bytes | Path]) -> tuple[Answers, Answers]:
        """Return answers for choosing a threshold, and answers at the default one."""
        registered, queries = in_processes(self.step, works), in_processes(self.step, asked)
        found = picture_peers.nearest(queries, np.concatenate([codes[:1] for codes in registered]))
        return found, cut(found, self.published)


class OursFast(Method):
    def answers(self, works: Sequence[bytes | Path], asked: Sequence[bytes | Path]) -> tuple[Answers, Answers]:
        index, queries = our_index(works), in_processes(our_query, asked)
        return our_answers(queries, index, WIDE_BITS), our_answers(queries, index, None)


class OursWithModel(Method):
    """Standard and deep mode: a match in fast mode is the surest; then how near the descriptors are."""

    def __init__(self, model: Path, depth: Depth) -> None:
        super().__init__(f"askfirst, {depth}", 96 if depth is Depth.STANDARD else 32 + 6 * 64, self.describe)
        self.depth = depth
        self.stored = STORED_VIEWS["one" if depth is Depth.STANDARD else "six"]
        self.embedder = Embedder.load(model)
        self.index: descriptor_index.DescriptorIndex | None = None

    def colours(self, data: bytes) -> NDArray[np.uint8]:
        rgb = open_image(data, colour_px=COLOUR_PX[self.depth]).rgb
        assert rgb is not None
        return rgb

    def register(self, data: bytes) -> DescriptorQuery:
        return self.embedder.describe(self.colours(data), self.stored)

    def describe(self, data: bytes) -> list[DescriptorQuery]:
        assert self.index is not None
        query_codes(open_image(data).grey)
        return describe_items([self.colours(data)], self.embedder, self.index, self.depth)

    def answers(self, works: Sequence[bytes | Path], asked: Sequence[bytes | Path]) -> tuple[Answers, Answers]:
        made = in_processes(self.register, works)
        owner = np.repeat(np.arange(len(works), dtype=np.uint32), [len(one.codes) for one in made])
        codes, views = (np.concatenate([getattr(one, part) for one in made]) for part in ("codes", "views"))
        self.index = descriptor_index.DescriptorIndex.from_arrays(descriptor_index.build(codes, owner, views))
        queries = [one for (one,) in in_processes(self.describe, asked)]
        fast = our_answers(in_processes(our_query, asked), our_index(works), None)
        rows, out = np.arange(len(asked), dtype=np.int32), []
        for policy in (replace(_policy(), descriptor_distance_bits=WIDE_DESCRIPTOR_BITS), _policy()):
            hits = match_descriptors(rows, queries, self.index, self.embedder.level, policy)
            near = best_of(hits.row, hits.work, hits.score, len(asked))
            is_fast = fast.work >= 0
            out.append(Answers(np.where(is_fast, fast.work, near.work), np.where(is_fast, 1 + fast.score, near.score)))
        return out[0], out[1]


class RawCosine(Method):
    def answers(self, works: Sequence[bytes | Path], asked: Sequence[bytes | Path]) -> tuple[Answers, Answers]:
        registered, queries = in_processes(self.step, works), in_processes(self.step, asked)
        found = picture_peers.nearest_cosine(np.stack(queries), np.stack(registered))
        return found, cut(found, self.published)


def cut(answers: Answers, least: float) -> Answers:
    """Return the answers from this score on."""
    kept = answers.score >= least
    return Answers(np.where(kept, answers.work, -1), np.where(kept, answers.score, -np.inf))


def methods(arguments: argparse.Namespace) -> list[Method]:
    """Return ours and every peer that is installed."""
    out: list[Method] = [OursFast("askfirst, fast", 32, our_query)]
    if arguments.model is not None:
        out += [OursWithModel(arguments.model, depth) for depth in Depth]
    out += [Method(name, size, coder) for name, (coder, size, _) in picture_peers.installed().items()]
    if arguments.raw_model and find_spec("onnxruntime"):
        out.append(RawCosine("SSCD, raw cosine", 2048, picture_peers.RawEmbedding(arguments.raw_model)))
    return [m for m in out if not arguments.only or any(word in m.name for word in arguments.only.split(","))]


def hard_truths(every: Sequence[Method], cache: Path) -> dict[str, dict[str, int]]:
    """Print and return how many look-alikes each method takes for each other at its default threshold."""
    out: dict[str, dict[str, int]] = {}
    rows = []
    for name in lookalikes.SETS:
        works, asked = lookalikes.pairs(cache, name)
        if not works:
            continue
        right, counts = np.arange(len(works)), {}
        for method in every:
            said = method.answers(works, asked)[1].work
            counts[method.name] = int(((said >= 0) & (said != right)).sum())
        out[name] = {"pictures": len(works), **counts}
        rows.append([name, str(len(works)), *(str(counts[m.name]) for m in every)])
    print("\nlook-alikes: pictures taken for another one of the set, at default thresholds")
    print(scoring.table(rows, ["set", "pictures", *(m.name for m in every)]))
    return out


def report_failures(task: Task, answers: Answers, folder: Path) -> None:
    """Write two sheets: works our default threshold missed, one of each transformation, and what it found wrongly."""
    missed, wrong, seen = [], [], set()
    for i, (work, said) in enumerate(zip(task.truth.work, answers.work, strict=True)):
        if said >= 0 and said != work:
            both = task.asked[i].read_bytes(), task.registered[said].read_bytes()
            wrong.append((f"{task.label[i]} {answers.score[i]:.2f}", *both))
        elif work >= 0 > said and (task.truth.name[i], work % 2) not in seen:
            seen.add((task.truth.name[i], work % 2))
            missed.append((task.label[i], task.asked[i].read_bytes(), task.registered[work].read_bytes()))
    scoring.contact_sheet(missed, folder / "images-missed.png")
    scoring.contact_sheet(wrong[:60], folder / "images-false.png")
    print(f"{len(missed)} of what is missed and {min(60, len(wrong))} false matches are shown in {folder}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--works", type=int, default=100)
    parser.add_argument("--half", choices=("report", "tune", "all"), default="report")
    parser.add_argument("--cache", type=Path, default=media.default_cache())
    parser.add_argument("--collection", type=Path, help="a folder of pictures to use instead of the packages")
    parser.add_argument("--model", type=Path, help="a model folder: adds our standard and deep modes")
    parser.add_argument("--raw-model", type=Path, help="an ONNX export of SSCD, for its raw cosine as a peer")
    parser.add_argument("--failures", type=Path, help="where to write pictures of what went wrong")
    parser.add_argument("--only", default="", help="parts of names of methods, with commas")
    parser.add_argument("--no-look-alikes", action="store_true")
    parser.add_argument("--prepare", action="store_true", help="make the queries and stop")
    arguments = parser.parse_args()
    task = make_task(arguments)
    if arguments.prepare:
        return
    truth, every = task.truth, methods(arguments)
    if arguments.model is None:
        print("no model given: our standard and deep modes are left out (--model MODELDIR)")
    positive, negative = truth.work >= 0, truth.work < 0
    asked_for = f"{len(set(truth.work[positive]))} works x {len(images.TRANSFORMATIONS)} forms"
    counts = f"{asked_for}, {len(task.registered)} registered"
    print(f"{counts}; unregistered: {int((negative & ~truth.is_hard).sum())} diverse, {int(truth.is_hard.sum())} hard")
    results: dict[str, Any] = {}
    for method in every:
        wide, default = method.answers(task.registered, task.asked)
        figures = scoring.evaluate(truth, wide, images.FAMILIES)
        wrong = scoring.false_matches(truth, default, -np.inf)
        figures["default"] = {
            "recall": scoring.share(scoring.found(truth, default, -np.inf), positive),
            "false_diverse": int((wrong & negative & ~truth.is_hard).sum()),
            "false_hard": int((wrong & truth.is_hard).sum()),
            "false_of_works": int((wrong & positive).sum()),
        }
        figures["bytes"] = method.size_bytes
        figures["per_second"] = rate(method.step, timed(task.registered))
        results[method.name] = figures
        if method is every[0] and arguments.failures:
            report_failures(task, default, arguments.failures)
    print_tables(results, task)
    same = {} if arguments.no_look_alikes or arguments.collection else hard_truths(every, arguments.cache)
    keep({"task": counts, "half": arguments.half, "methods": results, "look_alikes": same})


def keep(new: dict[str, Any]) -> None:
    """Write the figures; those of other methods on the same task, from an earlier run, stay."""
    file = Path(measure.__file__).parent / "results" / "matching-images.json"
    old = json.loads(file.read_text()) if file.is_file() else {}
    if (old.get("task"), old.get("half")) == (new["task"], new["half"]):
        new["methods"] = {**old["methods"], **new["methods"]}
        names = [*old["look_alikes"], *(n for n in new["look_alikes"] if n not in old["look_alikes"])]
        new["look_alikes"] = {n: {**old["look_alikes"].get(n, {}), **new["look_alikes"].get(n, {})} for n in names}
    measure.save("matching-images", new)


def print_tables(results: dict[str, Any], task: Task) -> None:
    """Print the tables: overall, by family, at default thresholds."""
    negative = task.truth.work < 0
    rows = [
        [
            name,
            str(r["bytes"]),
            f"{r['diverse']['recall']:.3f}",
            f"{r['diverse']['recall_at_1_percent_false']:.3f}",
            f"{r['hard']['recall']:.3f}",
            f"{r['hard']['recall_at_1_percent_false']:.3f}",
            f"{r['default']['recall']:.3f}",
            f"{r['default']['false_diverse']}/{int((negative & ~task.truth.is_hard).sum())}",
            f"{r['default']['false_hard']}/{int(task.truth.is_hard.sum())}",
            str(r["default"]["false_of_works"]),
            f"{r['per_second']:.0f}",
        ]
        for name, r in results.items()
    ]
    heads = (
        "R@P99 diverse,R@1%F diverse,R@P99 hard,R@1%F hard,R default,false diverse,false hard,wrong work,files/s core"
    )
    print(f"\n{measure.machine()}\n" + scoring.table(rows, ["method", "bytes", *heads.split(",")]))
    rows = [[f, *(f"{r['diverse']['families'][f]:.2f}" for r in results.values())] for f in images.FAMILIES]
    print("\nrecall by family, at precision 0.99 among diverse pictures\n" + scoring.table(rows, ["family", *results]))


if __name__ == "__main__":
    main()
