"""One connection to one server: commands go out in order, replies come back in order, nobody waits for his turn.

Why not redis-py's: its connections carry one call at a time, so that a pool of them is needed, and a call that is
given up costs its connection. Here a reply that nobody waits for any more is read and thrown away.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis

from tenfold.engines.valkey.address import Access, Endpoint
from tenfold.kernel import TenfoldError

Command = Sequence[str | bytes | int]

WAITING_MAX = 4_096
"""Replies that may be outstanding on one connection."""
UNSENT_BYTES_MAX = 16 << 20
"""What may wait to be sent to a server that takes nothing."""


class ReplyError(TenfoldError):
    """What the server answered was an error: it is there, and did not do it."""

    @property
    def code(self) -> str:
        """Its first word: `MOVED`, `LOADING`, `NOAUTH`."""
        return str(self).partition(" ")[0]


class ConnectionBroken(TenfoldError):
    """The connection ended, or too many replies are outstanding on it."""


class Connection(asyncio.Protocol):
    """Opened by `open`; asks until it breaks, and is then thrown away."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._parser = hiredis.Reader(replyError=ReplyError)
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, endpoint: Endpoint, access: Access, *greeting: Command) -> "Connection":
        """Connect, authenticate, select; all of `greeting` must be answered well. The caller sets the deadline."""
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context() if access.tls else None
        _, connection = await loop.create_connection(lambda: cls(endpoint), endpoint.host, endpoint.port, ssl=context)
        try:
            for reply in await connection.ask(*_greeting(access), *greeting):
                if isinstance(reply, ReplyError):
                    raise reply
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def usable(self) -> bool:
        """It stands, and in this loop: after a fork or in a new loop it is somebody else's."""
        alive = self._transport is not None and not self._transport.is_closing()
        return alive and self._loop is asyncio.get_running_loop()

    async def ask(self, *commands: Command, timeout_s: float | None = None) -> list[Any]:
        """The reply to each command; an error reply is a ReplyError among them.

        Raises ConnectionBroken, and TimeoutError, which leaves the connection as it is. A reply that has come counts,
        even when our own event loop was too busy to look at it in time.
        """
        if not commands:
            return []
        if self._transport is None or self._transport.is_closing():
            raise self._broken("has ended")
        if len(self._waiting) + len(commands) > WAITING_MAX:
            raise self._broken(f"has {len(self._waiting)} replies outstanding")
        if self._transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            raise self._broken("takes nothing")
        replies = [self._loop.create_future() for _ in commands]
        self._waiting.extend(replies)
        self._transport.write(b"".join(_packed(command) for command in commands))
        done, _ = await asyncio.wait(replies[-1:], timeout=timeout_s)  # the last to come; what breaks fails them all
        if not done:
            raise TimeoutError
        return [reply.result() for reply in replies]

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._fail("was closed")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
            while (reply := self._parser.gets()) is not False:
                self._deliver(reply)
        except hiredis.ProtocolError:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("ended")

    def _deliver(self, reply: Any) -> None:
        """A reply that nobody asked for is a server that does not speak this protocol."""
        if not self._waiting:
            self.close()
            return
        waiter = self._waiting.popleft()
        if not waiter.done():
            waiter.set_result(reply)

    def _fail(self, how: str) -> None:
        waiting, self._waiting = self._waiting, deque()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_exception(self._broken(how))
                waiter.exception()  # whoever awaits the batch's last one hears it; the others are not asked

    def _broken(self, how: str) -> ConnectionBroken:
        return ConnectionBroken(f"The connection to {self._endpoint} {how}.")


def _packed(command: Command) -> bytes:
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # its stub knows one argument only
    return packed


def _greeting(access: Access) -> list[Command]:
    greeting: list[Command] = []
    if access.password is not None:
        greeting.append(("AUTH", access.username or "default", access.password))
    if access.db:
        greeting.append(("SELECT", access.db))
    return greeting
