"""Serves the console inside the loop that conducts the run: no process more, nothing to hand over."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tenfold.console.app import console_app
from tenfold.console.drawing import draw
from tenfold.console.publisher import Publisher
from tenfold.console.switchboard import HOME, NodeGateway, Watch, switch_routes
from tenfold.rehearse.past import RunArchive
from tenfold.serving import AppServer, Door, ServerName, Sessions

FAREWELL_S = 0.5
NAME = ServerName(
    "The console", "the run cannot be watched in a browser", "Choose another port, or run without the console."
)


class Console:
    """The war room's address for as long as it is open. Port 0 takes a free one.

    A person who wants to change something signs in: with `token` when one was chosen, else by a one-time link.
    `on_link` is called with each new link, the first one by `open`; a link is a secret, for the terminal and for
    nothing that others read. Past runs are shown out of the folder `reports`.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        port: int = 0,
        token: str = "",
        on_link: Callable[[str], object] = lambda _: None,
        reports: Path | None = None,
    ) -> None:
        """Raises SessionTokenWeak."""
        self.publisher = publisher
        self._sessions = Sessions(token=token, on_code=lambda code: on_link(self._link(code)))
        self._gateway = NodeGateway()
        self._watch = Watch(self._gateway, publisher.registry)
        door = Door(self._sessions, draw, HOME, publisher.registry)
        switches = switch_routes(self._gateway, self._watch, door)
        archive = RunArchive(reports) if reports else None
        app = console_app(publisher, switches, lambda request: door.session(request) is not None, archive)
        self.app = app
        self._server = AppServer(app, NAME, port=port)

    @property
    def url(self) -> str:
        return f"{self._server.url}/"

    def follow_control(self, url: str, token: str) -> None:
        """From now on the switches of this control node are shown, and changed by each person who is signed in."""
        self._gateway.attach(url, token)

    async def open(self) -> str:
        """Serve, and answer the address once it can be opened. Raises PortTakenError, ServerUnreachableError."""
        await self._server.open()
        self._sessions.open()
        return self.url

    async def close(self) -> None:
        """Say farewell to every viewer and stop listening, within a bound whatever they do."""
        await asyncio.gather(
            self.publisher.see_viewers_off(patience_s=FAREWELL_S), self._watch.close(patience_s=FAREWELL_S)
        )
        self._gateway.close()
        await self._server.close()

    def _link(self, code: str) -> str:
        return f"{self.url}sign-in#code={code}" if code else f"{self.url}sign-in"
