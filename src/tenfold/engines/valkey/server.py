"""One server of a cluster: commands within a deadline, and what it says of itself."""

import asyncio
from typing import Any

from tenfold.engines.valkey.address import Access, Endpoint
from tenfold.engines.valkey.connection import Command, Connection, ConnectionBroken, ReplyError
from tenfold.engines.valkey.succession import RoleReport
from tenfold.kernel import Duration, TenfoldError
from tenfold.kernel.tasks import are_we_cancelled

TIMEOUT = Duration.from_ms(50)
"""Of a command, and of opening a connection."""
NOT_SERVING = frozenset({"LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "NOAUTH"})
"""Error replies by which a server says that it answers no reads now."""
_PROBE: tuple[Command, ...] = (("ROLE",), ("INFO", "replication"), ("GET", "tenfold:probe"))


class ServerUnreachable(TenfoldError):
    """The server did not answer: refused, broken, silent, or busy with something else."""


class Server:
    """Commands to one server over one connection, opened at the first. Whatever fails is ServerUnreachable.

    A deadline that passes leaves the connection open, for the server may only be slow; a probe that fails closes it,
    so that the next one shows whether a new connection is answered.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        access: Access,
        *,
        timeout: Duration,
        connect_timeout: Duration,
        greeting: tuple[Command, ...] = (),
    ) -> None:
        self.endpoint = endpoint
        self.name = str(endpoint)
        self._access = access
        self._timeout_s = timeout.s
        self._connect_timeout_s = connect_timeout.s
        self._greeting = greeting
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None
        self._aside: dict[Connection, bool] = {}
        """Connections of their own for commands that wait on the server, and whether one waits there now."""

    async def ask(self, *commands: Command) -> list[Any]:
        """The reply to each; an error reply is a ReplyError among them. Raises ServerUnreachable."""
        replies = await self._exchange(*commands)
        for reply in replies:
            if _refuses(reply):
                raise ServerUnreachable(f"Server {self.name} answers no commands now ({reply.code}).") from reply
        return replies

    async def ask_aside(self, command: Command, wait: Duration) -> Any:
        """The reply to a command that may wait on the server for `wait`, on a connection where nobody waits behind it.

        An error reply is answered. Raises ServerUnreachable. A caller who leaves costs the connection.
        """
        try:
            connection = await self._take_aside()
            try:
                (reply,) = await connection.ask(command, timeout_s=self._timeout_s + wait.s)
            except BaseException:
                self._aside.pop(connection, None)
                connection.close()
                raise
        except (OSError, TimeoutError, ConnectionBroken, ReplyError) as error:
            raise ServerUnreachable(f"Server {self.name} did not answer ({_kind(error)}).") from error
        self._aside[connection] = False
        return reply

    async def report(self) -> RoleReport | None:
        """What the server says of itself; None when it does not answer as it answers its callers."""
        try:
            role, facts, read = await self._exchange(*_PROBE)
        except ServerUnreachable:
            self.close()
            return None
        return None if _refuses(read) else _report(self.name, role, facts)

    def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        for connection in (self._connection, *self._aside):
            if connection is not None:
                connection.close()
        self._aside.clear()

    async def _take_aside(self) -> Connection:
        for connection, waits in list(self._aside.items()):
            if not waits and connection.usable:
                self._aside[connection] = True
                return connection
            if not waits:
                del self._aside[connection]
        async with asyncio.timeout(self._connect_timeout_s):
            connection = await Connection.open(self.endpoint, self._access, *self._greeting)
        self._aside[connection] = True
        return connection

    async def _exchange(self, *commands: Command) -> list[Any]:
        try:
            connection = self._connection
            if connection is None or not connection.usable:
                connection = await self._open()
            return await connection.ask(*commands, timeout_s=self._timeout_s)
        except (OSError, TimeoutError, ConnectionBroken, ReplyError) as error:
            raise ServerUnreachable(f"Server {self.name} did not answer ({_kind(error)}).") from error

    async def _open(self) -> Connection:
        """One connection for all who want one meanwhile; a caller who leaves does not end it for the others."""
        if self._opening is None or self._opening.get_loop() is not asyncio.get_running_loop():
            self._opening = asyncio.create_task(self._opened())
            self._opening.add_done_callback(self._settle)
        waiting = asyncio.shield(self._opening)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.cancelled() and not are_we_cancelled():
                raise ConnectionBroken(f"The connection to {self.name} was closed while it was opened.") from None
            raise

    async def _opened(self) -> Connection:
        async with asyncio.timeout(self._connect_timeout_s):
            self._connection = await Connection.open(self.endpoint, self._access, *self._greeting)
        return self._connection

    def _settle(self, opening: asyncio.Task[Connection]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # every asker has heard it


def _kind(error: BaseException) -> str:
    return error.code if isinstance(error, ReplyError) else type(error).__name__


def _refuses(reply: Any) -> bool:
    return isinstance(reply, ReplyError) and reply.code in NOT_SERVING


def _report(name: str, role: Any, facts: Any) -> RoleReport:
    """ROLE's word for primary or replica; where it may not be asked, INFO's; a proxy that knows neither is believed."""
    text = facts.decode(errors="replace") if isinstance(facts, bytes) else ""
    info = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    said = role[0].decode() if isinstance(role, list) else info.get("role", "master")
    offset = info.get("master_repl_offset", "")
    return RoleReport(
        primary=said == "master",
        replid=info.get("master_replid") or f"unknown history of {name}",
        replid2=info.get("master_replid2", ""),
        offset=int(offset) if offset.isdecimal() else 0,
        syncing=info.get("master_sync_in_progress") == "1",
    )
