"""Load on a web server over kept connections: requests start when they are due, and wait as long as they wait.

A latency is counted from the moment a request was due: a server that stops for a second is seen to have stopped, for
everything that was due in that second.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

REQUEST_LIMIT_S = 30.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes


@dataclass
class Log:
    """Latencies and errors of one kind of request."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Client:
    """A pool of kept connections to one address."""

    def __init__(self, port: int, connections: int) -> None:
        self.port = port
        self.free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None] = asyncio.LifoQueue()
        for _ in range(connections):
            self.free.put_nowait(None)

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        connection = await self.free.get()
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S):
                if connection is None or connection[0].at_eof():  # servers close connections that idle
                    connection = await asyncio.open_connection("127.0.0.1", self.port)
                answer = await self._exchange(*connection, method, path, headers or {}, body)
        except BaseException:
            if connection is not None:
                connection[1].close()
            connection = None
            raise
        finally:
            self.free.put_nowait(connection)
        return answer

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
    ) -> Answer:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        if body:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        got: dict[str, str] = {}
        cookies = []
        for line in head[1:-2]:
            name, _, value = line.partition(": ")
            got[name.lower()] = value
            if name.lower() == "set-cookie":
                cookies.append(value.partition(";")[0])
        if "content-length" in got:
            data = await reader.readexactly(int(got["content-length"]))
        elif got.get("transfer-encoding") == "chunked":
            data = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                data += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            data = b""
        if got.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return Answer(int(head[0].split()[1]), got, cookies, data)

    def close(self) -> None:
        while not self.free.empty():
            if connection := self.free.get_nowait():
                connection[1].close()


class Run:
    """Requests at fixed rates, and what became of them."""

    def __init__(self) -> None:
        self.logs: dict[str, Log] = defaultdict(Log)
        self.tasks: set[asyncio.Task[None]] = set()

    async def pace(self, kind: str, rate: float, seconds: float, one: Callable[[int], Awaitable[None]]) -> None:
        """Start `one(number)` at a rate, whatever became of those before."""
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = start + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self.begin(kind, due, one(number))

    def begin(self, kind: str, due: float, work: Awaitable[None]) -> None:
        """Do one thing, and keep how long it took since it was due."""

        async def timed() -> None:
            try:
                await work
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError, AssertionError) as error:
                self.logs[kind].errors.append(f"{type(error).__name__}: {error}"[:200])
            else:
                self.logs[kind].seconds.append(time.perf_counter() - due)

        task = asyncio.ensure_future(timed())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def finish(self) -> None:
        """Wait for everything that was begun."""
        while self.tasks:
            await asyncio.wait(self.tasks)
