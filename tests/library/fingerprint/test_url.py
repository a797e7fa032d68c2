"""`url_v0`, one address at a time: the published vectors, an independent reading of the rules, and laws."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import InputError
from askfirst.fingerprint.url import Entry, NormalUrl, medium_of, normalise, parse_entry, url_key
from askfirst.model import MatchKind

VECTORS = json.loads(files("askfirst").joinpath("vectors/url_v0.json").read_text("utf-8"))
CASES = VECTORS["cases"]

_SIGNS = "/ \\ . .. /. /.. %2e %2E %41 %2f %zz % %4 ? & # @ : :80 :8080 :0 ; = + ! ' ( ~ | ^ { - _"
_NAMES = "http:// https:// ftp:// HTTP: // www. WWW. example Org .org co.uk com x h.1 09 0x7f 1.2.3.4"
_PARTS = "utm_source= UTM_x fbclid %75tm_a=1 u%74m_b=2 mc_eid a b=c jpg .jpg .JPEG .mp3 [::1] xn--tda"
_RARE = (" ", "\t", "\n", "\x00", "\x7f", "é", "ü", "\u00a0", "\u3000", "\u200b", "\ufeff", "😀", "。", "\u00ad")
PIECES = (*_SIGNS.split(), *_NAMES.split(), *_PARTS.split(), *_RARE)
BEGINNINGS = ("", "http://example.org", "https://www.Example.org/", "hTTps://a.b.c", "http://www.www.x.y?", "//x.y")
NASTY = st.builds(
    lambda beginning, pieces: beginning + "".join(pieces),
    st.sampled_from(BEGINNINGS),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=10),
)


def reference_key(text: str) -> int:
    """Compute a key from the words of the documentation."""
    data = text.encode()
    padded = data + bytes(-len(data) % 8)
    state = 0
    for i in range(0, len(padded), 8):
        number = sum(padded[i + j] * 256**j for j in range(8))
        state = (state ^ number) * 0x9E3779B97F4A7C15 % 2**64
        state = state ^ (state // 2**32)
    state = state ^ len(data)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        state = (state ^ (state // 2**33)) * factor % 2**64
    return state ^ (state // 2**33)


def reference_rest(text: str) -> str:
    """Bring what follows an ASCII host into normal form, byte by byte, from the words of the documentation."""
    unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    data = text.encode()
    is_query, done, i = False, [], 0
    while i < len(data):
        here = chr(data[i])
        pair = data[i + 1 : i + 3]
        is_escape = here == "%" and len(pair) == 2 and all(chr(b) in "0123456789abcdefABCDEF" for b in pair)
        value = int(pair, 16) if is_escape else data[i]
        means_itself = chr(value) in unreserved + "!$'()*,:@" + ("/?" if is_query else "&+;=")
        i += 3 if is_escape else 1
        if here == "#":
            break
        if here == "?" and not is_query:
            is_query = True
            done.append("?")
        elif here == "\\" and not is_query:
            done.append("/")
        elif means_itself or (not is_escape and here in ("/" if not is_query else "&+;=")):
            done.append(chr(value))
        else:
            done.append(f"%{value:02X}")
    path, _, query = "".join(done).partition("?")
    stack: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == ".." and stack:
            stack.pop()
        if segment not in {".", ".."}:
            stack.append(segment)
    if path.endswith(("/.", "/..")):
        stack.append("")
    names = ("fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "igshid")
    names += ("mc_cid", "mc_eid")
    kept = [p for p in query.split("&") if p.split("=")[0].lower() not in names and not p.lower().startswith("utm_")]
    return "/" + "/".join(stack) + ("?" + "&".join(kept) if "&".join(kept) else "")


def test_vectors_are_at_least_sixty():
    assert VECTORS["algorithm"] == "url_v0"
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_normalise_gives_the_vectors_normal_form(case):
    found = normalise(case["url"])
    assert (found.text, found.host) == (case["normal"], case["host"])
    assert f"{url_key(found.text):016x}" == case["key"]
    assert f"{url_key(found.host):016x}" == case["host_key"]
    assert medium_of(found) == case["medium"]


@pytest.mark.parametrize("url", VECTORS["refused"])
def test_normalise_of_what_is_no_address_is_refused(url):
    with pytest.raises(InputError) as caught:
        normalise(url)
    assert caught.value.kind == "not-a-url"
    assert caught.value.advice == "write the address as in https://example.org/photos/"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", VECTORS["entries"], ids=[f"{e['kind']} {e['text']}" for e in VECTORS["entries"]])
def test_parse_entry_gives_the_vectors_entry_or_error(case):
    kind = MatchKind(case["kind"])
    if "normal" in case:
        assert parse_entry(case["text"], kind) == Entry(kind, case["normal"])
        return
    with pytest.raises(InputError) as caught:
        parse_entry(case["text"], kind)
    assert caught.value.kind == case["error"]
    assert caught.value.advice


def test_parse_entry_of_a_kind_that_is_no_address_is_an_error():
    with pytest.raises(ValueError, match="no kind of address"):
        parse_entry("https://example.org/", MatchKind.TEXT)


@given(NASTY)
def test_normal_form_normalised_again_stays_as_it_is(url):
    try:
        found = normalise(url)
    except InputError:
        return
    assert normalise(f"http://{found.text}") == found
    assert normalise(f"https://{found.text}#fragment") == found


@given(NASTY)
def test_normal_form_is_made_of_host_path_and_query_in_ascii(url):
    try:
        found = normalise(url)
    except InputError:
        return
    assert found.text.isascii()
    assert found.text.isprintable()
    assert " " not in found.text
    assert found.path.startswith("/")
    assert "?" not in found.path
    assert "#" not in found.text


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=10))
def test_rest_of_an_address_equals_the_independent_reading(pieces):
    rest = "".join(pieces).translate(str.maketrans("", "", "\t\n\r"))
    rest = "/" + rest.rstrip("".join(map(chr, range(33))) + "\u00a0\u200b\u3000\ufeff")
    if any("\ud800" <= c <= "\udfff" for c in rest):
        return
    assert normalise("http://example.org" + rest).text == "example.org" + reference_rest(rest)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_key_equals_the_independent_reading(text):
    assert url_key(text) == reference_key(text)


def test_keys_of_similar_texts_have_no_pattern():
    keys = [url_key(f"example.org/{i}") for i in range(4096)]
    assert len({k >> 40 for k in keys}) > 4090
    ones = [sum(k >> bit & 1 for k in keys) for bit in range(64)]
    assert min(ones) > 1850
    assert max(ones) < 2250


def test_normal_url_text_has_port_and_query():
    assert NormalUrl("example.org", "/a", "b=1", 8080).text == "example.org:8080/a?b=1"
    assert NormalUrl("example.org", "/").text == "example.org/"


def test_address_of_65536_bytes_is_one_and_of_65537_is_none():
    url = "http://example.org/" + "a" * (65_536 - 19)
    assert len(normalise(url).text) == 65_536 - 7
    with pytest.raises(InputError, match="longer than 65,536 bytes"):
        normalise(url + "a")


def test_address_of_100_kilobytes_of_umlauts_is_none():
    with pytest.raises(InputError, match="longer than 65,536 bytes"):
        normalise("http://example.org/" + "ü" * 50_000)


@pytest.mark.parametrize(
    "url",
    [
        "http://" + "ü" * 30_000 + "/",
        "http://example.org:" + "0" * 60_000 + "/",
        "http://" + "1" * 60_000 + "/",
        "http://" + "0x" * 30_000 + "/",
        "http://[" + ":" * 60_000 + "]/",
        " " * 30_000 + "x" + " " * 30_000,
        "http://a" + "%" * 60_000,
    ],
    ids=lambda url: url[:16],
)
def test_huge_parts_are_answered_at_once(url):
    begin = time.perf_counter()
    with contextlib.suppress(InputError):
        normalise(url)
    assert time.perf_counter() - begin < 0.5


def test_huge_path_of_dots_is_answered_at_once():
    assert normalise("http://example.org" + "/.." * 20_000).text == "example.org/"


def test_broken_character_is_no_address():
    with pytest.raises(InputError, match="broken character"):
        normalise("http://example.org/\ud800")


def test_bytes_that_are_not_utf8_are_encoded_in_the_path():
    raw = b"http://example.org/caf\xe9".decode("utf-8", "surrogateescape")
    assert normalise(raw).text == "example.org/caf%E9"


def test_public_suffix_list_needs_no_network_and_writes_nothing(tmp_path):
    program = """
import sys
seen = []
def watch(event, arguments):
    written = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event.startswith("socket.") and event != "socket.__new__" or written or event == "os.mkdir":
        seen.append((event, arguments))
sys.dont_write_bytecode = True
from askfirst.fingerprint.url import parse_entry
from askfirst.model import MatchKind
import tldextract
sys.addaudithook(watch)
parse_entry("alice.github.io", MatchKind.DOMAIN)
print(seen)
"""
    environment = {"HOME": str(tmp_path), "PYTHONPATH": ":".join(p for p in sys.path if p), "PATH": "/usr/bin"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
