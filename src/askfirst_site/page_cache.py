"""Pages that are the same for everybody, kept for seconds in front of Django.

A front-page day is mostly readers: one page is built every few seconds, and thousands get a copy. A view says that its
page may be kept with `cacheable`; whatever does not say so is never kept, nor what sets or depends on a cookie.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["HEADER", "Key", "PageCache", "cacheable"]

HEADER = "X-Page-Cache"
"""Seconds a response may be kept; read here and never sent."""

_SIZE_LIMIT_BYTES = 64 << 20
_STALE_LIMIT_S = 60.0
_PAGE_LIMIT_BYTES = 2 << 20

_Response = TypeVar("_Response")
_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Key = tuple[str, ...]


def cacheable(response: _Response, seconds: int = 5) -> _Response:
    """Mark a response as the same for everybody who asks for its address, for some seconds.

    Only for pages without a session, a cookie or anything else of the visitor's. Returns the response.
    """
    response[HEADER] = str(seconds)  # type: ignore[index]  # Django's responses are mappings of headers
    response["Cache-Control"] = f"public, max-age={seconds}"  # type: ignore[index]  # as above
    return response


@dataclass(slots=True)
class _Page:
    """One kept response, with and without compression."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    packed: bytes
    etag: str
    fresh_until: float
    made: float

    @property
    def size_bytes(self) -> int:
        """What it costs to keep."""
        return len(self.body) + len(self.packed) + 1000


class PageCache:
    """A WSGI application in front of another that keeps what the other marked as `cacheable`.

    While a page is being built anew, others get the one before. Each process has a cache of its own.

    Args:
        application: What builds the pages.
        vary: Tells visitors apart at the addresses that answer in the visitor's language. It gets the environment and
            returns a short text with few values.
        vary_paths: Those addresses.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        application: _App,
        *,
        vary: Callable[[dict[str, Any]], str] = lambda _environ: "",
        vary_paths: frozenset[str] = frozenset({"/"}),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.application = application
        self.vary = vary
        self.vary_paths = vary_paths
        self.clock = clock
        self._pages: OrderedDict[Key, _Page] = OrderedDict()
        self._size_bytes = 0
        self._building: set[Key] = set()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer from the kept pages where one is fresh."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self.application(environ, start_response)
        # 1. A fresh page, or a stale one that somebody is building anew already.
        # 2. Otherwise this request builds it. Where there is none yet, nobody waits: there are few threads.
        kept = self.answer_at_once(environ, start_response)
        if kept is not None:
            return kept
        key = self.key_of(environ)
        with self.building(key):
            return self.build(key, environ, start_response)

    def answer_at_once(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes] | None:
        """Answer GET or HEAD from a kept page, if there is one that may be given out now; never waits."""
        key = self.key_of(environ)
        page = self._pages.get(key)
        if page is None:
            return None
        now = self.clock()
        is_usable = now < page.fresh_until or (key in self._building and now < page.made + _STALE_LIMIT_S)
        return self._send(page, environ, start_response) if is_usable else None

    @contextmanager
    def building(self, key: Key) -> Iterator[None]:
        """Let others have the stale page of a key until the block ends."""
        with self._lock:
            is_first = key not in self._building
            self._building.add(key)
        try:
            yield
        finally:
            if is_first:
                with self._lock:
                    self._building.discard(key)

    def key_of(self, environ: dict[str, Any]) -> Key:
        """Return what tells pages apart: host, scheme, path, query, and the visitor's language where it matters."""
        path = environ.get("PATH_INFO", "")
        vary = self.vary(environ) if path in self.vary_paths else ""
        return (environ.get("HTTP_HOST", ""), environ.get("wsgi.url_scheme", ""), path, environ["QUERY_STRING"], vary)

    def build(self, key: Key, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Ask the application, and keep the answer if it may be kept."""
        answer: dict[str, Any] = {}

        def remember(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            answer.update(status=status, headers=headers, exc_info=exc_info)
            return _refuse_write

        # HEAD is GET without the body: views need not know it, and both are kept as one.
        is_head = environ["REQUEST_METHOD"] == "HEAD"
        chunks = self.application({**environ, "REQUEST_METHOD": "GET"} if is_head else environ, remember)
        seconds = _seconds_of(answer["status"], answer["headers"])
        if not seconds and not is_head:
            start_response(answer["status"], _without_mark(answer["headers"]), *_exc_info(answer))
            return chunks
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        if not seconds:
            start_response(answer["status"], _without_mark(answer["headers"]), *_exc_info(answer))
            return []
        page = self._page(answer["status"], answer["headers"], body, seconds)
        self._keep(key, page)
        return self._send(page, environ, start_response)

    def _page(self, status: str, headers: list[tuple[str, str]], body: bytes, seconds: float) -> _Page:
        dropped = {HEADER.lower(), "content-length", "etag", "content-encoding", "vary"}
        kept = [(name, value) for name, value in headers if name.lower() not in dropped]
        is_text = any(n.lower() == "content-type" and not v.startswith(("image/png", "font/")) for n, v in headers)
        packed = gzip.compress(body, 6, mtime=0) if is_text and len(body) > 400 else b""
        now = self.clock()
        etag = hashlib.sha256(body).hexdigest()[:24]
        return _Page(status, kept, body, packed, etag, now + seconds, now)

    def _keep(self, key: Key, page: _Page) -> None:
        if page.size_bytes > _PAGE_LIMIT_BYTES:
            return
        with self._lock:
            before = self._pages.pop(key, None)
            self._size_bytes += page.size_bytes - (before.size_bytes if before else 0)
            self._pages[key] = page
            while self._size_bytes > _SIZE_LIMIT_BYTES:
                _, oldest = self._pages.popitem(last=False)
                self._size_bytes -= oldest.size_bytes

    def _send(self, page: _Page, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_packed = bool(page.packed) and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        etag = f'"{page.etag}{"-gzip" if is_packed else ""}"'
        vary = "Accept-Encoding"
        if environ.get("PATH_INFO") in self.vary_paths:
            vary += ", Accept-Language, Cookie"
        headers = [*page.headers, ("ETag", etag), ("Vary", vary)]
        if etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", [one for one in headers if one[0].lower() != "content-type"])
            return []
        body = page.packed if is_packed else page.body
        if is_packed:
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        start_response(page.status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _without_mark(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() != HEADER.lower()]


def _exc_info(answer: dict[str, Any]) -> list[Any]:
    return [answer["exc_info"]] if answer["exc_info"] else []


def _refuse_write(_data: bytes) -> None:
    raise NotImplementedError("the page cache takes iterables; no framework writes since 2003 (PEP 3333)")


def _seconds_of(status: str, headers: list[tuple[str, str]]) -> float:
    """Return for how long an answer may be kept: not at all if it sets a cookie, or depends on one."""
    named = {name.lower(): value for name, value in headers}
    if not status.startswith("200") or "set-cookie" in named or "content-encoding" in named:
        return 0.0
    if "cookie" in named.get("vary", "").lower():
        return 0.0
    value = named.get(HEADER.lower(), "")
    return float(value) if value.isdigit() else 0.0
