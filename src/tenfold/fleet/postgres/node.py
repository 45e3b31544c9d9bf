"""One `postgres`: how it is started, asked and spoken to."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tenfold.fleet.child import Child, Children
from tenfold.fleet.node import Node
from tenfold.fleet.ports import LOOPBACK
from tenfold.fleet.postgres.config import APP, CONTROL
from tenfold.fleet.postgres.installation import Installation
from tenfold.telemetry import EventLog


class PostgresNode(Node):
    """One `postgres`. Its orderly shutdown is PostgreSQL's fast one: it does not wait for clients to leave."""

    stop_signal = signal.SIGINT
    close_signal = signal.SIGQUIT  # the immediate shutdown: nobody will recover this data

    def __init__(self, name: str, role: str, installation: Installation, children: Children, events: EventLog) -> None:
        super().__init__(name, role, children, events)
        self.folder = children.run.data / name.replace(".", "-")
        self._installation = installation

    @property
    def url(self) -> str:
        return f"postgresql://{APP}:{self._installation.app_password}@{self.address}/{APP}"

    @property
    def control_url(self) -> str:
        return f"postgresql://{CONTROL}:{self._installation.control_password}@{self.address}/{APP}"

    @asynccontextmanager
    async def control(self, database: str = "postgres") -> AsyncIterator[Any]:
        """A superuser's connection. Raises OSError or asyncpg.PostgresError."""
        connection = await asyncpg.connect(
            host=LOOPBACK,
            port=self.port,
            user=CONTROL,
            password=self._installation.control_password,
            database=database,
            timeout=2,
            command_timeout=5,
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=1)

    def _launch(self) -> Child:
        command = [self._installation.program("postgres"), "-D", str(self.folder), "-p", str(self.port)]
        return self._children.start(self.name, command, folder=self.folder, account=self._installation.account)

    async def _answers(self) -> bool:
        try:
            async with self.control() as control:
                return await self._serves(control)
        except asyncpg.PostgresError:
            return False

    async def _serves(self, control: Any) -> bool:
        return not await control.fetchval("SELECT pg_is_in_recovery()")
