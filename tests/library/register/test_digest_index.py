"""Look-up of exact copies."""

import hashlib

import numpy as np
import pytest

from askfirst.errors import SnapshotCorruptError
from askfirst.register.digest_index import DigestIndex, build


def digests(*words):
    return np.frombuffer(b"".join(hashlib.sha256(w.encode()).digest() for w in words), np.uint8).reshape(-1, 32)


def index_of(*words):
    return DigestIndex.from_arrays(build(digests(*words), np.arange(len(words), dtype=np.uint32)))


def test_every_work_with_the_digest_is_found():
    query, work = index_of("ballad", "sonnet", "ballad").find(digests("ode", "ballad", "sonnet"))
    assert list(zip(query.tolist(), work.tolist(), strict=True)) == [(1, 0), (1, 2), (2, 1)]


def test_the_same_first_bytes_are_not_the_same_digest():
    works = digests("ballad").copy()
    wanted = works.copy()
    wanted[0, 31] ^= 1
    index = DigestIndex.from_arrays(build(works, np.zeros(1, np.uint32)))
    assert len(index.find(wanted)[0]) == 0


def test_empty_index_and_empty_query_find_nothing():
    assert len(index_of().find(digests("ode"))[0]) == 0
    assert len(index_of("ode").find(np.empty((0, 32), np.uint8))[0]) == 0


@pytest.mark.parametrize("change", ["missing", "shape", "dtype"])
def test_arrays_of_another_shape_are_refused(change):
    arrays = build(digests("ode"), np.zeros(1, np.uint32))
    if change == "missing":
        del arrays["work"]
    elif change == "shape":
        arrays["digest"] = arrays["digest"][:, :16]
    else:
        arrays["head"] = arrays["head"].astype(np.int64)
    with pytest.raises(SnapshotCorruptError):
        DigestIndex.from_arrays(arrays)
