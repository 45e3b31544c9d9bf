"""Tells every process and both clusters of new prices."""

import asyncio
from collections.abc import Sequence
from typing import Any

from freshmart.pricing.postgres import price_key, read_prices
from tenfold.protect import Found, Rung
from tenfold.protect.reads.valkey.tracking import Announcer


class PricePublisher:
    """Writes the prices in force to `caches`, the rungs that hold them, then announces them by `prefix`."""

    def __init__(self, caches: Sequence[Rung], announcer: Announcer, *, prefix: str) -> None:
        self._caches = caches
        self._announcer = announcer
        self._prefix = prefix

    async def tell(self, connection: Any, notes: Sequence[Any], lsn: int) -> None:
        """`notes`: rows with store and sku. Raises AnnouncementFailed."""
        keys = list({price_key(note["store"], note["sku"]) for note in notes})
        values = await read_prices(connection, keys)
        found = {key: Found(value, lsn) for key, value in values.items()}
        fills = (cache.fill(found) for cache in self._caches)
        await asyncio.gather(*fills, return_exceptions=True)  # a cluster that is away is behind the announcement
        await self._announcer.announce(self._prefix, dict.fromkeys(keys, lsn))
