"""Serves the control node over HTTP, in the loop that it lives in."""

import asyncio
import errno
import socket

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from tenfold.kernel import TenfoldError
from tenfold.respond.control.app import control_app
from tenfold.respond.control.fanout import STREAMS_MAX
from tenfold.respond.control.node import ControlNode

LOOPBACK = "127.0.0.1"
OPEN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
IDLE_MAX_MS = 120_000
CONNECTIONS_MAX = 2 * STREAMS_MAX + 500
"""Each process has two: its stream, and what it says."""


class ControlPortTakenError(TenfoldError):
    """Another program listens on the port that the control node was told to use."""


class ControlServerError(TenfoldError):
    """The control node was started and does not answer."""


class ControlServer:
    """The node's address for as long as it is open. Port 0 takes a free one."""

    def __init__(self, node: ControlNode, token: str, *, host: str = LOOPBACK, port: int = 0) -> None:
        self._node = node
        self._app = control_app(node, token)
        self._host = host
        self._port = port
        self._reserved: socket.socket | None = None
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def open(self) -> str:
        """Open the node and listen; answers the address. Raises ControlPortTakenError, ControlServerError."""
        self._reserved = _reserved(self._host, self._port)
        self._port = self._reserved.getsockname()[1]
        await self._node.open()
        self._server = Server(
            self._app,
            address=self._host,
            port=self._port,
            interface=Interfaces.ASGINL,
            websockets=False,
            log_enabled=False,
            backlog=1024,
            backpressure=CONNECTIONS_MAX,
            http1_settings=HTTP1Settings(header_read_timeout=IDLE_MAX_MS),
        )
        self._serving = asyncio.create_task(self._server.serve(), name="control-server")
        try:
            await asyncio.wait_for(_answering(self._host, self._port, self._serving), OPEN_TIMEOUT_S)
        except (TimeoutError, OSError) as error:
            await self.close()
            raise ControlServerError(
                f"The control node does not answer at {self.url}; nobody can follow it.",
                remedy="Choose another host or port.",
            ) from error
        return self.url

    async def close(self) -> None:
        """End every stream and stop listening, within a bound."""
        await self._node.close()
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await asyncio.wait([self._serving], timeout=CLOSE_TIMEOUT_S)
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        if self._reserved is not None:
            self._reserved.close()

    async def ended(self) -> None:
        """Wait until the server ends by itself, which it should not."""
        if self._serving is not None:
            await asyncio.wait([self._serving])


def _reserved(host: str, port: int) -> socket.socket:
    """Hold `port` without listening, since Granian, binding with SO_REUSEPORT, would share a taken one silently.

    Raises ControlPortTakenError, ControlServerError.
    """
    try:
        with _bound(host, port, socket.SO_REUSEADDR) as probe:
            port = probe.getsockname()[1]
        return _bound(host, port, socket.SO_REUSEADDR, socket.SO_REUSEPORT)
    except (OSError, OverflowError, UnicodeError) as error:
        raise _refused(host, port, error) from error


def _refused(host: str, port: int, error: Exception) -> TenfoldError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return ControlPortTakenError(
            f"The control node's port {port} is taken by another program; it cannot listen there.",
            remedy="Choose another port, or 0 for a free one.",
        )
    return ControlServerError(
        f"The control node cannot listen on host '{host}', port {port} ({error}); nobody can follow it.",
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


async def _answering(host: str, port: int, serving: "asyncio.Task[None]") -> None:
    """Wait until somebody listens; the caller bounds the wait."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except ConnectionError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return
    raise ConnectionRefusedError("the server ended as soon as it was started")
