"""`cut`: role app is shut out of a PostgreSQL primary; replication and control are left alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.postgres import PrimaryNode
from tenfold.fleet.postgres.config import APP
from tenfold.fleet.readiness import ServerUnready, until
from tenfold.plan.model import Engine, FaultKind

CUT_LIMIT_S = 5.0

_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"


class Cut(NodeInjection[PrimaryNode]):
    kind = FaultKind(word="cut", nodes=((Engine.POSTGRESQL, "primary"),))
    suffers = PrimaryNode

    async def inject(self) -> None:
        """No session of role app is left and none comes in. Raises ServerUnready."""
        self.struck.faulted("cut")
        await self._admit("reject")
        await self._end_sessions()
        async with self._within(CUT_LIMIT_S, "cut"):
            await until(self._app_shut_out)
            await self._end_sessions()  # of those that came in between the first sweep and the reload

    async def revert(self) -> None:
        """Role app comes in again. Raises ServerUnready."""
        await self._admit("scram-sha-256")
        async with self._within(CUT_LIMIT_S, "mended"):
            await until(self._app_enters)
        self.struck.mended()

    async def remains(self) -> str:
        """Role app is let in, and not only control."""
        left = await super().remains()
        return left or ("" if await self._app_enters() else f"{self.struck.name} does not let role app in")

    async def _admit(self, app: str) -> None:
        self.struck.write_access(app)
        async with self.struck.control() as control:
            await control.execute("SELECT pg_reload_conf()")

    async def _end_sessions(self) -> None:
        async with self.struck.control() as control:
            await control.execute(_END_SESSIONS, APP)

    async def _app_enters(self) -> bool:
        return await self._refusal_of_app() is None

    async def _app_shut_out(self) -> bool:
        return isinstance(await self._refusal_of_app(), asyncpg.InvalidAuthorizationSpecificationError)

    async def _refusal_of_app(self) -> Exception | None:
        """Why role app may not come in now; None when it may."""
        try:
            connection = await asyncpg.connect(self.struck.url, timeout=1)
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
                f"Database primary '{self.struck.name}' on {self.struck.address} could not be {what} within"
                f" {limit_s:g} s.",
                remedy="Its log says why.",
            ) from cause
