"""Reads somebody else's log: from a folder, or over https. Everything it says may be wrong, too long, or never end."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urljoin, urlsplit

from askfirst.errors import FetchError, FormatError, InputError
from askfirst.tlog.note import NOTE_LIMIT_BYTES
from askfirst.version import __version__

__all__ = ["FolderSource", "LogSource", "UrlSource", "open_log"]

FILE_TIMEOUT_S = 60.0
"""For one file, all of it."""
CONNECT_TIMEOUT_S = 15.0
_THREADS = 4
_AHEAD = 16
"""Files asked for before they are needed; at most this many of the largest are held at once."""
_REDIRECTS = 3
_CHUNK_BYTES = 1 << 16
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_GONE = frozenset({404, 410})
_MOVED = frozenset({301, 302, 303, 307, 308})


class LogSource(Protocol):
    """Where the files of a log are."""

    def checkpoint(self) -> str | None:
        """Return the log's checkpoint, None if it has published none."""

    def read_many(self, files: Iterable[tuple[str, int]]) -> Iterator[bytes | None]:
        """Read files by path, at most so many bytes each, in the order asked for; None for one that is not there."""

    def close(self) -> None:
        """Let go of everything."""


class FolderSource:
    """A log in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def checkpoint(self) -> str | None:
        """Return the log's checkpoint, None if it has published none."""
        return _text(self._read("checkpoint", NOTE_LIMIT_BYTES))

    def read_many(self, files: Iterable[tuple[str, int]]) -> Iterator[bytes | None]:
        """Read files by path, at most so many bytes each."""
        return (self._read(path, limit_bytes) for path, limit_bytes in files)

    def close(self) -> None:
        """Let go of everything: nothing is held."""

    def _read(self, path: str, limit_bytes: int) -> bytes | None:
        try:
            with (self.path / path).open("rb") as file:
                data = file.read(limit_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FetchError(f"{self.path / path} cannot be read: {error.strerror}") from error
        return _limited(data, limit_bytes, path)


class UrlSource:
    """A log at an https address, or an http one on this machine.

    Files are asked for some ahead, over a few connections. A redirect is followed on the same host only.

    Args:
        url: The log's address, to which `checkpoint` is appended.

    Raises:
        InputError: It is not such an address.
    """

    def __init__(self, url: str) -> None:
        self.url = url if url.endswith("/") else f"{url}/"
        _check_address(self.url)
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._pool = ThreadPoolExecutor(_THREADS)

    def checkpoint(self) -> str | None:
        """Return the log's checkpoint, None if it has published none."""
        return _text(self._read("checkpoint", NOTE_LIMIT_BYTES))

    def read_many(self, files: Iterable[tuple[str, int]]) -> Iterator[bytes | None]:
        """Read files by path, at most so many bytes each, in the order asked for."""
        waiting: deque[Future[bytes | None]] = deque()
        for path, limit_bytes in files:
            waiting.append(self._pool.submit(self._read, path, limit_bytes))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def close(self) -> None:
        """End every connection."""
        self._pool.shutdown(cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def __enter__(self) -> Self:
        """Return the source."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """End every connection."""
        self.close()

    def _read(self, path: str, limit_bytes: int) -> bytes | None:
        url, deadline = urljoin(self.url, path), time.monotonic() + FILE_TIMEOUT_S
        for _ in range(_REDIRECTS + 1):
            status, headers, data = self._request(url, limit_bytes, deadline)
            if status in _MOVED:
                url = self._next(url, headers.get("Location", ""))
                continue
            if status in _GONE:
                return None
            if status != http.client.OK:
                raise FetchError(f"{url} answers with status {status}", advice="try again later")
            if headers.get("Content-Encoding", "identity") == "gzip":
                data = _unzip(data, limit_bytes, url)
            return _limited(data, limit_bytes, url)
        raise FetchError(f"{self.url}{path} redirects without end")

    def _request(self, url: str, limit_bytes: int, deadline: float) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Ask once; once more over a new connection if the kept one was closed meanwhile."""
        headers = {"Accept-Encoding": "gzip, identity", "User-Agent": f"askfirst/{__version__}"}
        for last in (False, True):
            connection = self._connection(new=last)
            try:
                connection.request("GET", urlsplit(url).path, headers=headers)
                response = connection.getresponse()
                data = _read_until(response, limit_bytes + 1, deadline, url)
                if not response.isclosed():
                    connection.close()
                return response.status, response.headers, data
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if last or isinstance(error, TimeoutError):
                    raise FetchError(f"{url} cannot be read: {str(error) or type(error).__name__}") from error
        raise AssertionError("the second try returns or raises")

    def _connection(self, *, new: bool) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None or new:
            parts = urlsplit(self.url)
            host, port = parts.hostname or "", parts.port
            connection = (
                http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT_S, context=ssl.create_default_context())
                if parts.scheme == "https"
                else http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT_S)
            )
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _next(self, url: str, location: str) -> str:
        moved = urljoin(url, location)
        if not location or urlsplit(moved)[:2] != urlsplit(self.url)[:2]:
            raise FetchError(
                f"{url} redirects to another place, {location[:80]!r}", advice="give the log's own address"
            )
        return moved


def open_log(place: str) -> FolderSource | UrlSource:
    """Return the log at an address or in a folder.

    Raises:
        InputError: There is no such folder, or it is an address that is not https.
    """
    if "://" in place:
        return UrlSource(place)
    if not Path(place).is_dir():
        raise InputError(f"there is no folder {place}", advice="give a folder with a log, or its https address")
    return FolderSource(Path(place))


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        good = bool(parts.hostname) and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:
        good = secure = False
    if not good or not secure or "@" in url:
        raise InputError(f"{url} is not the address of a log", advice="it starts with https://")


def _read_until(response: http.client.HTTPResponse, most_bytes: int, deadline: float, url: str) -> bytes:
    parts: list[bytes] = []
    while most_bytes > 0 and (part := response.read1(min(most_bytes, _CHUNK_BYTES))):
        parts.append(part)
        most_bytes -= len(part)
        if time.monotonic() > deadline:
            raise FetchError(f"{url} did not end within {FILE_TIMEOUT_S:.0f} seconds")
    if most_bytes > 0 and response.length:
        raise FetchError(f"{url} ended {response.length} bytes early", advice="try again later")
    return b"".join(parts)


def _unzip(data: bytes, limit_bytes: int, url: str) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data, limit_bytes + 1)
    except zlib.error as error:
        raise FetchError(f"{url} is not the gzip it claims to be") from error


def _limited(data: bytes, limit_bytes: int, place: str) -> bytes:
    if len(data) > limit_bytes:
        raise FormatError(f"{place} is longer than the {limit_bytes:,} bytes that it can be", path=place)
    return data


def _text(data: bytes | None) -> str | None:
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the log's checkpoint is not text") from error
