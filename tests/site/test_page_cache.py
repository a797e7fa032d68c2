"""Pages kept in front of Django: fresh for seconds, the same for everybody, never anybody's own."""

import gzip
import io
import threading

import pytest

from askfirst_site.page_cache import HEADER, PageCache


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Pages:
    """An application that counts how often it was asked."""

    def __init__(self, headers=(), status="200 OK", seconds="5"):
        self.asked = 0
        self.headers = [("Content-Type", "text/html; charset=utf-8"), *headers]
        if seconds:
            self.headers.append((HEADER, seconds))
        self.status = status

    def __call__(self, environ, start_response):
        self.asked += 1
        start_response(self.status, list(self.headers))
        return [f"page {self.asked} of {environ['PATH_INFO']} ".encode() * 50]


def ask(cache, path="/en/", method="GET", **headers):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": headers.pop("query", ""), **headers}
    environ |= {"HTTP_HOST": "example.org", "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO()}
    answer = {}
    chunks = cache(environ, lambda status, headers, *_: answer.update(status=status, headers=dict(headers)))
    return answer["status"], answer["headers"], b"".join(chunks)


def test_page_is_built_once_while_it_is_fresh():
    pages, clock = Pages(), Clock()
    cache = PageCache(pages, clock=clock)
    first = ask(cache)
    clock.now = 4.9
    assert ask(cache) == first
    assert pages.asked == 1
    clock.now = 5.0
    assert ask(cache)[2].startswith(b"page 2 ")


def test_header_of_the_cache_is_never_sent():
    for pages in (Pages(), Pages(seconds=""), Pages(status="404 Not Found")):
        _, headers, _ = ask(PageCache(pages))
        assert HEADER not in headers


@pytest.mark.parametrize(
    "pages",
    [
        Pages(seconds=""),
        Pages([("Set-Cookie", "a=b")]),
        Pages([("Vary", "Accept-Language, Cookie")]),
        Pages(status="404 Not Found"),
        Pages(status="500 Internal Server Error"),
    ],
    ids=["unmarked", "sets a cookie", "depends on a cookie", "missing", "failed"],
)
def test_answer_that_may_be_somebodys_own_is_not_kept(pages):
    cache = PageCache(pages)
    ask(cache)
    ask(cache)
    assert pages.asked == 2


def test_post_goes_to_the_application():
    pages = Pages()
    cache = PageCache(pages)
    ask(cache)
    ask(cache, method="POST")
    assert pages.asked == 2


@pytest.mark.parametrize(
    "other",
    [{"path": "/de/"}, {"query": "page=2"}],
    ids=["path", "query"],
)
def test_other_address_is_another_page(other):
    pages = Pages()
    cache = PageCache(pages)
    ask(cache)
    ask(cache, **other)
    assert pages.asked == 2


def test_front_page_is_kept_once_for_each_language():
    pages = Pages()
    cache = PageCache(pages, vary=lambda environ: environ.get("HTTP_ACCEPT_LANGUAGE", "en")[:2])
    assert ask(cache, "/", HTTP_ACCEPT_LANGUAGE="de-AT,de")[2] == ask(cache, "/", HTTP_ACCEPT_LANGUAGE="de")[2]
    assert ask(cache, "/", HTTP_ACCEPT_LANGUAGE="nl")[2].startswith(b"page 2 ")
    assert ask(cache, "/en/", HTTP_ACCEPT_LANGUAGE="nl")[2] == ask(cache, "/en/", HTTP_ACCEPT_LANGUAGE="de")[2]
    assert ask(cache, "/")[1]["Vary"] == "Accept-Encoding, Accept-Language, Cookie"


def test_compressed_page_opens_to_the_page():
    cache = PageCache(Pages())
    _, plain_headers, plain = ask(cache)
    _, headers, packed = ask(cache, HTTP_ACCEPT_ENCODING="br, gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert headers["Content-Length"] == str(len(packed))
    assert headers["ETag"] != plain_headers["ETag"]


def test_page_that_the_browser_has_is_not_sent_again():
    cache = PageCache(Pages())
    _, headers, _ = ask(cache)
    status, again, body = ask(cache, HTTP_IF_NONE_MATCH=headers["ETag"])
    assert (status, body, again["ETag"]) == ("304 Not Modified", b"", headers["ETag"])


def test_head_has_the_headers_of_the_page_and_no_body():
    cache = PageCache(Pages())
    _, headers, body = ask(cache)
    assert ask(cache, method="HEAD") == ("200 OK", headers, b"")
    assert headers["Content-Length"] == str(len(body))


def test_stale_page_is_given_out_while_it_is_being_built():
    clock, begun, go_on = Clock(), threading.Event(), threading.Event()
    pages = Pages()

    def slow(environ, start_response):
        chunks = pages(environ, start_response)
        if pages.asked == 2:
            begun.set()
            assert go_on.wait(10)
        return chunks

    cache = PageCache(slow, clock=clock)
    ask(cache)
    clock.now = 6.0
    builder = threading.Thread(target=ask, args=(cache,))
    builder.start()
    assert begun.wait(10)
    assert ask(cache)[2].startswith(b"page 1 ")
    go_on.set()
    builder.join()
    assert ask(cache)[2].startswith(b"page 2 ")
    assert pages.asked == 2


def test_failed_build_does_not_block_the_next():
    class BuildError(Exception):
        pass

    pages = Pages()

    def failing(environ, start_response):
        if pages.asked == 0:
            pages.asked = 1
            raise BuildError
        return pages(environ, start_response)

    cache = PageCache(failing)
    with pytest.raises(BuildError):
        ask(cache)
    assert ask(cache)[0] == "200 OK"


def test_memory_has_a_limit():
    clock = Clock()
    cache = PageCache(lambda _e, start: (start("200 OK", [(HEADER, "5")]), [b"x" * 1_000_000])[1], clock=clock)
    for number in range(200):
        ask(cache, query=f"n={number}")
    assert cache._size_bytes <= 64 << 20
    assert len(cache._pages) < 70


def test_head_of_a_page_that_is_not_kept_has_no_body_either():
    pages = Pages(seconds="")
    status, _, body = ask(PageCache(pages), method="HEAD")
    assert (status, body, pages.asked) == ("200 OK", b"", 1)


def test_head_comes_from_the_page_that_get_built():
    pages = Pages()
    cache = PageCache(pages)
    ask(cache, method="HEAD")
    ask(cache)
    assert pages.asked == 1
