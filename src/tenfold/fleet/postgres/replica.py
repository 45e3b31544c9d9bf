"""A streaming replica, which is ready when what it answers is not older than its own start."""

from typing import Any

from tenfold.fleet.child import Child, Children
from tenfold.fleet.postgres.installation import Installation
from tenfold.fleet.postgres.node import PostgresNode
from tenfold.fleet.postgres.primary import PrimaryNode
from tenfold.telemetry import EventLog

_CAUGHT_UP = """
SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
   AND pg_last_wal_replay_lsn() >= ($1::text)::pg_lsn
"""


class ReplicaNode(PostgresNode):
    """Reads may go here; ready when it streams from its primary and has replayed what was written before its start."""

    def __init__(
        self, name: str, primary: PrimaryNode, installation: Installation, children: Children, events: EventLog
    ) -> None:
        super().__init__(name, "database replica", installation, children, events)
        self._primary = primary
        self._written_before: str | None = None

    def _launch(self) -> Child:
        self._written_before = None
        return super()._launch()

    async def _serves(self, control: Any) -> bool:
        if not self._primary.pid:
            return bool(await control.fetchval("SELECT pg_is_in_recovery()"))
        if self._written_before is None:
            async with self._primary.control() as source:
                self._written_before = await source.fetchval("SELECT pg_current_wal_flush_lsn()::text")
        return bool(await control.fetchval(_CAUGHT_UP, self._written_before))
