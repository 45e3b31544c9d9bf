"""`scramble 5 % of`: a share of a cache's values is wrong, as after a bad deployment or a lost invalidation."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

from redis.asyncio import Redis

from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.valkey import ValkeyNode
from tenfold.plan.model import Engine, FaultKind

TIMEOUT_S = 5.0
_BATCH = 500

_COUNT_IF_STILL = """\
local left = 0
for place, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[place] then
    left = left + 1
  end
end
return left
"""
_REMOVE_IF_STILL = _COUNT_IF_STILL.replace("left = left", "redis.call('DEL', key)\n    left = left")


class Scramble(NodeInjection[ValkeyNode]):
    kind = FaultKind(word="scramble", nodes=((Engine.VALKEY, "primary"),), share_above=0.0)
    suffers = ValkeyNode
    _written: dict[bytes, bytes] = {}  # noqa: RUF012  # replaced, never changed

    async def inject(self) -> None:
        """That share of the values of each kind (`kind:key`) change places: every one of them is then wrong."""
        self._written = await _scramble(self.struck.url, self.share)
        self.struck.tell("scrambled", keys=len(self._written))

    async def revert(self) -> None:
        """Drop each value that is still what the scrambling made of it."""
        await self.struck.mend()
        async with _client(self.struck.url) as client:
            left = await _count(client, _REMOVE_IF_STILL, self._written)
        self.struck.tell("unscrambled", keys=len(self._written), left=left)

    async def remains(self) -> str:
        left = await super().remains()
        if left:
            return left
        async with _client(self.struck.url) as client:
            wrong = await _count(client, _COUNT_IF_STILL, self._written)
        return f"{wrong} values of {self.struck.name} are still wrong" if wrong else ""


async def _scramble(url: str, ratio: float) -> dict[bytes, bytes]:
    """Let `ratio` of the values change places within their kind (`kind:key`), lifetimes kept.

    Answers what was written.
    """
    async with _client(url) as client:
        keys = sorted([key async for key in client.scan_iter(count=_BATCH)])
        written: dict[bytes, bytes] = {}
        for _, kind in groupby(keys, key=lambda key: key.partition(b":")[0]):
            written |= await _rotated(client, _chosen(list(kind), ratio))
        for batch in _batches(list(written.items())):
            async with client.pipeline(transaction=False) as pipeline:
                for key, value in batch:
                    pipeline.set(key, value, keepttl=True, xx=True)
                await pipeline.execute()
    return written


async def _count(client: Any, script: str, written: dict[bytes, bytes]) -> int:
    """How many values were still what the scrambling wrote, and so fell to the script."""
    registered = client.register_script(script)
    batches = _batches(list(written.items()))
    return sum([int(await registered(keys=[k for k, _ in batch], args=[v for _, v in batch])) for batch in batches])


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Any]:
    client = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    try:
        yield client
    finally:
        await client.aclose()


def _chosen(keys: list[bytes], ratio: float) -> list[bytes]:
    """At least two where there are two: one value alone cannot change places."""
    count = min(len(keys), max(2, round(len(keys) * ratio)))
    return random.Random(len(keys)).sample(keys, count)


async def _rotated(client: Any, keys: list[bytes]) -> dict[bytes, bytes]:
    """Each key with its neighbour's value, where that differs from its own."""
    values: list[bytes | None] = []
    for batch in _batches(keys):
        values += await client.mget(batch)
    neighbours = [*values[1:], *values[:1]]
    return {
        key: theirs
        for key, own, theirs in zip(keys, values, neighbours, strict=True)
        if own is not None and theirs is not None and own != theirs
    }


def _batches(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
