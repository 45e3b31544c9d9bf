"""Connections that nobody takes: they fill a listening socket's queue, so that the kernel drops whoever else knocks."""

import asyncio
import contextlib
import socket

from tenfold.kernel import TenfoldError

CONNECTIONS_MAX = 2_048
_ADMITTED_WITHIN_S = 0.05
"""On loopback a connection that the queue has room for is there at once."""
_TURNED_AWAY = 3
"""So many in a row that were not let in: the queue is full."""


class BacklogUnfilled(TenfoldError):
    """CONNECTIONS_MAX connections did not fill the queue."""


class BacklogFill:
    """The connections that stand in the queue of one port, until `close`."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = sockets

    @classmethod
    async def open(cls, host: str, port: int) -> "BacklogFill":
        """Connect until the kernel lets nobody in. Raises BacklogUnfilled, OSError."""
        fill = cls([])
        turned_away = 0
        try:
            while turned_away < _TURNED_AWAY:
                if len(fill._sockets) >= CONNECTIONS_MAX:
                    raise BacklogUnfilled(f"{CONNECTIONS_MAX} connections did not fill the queue of port {port}.")
                turned_away = 0 if await fill._join(host, port) else turned_away + 1
        except BaseException:
            await fill.close()
            raise
        return fill

    async def close(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets.clear()

    async def _join(self, host: str, port: int) -> bool:
        """Whether one more was let in; one that was not goes on knocking, which keeps the place taken."""
        one = socket.socket()
        one.setblocking(False)
        self._sockets.append(one)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ADMITTED_WITHIN_S):
                await asyncio.get_running_loop().sock_connect(one, (host, port))
                return True
        return False
