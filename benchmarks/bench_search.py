"""Search in large registers: codes of pictures within 31 bits, grams of texts, one item against 10^6 and 10^7 works.

    python benchmarks/bench_search.py [hamming] [one] [text] [--codes 10000000] [--hashes 100000000] [--base FILE.npy]

hamming  Exact search within 31 of 256 bits: ours against faiss BinaryFlat and MultiHash. What both find is compared.
one      One picture, and one text of 1,000 words, against registers of 10^6 and 10^7 works: how the time grows.
text     Look-ups among 10^8 hashes: ours against numpy's searchsorted, in the order of arrival and sorted.

The codes are not uniform, for those of real pictures are not. Measured on 6,443 pictures of Debian packages and a
public set of product photographs: a code has 0.47 others within 31 bits; slots of 21 to 26 neighbouring bits agree
1.9 to 3.1 times as often as chance would have it in pictures that are further than 60 bits apart, and 2.8 to 6.6
times in all. `clustered` makes codes like these (figures printed with every run); --base takes real ones, u64[n, 4],
and fills up with changed copies.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from math import comb
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from askfirst.fingerprint.image import query_codes
from askfirst.fingerprint.text import LONG
from askfirst.io.images import open_image
from askfirst.match.image import match_images
from askfirst.match.text import match_texts
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register import image_index, text_index
from measure import machine, save

RADIUS_BITS = 31
QUERIES = 2048
BATCH = 256
SEED = 3
MEDIAN_OF = 3

KINDS = 8
"""Kinds of pictures; those of a kind have rows of 16 bits in common, give or take a quarter of the bits."""
SHARED_ROWS = 0.6
"""Part of the rows in which a picture is like its kind."""
COPIES = 0.3
"""Part of the codes that is another one with up to `COPY_FLIPS` flips: 0.5 neighbours within 31 bits a code."""
COPY_FLIPS = 60


@numba.njit
def _fill(codes: NDArray[np.uint64], start: int, kinds: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Write codes from `start` on: rows like those of their kind or by chance, or a copy of an earlier code."""
    for i in range(start, len(codes)):
        if i > 0 and rng.random() < COPIES:
            codes[i] = codes[rng.integers(0, i)]
            for _ in range(rng.integers(0, COPY_FLIPS + 1)):
                bit = rng.integers(0, 256)
                codes[i, bit >> 6] ^= np.uint64(1) << np.uint64(bit & 63)
            continue
        kind = rng.integers(0, KINDS)
        for row in range(16):
            drawn = rng.integers(0, 1 << 48)
            bits = drawn & 0xFFFF
            if drawn >> 32 < SHARED_ROWS * (1 << 16):
                bits = kinds[row, kind] ^ (bits & (drawn >> 16))
            codes[i, row >> 2] = codes[i, row >> 2] << np.uint64(16) | np.uint64(bits)


def clustered(count: int, base: NDArray[np.uint64] | None = None, *, seed: int = SEED) -> NDArray[np.uint64]:
    """Return u64[count, 4], codes as real pictures have: of the same kinds for every seed."""
    codes = np.zeros((count, 4), np.uint64)
    start = 0 if base is None else min(len(base), count)
    if base is not None:
        codes[:start] = base[:start]
    kinds = np.random.default_rng(SEED).integers(0, 1 << 16, (16, KINDS))
    _fill(codes, start, kinds, np.random.default_rng(seed))
    return codes


def queries_of(codes: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """Return codes to ask for: every second a stored one with 0 to 31 flips, every second a new one."""
    rng = np.random.default_rng(SEED + 1)
    asked = clustered(count, seed=SEED + 2)
    asked[0::2] = codes[rng.integers(0, len(codes), len(asked[0::2]))]
    for i in range(0, count, 2):
        for bit in rng.permutation(256)[: rng.integers(0, RADIUS_BITS + 1)]:
            asked[i, bit >> 6] ^= np.uint64(1) << np.uint64(bit & 63)
    return asked


def describe(codes: NDArray[np.uint64]) -> dict[str, float]:
    """Return how unlike chance codes are, from 6,000 of them: see the top."""
    some = codes[np.random.default_rng(SEED).permutation(len(codes))[:6000]]
    bits = np.unpackbits(some.view(np.uint8).reshape(-1, 32), axis=1, bitorder="little").astype(np.float32) * 2 - 1
    pairs = np.triu_indices(len(some), 1)
    distance = ((256 - bits @ bits.T) / 2)[pairs]
    figures = {
        "spread_bits": float(distance.std()),
        "neighbours_in_6000": float(2 * (distance <= 31).sum() / len(some)),
    }
    for slots in (10, 11, 12):
        sizes = [256 // slots + 1] * (256 % slots) + [256 // slots] * (slots - 256 % slots)
        share, more = divmod(RADIUS_BITS + 1, slots)
        chance, near, start = 0.0, 0.0, 0
        for i, size in enumerate(sizes):
            limit = share - 1 + (i >= slots - more)
            part = bits[:, start : start + size]
            near += float(((size - part @ part.T) / 2 <= limit)[pairs].mean())
            chance += sum(comb(size, k) for k in range(limit + 1)) / 2**size
            start += size
        figures[f"slots_{slots}_agree_x_chance"] = near / chance
    return figures


def per_second(step: Callable[[NDArray[np.uint64]], object], queries: NDArray[np.uint64], batch: int = BATCH) -> float:
    """Return queries a second of processor time: the median of several runs."""
    step(queries[:batch])
    speeds = []
    for _ in range(MEDIAN_OF):
        start = time.process_time()
        for i in range(0, len(queries), batch):
            step(queries[i : i + batch])
        speeds.append(len(queries) / (time.process_time() - start))
    return float(np.median(speeds))


def build_images(codes: NDArray[np.uint64], **options: Any) -> tuple[image_index.ImageIndex, float, float]:
    """Return our index, its bytes a code, and the seconds it took."""
    start = time.process_time()
    works, turned = np.arange(len(codes), dtype=np.uint32), np.zeros(len(codes), np.uint8)
    arrays = image_index.build(codes, works, turned, **options)
    seconds = time.process_time() - start
    size = sum(a.nbytes for a in arrays.values()) / len(codes)
    return image_index.ImageIndex.from_arrays(arrays), size, seconds


def hamming(count: int, base: NDArray[np.uint64] | None) -> dict[str, Any]:
    """Print and return queries a second a core, ours and faiss's, among so many codes."""
    codes = clustered(count, base)
    queries = queries_of(codes, QUERIES)
    figures: dict[str, Any] = {"codes": count, **describe(codes)}
    print(f"\n{count:,} codes: " + ", ".join(f"{k} {v:.2f}" for k, v in figures.items() if k != "codes"))
    index, size, seconds = build_images(codes)
    figures["askfirst"] = {
        "slots": len(index.slot_bits),
        "bytes_per_code": size,
        "build_cpu_s": seconds,
        "per_s": per_second(lambda q: index.search(q, RADIUS_BITS), queries),
        "per_s_one_by_one": per_second(lambda q: index.search(q, RADIUS_BITS), queries[:512], 1),
    }
    figures["askfirst"]["per_s_unrelated_only"] = per_second(lambda q: index.search(q, RADIUS_BITS), queries[1::2])
    _line("askfirst", figures["askfirst"])
    if find_spec("faiss"):
        figures |= _faiss(codes, queries, index)
    return figures


def _line(name: str, figures: dict[str, Any]) -> None:
    print(f"  {name:34}" + "  ".join(f"{k} {v:,.1f}" for k, v in figures.items() if v is not None), flush=True)


def _faiss(codes: NDArray[np.uint64], queries: NDArray[np.uint64], ours: image_index.ImageIndex) -> dict[str, Any]:
    import faiss

    faiss.omp_set_num_threads(1)
    rows = codes.view(np.uint8).reshape(-1, 32)

    def ask(index: Any) -> Callable[[NDArray[np.uint64]], Any]:
        return lambda q: index.range_search(q.view(np.uint8).reshape(-1, 32), RADIUS_BITS + 1)

    flat = faiss.IndexBinaryFlat(256)
    flat.add(rows)
    some = queries[: max(64, min(QUERIES, 200_000_000 // len(codes)))]
    result = {"faiss BinaryFlat": {"bytes_per_code": 32.0, "per_s": per_second(ask(flat), some, 64)}}
    _line("faiss BinaryFlat", result["faiss BinaryFlat"])
    ends, _, found = ask(flat)(some)
    theirs = {(q, int(e)) for q in range(len(some)) for e in found[int(ends[q]) : int(ends[q + 1])]}
    query, entry, _ = ours.search(some, RADIUS_BITS)
    mine = set(zip(query.tolist(), entry.tolist(), strict=True))
    both, more = len(mine & theirs), len(mine - theirs)
    print(f"  of {len(theirs):,} pairs that faiss BinaryFlat finds ours finds {both:,}, and {more} more")
    result["exact"] = {"pairs": len(theirs), "missed": len(theirs - mine), "more": len(mine - theirs)}
    if len(codes) <= 1_000_000:
        for slots, bits, flips in ((16, 16, 1), (11, 23, 2)):
            name = f"faiss MultiHash {slots}x{bits}, {flips} flips"
            index = faiss.IndexBinaryMultiHash(256, slots, bits)
            index.nflip = flips
            before = _resident()
            start = time.process_time()
            index.add(rows)
            result[name] = {
                "build_cpu_s": time.process_time() - start,
                "bytes_per_code": (_resident() - before) / len(codes),
                "per_s": per_second(ask(index), queries[:512]),
            }
            _line(name, result[name])
            del index
    return result


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


GRAMS_PER_WORK = 10


def text_arrays(postings: int) -> dict[str, NDArray[Any]]:
    """Return an index of works of ten grams each: random hashes, as far apart as real ones, which are minima too."""
    rng = np.random.default_rng(SEED)
    hashes = rng.integers(0, 1 << 60, postings, dtype=np.uint64)
    work = np.repeat(np.arange(postings // GRAMS_PER_WORK, dtype=np.uint32), GRAMS_PER_WORK)
    position = np.tile(np.arange(GRAMS_PER_WORK, dtype=np.uint32) * np.uint32(64), postings // GRAMS_PER_WORK)
    return text_index.build(hashes, work, position, np.arange(postings // GRAMS_PER_WORK, dtype=np.uint32))


def one(base: NDArray[np.uint64] | None) -> dict[str, Any]:
    """Print and return the time of one picture and one text against 10^6 and 10^7 works.

    A picture of one megapixel: decode, fingerprint in 8 orientations, search, decide; and the search alone. A text of
    1,000 words: fold, fingerprint, look up, decide; and the look-ups alone.
    """
    rng = np.random.default_rng(SEED + 2)
    grams = rng.integers(0, 1 << 60, (200, 300), dtype=np.uint64)  # 1,000 words look up about 290
    files, words = _pictures(rng, 60), _texts(rng, 200)
    policy = Policy(Use("train-generative"), date(2026, 1, 1))
    figures: dict[str, Any] = {}
    for works in (1_000_000, 10_000_000):
        codes = clustered(works, base)
        images, queries = build_images(codes)[0], queries_of(codes, 8 * 200).reshape(200, 8, 4)
        del codes
        times = {
            "picture_ms": _median_ms(partial(_match_picture, images, policy), files),
            "picture_search_ms": _median_ms(partial(images.search, radius_bits=RADIUS_BITS), queries),
        }
        del images
        index = text_index.TextIndex.from_arrays(text_arrays(works * GRAMS_PER_WORK))
        times["text_ms"] = _median_ms(partial(_match_text, index, policy, works), words)
        times["text_search_ms"] = _median_ms(index.locate, grams)
        del index
        figures[f"{works}"] = times
        print(
            f"  one item against {works:>10,} works: {', '.join(f'{k} {v:.3f}' for k, v in times.items())}", flush=True
        )
    small, large = figures["1000000"], figures["10000000"]
    figures["grows"] = {k.removesuffix("_ms"): large[k] / small[k] for k in small}
    print("  grows: " + ", ".join(f"{k} {v:.2f}x" for k, v in figures["grows"].items()))
    return figures


def _pictures(rng: np.random.Generator, count: int) -> list[bytes]:
    """Return JPEG files of one megapixel: clouds, with some noise."""
    files = []
    for _ in range(count):
        clouds = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).resize((1000, 1000), 3)
        noise = rng.integers(0, 12, (250, 250, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
        file = BytesIO()
        Image.fromarray(np.asarray(clouds) // 2 + noise).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


def _texts(rng: np.random.Generator, count: int) -> list[str]:
    """Return texts of 1,000 words of 2 to 9 letters."""
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    vocabulary = ["".join(rng.choice(letters, size)) for size in rng.integers(2, 10, 5000)]
    return [" ".join(vocabulary[i] for i in rng.integers(0, 5000, 1000)) for _ in range(count)]


def _match_picture(images: image_index.ImageIndex, policy: Policy, data: bytes) -> None:
    match_images(np.zeros(1, np.int32), (query_codes(open_image(data).grey),), images, policy)


def _match_text(index: text_index.TextIndex, policy: Policy, works: int, text: str) -> None:
    match_texts(pa.array([text], pa.large_string()), {LONG.name: index}, policy, works)


def _median_ms(step: Callable[[Any], object], items: Iterable[Any]) -> float:
    items = list(items)
    step(items[0])
    times = []
    for item in items:
        start = time.perf_counter()
        step(item)
        times.append(time.perf_counter() - start)
    return float(np.median(times) * 1000)


def text(postings: int) -> dict[str, Any]:
    """Print and return look-ups a second a core and bytes a hash, ours and searchsorted's."""
    arrays = text_arrays(postings)
    sizes = {name: array.nbytes / postings for name, array in arrays.items()}
    index = text_index.TextIndex.from_arrays(arrays)
    rng = np.random.default_rng(SEED)
    stored = rng.integers(0, 1 << 60, postings, dtype=np.uint64)
    asked = np.random.default_rng(SEED + 5).integers(0, 1 << 60, 4_000_000, dtype=np.uint64)
    asked[::100] = stored[rng.integers(0, postings, len(asked[::100]))]
    ours = per_second(index.locate, asked, 65536)
    found = len(index.locate(asked).query)
    del index, arrays
    stored.sort()

    def in_order(q: NDArray[np.uint64]) -> NDArray[np.bool_]:
        return stored[np.minimum(np.searchsorted(stored, q), postings - 1)] == q

    unsorted = per_second(in_order, asked[:200_000], 65536)
    ordered = per_second(lambda q: in_order(np.sort(q)), asked, 1 << 20)
    keys, whole = sizes["prefix"] + sizes["remainder"] + sizes["bloom"], sum(sizes.values())
    figures = {"hashes": postings, "bytes_per_hash_keys": keys, "bytes_per_hash_all": whole, "arrays": sizes}
    figures |= {"per_s": ours, "found": found, "searchsorted_per_s": unsorted, "searchsorted_sorted_per_s": ordered}
    print(f"\n{postings:,} hashes: {keys:.2f} B a hash for keys and filter, {whole:.2f} B with works and places")
    print(f"  ours {ours / 1e6:.1f} M look-ups/s a core")
    print(f"  searchsorted {unsorted / 1e6:.2f} M, of sorted batches {ordered / 1e6:.2f} M, 8 B a hash")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=[], help="hamming, one, text; all of them where absent")
    parser.add_argument("--codes", type=int, default=10_000_000)
    parser.add_argument("--hashes", type=int, default=100_000_000)
    parser.add_argument("--base", help="real codes, u64[n, 4], .npy")
    arguments = parser.parse_args()
    what = arguments.what or ["hamming", "one", "text"]
    base = None if arguments.base is None else np.load(arguments.base)
    print(machine())
    figures: dict[str, Any] = {}
    if "hamming" in what:
        counts = sorted({min(1_000_000, arguments.codes), arguments.codes})
        figures["hamming"] = [hamming(count, base) for count in counts]
    if "one" in what:
        figures["one"] = one(base)
    if "text" in what:
        figures["text"] = text(arguments.hashes)
    for name, value in figures.items():
        save(f"search-{name}", {name: value})


if __name__ == "__main__":
    main()
