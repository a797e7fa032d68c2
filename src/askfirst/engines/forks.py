"""The server of forks: one process that has imported and prepared everything, and becomes a worker when asked.

    driver --exec--> server --fork--> worker
       |<------------- socket ---------->|

Whatever the server has loaded, every worker has at once and shares its memory. The server starts no threads, and
does nothing but wait for the driver. It ends when the driver has ended, however that came about, and takes the
workers with it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
from multiprocessing.connection import Connection
from pkgutil import resolve_name

__all__ = ["serve"]


def serve(descriptor: int, prepare: str) -> None:
    """Fork a worker for every socket that is sent; end when there is nobody left to send one.

    Args:
        descriptor: Of the socket to the driver.
        prepare: Name of a function to call first, `package.module:function`; or empty.
    """
    workers: list[int] = []
    with socket.socket(fileno=descriptor) as driver:
        if prepare:
            resolve_name(prepare)()
        gc.freeze()  # what is there now stays, and stays shared
        while True:
            _message, descriptors, _flags, _address = socket.recv_fds(driver, 1, 1)
            if not descriptors:
                break
            workers = [worker for worker in workers if os.waitpid(worker, os.WNOHANG) == (0, 0)]
            worker = os.fork()
            if worker == 0:
                driver.close()
                _work(descriptors[0])
            workers.append(worker)
            os.close(descriptors[0])
    for worker in workers:  # those that ended are still there to be waited for: the number is nobody else's
        os.kill(worker, signal.SIGKILL)
    for worker in workers:
        os.waitpid(worker, 0)


def _work(descriptor: int) -> None:
    """Call function after function until the driver closes the socket; never return."""
    try:
        with Connection(descriptor) as driver:
            while True:
                function, task = driver.recv()
                answer: tuple[object, Exception | None]
                try:
                    answer = (function(task), None)
                except Exception as error:  # noqa: BLE001  # raised again in the driver, where it belongs
                    answer = (None, error)
                driver.send(answer)
    except (EOFError, ConnectionError):
        os._exit(0)
    finally:
        os._exit(1)  # the answer cannot be sent; nothing of the server's may run in a worker
