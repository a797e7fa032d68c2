"""The local engine: a pool of worker processes that outlives any of them.

A pool from the standard library or from loky breaks as a whole when one worker dies: every unit under way is
lost, and nobody knows which of them killed it. So the units under way become suspects and are tried again, each
alone in a pool of one. A unit that dies alone has killed its worker.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Generic, TypeVar

from loky import ProcessPoolExecutor
from loky.backend import resource_tracker

__all__ = ["Died", "run"]

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 3
"""Units handed out per worker: enough that none waits, few enough that memory and loss stay small."""


@dataclass(frozen=True, slots=True)
class Died(Generic[T]):
    """A task whose worker ended without an answer, and that nothing could save."""

    task: T


def run(
    function: Callable[[T], R],
    tasks: Iterable[T],
    *,
    workers: int,
    rescue: Callable[[T], T | None],
    prepare: Callable[[], None] | None = None,
) -> Generator[R | Died[T], None, None]:
    """Map a function over tasks in worker processes; results come in the order of the tasks.

    1. Keep a few tasks per worker under way.
    2. When a worker dies, try every task under way again, alone.
    3. When a task dies alone, ask `rescue` for a task to try in its place; after None it is given up.

    Args:
        function: Importable by name; takes and returns values that can be pickled.
        tasks: What to do, in order.
        workers: Number of processes.
        rescue: Called with a task that killed its worker; returns what to try instead, or None.
        prepare: Called once in every new worker.

    Yields:
        The function's result for every task, or `Died`. An exception of the function is raised here.
    """
    waiting = iter(tasks)
    under_way: deque[tuple[T, Future[R]]] = deque()
    pool = _pool(workers, prepare)
    try:
        while True:
            while len(under_way) < workers * _AHEAD and (task := next(waiting, None)) is not None:
                under_way.append((task, _submit(pool, function, task)))
            if not under_way:
                return
            task, future = under_way[0]
            try:
                result: R | Died[T] = future.result()
            except BrokenProcessPool:
                pool.shutdown(kill_workers=True)
                yield from _alone(function, under_way, rescue=rescue, prepare=prepare)
                under_way.clear()
                pool = _pool(workers, prepare)
                continue
            under_way.popleft()
            yield result
    finally:
        pool.shutdown(kill_workers=True)


def _alone(
    function: Callable[[T], R],
    suspects: Iterable[tuple[T, Future[R]]],
    *,
    rescue: Callable[[T], T | None],
    prepare: Callable[[], None] | None,
) -> Iterator[R | Died[T]]:
    """Yield the results of tasks that were under way when a worker died, each tried by itself."""
    for suspect, future in suspects:
        if future.done() and future.exception() is None:
            yield future.result()
            continue
        task: T | None = suspect
        while task is not None:
            pool = _pool(1, prepare)
            try:
                yield _submit(pool, function, task).result()
                break
            except BrokenProcessPool:
                task = rescue(task)
            finally:
                pool.shutdown(kill_workers=True)
        else:
            yield Died(suspect)


def _submit(pool: ProcessPoolExecutor, function: Callable[[T], R], task: T) -> Future[R]:
    """Hand a task to the pool; a pool that broke a moment ago breaks this task's future like all others.

    Workers are started here, and inherit that Ctrl-C is held back: it reaches the whole process group, and only
    the driver decides what it means.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        future: Future[R] = pool.submit(function, task)
    except BrokenProcessPool as error:
        future = Future()
        future.set_exception(error)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    return future


def _pool(workers: int, prepare: Callable[[], None] | None) -> ProcessPoolExecutor:
    resource_tracker.ensure_running()  # starting it lets signals through again: not while workers are started
    return ProcessPoolExecutor(workers, timeout=None, initializer=prepare)
