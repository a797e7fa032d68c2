"""Damaged copies, which every reader of documents must survive; and compressed ones."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import time
from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from askfirst.errors import InputError
from askfirst.io.documents import open_text

COPIES = 2000
TOKENS = (
    b"-1 99999999999 0 < > [ ( << null 1e309 &x; \xff\xfe \x00 % 5_0_R encoding='utf-7' /Parent_2_0_R <![C"
).split()


def mutated(dice: random.Random, data: bytes) -> bytes:
    """Return bytes with a few flips, cuts, copies, noise or tokens that readers trip over."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 8, 20))):
        at, count = dice.randrange(len(out) or 1), dice.choice((1, 2, 4, 16, 64, 256))
        match dice.randrange(6):
            case 0:
                out[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del out[at : at + count]
            case 2:
                out[at:at] = out[at : at + count] * dice.choice((1, 2, 10))
            case 3:
                out[at : at + count] = dice.randbytes(count)
            case 4:
                start = dice.randrange(len(out) or 1)
                out[at : at + count] = out[start : start + count]
            case _:
                token = dice.choice(TOKENS).replace(b"_", b" ")
                out[at : at + len(token)] = token
    if dice.random() < 0.1:
        del out[dice.randrange(len(out) + 1) :]
    return bytes(out)


def outcomes_of_damaged(
    seeds: Sequence[bytes],
    suffix: str,
    mutate: Callable[[random.Random, bytes], bytes] = mutated,
) -> set[str]:
    """Open damaged copies of documents; return how that ended: `read`, or kinds of errors.

    Whatever is no InputError fails the test by itself. No copy may take five seconds; measured worst: 0.2 s.
    """
    dice = random.Random(20261121)
    outcomes = set()
    for _ in range(COPIES):
        data = mutate(dice, dice.choice(seeds))
        start = time.perf_counter()
        outcomes.add(outcome_of(data, suffix))
        assert time.perf_counter() - start < 5
    return outcomes


def outcome_of(data: bytes, suffix: str) -> str:
    try:
        text = open_text(data, suffix)
    except InputError as error:
        return error.kind if "\n" not in str(error) else "message of several lines"
    text.encode()  # whole characters only
    return "read"


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return sink.getvalue().to_pybytes()


COMPRESSORS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


@pytest.fixture
def compress():
    """Give the function that compresses bytes as a suffix says; without a suffix they stay as they are."""
    return lambda suffix, data: COMPRESSORS[suffix](data)


@pytest.fixture
def damage():
    """Give the function that damages bytes."""
    return mutated


@pytest.fixture
def damaged_outcomes():
    """Give the function that opens damaged copies."""
    return outcomes_of_damaged
