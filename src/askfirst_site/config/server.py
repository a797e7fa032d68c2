"""The application as Granian runs it: kept pages are answered at once, the rest waits for one of Django's threads.

Readers so never stand in a line behind those who sign. Other servers run `config.wsgi`, which is the same without that.
Source: Granian's RSGI 1.5.
"""

from __future__ import annotations

import asyncio
import gc
import io
import multiprocessing
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from askfirst_site.config.parents import end_with_parent
from askfirst_site.config.wsgi import application as pages
from askfirst_site.page_cache import Key, PageCache

__all__ = ["Front", "application"]

BODY_LIMIT_BYTES = 2_000_000
_SWITCH_S = 0.001
"""How long Django's thread may compute before the loop gets its turn; Python's own 5 ms would be seen by readers."""

_GARBAGE_AFTER = 20_000
"""Objects between two looks for garbage in cycles. One of our requests makes some thousands; 700 is Python's own."""

THREADS = 2
"""Requests that Django works on at once in a process: an export that takes a minute holds up nobody who signs."""

_Headers = list[tuple[str, str]]


class Front:
    """Answers from the page cache in the server's loop, and hands the rest to threads.

    Args:
        pages: The cache, with Django behind it.
        threads: How many requests Django works on at once in this process.
    """

    def __init__(self, pages: PageCache, threads: int) -> None:
        self.pages = pages
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="django")
        self._built: dict[Key, asyncio.Future[None]] = {}

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            protocol.response_empty(400, [])
            return
        environ = _environ(scope)
        answer = _Answer()
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            body = await self._read_page(environ, answer)
        else:
            sent = await _read(protocol)
            if sent is None:
                protocol.response_empty(413, [])
                return
            environ["wsgi.input"] = io.BytesIO(sent)
            environ["CONTENT_LENGTH"] = str(len(sent))
            body = await self._in_thread(self.pages, environ, answer)
        protocol.response_bytes(answer.status, answer.headers, body)

    async def _read_page(self, environ: dict[str, Any], answer: _Answer) -> bytes:
        """Return a page: a kept one, the one that somebody is building, or one that is built for this request."""
        kept = self.pages.answer_at_once(environ, answer.start)
        key = self.pages.key_of(environ)
        if kept is None and key in self._built:
            # Nobody has this page yet, and it is being built: a thousand who ask for it make one request of it.
            await asyncio.wait([self._built[key]])
            kept = self.pages.answer_at_once(environ, answer.start)
        if kept is not None:
            return b"".join(kept)
        built = asyncio.get_running_loop().create_future()
        self._built.setdefault(key, built)
        try:
            with self.pages.building(key):
                return await self._in_thread(partial(self.pages.build, key), environ, answer)
        finally:
            built.set_result(None)
            if self._built.get(key) is built:
                del self._built[key]

    async def _in_thread(self, application: Callable[..., Any], environ: dict[str, Any], answer: _Answer) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self.threads, _run, application, environ, answer)


class _Answer:
    """What a WSGI application says before its body."""

    status = 500
    headers: _Headers

    def __init__(self) -> None:
        self.headers = []

    def start(self, status: str, headers: _Headers, exc_info: object = None) -> Callable[[bytes], object]:  # noqa: ARG002  # WSGI's signature
        self.status = int(status[:3])
        self.headers = [(name.lower(), value) for name, value in headers]
        return io.BytesIO().write


def _run(application: Callable[..., Any], environ: dict[str, Any], answer: _Answer) -> bytes:
    """Run the WSGI application to its end, in a thread."""
    chunks = application(environ, answer.start)
    try:
        return b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()


async def _read(protocol: Any) -> bytes | None:
    """Return a request's body; None if it is larger than any form of ours."""
    parts, size = [], 0
    async for part in protocol:
        size += len(part)
        if size > BODY_LIMIT_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _environ(scope: Any) -> dict[str, Any]:
    """Return a request as WSGI wants it (PEP 3333)."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.authority:  # HTTP/2 says it there
        environ["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        # A header that came twice is one with a comma (RFC 9110, 5.2); cookies have their own mark.
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"  # noqa: PLW2901  # the value grows
        environ[key] = value
    return environ


if _server := multiprocessing.parent_process():  # a worker whose server was killed would go on on its port, for ever
    end_with_parent(signal.SIGKILL, _server.pid)
sys.setswitchinterval(_SWITCH_S)
gc.collect()
gc.freeze()  # what was imported stays: looking through it again and again costs a tenth of every request
gc.set_threshold(_GARBAGE_AFTER)
application = Front(pages, threads=THREADS)
