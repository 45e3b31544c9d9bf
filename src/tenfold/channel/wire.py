"""One connection to the control node: plain HTTP/1.1 of the standard library, with a bound to every wait."""

import os
import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from tenfold.kernel import Duration, TenfoldError

CONNECT_TIMEOUT = Duration.from_s(1)
SILENCE_MAX = Duration.from_s(3)
"""The node beats at least each second; silent for this long, it is lost."""
LINE_TIMEOUT = Duration.from_s(30)
"""A line is whole within this, however its bytes trickle in."""
LINE_BYTES_MAX = 32 << 20
_CHUNK_BYTES = 1 << 16

Failure = (OSError, HTTPException, ValueError)
"""What a connection may raise: the network's, the protocol's, and what cannot be decoded."""


class StreamLost(OSError):
    """The stream cannot be followed any longer; the message is the reason for a person."""


class ControlAddressInvalid(TenfoldError):
    """The control node's address is none."""


class ControlAddress:
    """Where the control node is and what proves that we may ask it. The token never stands in a URL."""

    def __init__(self, url: str, token: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _invalid(url) from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise _invalid(url)
        self.url = url.rstrip("/")
        self._host, self._port = parts.hostname, port
        self._path = parts.path.rstrip("/") + "/control/v1"
        self._tls = parts.scheme == "https"
        self._authorization = {"Authorization": f"Bearer {token}"}

    def connect(self) -> HTTPConnection:
        """Not connected yet: that happens at the first request, within CONNECT_TIMEOUT."""
        kind = HTTPSConnection if self._tls else HTTPConnection
        return kind(self._host, self._port, timeout=CONNECT_TIMEOUT.s)

    def send(
        self, connection: HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> HTTPResponse:
        connection.request(method, self._path + path, body, {**self._authorization, **headers})
        return connection.getresponse()


def _invalid(url: str) -> ControlAddressInvalid:
    return ControlAddressInvalid(
        f"'{url}' is no address of a control node; nothing can be asked there.",
        remedy="Say http://HOST:PORT or https://HOST:PORT, and give the token apart from it.",
    )


class ControlStream:
    """The lines of one GET of `/stream`. `close` may be called from any thread and wakes the one that reads."""

    def __init__(self, address: ControlAddress, headers: Mapping[str, str]) -> None:
        self._address = address
        self._headers = headers
        self._connection = address.connect()
        self._sock: socket.socket | None = None

    def lines(self) -> Iterator[bytes]:
        """Every line as it comes, until the node is lost. Raises one of Failure, in the end always."""
        self._connection.connect()
        self._sock = self._connection.sock
        self._sock.settimeout(SILENCE_MAX.s)
        response = self._address.send(self._connection, "GET", "/stream", self._headers)
        if response.status != 200:
            raise StreamLost(f"the node answered {response.status}: {response.read(200).decode('utf-8', 'replace')}")
        yield from _split(response)

    def close(self) -> None:
        """Wake the reader; it then finds the stream lost."""
        if self._sock is not None:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Close the connection; for the thread that read."""
        self._connection.close()

    def drop(self) -> None:
        """For a forked child: the connection is the parent's."""
        abandon(self._sock)


def hung_up(connection: HTTPConnection) -> bool:
    """True when the other side has closed a connection that is open here: between two requests nothing comes in."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def abandon(sock: socket.socket | None) -> None:
    """Let go of a parent's socket: nothing is said on the wire, and no lock of a reader that is not here is taken."""
    if sock is not None:
        with suppress(OSError):
            os.close(sock.detach())


def _split(response: HTTPResponse) -> Iterator[bytes]:
    """Lines out of chunks; one that is not whole at the end is left out."""
    rest, began_s = b"", time.monotonic()
    while chunk := response.read1(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n") if b"\n" in chunk else (rest + chunk,)
        if whole:
            yield from whole
            began_s = time.monotonic()
        elif len(rest) > LINE_BYTES_MAX or time.monotonic() - began_s > LINE_TIMEOUT.s:
            raise StreamLost("a line that does not end")
    raise StreamLost("the node ended the stream")
