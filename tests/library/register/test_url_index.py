"""The address index: every covering entry is found, nothing else is, and damaged arrays are survived."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import SnapshotCorruptError
from askfirst.fingerprint.url import url_key
from askfirst.model import MatchKind
from askfirst.register.url_index import DOMAIN, URL, URL_PREFIX, UrlIndex, build
from askfirst.register.url_search import keys_of_texts

HOSTS = ("a.b", "x.a.b", "y.x.a.b", "za.b", "c.d", "[0:0:0:0:0:0:0:1]", "localhost", "192.0.2.1")
PATHS = ("/", "//", "/p", "/p/", "/p/q", "/p/q/", "/p/q/r/s/t/u/v/w/", "/pq", "/p?q=/p/", "/?a", "/p/?a", "/1234567/")
NORMAL = st.builds(
    lambda h, port, p: h + port + p, st.sampled_from(HOSTS), st.sampled_from(("", ":81")), st.sampled_from(PATHS)
)
ENTRY = st.one_of(
    st.tuples(st.just(URL), NORMAL),
    st.tuples(st.just(URL_PREFIX), NORMAL.map(lambda t: t.partition("?")[0].removesuffix("/") + "/")),
    st.tuples(st.just(DOMAIN), st.sampled_from(HOSTS)),
)


def host_of(text: str) -> str:
    return text[: text.index("]") + 1] if text.startswith("[") else text.partition("/")[0].partition(":")[0]


def covers(entry: tuple[int, str], text: str) -> bool:
    """Say from the words of the documentation whether an entry covers a normal form."""
    kind, mine = entry
    if kind == URL:
        return mine == text
    if kind == DOMAIN:
        return host_of(text) == mine or host_of(text).endswith("." + mine)
    return (text.partition("?")[0].removesuffix("/") + "/").startswith(mine)


def made(entries: list[tuple[int, str]], work: list[int] | None = None) -> dict[str, np.ndarray]:
    kinds = np.array([kind for kind, _ in entries], np.uint8)
    return build(kinds, [text for _, text in entries], np.array(work or range(len(entries)), np.uint32)[: len(entries)])


def found(index: UrlIndex, texts: list[str]) -> list[tuple[int, int, str]]:
    """Return row, kind and text of every entry that covers one of these normal forms."""
    blobs = [text.encode() for text in texts]
    length = np.array([len(blob) for blob in blobs], np.int32)
    hosts = [host_of(text) for text in texts]
    row, entry = index.find(
        np.frombuffer(b"".join(blobs), np.uint8),
        np.cumsum(length, dtype=np.int64) - length,
        length,
        np.array([len(host) for host in hosts], np.int32),
        np.array([url_key(host) for host in hosts], np.uint64),
    )
    assert (np.diff(row) >= 0).all()
    return sorted(zip(row.tolist(), index.kind[entry].tolist(), index.texts(entry).to_pylist(), strict=True))


def test_codes_are_those_of_the_kinds_of_match():
    kinds = tuple(MatchKind)
    assert (kinds[URL], kinds[URL_PREFIX], kinds[DOMAIN]) == (
        MatchKind.URL,
        MatchKind.URL_PREFIX,
        MatchKind.DOMAIN,
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(ENTRY, max_size=12), st.lists(NORMAL, max_size=8))
def test_find_gives_exactly_the_entries_that_cover(entries, texts):
    index = UrlIndex.from_arrays(made(entries))
    wanted = {(row, *entry) for row, text in enumerate(texts) for entry in entries if covers(entry, text)}
    assert found(index, texts) == sorted(wanted)


def test_find_in_many_entries_finds_each():
    entries = [(URL, f"site{i % 97}.example/p/{i}") for i in range(3000)]
    entries += [(URL_PREFIX, f"site{i}.example/{'d/' * (i % 9)}") for i in range(500)]
    entries += [(DOMAIN, f"maker{i}.example") for i in range(3000)]
    index = UrlIndex.from_arrays(made(entries))
    assert len(index) == 6500
    addresses = [text for kind, text in entries if kind == URL]
    assert {t for _, kind, t in found(index, addresses) if kind == URL} == set(addresses)
    folders = [text for kind, text in entries if kind == URL_PREFIX]
    assert {t for _, kind, t in found(index, [f"{f}cat.jpg" for f in folders]) if kind == URL_PREFIX} == set(folders)
    domains = [text for kind, text in entries if kind == DOMAIN]
    assert [t for _, _, t in found(index, [f"www2.{d}/" for d in domains])] == domains
    assert found(index, [f"other{i}.example/p/{i}" for i in range(3000)]) == []


def test_rows_of_length_0_have_no_entries():
    index = UrlIndex.from_arrays(made([(DOMAIN, "a.b"), (URL_PREFIX, "a.b/"), (URL, "a.b/")]))
    none, zeros = np.zeros(2, np.int64), np.zeros(2, np.int32)
    row, entry = index.find(np.frombuffer(b"a.b/", np.uint8), none, zeros, zeros, np.full(2, url_key("a.b"), np.uint64))
    assert (row.tolist(), entry.tolist()) == ([], [])


def test_several_works_of_one_entry_come_ascending_and_once():
    entries = [(URL, "a.b/"), (DOMAIN, "c.d"), (URL, "a.b/"), (URL, "a.b/"), (DOMAIN, "c.d")]
    index = UrlIndex.from_arrays(made(entries, [9, 5, 2, 9, 1]))
    assert len(index) == 2
    wanted = {"a.b/": [2, 9], "c.d": [1, 5]}
    order = index.texts(np.arange(2)).to_pylist()
    position, work = index.works(np.array([1, 0, 1]))
    assert position.tolist() == [0, 0, 1, 1, 2, 2]
    assert work.tolist() == [*wanted[order[1]], *wanted[order[0]], *wanted[order[1]]]


def test_empty_index_finds_nothing():
    index = UrlIndex.from_arrays(made([]))
    assert len(index) == 0
    assert found(index, ["a.b/", "c.d/p/"]) == []
    assert found(index, []) == []
    assert [part.tolist() for part in index.works(np.empty(0, np.int64))] == [[], []]


@settings(deadline=None)
@given(st.lists(st.tuples(ENTRY, st.integers(0, 3)), max_size=12), st.randoms())
def test_build_gives_the_same_arrays_in_any_order(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    one, other = (made([entry for entry, _ in p], [work for _, work in p]) for p in (pairs, shuffled))
    assert {name: array.tobytes() for name, array in one.items()} == {n: a.tobytes() for n, a in other.items()}


@pytest.mark.parametrize(
    ("kinds", "texts", "work"),
    [([URL], [], []), ([URL], ["a.b/"], []), ([0], ["a.b/"], [0]), ([4], ["a.b/"], [0])],
)
def test_build_of_unequal_lengths_or_another_kind_is_an_error(kinds, texts, work):
    with pytest.raises(ValueError, match="a kind, a text and a work"):
        build(np.array(kinds, np.uint8), texts, np.array(work, np.uint32))


def test_keys_are_those_of_url_v0():
    texts = [host + path for host in HOSTS for path in (*PATHS, ":81/", ":81/p?q")]
    blobs = [text.encode() for text in texts]
    offsets = np.cumsum([0, *(len(blob) for blob in blobs)], dtype=np.int64)
    key, host_key = keys_of_texts(np.frombuffer(b"".join(blobs), np.uint8), offsets)
    assert key.tolist() == [url_key(text) for text in texts]
    assert host_key.tolist() == [url_key(host_of(text)) for text in texts]


def test_entry_with_the_same_key_but_another_text_is_no_match():
    entries = [(URL, "a.b/cat"), (URL_PREFIX, "a.b/p/"), (DOMAIN, "a.b")]
    texts = ["a.b/cat", "a.b/p/x"]
    arrays = made(entries)
    assert len(found(UrlIndex.from_arrays(arrays), texts)) == 4
    forged = arrays["text"].copy()
    forged[forged == ord("b")] = ord("z")
    assert found(UrlIndex.from_arrays({**arrays, "text": forged}), texts) == []


def test_prefix_whose_final_slash_is_forged_is_no_match():
    arrays = made([(URL_PREFIX, "a.b/p/")])
    assert found(UrlIndex.from_arrays(arrays), ["a.b/p"]) == [(0, URL_PREFIX, "a.b/p/")]
    forged = arrays["text"].copy()
    forged[-1] = ord("x")
    assert found(UrlIndex.from_arrays({**arrays, "text": forged}), ["a.b/p", "a.b/p/"]) == []


def test_domain_of_one_label_covers_nothing_below():
    index = UrlIndex.from_arrays(made([(DOMAIN, "localhost")]))
    assert found(index, ["localhost/", "a.localhost/", "a.b.localhost/"]) == [(0, DOMAIN, "localhost")]


@pytest.mark.parametrize("text", ["a.b/cat", "a.b/dog", "a.b/eel"])
def test_entries_that_share_a_key_are_told_apart_by_their_text(text):
    arrays = made([(URL, "a.b/cat"), (URL, "a.b/dog"), (URL, "a.b/eel")])
    key = np.full(3, url_key(text), np.uint64)
    filled = np.full_like(arrays["filter"], 2**64 - 1)
    bucket = np.searchsorted(key >> np.uint64(62), np.arange(5, dtype=np.uint64)).astype(np.uint32)
    index = UrlIndex.from_arrays({**arrays, "key": key, "filter": filled, "bucket": bucket})
    assert found(index, [text]) == [(0, URL, text)]
    assert {t for _, _, t in found(index, ["a.b/cat", "a.b/dog", "a.b/eel"])} == {text}


def test_index_over_mapped_files_opens_at_once_and_finds(tmp_path):
    entries = [(URL, f"a{i}.example/p/{i}") for i in range(50_000)]
    for name, array in made(entries).items():
        np.save(tmp_path / f"{name}.npy", array)
    mapped = {path.stem: np.load(path, mmap_mode="r") for path in tmp_path.iterdir()}
    UrlIndex.from_arrays(mapped)
    begin = time.perf_counter()
    index = UrlIndex.from_arrays(mapped)
    assert time.perf_counter() - begin < 0.01
    assert not index.key.flags.writeable
    assert found(index, ["a7.example/p/7", "a7.example/p/8"]) == [(0, URL, "a7.example/p/7")]


def _damages() -> dict[str, tuple[str, object]]:
    return {
        "missing": ("filter", None),
        "another type": ("key", lambda a: a.astype(np.int64)),
        "two dimensions": ("key", lambda a: a.reshape(1, -1)),
        "empty filter": ("filter", lambda a: a[:0]),
        "bucket of another length": ("bucket", lambda a: a[:-1]),
        "empty bucket": ("bucket", lambda a: a[:0]),
        "kind too short": ("kind", lambda a: a[:-1]),
        "key too short": ("key", lambda a: a[:-1]),
        "text_offset too short": ("text_offset", lambda a: a[:-1]),
        "work_offset too short": ("work_offset", lambda a: a[:-1]),
        "text cut": ("text", lambda a: a[:-1]),
        "work cut": ("work", lambda a: a[:-1]),
    }


@pytest.mark.parametrize("name", _damages())
def test_array_that_does_not_fit_is_a_corrupt_snapshot(name):
    arrays = made([(URL, "a.b/"), (DOMAIN, "a.b"), (URL_PREFIX, "a.b/p/")])
    array, change = _damages()[name]
    if change is None:
        del arrays[array]
    else:
        arrays[array] = change(arrays[array])
    with pytest.raises(SnapshotCorruptError, match="fetch the register again") as caught:
        UrlIndex.from_arrays(arrays)
    assert caught.value.path.startswith("url.")
    assert caught.value.expected != caught.value.found


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(["all", "text_offset", "bucket", "work_offset", "kind"]))
def test_garbage_in_the_arrays_is_survived(random, which):
    entries = [(URL, "a.b/p"), (DOMAIN, "a.b"), (URL_PREFIX, "a.b/p/"), (DOMAIN, "x.a.b"), (URL, "c.d/")]
    arrays = made(entries)
    for name, array in arrays.items():
        if which in ("all", name):
            garbage = np.frombuffer(random.randbytes(array.nbytes), array.dtype).copy()
            if name.endswith("_offset"):
                garbage[-1] = array[-1]
            arrays[name] = garbage
    index = UrlIndex.from_arrays({**arrays, "filter": np.full_like(arrays["filter"], 2**64 - 1)})
    for _, _, text in found(index, ["a.b/p", "x.a.b/p/q?r", "c.d/", "a.b/p/"]):
        assert text.isascii()
    position, work = index.works(np.arange(len(index)))
    assert len(position) == len(work)
