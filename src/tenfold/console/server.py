"""Serves the console inside the loop that conducts the run: no process more, nothing to hand over."""

import asyncio
import errno
import socket
from collections.abc import Callable

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from tenfold.console.app import console_app
from tenfold.console.door import Door
from tenfold.console.publisher import Publisher
from tenfold.console.session import Sessions
from tenfold.console.switchboard import Desk, SwitchPages, Watch
from tenfold.kernel import TenfoldError

HOST = "127.0.0.1"
OPEN_TIMEOUT_S = 5.0
FAREWELL_S = 0.5
CLOSE_TIMEOUT_S = 2.0


class ConsolePortTakenError(TenfoldError):
    """Another program listens on the port that the console was told to use."""


class ConsoleUnreachableError(TenfoldError):
    """The console was started and does not answer."""


class Console:
    """The war room's address for as long as it is open. Port 0 takes a free one.

    Whoever wants to change something signs in: with `token` when one was chosen, else by a one-time link. `on_link` is
    called with each new link, the first one by `open`; a link is a secret, for the terminal and for nothing that others
    read.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        port: int = 0,
        token: str = "",
        on_link: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Raises ConsoleTokenWeak."""
        self.publisher = publisher
        self._port = port
        self._sessions = Sessions(token=token, on_code=lambda code: on_link(self._link(code)))
        self._desk = Desk()
        self._watch = Watch(self._desk, publisher.registry)
        self._reserved: socket.socket | None = None
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}/"

    @property
    def sign_in_url(self) -> str:
        """Where to sign in; with the code that is good now, which a browser keeps to itself, behind `#`."""
        return self._link(self._sessions.code)

    def follow_control(self, url: str, token: str) -> None:
        """From now on the switches of this control node are shown, and changed by whoever is signed in."""
        self._desk.attach(url, token)

    async def open(self) -> str:
        """Serve, and answer the address once it can be opened. Raises ConsolePortTakenError."""
        self._reserved = _reserve(self._port)
        self._port = self._reserved.getsockname()[1]
        door = Door(self._sessions, self.publisher.registry)
        self._server = _server(console_app(self.publisher, SwitchPages(self._desk, self._watch, door)), self._port)
        self._serving = asyncio.create_task(self._server.serve(), name="console")
        try:
            await asyncio.wait_for(_answering(self._port, self._serving), OPEN_TIMEOUT_S)
        except (TimeoutError, OSError) as error:
            await self.close()
            raise ConsoleUnreachableError(
                f"The console does not answer at {self.url}; the run cannot be watched in a browser.",
                remedy="Choose another port, or run without the console.",
            ) from error
        self._sessions.open()
        return self.url

    async def close(self) -> None:
        """Say farewell to every viewer and stop listening, within a bound whatever they do."""
        await asyncio.gather(
            self.publisher.see_viewers_off(patience_s=FAREWELL_S), self._watch.close(patience_s=FAREWELL_S)
        )
        self._desk.close()
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await asyncio.wait([self._serving], timeout=CLOSE_TIMEOUT_S)
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _link(self, code: str) -> str:
        return f"{self.url}sign-in#code={code}" if code else f"{self.url}sign-in"


def _server(app: ASGIApp, port: int) -> Server:
    return Server(
        app,
        address=HOST,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=5_000),
    )


def _reserve(port: int) -> socket.socket:
    """Hold `port` for ourselves without listening on it, so that Granian can bind it and no stranger does.

    Granian binds with SO_REUSEPORT, which would share a taken port silently; hence the first, plain bind.
    """
    port = _free(port)
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind((HOST, port))
    return holder


def _free(port: int) -> int:
    """`port` if nobody has it, or any free one for 0. Raises ConsolePortTakenError."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConsolePortTakenError(
                f"The console's port {port} is taken by another program; the console cannot open there.",
                remedy="Choose another port, or 0 for a free one.",
            ) from error
        return int(probe.getsockname()[1])


async def _answering(port: int, serving: asyncio.Task[None]) -> None:
    """Wait until `/health` is answered; the caller bounds the wait."""
    while True:
        if serving.done():
            raise ConnectionRefusedError("the server ended as soon as it was started")
        try:
            if await _health(port):
                return
        except ConnectionError:
            await asyncio.sleep(0.01)


async def _health(port: int) -> bool:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET /health HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        return b" 200 " in await reader.readline()
    finally:
        writer.close()
