"""Serves the control node over HTTP, in the loop that it lives in."""

from tenfold.respond.control.app import control_app
from tenfold.respond.control.fanout import STREAMS_MAX
from tenfold.respond.control.node import ControlNode
from tenfold.serving import LOOPBACK, AppServer, ServerName

NAME = ServerName("The control node", "nobody can follow it", "Choose another host or port.")
HEAD_MAX_MS = 15_000
"""A process tells its load each 5 s over a connection that it keeps."""
CONNECTIONS_MAX = 2 * STREAMS_MAX + 500
"""Each process has two: its stream, and what it says."""


class ControlServer(AppServer):
    """The node's address for as long as it is open. Port 0 takes a free one."""

    def __init__(self, node: ControlNode, token: str, *, host: str = LOOPBACK, port: int = 0) -> None:
        app, limits = control_app(node, token), {"head_max_ms": HEAD_MAX_MS, "connections_max": CONNECTIONS_MAX}
        super().__init__(app, NAME, host=host, port=port, **limits)
        self._node = node

    async def open(self) -> str:
        """Open the node and listen; answers the address. Raises PortTakenError, ServerUnreachableError."""
        self.reserve()
        await self._node.open()
        return await super().open()

    async def close(self) -> None:
        """End every stream and stop listening, within a bound."""
        await self._node.close()
        await super().close()
