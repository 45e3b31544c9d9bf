"""Serves the control node over HTTP, in the loop that it lives in."""

from tenfold.respond.control.app import control_app
from tenfold.respond.control.fanout import STREAMS_MAX
from tenfold.respond.control.node import ControlNode
from tenfold.serving import LOOPBACK, AppServer, ServerName, ServerUnreachableError

NAME = ServerName("The control node", "nobody can follow it", "Choose another host or port.")
IDLE_MAX_MS = 120_000
CONNECTIONS_MAX = 2 * STREAMS_MAX + 500
"""Each process has two: its stream, and what it says."""


class ControlServer:
    """The node's address for as long as it is open. Port 0 takes a free one."""

    def __init__(self, node: ControlNode, token: str, *, host: str = LOOPBACK, port: int = 0) -> None:
        self._node = node
        self._server = AppServer(
            control_app(node, token),
            NAME,
            host=host,
            port=port,
            head_max_ms=IDLE_MAX_MS,
            connections_max=CONNECTIONS_MAX,
        )

    @property
    def url(self) -> str:
        return self._server.url

    async def open(self) -> str:
        """Open the node and listen; answers the address. Raises PortTakenError, ServerUnreachableError."""
        self._server.reserve()
        await self._node.open()
        try:
            return await self._server.open()
        except ServerUnreachableError:
            await self._node.close()
            raise

    async def close(self) -> None:
        """End every stream and stop listening, within a bound."""
        await self._node.close()
        await self._server.close()

    async def ended(self) -> None:
        """Wait until the server ends by itself, which it should not."""
        await self._server.ended()
