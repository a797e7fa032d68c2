"""HTML, Markdown and subtitles to text."""

from __future__ import annotations

import time

import pytest

from askfirst.errors import InputError, TooLargeError
from askfirst.io.documents import DocumentLimits, open_text


def refusal(data: bytes, suffix: str, **limits: int) -> InputError:
    with pytest.raises(InputError) as caught:
        open_text(data, suffix, DocumentLimits(**limits))
    assert "\n" not in str(caught.value)
    return caught.value


def test_open_text_markdown_loses_its_markup():
    source = b"# Title\n\nSome *bold* [link](http://x) and `code`\n\n- one\n- two\n\n|a|b|\n|-|-|\n|1|2|\n\n<b>x</b>y"
    assert open_text(source, ".md") == "Title\nSome bold link and code\none\ntwo\na b\n1 2\nxy"
    assert open_text(source, ".txt") == source.decode()


def test_open_text_markdown_with_hundreds_of_marks_in_a_paragraph_keeps_them():
    assert open_text(b"one *two*\n\n" + b"![" * 300, ".md") == "one two\n" + "![" * 300


def test_open_text_markdown_beyond_its_size_keeps_the_markup():
    source = b"*word* " * 300_000
    assert open_text(source, ".md") == source.decode()


def test_open_text_subtitles_keeps_what_is_spoken():
    srt = b"1\n00:00:01,000 --> 00:00:02,000\nHello <i>you</i> &amp; me\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
    assert open_text(srt, ".srt") == "Hello you & me\nBye"
    vtt = "WEBVTT\n\nNOTE x\n\nintro\n00:01.000 --> 00:02.000 align:start\n<v Bob>Hi\nthere</v>\n"
    assert open_text(vtt.encode(), "") == "Hi\nthere"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>Hello <b>Wo</b>rld</p><p>Next", "Hello World\nNext"),
        ("<p>a\n  b</p>", "a b"),
        ("<title>t</title><p>a", "a"),
        ("<p>a<script>b()</script><style>c{}</style><noscript>d</noscript><template>e</template>f", "af"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<table><tr><td>1<td>2<tr><td>3", "1 2\n3"),
        ("<pre>\n  x\n    y</pre>z", "  x\n    y\nz"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<p>&lt;b&gt; &amp; &#x2014; &nbsp;", "<b> & — \xa0"),
        ("<p>a<!-- b -->c", "ac"),
        ("<svg><text>x</text></svg><p>y", "y"),
        ("<h:p>one</h:p><h:p>two</h:p>", "one\ntwo"),
        ("", ""),
    ],
)
def test_open_text_html_gives_what_is_seen(page, text):
    assert open_text(b"<!doctype html>" + page.encode(), ".html") == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<!doctype html><meta charset=iso-8859-1><p>schön".encode("latin-1"), "schön"),
        ('<?xml version="1.0" encoding="koi8-r"?><html><p>мир'.encode("koi8-r"), "мир"),
        ("<!doctype html><meta charset=shift_jis><p>猫".encode("shift_jis"), "猫"),
        ("<!doctype html><p>schön".encode("cp1252"), "schön"),
        ("<html><p>schön".encode("utf-16"), "schön"),
        (b"<html><meta charset=utf-8><p>sch\xf6n", "sch\ufffdn"),
        (b"<html><meta charset=unicode_escape><p>\\u0041", "\\u0041"),
    ],
)
def test_open_text_html_encoding_as_a_browser_reads_it(page, text):
    assert open_text(page, ".html") == text


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 300_000,
        "<ul><li>" * 100_000,
        "<b>" * 300_000,
        "<a " + " ".join(f"x{number}" for number in range(100_000)) + ">",
        "<a q' " + " ".join(f"x{number}" for number in range(100_000)) + ">",
        "<div>" * 1_000 + "<i></i>" * 400_000,
    ],
)
def test_open_text_html_that_would_take_minutes_is_refused_in_a_second(page):
    start = time.perf_counter()
    error = refusal(b"<html>" + page.encode(), ".html")
    assert (type(error), error.kind) == (TooLargeError, "too-deep")
    assert time.perf_counter() - start < 5


def test_open_text_html_beyond_its_size_is_refused():
    assert refusal(b"<html>" + b"x" * 1000, ".html", html_size_bytes=999).kind == "too-large"


MARKDOWN = b"# T\n\nA *b* [c](http://x 'y') `d`\n\n- e\n  - f\n\n|a|b|\n|-|-|\n|1|2|\n\n> q\n\n<b>x</b>\n"
SUBTITLES = b"1\n00:00:01,000 --> 00:00:02,000\nHello <i>you</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"
PAGE = """<!doctype html><meta charset=utf-8><html lang="en"><title>t</title><body><h1>One</h1>
<p>First chapter of&nbsp;<i>the</i> book.<ul><li>a<li>b</ul><table><tr><td>1</table><pre>x</pre>"""


def test_open_text_damaged_pages_are_still_pages(damaged_outcomes):
    assert damaged_outcomes([PAGE.encode()], ".html") == {"read", "corrupt"}  # an empty file is no page


def test_open_text_damaged_markdown_and_subtitles(damaged_outcomes):
    assert damaged_outcomes([MARKDOWN], ".md") >= {"read", "binary"}
    assert damaged_outcomes([SUBTITLES], ".srt") >= {"read", "binary"}
