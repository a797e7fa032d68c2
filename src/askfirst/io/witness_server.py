"""A small web server for a witness: two addresses, short requests, nothing that can grow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Answer", "WitnessServer"]

REQUEST_LIMIT_BYTES = 1 << 17
TIMEOUT_S = 10.0
_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answers."""

    status: HTTPStatus
    text: str
    media_type: str = "text/plain; charset=utf-8"


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness over http; put it behind a web server that speaks https.

    Args:
        host: Address to listen at.
        port: Port to listen at; 0 for any that is free.
        add_checkpoint: Answers the body of a request.
        latest: Answers with the newest checkpoint of a log, by the hash of its origin.
        say: Called with one line for every request.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        host: str,
        port: int,
        add_checkpoint: Callable[[bytes], Answer],
        latest: Callable[[str], Answer],
        say: Callable[[str], None],
    ) -> None:
        super().__init__((host, port), _Handler)
        self.add_checkpoint = add_checkpoint
        self.latest = latest
        self.say = say
        self._free = threading.BoundedSemaphore(_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection, or close it at once if there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the name is the base class's
        """Say that a connection broke; whoever it was may come again."""
        self.say(f"{client_address[0]} connection broke")


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"
    server_version = "askfirst-witness"
    sys_version = ""
    timeout = TIMEOUT_S

    def do_POST(self) -> None:
        """Answer a log that wants a cosignature."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._answer(Answer(HTTPStatus.NOT_FOUND, "a witness has only /add-checkpoint\n"), keep=False)
        elif not length.isascii() or not length.isdigit():
            self._answer(Answer(HTTPStatus.LENGTH_REQUIRED, "say how long the request is\n"), keep=False)
        elif len(length) > 9 or int(length) > REQUEST_LIMIT_BYTES:
            text = f"a request has at most {REQUEST_LIMIT_BYTES} bytes\n"
            self._answer(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text), keep=False)
        else:
            body = self.rfile.read(int(length))
            self._answer(self.server.add_checkpoint(body), keep=len(body) == int(length))

    def do_GET(self) -> None:
        """Answer a monitor that wants the newest checkpoint of a log."""
        origin_hash, _, rest = self.path.removeprefix("/").partition("/")
        if rest == "checkpoint":
            self._answer(self.server.latest(origin_hash))
        else:
            self._answer(Answer(HTTPStatus.NOT_FOUND, "ask for /ORIGIN-HASH/checkpoint\n"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """Say one line for each request."""
        line = (format % args).encode("ascii", "backslashreplace").decode()
        self.server.say(f"{self.client_address[0]} {line}")

    def _answer(self, answer: Answer, *, keep: bool = True) -> None:
        data = answer.text.encode()
        self.close_connection = self.close_connection or not keep
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
