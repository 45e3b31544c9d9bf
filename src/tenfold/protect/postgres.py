"""A rung on PostgreSQL."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from tenfold.kernel import Duration
from tenfold.protect.batcher import Batcher

ReadMany = Callable[[Any, list[str]], Awaitable[Mapping[str, bytes]]]
"""Given a connection and keys, answers the values of those that are there."""


TIMEOUT = Duration.from_ms(250)


class Pool(Protocol):
    """The part of `asyncpg.Pool` that is used here."""

    def acquire(self, *, timeout: float | None = None) -> Any: ...


class PostgresRung:
    """Values by a query: all keys that are asked for in one turn of the loop are one round trip.

    `query` is SQL whose `$1` is the keys as text[] and that answers rows of (key text, value text or bytea), for
    the keys that are there and in any order; or a function, where keys must be taken apart first. The pool belongs
    to the caller. A database is read, not filled.
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
    ) -> None:
        self._name = name
        self._pool = pool
        self._query = query
        self._timeout_s = timeout.s
        self._reads = Batcher(self._read_many, batch_max=batch_max, batches_max=batches_max)

    @property
    def name(self) -> str:
        return self._name

    async def read(self, key: str) -> bytes | None:
        return await self._reads.ask(key)

    async def fill(self, key: str, value: bytes) -> None:
        """Nothing: what a database holds is written by whoever owns it."""

    async def close(self) -> None:
        """End what is under way; the pool stays open."""
        await self._reads.close()

    async def _read_many(self, keys: list[str]) -> Sequence[bytes | None]:
        async with self._pool.acquire(timeout=self._timeout_s) as connection:
            values = await self._values(connection, keys)
        return [values.get(key) for key in keys]

    async def _values(self, connection: Any, keys: list[str]) -> Mapping[str, bytes]:
        if callable(self._query):
            return await self._query(connection, keys)
        return _by_key(await connection.fetch(self._query, keys, timeout=self._timeout_s))


def _by_key(rows: Iterable[tuple[str, bytes | str]]) -> dict[str, bytes]:
    return {key: value.encode() if isinstance(value, str) else value for key, value in rows}
