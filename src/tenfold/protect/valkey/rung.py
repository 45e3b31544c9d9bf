"""A rung on Valkey or Redis."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from tenfold.kernel import Duration
from tenfold.protect.batcher import Batcher
from tenfold.protect.ladder.rung import TIMEOUT


class ValkeyRung:
    """Values under `prefix` + key, kept by the server for `ttl` after a fill.

    Keys asked for in one turn of the loop are one MGET; values filled in one turn are one pipeline of SET … PX. At
    most `connections_max` connections, opened when needed. Nothing is tried twice: the ladder has the next rung.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        ttl: Duration,
        prefix: str = "",
        timeout: Duration = TIMEOUT,
        connect_timeout: Duration = TIMEOUT,
        connections_max: int = 4,
        batch_max: int = 256,
    ) -> None:
        self._name = name
        self._prefix = prefix
        self._ttl_ms = max(1, round(ttl.ms))
        self._client = _connect(url, timeout, connect_timeout, connections_max)
        reads_max = max(1, connections_max - 1)
        self._reads = Batcher(self._read_many, batch_max=batch_max, batches_max=reads_max)
        self._fills = Batcher(self._fill_many, batch_max=batch_max, batches_max=1)

    @property
    def name(self) -> str:
        return self._name

    async def read(self, key: str) -> bytes | None:
        return await self._reads.ask(self._prefix + key)

    async def fill(self, key: str, value: bytes) -> None:
        await self._fills.ask((self._prefix + key, value))

    async def close(self) -> None:
        """End what is under way and close the connections."""
        await self._reads.close()
        await self._fills.close()
        await self._client.aclose()

    async def _read_many(self, keys: list[str]) -> Sequence[bytes | None]:
        values: Sequence[bytes | None] = await self._client.execute_command("MGET", *keys)
        return values

    async def _fill_many(self, items: list[tuple[str, bytes]]) -> Sequence[None]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for key, value in items:
                pipeline.execute_command("SET", key, value, "PX", self._ttl_ms)
            await pipeline.execute()
        return [None] * len(items)


def _connect(url: str, timeout: Duration, connect_timeout: Duration, connections_max: int) -> Any:
    """A client that says nothing when it connects and tries nothing twice, so that a timeout is a timeout."""
    pool = ConnectionPool.from_url(
        url,
        max_connections=connections_max,
        socket_timeout=timeout.s,
        socket_connect_timeout=connect_timeout.s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    client = Redis.from_pool(pool)
    client.response_callbacks.clear()  # replies as they come
    return client
