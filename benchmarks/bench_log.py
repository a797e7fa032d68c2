"""The log: appending, proving, receipts, counting again; each beside the least that hashing alone would cost.

    python benchmarks/bench_log.py [--entries 1000000] [--folder DIR]

The limit of appending is one SHA-256 for each entry and one for each inner node, from `hashlib`, nothing written.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from askfirst.io.log_files import CheckpointSigner, LogFolder
from askfirst.io.log_source import FolderSource
from askfirst.proof.finding import Trust
from askfirst.proof.log import verify_log
from askfirst.proof.receipt import build_receipt, close_fields, commit
from askfirst.proof.recount import recount
from askfirst.proof.verify import verify_receipt
from askfirst.tlog import CosignatureSigner, NoteSigner, TlogProof, add_cosignature, open_note
from askfirst.tlog.entries import Sign, encode_entry, signed_digest
from askfirst.tlog.tree import check_inclusion, leaf_hash

ENTRY_BYTES = 254
BATCHES = (5_000, 50_000)
PROOFS = 1_000
APPENDS_TARGET = 200_000
PROOF_TARGET_MS = 1.0
HASHES_TARGET = 20
RECEIPT_TARGET_BYTES = 2_000
FIELDS = {
    "name": "Somebody With a Long Name",
    "email": "somebody.with.a.long.name@example.org",
    "role": "translator and teacher of translation",
    "discipline": "translation",
    "country": "NL",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the log is written; by default a temporary folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="askfirst-bench-", dir=options.folder))
    try:
        run(options.entries, folder)
    finally:
        shutil.rmtree(folder)


def run(count: int, folder: Path) -> None:
    salt, words = bytes(32), signed_digest("Ask first.", "I sign in public.", "en")
    mine = Sign("statement-of-the-benchmark-of-logs", 1, "en", words, "person", "2026-11-22T05Z", commit(salt, FIELDS))
    entries = list(signatures(mine, count))
    print(f"{count:,} entries of {statistics.mean(map(len, entries[:1000])):.0f} bytes")
    limit = count / seconds(lambda: hash_only(entries))
    print(f"hashing alone           {limit:>10,.0f} entries/s")
    for batch in BATCHES:
        log = LogFolder(folder / str(batch))
        rate = count / seconds(lambda log=log, batch=batch: append(log, entries, batch))
        print(f"append, {batch:>6,} a time  {rate:>10,.0f} entries/s   {rate / limit:.2f} of hashing", end="")
        print(f"   {met(rate >= APPENDS_TARGET)}" if batch == max(BATCHES) else "")
        log.close()
    size_bytes = sum(path.stat().st_size for path in log.path.rglob("*") if path.is_file())
    files = sum(path.is_file() for path in log.path.rglob("*"))
    print(f"on disk                 {size_bytes / count:>10.1f} bytes an entry, {files:,} files")
    prove(log, entries)
    receipt(log, entries, mine, salt)
    took = seconds(lambda: recount(entries))
    print(f"recount                 {took:>10.2f} s   {took * limit / count:.1f} times hashing")
    verify(log)


def signatures(mine: Sign, count: int) -> Iterator[bytes]:
    """Yield signatures that differ in their commitment; one in the middle is mine."""
    head, tail = encode_entry(mine).split(mine.commitment.encode())
    middle = count // 2
    for number in range(count):
        digest = hashlib.sha256(number.to_bytes(8)).hexdigest()[:42].encode() + b"A"
        yield head + (mine.commitment.encode() if number == middle else digest) + tail


def hash_only(entries: Sequence[bytes]) -> None:
    sha256 = hashlib.sha256
    for entry in entries:
        sha256(entry).digest()
    node = bytes(65)
    for _ in range(len(entries) - 1):
        sha256(node).digest()


def append(log: LogFolder, entries: Sequence[bytes], batch: int) -> None:
    for start in range(0, len(entries), batch):
        log.append(entries[start : start + batch])


def prove(log: LogFolder, entries: Sequence[bytes]) -> None:
    chance, times, hashes = random.Random(7), [], []
    for _ in range(PROOFS):
        index = chance.randrange(log.size)
        cold = LogFolder(log.path)
        started = time.perf_counter()
        proof = cold.prove_inclusion(index, cold.size)
        times.append(1e3 * (time.perf_counter() - started))
        check_inclusion(leaf_hash(entries[index]), index, log.size, proof, log.root)
        hashes.append(len(proof))
    median, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    good = met(median < PROOF_TARGET_MS and max(hashes) <= HASHES_TARGET)
    print(f"proof of inclusion      {median:>10.2f} ms, p99 {p99:.2f}, at most {max(hashes)} hashes   {good}")


def receipt(log: LogFolder, entries: Sequence[bytes], mine: Sign, salt: bytes) -> None:
    signer, witness = NoteSigner.generate("log.example.org/2026"), CosignatureSigner.generate("witness.example.org/1")
    with tempfile.TemporaryDirectory() as folder:
        note = CheckpointSigner(Path(folder) / "state", signer).sign(
            log.size, log.root, signer.name, log.prove_consistency
        )
    note = add_cosignature(
        note, witness.cosign(open_note(note, [signer.verifier]).body, 1_795_320_000), [witness.verifier]
    )
    log.publish(note)
    (log.path / "log.key").write_text(signer.verifier.vkey)
    index = len(entries) // 2
    text = build_receipt(TlogProof(index, tuple(log.prove_inclusion(index, log.size)), note), mine, salt, FIELDS)
    took = seconds(lambda: [verify_receipt(text, [signer.verifier], [witness.verifier]) for _ in range(100)]) / 100
    assert verify_receipt(text, [signer.verifier], [witness.verifier]).good
    print(f"receipt, one witness    {len(text):>10,} bytes   {met(len(text) < RECEIPT_TARGET_BYTES)}")
    print(f"  with one field closed {len(close_fields(text, ['email'])):>10,} bytes")
    print(f"verify a receipt        {1e3 * took:>10.2f} ms")


def verify(log: LogFolder) -> None:
    from askfirst.tlog import NoteVerifier

    source = FolderSource(log.path)
    trust = Trust([NoteVerifier.parse((log.path / "log.key").read_text())])
    started = time.perf_counter()
    finding = verify_log(source.checkpoint(), source.read_many, trust)
    took = time.perf_counter() - started
    assert finding.good, finding.reasons[-1].text
    print(f"verify the whole log    {took:>10.2f} s, {log.size / took:,.0f} entries/s")


def seconds(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def met(good: bool) -> str:
    return "met" if good else "NOT MET"


if __name__ == "__main__":
    main()
