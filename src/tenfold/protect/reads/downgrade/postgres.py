"""How new a PostgreSQL replica certainly is; needs the extra `postgres`."""

from tenfold.engines.postgres import TIMEOUT
from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect.reads.audit import Freshness
from tenfold.protect.reads.postgres import Pool

_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8"
_REPLAYED = "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::int8"


class PostgresFreshness(Freshness):
    """Asks the primary where its log ends, and the replica how far it has replayed. The pools belong to the caller."""

    def __init__(
        self, *, primary: Pool, replica: Pool, timeout: Duration = TIMEOUT, clock: Clock | None = None
    ) -> None:
        super().__init__()
        self._primary, self._replica = primary, replica
        self._timeout_s = timeout.s
        self._now_ns = (clock or SystemClock()).monotonic_ns

    async def observe(self) -> None:
        """One small query to each. Raises what the pools raise; nothing is proven then."""
        asked_ns = self._now_ns()
        self.primary_was_at(await self._ask(self._primary, _WRITTEN), asked_ns)
        self.replica_is_at(await self._ask(self._replica, _REPLAYED))

    async def _ask(self, pool: Pool, question: str) -> int:
        async with pool.acquire(timeout=self._timeout_s) as connection:
            position: int = await connection.fetchval(question, timeout=self._timeout_s)
        return position
