"""A real mail server on loopback, for tests."""

import contextlib
import email
import email.policy

from aiosmtpd.controller import Controller


class Server:
    """Keeps what it gets, and refuses whom it is told to."""

    def __init__(self):
        self.messages = []
        self.refuse = {}
        self.refuse_data = ""
        self.sessions = set()
        self.port = 0

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # aiosmtpd's name
        self.sessions.add(id(session))
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        if self.refuse_data:
            return self.refuse_data
        self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    @property
    def recipients(self):
        return [message["To"] for message in self.messages]


class _AnyPort(Controller):
    def _trigger_server(self):
        """Learn the port before the controller says hello to it."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def running(port=0):
    handler = Server()
    controller = _AnyPort(handler, hostname="127.0.0.1", port=port)
    controller.start()
    handler.port = controller.port
    try:
        yield handler
    finally:
        controller.stop()
