"""Lines, groups, names and paths of robots.txt."""

from __future__ import annotations

import pytest

from askfirst.signals.groups import blocks_of, fields_of, host_of, path_of, possible_names, product_token


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("User-agent: A # x", [("agent", "A", "User-agent: A")]),
        (" USERAGENT :A", [("agent", "A", "USERAGENT :A")]),
        ("disallow /a b", [("disallow", "/a b", "disallow /a b")]),
        (
            "Disalow:/a\rAllow:\r\nHost: h",
            [("disallow", "/a", "Disalow:/a"), ("allow", "", "Allow:"), ("site", "h", "Host: h")],
        ),
        ('Crawl-delay: 1\nword\n{"a": 1}\n# c\n', [("other", "1", "Crawl-delay: 1")]),
        ("Allow: /a\x0cb\u2028c", [("allow", "/a\x0cb\u2028c", "Allow: /a\x0cb\u2028c")]),
        ("Content-Signals: a=no", [("signal", "a=no", "Content-Signals: a=no")]),
    ],
)
def test_fields_of(text, fields):
    assert list(fields_of(text)) == fields


@pytest.mark.parametrize(
    ("others_close", "agents"),
    [(False, [[], ["A", "B"], ["C"]]), (True, [[], ["A"], ["B"], ["C"]])],
)
def test_blocks_of_with_a_line_between_agents(others_close, agents):
    text = "User-agent: A\nCrawl-delay: 1\nUser-agent: B\nDisallow: /\nUser-agent: C\n"
    assert [block.agents for block in blocks_of(list(fields_of(text)), others_close=others_close)] == agents


def test_blocks_of_preferences_with_and_without_a_path():
    text = "Content-Usage: a=n\nUser-agent: A\nContent-Usage: /x/*.jpg  train-ai=n\nContent-Usage: /y\n"
    lines = [line for block in blocks_of(list(fields_of(text)), others_close=False) for line in block.lines]
    assert [(line.pattern, line.value) for line in lines] == [("", "a=n"), ("/x/*.jpg", "train-ai=n"), ("", "/y")]


@pytest.mark.parametrize(
    ("value", "token"),
    [("*", "*"), ("* all", "*"), ("*bot", ""), ("GPTBot/1.2", "gptbot"), ("img2dataset", "img2dataset"), ("", "")],
)
def test_product_token(value, token):
    assert product_token(value) == token


def test_possible_names():
    assert possible_names("Linguee Bot, *, X/1.0") == {"linguee bot", "linguee", "bot", "*", "x/1.0", "x", "1.0"}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://example.org", "/"),
        ("https://example.org?a=1", "/?a=1"),
        ("https://example.org/a?b#c", "/a?b"),
        ("HTTP://user@example.org:80/a", "/a"),
        ("//example.org/a", "/a"),
        ("example.org/a", "/a"),
        ("example.org:8080/a", "/a"),
        ("/a", "/a"),
        (" https://example.org/a/./b/../c/ ", "/a/c/"),
        ("https://example.org/../..", "/"),
        ("https://example.org/a/..?x=/..", "/?x=/.."),
        ("https://example.org/ü", "/%C3%BC"),
        ("https://example.org/\ud800", "/?"),
        ("http://[harbour]/a", "/a"),
        ("", None),
        ("http://", None),
        ("http:///a", None),
        ("photo of a pier", None),
        ("photo.jpg", None),
        ("data:image/png;base64,AAAA", None),
        ("https://example.org/" + "a" * 20_000, None),
    ],
)
def test_path_of(url, path):
    assert path_of(url) == path


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://WWW.Example.org:80/a", "example.org"), ("//u@example.org", "example.org"), ("/a", ""), ("", "")],
)
def test_host_of(url, host):
    assert host_of(url) == host
