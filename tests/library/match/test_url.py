"""Addresses of a dataset against a register: what matches, what must not, and counts of hosts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.errors import InputError
from askfirst.fingerprint.url import normalise, parse_entry, url_key
from askfirst.match import url as match_url
from askfirst.match.hits import KINDS
from askfirst.match.url import match_urls
from askfirst.model import MEDIA, MatchKind, Medium
from askfirst.register.url_index import UrlIndex, build

EXACT, PREFIX, DOMAIN = MatchKind.URL, MatchKind.URL_PREFIX, MatchKind.DOMAIN


def index_of(*entries: tuple[str, MatchKind, int]) -> UrlIndex:
    parsed = [(parse_entry(text, kind), work) for text, kind, work in entries]
    kinds = np.array([KINDS.index(entry.kind) for entry, _ in parsed], np.uint8)
    texts = [entry.text for entry, _ in parsed]
    return UrlIndex.from_arrays(build(kinds, texts, np.array([work for _, work in parsed], np.uint32)))


def hits(urls: list[str | None], index: UrlIndex) -> list[tuple[int, int, MatchKind, str]]:
    found = match_urls(pa.array(urls, pa.string()), index).hits
    assert (found.score == 1).all()
    assert (found.cover == 1).all()
    columns = (found.row.tolist(), found.work.tolist(), [KINDS[k] for k in found.kind], found.where.to_pylist())
    return list(zip(*columns, strict=True))


def rows_that_match(entry: str, kind: MatchKind, urls: list[str]) -> list[str]:
    return [urls[row] for row, *_ in hits(urls, index_of((entry, kind, 0)))]


def test_exact_address_matches_every_spelling_and_no_other():
    same = [
        "https://example.org/photos/cat.jpg",
        "http://www.Example.org:80/photos/cat.jpg#top",
        "https://user@example.org/photos/../photos/c%61t.jpg?utm_source=x",
        " example.org/photos/cat.jpg",
    ]
    other = [
        "https://example.org/photos/cat.jpg?size=2",
        "https://example.org/photos/cat.jpg/",
        "https://example.org:8080/photos/cat.jpg",
        "https://cdn.example.org/photos/cat.jpg",
        "https://example.org/photos/Cat.jpg",
    ]
    assert rows_that_match("https://example.org/photos/cat.jpg", EXACT, same + other) == same


def test_prefix_matches_its_folder_and_all_below_and_ends_at_a_slash():
    below = [
        "https://example.org/photos/",
        "https://example.org/photos",
        "https://example.org/photos?page=2",
        "https://example.org/photos/2019/cat.jpg",
        "https://example.org/photos/?a=/",
        "https://example.org/photos//cat.jpg",
    ]
    beside = [
        "https://example.org/photos2/cat.jpg",
        "https://example.org/photos.html",
        "https://example.org/photo",
        "https://example.org/",
        "https://example.org/all/photos/cat.jpg",
        "https://example.org/a?b=/photos/",
        "https://cdn.example.org/photos/cat.jpg",
        "https://example.org:8080/photos/cat.jpg",
    ]
    assert rows_that_match("https://example.org/photos/", PREFIX, below + beside) == below


def test_domain_matches_itself_and_all_below_and_begins_at_a_dot():
    below = [
        "https://example.org/",
        "https://www.example.org/a",
        "https://cdn.img.example.org:8080/a",
        "ftp://EXAMPLE.ORG./a",
    ]
    beside = [
        "https://notexample.org/",
        "https://example.org.evil.example/",
        "https://example.com/?u=example.org",
        "https://user:example.org@example.com/",
        "https://org/",
    ]
    assert rows_that_match("example.org", DOMAIN, below + beside) == below


@pytest.mark.parametrize(
    ("entry", "kind", "url"),
    [
        ("bücher.example", DOMAIN, "http://shop.BÜCHER.example/a"),
        ("http://[::1]:8080/a/", PREFIX, "http://[0:0::0:1]:8080/a/b"),
        ("http://[::1]/", EXACT, "https://[::1]"),
        ("192.0.2.1", DOMAIN, "http://0xC0000201/a"),
        ("https://example.org/caf%c3%a9/", PREFIX, "https://example.org/café/1.jpg"),
        ("https://example.org/😀", EXACT, "https://example.org/%F0%9F%98%80"),
        ("https://host/", EXACT, "http://user@evil@host/"),
        ("https://example.org/a%00b", EXACT, "https://example.org/a\x00b"),
        ("https://example.org/a b", EXACT, "https://example.org/a%20b"),
        ("alice.github.io", DOMAIN, "https://alice.github.io/blog/"),
    ],
)
def test_unusual_addresses_match(entry, kind, url):
    assert rows_that_match(entry, kind, [url]) == [url]


def test_what_is_no_address_matches_nothing():
    index = index_of(("example.org", DOMAIN, 0))
    urls = [None, "", "example", "http://exam\x00ple.org/", "alice@example.org", "http://example.org/" + "a" * 100_000]
    found = match_urls(pa.array(urls), index)
    assert len(found.hits) == 0
    assert found.valid.tolist() == [False] * 6
    assert found.host_key.tolist() == [0] * 6
    assert [MEDIA[code] for code in found.medium] == [Medium.OTHER] * 6


def test_every_covering_entry_and_work_is_a_hit():
    index = index_of(
        ("https://a.example.org/x/y.jpg", EXACT, 7),
        ("https://a.example.org/x/y.jpg", EXACT, 3),
        ("https://a.example.org/x/", PREFIX, 5),
        ("https://a.example.org/", PREFIX, 5),
        ("a.example.org", DOMAIN, 5),
        ("example.org", DOMAIN, 1),
        ("b.example.org", DOMAIN, 2),
    )
    assert hits(["https://b.x/", "https://a.example.org/x/y.jpg"], index) == [
        (1, 1, DOMAIN, "example.org"),
        (1, 3, EXACT, "a.example.org/x/y.jpg"),
        (1, 5, PREFIX, "a.example.org/"),
        (1, 5, PREFIX, "a.example.org/x/"),
        (1, 5, DOMAIN, "a.example.org"),
        (1, 7, EXACT, "a.example.org/x/y.jpg"),
    ]


def test_deep_paths_and_long_hosts_match():
    host = ".".join(["l"] * 125) + ".org"
    deep = f"http://{host}/" + "d/" * 30_000
    index = index_of((host, DOMAIN, 0), (deep, PREFIX, 1), ("l.org", DOMAIN, 2), (f"{host}/d/d/d/d/d/d/d/", PREFIX, 3))
    assert [work for _, work, *_ in hits([deep, f"{deep}x"], index)] == [0, 1, 2, 3, 0, 1, 2, 3]


def test_nothing_but_slashes_is_answered_at_once():
    index = index_of(("https://example.org//", PREFIX, 0), ("https://example.org/" + "/" * 9, PREFIX, 1))
    assert hits(["https://example.org" + "/" * 65_000] * 20, index)[:2] == [
        (0, 0, PREFIX, "example.org//"),
        (0, 1, PREFIX, "example.org//////////"),
    ]


def test_column_of_several_blocks_gives_what_its_parts_give(monkeypatch):
    index = index_of(("example.org", DOMAIN, 0), ("https://a.example/3", EXACT, 1))
    urls = pa.array([f"https://{'a.example' if i % 3 else 'x.example.org'}/{i}" for i in range(100)])
    whole = match_urls(urls, index)
    monkeypatch.setattr(match_url, "_BLOCK_ROWS", 7)
    parts = match_urls(pa.concat_arrays([pa.array(["x"]), urls]).slice(1), index)
    assert parts.hits.row.tolist() == whole.hits.row.tolist() == list(range(0, 100, 3))
    assert parts.hits.where.to_pylist() == whole.hits.where.to_pylist()
    assert parts.host_key.tolist() == whole.host_key.tolist()
    assert parts.medium.tolist() == whole.medium.tolist()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_both_kinds_of_strings_give_string_where(kind):
    found = match_urls(pa.array(["http://example.org/a.jpg"], kind), index_of(("example.org", DOMAIN, 4)))
    assert found.hits.where.type == pa.string()
    assert found.hits.work.dtype == np.uint32
    assert found.hits.row.dtype == np.int32
    assert [MEDIA[code] for code in found.medium] == [Medium.IMAGE]
    assert found.host_key.tolist() == [url_key("example.org")]


def test_empty_column_and_empty_register_match_nothing():
    assert len(match_urls(pa.array([], pa.string()), index_of(("example.org", DOMAIN, 0))).hits) == 0
    assert hits(["https://example.org/"], index_of()) == []


def test_column_of_numbers_is_an_error():
    with pytest.raises(TypeError, match="string or large_string"):
        match_urls(pa.array([1]), index_of())


HOST = st.sampled_from(["a.example", "www.a.example", "b.a.example", "ba.example", "bücher.example", "1.2.3.4"])
PATH = st.lists(st.sampled_from(["/", "/p", "p", ".", "..", "%70", "?q", "&utm_a=1", "#", "é", " ", "\\"]), max_size=6)
ADDRESS = st.builds(lambda h, p: f"http://{h}/{''.join(p)}", HOST, PATH)
REGISTERED = st.one_of(
    st.tuples(ADDRESS, st.just(EXACT)),
    st.tuples(ADDRESS.map(lambda a: a.partition("?")[0]), st.just(PREFIX)),
    st.tuples(HOST, st.just(DOMAIN)),
)


def covered(text: str, entry: str, kind: MatchKind) -> bool:
    """Say whether an entry covers an address, one of each at a time."""
    url, mine = normalise(text), parse_entry(entry, kind).text
    if kind is EXACT:
        return url.text == mine
    if kind is DOMAIN:
        return f".{url.host}".endswith(f".{mine}")
    folder = url.text.partition("?")[0].removesuffix("/") + "/"
    return folder.startswith(mine)


@settings(max_examples=200, deadline=None)
@given(st.lists(REGISTERED, max_size=10), st.lists(ADDRESS, max_size=8))
def test_hits_equal_the_comparison_one_by_one(registered, urls):
    index = index_of(*((text, kind, work) for work, (text, kind) in enumerate(registered)))
    wanted = [
        (row, work, kind)
        for row, url in enumerate(urls)
        for work, (text, kind) in enumerate(registered)
        if covered(url, text, kind)
    ]
    assert [hit[:3] for hit in hits(urls, index)] == wanted


def test_public_suffix_cannot_be_registered():
    with pytest.raises(InputError, match="not one maker's domain"):
        index_of(("co.uk", DOMAIN, 0))
