"""Serves an ASGI application in the loop of the process that owns it: no process more, nothing to hand over."""

import asyncio
import errno
import socket
from typing import NamedTuple

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from tenfold.kernel import TenfoldError
from tenfold.serving.capacity import connections_within

LOOPBACK = "127.0.0.1"
OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
HEAD_MAX_MS = 5_000
"""So long may the head of a request take, and a connection, new or kept, stay silent."""
CONNECTIONS_MAX = 4096
"""Held at once. The next waits until one ends, so it is far above what any cap on viewers lets in; those who only
hang around are gone after HEAD_MAX_MS.
"""
BACKLOG = 1024


class PortTakenError(TenfoldError):
    """Another program listens on the port that a server was told to use."""


class ServerUnreachableError(TenfoldError):
    """A server cannot listen where it was told to, or was started and does not answer."""


class ServerName(NamedTuple):
    """How errors speak of a server: its name, what is not possible without it, and what a person may do then."""

    name: str
    effect: str
    remedy: str


class AppServer:
    """One application's address for as long as it is open. Port 0 takes a free one. The application has `/health`."""

    def __init__(
        self,
        app: ASGIApp,
        name: ServerName,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        head_max_ms: int = HEAD_MAX_MS,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._app = app
        self._name = name
        self._host = host
        self._port = port
        self._head_max_ms = head_max_ms
        self._connections_max = connections_max
        self._reserved: socket.socket | None = None
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def reserve(self) -> None:
        """Hold the port without listening, since Granian, binding with SO_REUSEPORT, would share a taken one silently.

        Raises PortTakenError, ServerUnreachableError.
        """
        try:
            with _bound(self._host, self._port, socket.SO_REUSEADDR) as probe:
                port = probe.getsockname()[1]
            self._reserved = _bound(self._host, port, socket.SO_REUSEADDR, socket.SO_REUSEPORT)
        except (OSError, OverflowError, UnicodeError) as error:
            raise self._refused(error) from error
        self._port = port

    async def open(self) -> str:
        """Serve, and answer the address once it can be asked. Raises PortTakenError, ServerUnreachableError."""
        if self._reserved is None:
            self.reserve()
        self._server = self._granian()
        self._serving = asyncio.create_task(self._server.serve(), name=f"serve {self._name.name}")
        try:
            await asyncio.wait_for(self._healthy(self._serving), OPEN_TIMEOUT_S)
        except (TimeoutError, OSError) as error:
            await self.close()
            raise ServerUnreachableError(
                f"{self._name.name} does not answer at {self.url}; {self._name.effect}.", remedy=self._name.remedy
            ) from error
        return self.url

    async def close(self) -> None:
        """Stop listening, within a bound whatever the visitors do."""
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await asyncio.wait([self._serving], timeout=CLOSE_TIMEOUT_S)
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    async def ended(self) -> None:
        """Wait until the server ends by itself, which it should not."""
        if self._serving is not None:
            await asyncio.wait([self._serving])

    def _granian(self) -> Server:
        return Server(
            self._app,
            address=self._host,
            port=self._port,
            interface=Interfaces.ASGINL,
            websockets=False,
            log_enabled=False,
            http=HTTPModes.http1,  # to tell HTTP/2 apart, Granian would wait for a silent connection without a bound
            backlog=BACKLOG,
            backpressure=connections_within(self._connections_max),
            http1_settings=HTTP1Settings(header_read_timeout=self._head_max_ms),
        )

    async def _healthy(self, serving: "asyncio.Task[None]") -> None:
        """Wait until `/health` is answered; the caller bounds the wait."""
        while not serving.done():
            try:
                if await _health(self._host, self._port):
                    return
            except ConnectionError:
                pass
            await asyncio.sleep(0.005)
        raise ConnectionRefusedError("the server ended as soon as it was started")

    def _refused(self, error: Exception) -> TenfoldError:
        name, port = self._name.name, self._port
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return PortTakenError(
                f"{name}'s port {port} is taken by another program; it cannot listen there.",
                remedy="Choose another port, or 0 for a free one.",
            )
        return ServerUnreachableError(
            f"{name} cannot listen on host '{self._host}', port {port} ({error}); {self._name.effect}.",
            remedy="Choose a host of this machine and a port from 0 to 65535.",
        )


def _bound(host: str, port: int, *options: int) -> socket.socket:
    sock = socket.socket()
    for option in options:
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _health(host: str, port: int) -> bool:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        return b" 200 " in await reader.readline()
    finally:
        writer.close()
