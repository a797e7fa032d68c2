"""The server's front: kept pages never wait for Django, and a page is built once however many ask for it."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from askfirst_site.page_cache import HEADER, PageCache


@pytest.fixture(scope="module")
def front():
    from askfirst_site.config.server import Front

    return Front


class Headers(list):
    def items(self):
        return list(self)


class Protocol:
    """What Granian hands to an application."""

    def __init__(self, *parts):
        self.parts = parts
        self.answer = None

    async def __aiter__(self):
        for part in self.parts:
            yield part

    def response_bytes(self, status, headers, body):
        self.answer = (status, dict(headers), body)

    def response_empty(self, status, headers):
        self.answer = (status, dict(headers), b"")


def scope(path="/en/", method="GET", headers=(), query=""):
    return SimpleNamespace(
        proto="http", method=method, path=path, query_string=query, headers=Headers([("host", "testserver"), *headers]),
        server="127.0.0.1:8000", client="203.0.113.7:1234", scheme="http", http_version="1.1", authority=None,
    )  # fmt: skip


async def ask(front, *parts, **request):
    protocol = Protocol(*parts)
    await front.__rsgi__(scope(**request), protocol)
    return protocol.answer


def test_request_reaches_the_application_as_wsgi(front):
    seen = {}

    def application(environ, start_response):
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [b"a", b"b"]

    headers = [("content-type", "text/plain"), ("cookie", "a=1"), ("cookie", "b=2"), ("x-forwarded-for", "1.2.3.4")]
    answer = asyncio.run(
        ask(front(PageCache(application), 1), b"ab", b"c", path="/é", method="POST", headers=headers, query="q=1")
    )
    assert (answer[0], answer[2]) == (201, b"ab")
    assert (seen["PATH_INFO"].encode("latin-1").decode(), seen["QUERY_STRING"], seen["body"]) == ("/é", "q=1", b"abc")
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"], seen["REMOTE_ADDR"]) == ("text/plain", "3", "203.0.113.7")
    assert (seen["HTTP_COOKIE"], seen["HTTP_X_FORWARDED_FOR"]) == ("a=1; b=2", "1.2.3.4")


def test_body_that_is_too_large_is_refused(front):
    answer = asyncio.run(ask(front(PageCache(None), 1), b"x" * 1_500_000, b"x" * 1_500_000, method="POST"))
    assert answer[0] == 413


class Slow:
    """Pages that take until they are let go."""

    def __init__(self, *headers):
        self.asked, self.go_on, self.headers = 0, threading.Event(), [("Content-Type", "text/html"), *headers]

    def __call__(self, environ, start_response):
        self.asked += 1
        if environ["PATH_INFO"] != "/quick/":
            assert self.go_on.wait(10)
        start_response("200 OK", list(self.headers))
        return [b"page %d" % self.asked]


def test_kept_page_does_not_wait_for_a_thread(front):
    slow = Slow((HEADER, "5"))

    async def run():
        one = front(PageCache(slow), 1)
        await ask(one, path="/quick/")
        waiting = asyncio.ensure_future(ask(one, path="/slow/"))
        await asyncio.sleep(0.05)
        answer = await asyncio.wait_for(ask(one, path="/quick/"), 5)
        slow.go_on.set()
        await waiting
        return answer

    assert asyncio.run(run())[2] == b"page 1"


def test_page_that_many_ask_for_at_once_is_built_once(front):
    slow = Slow((HEADER, "5"))

    async def run():
        one = front(PageCache(slow), 4)
        asking = [asyncio.ensure_future(ask(one)) for _ in range(50)]
        await asyncio.sleep(0.05)
        slow.go_on.set()
        return await asyncio.gather(*asking)

    assert [answer[2] for answer in asyncio.run(run())] == [b"page 1"] * 50
    assert slow.asked == 1


def test_page_that_is_not_kept_is_built_for_each(front):
    slow = Slow()

    async def run():
        one = front(PageCache(slow), 4)
        asking = [asyncio.ensure_future(ask(one)) for _ in range(5)]
        await asyncio.sleep(0.05)
        slow.go_on.set()
        return await asyncio.gather(*asking)

    assert len({answer[2] for answer in asyncio.run(run())}) == 5


def test_application_that_fails_fails_for_everybody_and_leaves_nothing_behind(front):
    class BuildError(Exception):
        pass

    def application(environ, start_response):
        raise BuildError

    async def run():
        one = front(PageCache(application), 1)
        failed = await asyncio.gather(ask(one), ask(one), return_exceptions=True)
        return [type(error) for error in failed], one._built

    assert asyncio.run(run()) == ([BuildError, BuildError], {})
