"""The local engine: worker processes that may die.

Every worker has a thread in the driver that hands it one task at a time. So when a worker dies it is known what it
did: that task is tried again by a new worker, and the others never notice. A task whose second worker dies too has
killed it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Generic, Self, TypeVar

from askfirst.errors import InterruptedRunError

__all__ = ["Died", "Workers", "run"]

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 3
"""Units handed out per worker: enough that none waits, few enough that memory and loss stay small."""


_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # a process with one thread can be forked, and a worker has one core
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # memory that is given back after every batch is asked for again
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
"""For workers, unless it is set already."""


@dataclass(frozen=True, slots=True)
class Died(Generic[T]):
    """A task whose worker ended without an answer, and that nothing could save."""

    task: T


class Workers:
    """Where workers come from: a server of forks, which prepares itself while the driver does something else.

    Args:
        prepare: Name of a function that loads what every worker needs, `package.module:function`; or empty.
    """

    def __init__(self, prepare: str = "") -> None:
        self._own, theirs = socket.socketpair()
        self._asked = False
        self._closed = False
        code = f"import sys; sys.path[:] = {sys.path!r}; from askfirst.engines.forks import serve; "
        command = [sys.executable, "-c", f"{code}serve({theirs.fileno()}, {prepare!r})"]
        with theirs:
            # Ctrl-C reaches the whole process group, and only the driver decides what it means.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                self._server = subprocess.Popen(  # noqa: S603  # this Python, with code of ours
                    command,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env={**_ENVIRONMENT, **os.environ},
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def start(self) -> Connection:
        """Return the connection to a new worker.

        Raises:
            InterruptedRunError: There are none any more.
        """
        mine, theirs = socket.socketpair()
        with theirs:
            self._asked = True
            try:
                socket.send_fds(self._own, [b"w"], [theirs.fileno()])
            except OSError as error:
                mine.close()
                raise InterruptedRunError(
                    "worker processes cannot be started", advice="see the lines before this; go on with --resume"
                ) from error
        return Connection(mine.detach())

    def __enter__(self) -> Self:
        """Return this."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close it."""
        self.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """End all workers, whatever they do, and wait until they have ended."""
        self._closed = True
        self._own.close()
        if not self._asked:
            self._server.kill()  # it may still be busy with its preparation
        self._server.wait()


def run(
    function: Callable[[T], R],
    tasks: Iterable[T],
    *,
    workers: int,
    rescue: Callable[[T], T | None],
    source: Workers | None = None,
) -> Generator[R | Died[T], None, None]:
    """Map a function over tasks in worker processes; results come in the order of the tasks.

    1. Keep a few tasks per worker under way.
    2. When a worker dies, try its task once more.
    3. When that worker dies too, ask `rescue` for a task to try in its place; after None it is given up.

    Args:
        function: Importable by name; takes and returns values that can be pickled.
        tasks: What to do, in order.
        workers: Number of processes.
        rescue: Called with a task that killed its worker; returns what to try instead, or None.
        source: Where workers come from; closed at the end. A new one where there is none.

    Yields:
        The function's result for every task, or `Died`. An exception of the function is raised here.
    """
    hands = _Hands(function, rescue, source or Workers())
    threads = ThreadPoolExecutor(workers, thread_name_prefix="askfirst-worker")
    waiting = iter(tasks)
    under_way: deque[Future[R | Died[T]]] = deque()
    try:
        while True:
            while len(under_way) < workers * _AHEAD and (task := next(waiting, None)) is not None:
                under_way.append(threads.submit(hands.do, task))
            if not under_way:
                return
            yield under_way.popleft().result()
    finally:
        hands.source.close()
        threads.shutdown(cancel_futures=True)


class _Hands(Generic[T, R]):
    """One worker for each thread that calls `do`, and another when it dies."""

    def __init__(self, function: Callable[[T], R], rescue: Callable[[T], T | None], source: Workers) -> None:
        self.function = function
        self.rescue = rescue
        self.source = source
        self._mine = threading.local()

    def do(self, task: T) -> R | Died[T]:
        """Return what the function returns, or raise what it raises."""
        deaths = 0
        now: T | None = task
        while now is not None:
            worker = self._mine.__dict__.get("worker")
            if worker is None:
                worker = self._mine.worker = self.source.start()
            try:
                worker.send((self.function, now))
                result, error = worker.recv()
            except (EOFError, ConnectionError):
                worker.close()
                self._mine.worker = None
                if self.source.closed:
                    raise
                deaths += 1
                now = now if deaths == 1 else self.rescue(now)
                continue
            if error is not None:
                raise error
            answer: R = result
            return answer
        return Died(task)
