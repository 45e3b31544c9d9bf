"""The primary of a cluster, and the door that `cut` shuts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tenfold.fleet.account import write_private
from tenfold.fleet.node import State
from tenfold.fleet.postgres.config import ACCESS, APP
from tenfold.fleet.postgres.node import PostgresNode
from tenfold.fleet.readiness import ServerUnready, until

CUT_LIMIT_S = 5.0

_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"


class PrimaryNode(PostgresNode):
    """Writes go here; `cut` shuts role app out and leaves replication and control alone."""

    async def cut(self) -> None:
        """No session of role app is left and none comes in. Raises ServerUnready."""
        self._break("cut")
        await self._admit("reject")
        async with self._within(CUT_LIMIT_S, "cut"):
            await until(self._app_shut_out)
            await self._end_app_sessions()

    async def mend(self) -> None:
        """Role app comes in again. Raises ServerUnready."""
        await self._admit("scram-sha-256")
        async with self._within(CUT_LIMIT_S, "mended"):
            await until(self._app_enters)
        self.state = State.READY
        self._events.emit("node-mended", self.name)

    def write_access(self, app: str) -> None:
        """Replace pg_hba.conf, whole or not at all; the file before lies beside it, safe on disk."""
        path = self.folder / "pg_hba.conf"
        write_private(path.with_suffix(".before"), path.read_text(), self._installation.account)
        write_private(path, ACCESS.format(app=app), self._installation.account)

    async def _admit(self, app: str) -> None:
        self.write_access(app)
        async with self.control() as control:
            await control.execute("SELECT pg_reload_conf()")
            if app == "reject":
                await control.execute(_END_SESSIONS, APP)

    async def _end_app_sessions(self) -> None:
        """Those that came in between the first sweep and the reload."""
        async with self.control() as control:
            await control.execute(_END_SESSIONS, APP)

    async def _app_enters(self) -> bool:
        return await self._refusal_of_app() is None

    async def _app_shut_out(self) -> bool:
        return isinstance(await self._refusal_of_app(), asyncpg.InvalidAuthorizationSpecificationError)

    async def _refusal_of_app(self) -> Exception | None:
        """Why role app may not come in now; None when it may."""
        try:
            connection = await asyncpg.connect(self.url, timeout=1)
        except (asyncpg.PostgresError, OSError, TimeoutError) as refusal:
            return refusal
        await connection.close(timeout=1)
        return None

    @asynccontextmanager
    async def _within(self, limit_s: float, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as cause:
            raise ServerUnready(
                f"Database primary '{self.name}' on {self.address} could not be {what} within {limit_s:g} s.",
                remedy="Its log says why.",
            ) from cause
