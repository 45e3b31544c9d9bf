"""A rung on PostgreSQL; needs the extra `postgres`."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect.batcher import Batcher
from tenfold.protect.found import UNKNOWN, Found

ReadMany = Callable[[Any, list[str]], Awaitable[Mapping[str, bytes]]]
"""Given a connection and keys, answers the values of those that are there."""

TIMEOUT = Duration.from_ms(250)
POSITION_TTL = Duration.from_ms(50)
NEVER = Duration.from_s(10**9)

_POSITION = """\
SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                            ELSE pg_current_wal_insert_lsn() END, '0/0')::int8,
       CASE WHEN NOT pg_is_in_recovery() THEN 0.0
            WHEN pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()
                 AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0.0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END
"""


class Pool(Protocol):
    """The part of `asyncpg.Pool` that is used here."""

    def acquire(self, *, timeout: float | None = None) -> Any: ...


class Position(NamedTuple):
    """How far a database was in its log, and how far behind its primary; what is read afterwards is newer."""

    lsn: int
    lag: Duration
    asked_at_ns: int
    """Monotonic."""
    true_at_ns: int
    """Wall clock: what the primary had committed by then is here."""


class PostgresRung:
    """Values by a query: all keys that are asked for in one turn of the loop are one round trip.

    `query` is SQL whose `$1` is the keys as text[] and that answers rows of (key text, value text or bytea), for
    the keys that are there and in any order; or a function, where keys must be taken apart first. The pool belongs
    to the caller. A database is read, not filled.

    A value's version is the LSN that the server had reached before the query: asked for at most once in
    `position_ttl`, or when a reader needs a newer one. Whoever writes asks for the same after the commit, by
    `written_lsn`.
    """

    def __init__(
        self,
        name: str,
        pool: Pool,
        query: str | ReadMany,
        *,
        timeout: Duration = TIMEOUT,
        batch_max: int = 256,
        batches_max: int = 2,
        position_ttl: Duration = POSITION_TTL,
        clock: Clock | None = None,
    ) -> None:
        self._name = name
        self._pool = pool
        self._query = query
        self._timeout_s = timeout.s
        self._position_ttl_ns = position_ttl.ns
        self._clock = clock or SystemClock()
        self._position: Position | None = None
        self._reads = Batcher(self._read_many, batch_max=batch_max, batches_max=batches_max)

    @property
    def name(self) -> str:
        return self._name

    @property
    def lag(self) -> Duration:
        """How far the server was behind its primary when it was last asked; NEVER before that."""
        return self._position.lag if self._position else NEVER

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        return await self._reads.ask((key, not_before))

    async def read_many(self, keys: Sequence[str], not_before: int = UNKNOWN) -> Mapping[str, Found]:
        """What is there of `keys`, in one round trip of its own: for whoever works through many."""
        answers = await self._read_many([(key, not_before) for key in keys])
        return {key: found for key, found in zip(keys, answers, strict=True) if found is not None}

    async def fill(self, key: str, found: Found) -> None:
        """Nothing: what a database holds is written by whoever owns it."""

    async def close(self) -> None:
        """End what is under way; the pool stays open."""
        await self._reads.close()

    async def _read_many(self, asked: list[tuple[str, int]]) -> Sequence[Found | None]:
        keys = [key for key, _ in asked]
        async with self._pool.acquire(timeout=self._timeout_s) as connection:
            position = await self._reach(connection, max(not_before for _, not_before in asked))
            values = await self._values(connection, keys)
        return [Found(values[key], position.lsn, position.true_at_ns) if key in values else None for key in keys]

    async def _reach(self, connection: Any, not_before: int) -> Position:
        """A position that the server has passed: the last one, when that is new enough for everyone."""
        now_ns = self._clock.monotonic_ns()
        known = self._position
        if known and known.lsn >= not_before and now_ns - known.asked_at_ns < self._position_ttl_ns:
            return known
        wall_ns = self._clock.wall_ns()
        lsn, lag_s = await connection.fetchrow(_POSITION, timeout=self._timeout_s)
        lag = NEVER if lag_s is None else Duration.from_s(max(0.0, lag_s))
        self._position = Position(lsn or UNKNOWN, lag, now_ns, max(UNKNOWN, wall_ns - lag.ns))
        return self._position

    async def _values(self, connection: Any, keys: list[str]) -> Mapping[str, bytes]:
        if callable(self._query):
            return await self._query(connection, keys)
        return _by_key(await connection.fetch(self._query, keys, timeout=self._timeout_s))


async def written_lsn(connection: Any, *, timeout: Duration = TIMEOUT) -> int:
    """The version that a read must have reached to show what was committed on this server before.

    Give it as `not_before` to a read ladder. `connection`: asyncpg's, to the primary.
    """
    lsn, _ = await connection.fetchrow(_POSITION, timeout=timeout.s)
    return int(lsn)


def _by_key(rows: Iterable[tuple[str, bytes | str]]) -> dict[str, bytes]:
    return {key: value.encode() if isinstance(value, str) else value for key, value in rows}
