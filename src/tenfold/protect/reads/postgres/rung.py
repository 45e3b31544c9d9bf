"""A rung on PostgreSQL: values by a query."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from tenfold.engines.postgres.position import TIMEOUT, LogPosition
from tenfold.kernel import Duration
from tenfold.protect.reads.batcher import Batcher
from tenfold.protect.reads.found import UNKNOWN, Found

ReadMany = Callable[[Any, list[str]], Awaitable[Mapping[str, bytes]]]
"""Given a connection and keys, answers the values of those that are there."""


class Pool(Protocol):
    """The part of `asyncpg.Pool` that is used here."""

    def acquire(self, *, timeout: float | None = None) -> Any: ...


class PostgresRung:
    """Values by a query: all keys that are asked for in one turn of the loop are one round trip.

    `query` is SQL whose `$1` is the keys as text[] and that answers rows of (key text, value text or bytea), for
    the keys that are there and in any order; or a function, where keys must be taken apart first. The pool belongs
    to the caller. A database is read, not filled.

    A value's version is the LSN that the server had reached before the query, as `position` knows it; rungs of the same
    server should share one. Whoever writes asks for the same after the commit, by `written_lsn`.
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
        position: LogPosition | None = None,
    ) -> None:
        self._name = name
        self._pool = pool
        self._query = query
        self._timeout = timeout
        self._position = position or LogPosition()
        self._reads = Batcher(self._read_many, batch_max=batch_max, batches_max=batches_max)

    @property
    def name(self) -> str:
        return self._name

    @property
    def lag(self) -> Duration:
        """How far the server was behind its primary when it was last asked; NEVER before that."""
        return self._position.lag

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        return await self._reads.ask((key, not_before))

    async def read_many(self, keys: Sequence[str], not_before: int = UNKNOWN) -> Mapping[str, Found]:
        """What is there of `keys`, in one round trip of its own: for whoever works through many."""
        answers = await self._read_many([(key, not_before) for key in keys])
        return {key: found for key, found in zip(keys, answers, strict=True) if found is not None}

    async def fill(self, found: Mapping[str, Found]) -> None:
        """Nothing: what a database holds is written by whoever owns it."""

    async def close(self) -> None:
        """End what is under way; the pool stays open."""
        await self._reads.close()

    async def _read_many(self, asked: list[tuple[str, int]]) -> Sequence[Found | None]:
        keys = [key for key, _ in asked]
        async with self._pool.acquire(timeout=self._timeout.s) as connection:
            newest = max(not_before for _, not_before in asked)
            position = await self._position.reach(connection, newest, timeout=self._timeout)
            values = await self._values(connection, keys)
        return [Found(values[key], position.lsn, position.true_at_ns) if key in values else None for key in keys]

    async def _values(self, connection: Any, keys: list[str]) -> Mapping[str, bytes]:
        if callable(self._query):
            return await self._query(connection, keys)
        return _by_key(await connection.fetch(self._query, keys, timeout=self._timeout.s))


def _by_key(rows: Iterable[tuple[str, bytes | str]]) -> dict[str, bytes]:
    return {key: value.encode() if isinstance(value, str) else value for key, value in rows}
