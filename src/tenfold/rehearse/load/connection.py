"""One connection to the system: a non-blocking socket that carries one request at a time (no pipelining).

connecting ──► idle ⇄ busy ──► closed
"""

import socket

from tenfold.rehearse.load.address import LoadAddress
from tenfold.rehearse.load.request import Request
from tenfold.rehearse.load.response import Response, ResponseParser

_RECEIVE_BYTES = 64 * 1024
"""Below malloc's threshold for a mapping of its own, which would cost more than the read."""


class DriverConnection:
    """`request` is what it carries now; `answered` how many it has carried to the end."""

    __slots__ = ("_parser", "_socket", "_unsent", "answered", "closed", "connecting", "fd", "request")

    def __init__(self, address: LoadAddress) -> None:
        """Begin to connect; writable once that is decided, either way. Raises OSError."""
        self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fd = self._socket.fileno()
        self._parser = ResponseParser()
        self._unsent = b""
        self.answered = 0
        self.closed = False
        self.connecting = True
        self.request: Request | None = None
        try:
            self._socket.connect(address)
        except BlockingIOError:
            pass
        except OSError:
            self._socket.close()
            raise

    def connected(self) -> bool:
        """Whether the connection stands by now; False while that is open. Raises OSError when it was refused."""
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connect")
        try:
            self._socket.getpeername()
        except OSError:
            return False
        self.connecting = False
        return True

    def send(self, request: Request) -> bool:
        """Carry this request; False when a part is left for `send_rest`. Raises OSError."""
        self.request = request
        template = request.script.template
        self._parser.expect(template.method, keeps_body=request.script.keeps_body)
        self._unsent = request.payload
        return self.send_rest()

    def send_rest(self) -> bool:
        """Send what is left; True when nothing is. Raises OSError."""
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return False
        self._unsent = b"" if sent == len(self._unsent) else self._unsent[sent:]
        return not self._unsent

    def receive(self) -> tuple[Response | None, bool]:
        """The answer when it is whole, and whether the server has closed. Raises OSError, ResponseBroken."""
        try:
            received = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return None, False
        if not received:
            return (self._parser.end() if self.request else None), True
        if self.request is None:
            return None, True  # bytes that nobody asked for: as good as closed
        return self._parser.feed(received), False

    @property
    def is_stale(self) -> bool:
        """Whether a failure now is the server's closing an idle connection, met by a request already on its way."""
        return self.answered > 0 and not self._parser.received_any

    def close(self) -> None:
        self.closed = True
        self.request = None
        self._socket.close()
