"""Tells every process and both clusters of new prices: reads the notes, writes the values, announces, tears them up.

A note is torn up only when everybody was told, so that a publisher that dies begins again; telling twice is harmless.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from freshmart.pricing.change import forget_told, read_untold
from freshmart.pricing.postgres import price_key, read_prices
from tenfold.engines.postgres import written_lsn
from tenfold.kernel import Duration, TenfoldError
from tenfold.protect import Found, Rung
from tenfold.protect.reads.valkey.tracking import Announcer
from tenfold.telemetry import Registry

LOOK_EVERY = Duration.from_ms(50)
TIMEOUT = Duration.from_s(2)
BATCH_MAX = 500
UNREACHABLE = (OSError, TimeoutError, TenfoldError, asyncpg.PostgresError, asyncpg.InterfaceError)


class PricePublisher:
    """One task between `open` and `close`, on a connection of its own to the primary.

    `caches` are the rungs that hold prices; `announcer` reaches whoever tracks them, by `prefix`.
    """

    def __init__(
        self, primary_url: str, caches: Sequence[Rung], announcer: Announcer, *, prefix: str, registry: Registry
    ) -> None:
        self._url = primary_url
        self._caches = caches
        self._announcer = announcer
        self._prefix = prefix
        told = registry.counter("freshmart_prices_told_total", "New prices that every cache was told of.")
        self._told = told.child()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name="price-publisher")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with suppress(*UNREACHABLE):  # the notes lie where they are; it begins again
                await self._serve()
            await asyncio.sleep(LOOK_EVERY.s)

    async def _serve(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=TIMEOUT.s, command_timeout=TIMEOUT.s)
        try:
            while True:
                rows = await read_untold(connection, BATCH_MAX)
                if rows:
                    await self._tell(connection, rows)
                else:
                    await asyncio.sleep(LOOK_EVERY.s)
        finally:
            connection.terminate()

    async def _tell(self, connection: Any, rows: Sequence[Any]) -> None:
        keys = list({price_key(row["store"], row["sku"]) for row in rows})
        lsn = await written_lsn(connection)
        values = await read_prices(connection, keys)
        found = {key: Found(value, lsn) for key, value in values.items()}
        fills = (cache.fill(found) for cache in self._caches)
        await asyncio.gather(*fills, return_exceptions=True)  # a cluster that is away is behind the announcement
        await self._announcer.announce(self._prefix, dict.fromkeys(keys, lsn))
        await forget_told(connection, [row["id"] for row in rows])
        self._told.inc(len(rows))
