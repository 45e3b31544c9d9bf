"""Makes a share of a cache's values wrong, as a bad deployment or a lost invalidation does; and takes it back."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

from redis.asyncio import Redis

TIMEOUT_S = 5.0
_BATCH = 500

_REMOVE_IF_STILL = """\
local left = 0
for place, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[place] then
    redis.call('DEL', key)
    left = left + 1
  end
end
return left
"""


async def scramble(url: str, ratio: float) -> dict[bytes, bytes]:
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


async def unscramble(url: str, written: dict[bytes, bytes]) -> int:
    """Drop each value that is still what `scramble` wrote; answers how many were."""
    left = 0
    async with _client(url) as client:
        script = client.register_script(_REMOVE_IF_STILL)
        for batch in _batches(list(written.items())):
            left += int(await script(keys=[key for key, _ in batch], args=[value for _, value in batch]))
    return left


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
