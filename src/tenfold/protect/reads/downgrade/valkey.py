"""A cache on Valkey or Redis as its repairer sees it; needs the extra `valkey`."""

from collections.abc import AsyncIterator, Mapping, Sequence

from tenfold.engines.valkey import Call, ValkeyCluster
from tenfold.kernel import Duration
from tenfold.protect.reads.audit import Wrong
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.valkey import pack, unpack

_REPLACE = """\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
"""Runs on every Redis and Valkey; `SET … IFEQ` does on Valkey 8.1 and later."""


class RepairableValkey:
    """Values under `prefix` + key. The cluster is one of its own where no reader may wait behind a repair.

    `cluster` belongs to whoever made it.
    """

    def __init__(self, cluster: ValkeyCluster, *, ttl: Duration, prefix: str = "") -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._ttl_ms = max(1, round(ttl.ms))

    async def scan(self, count: int) -> AsyncIterator[list[str]]:
        async for keys in self._cluster.scan(self._prefix, count):
            yield [key[len(self._prefix) :] for key in keys]

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Found]:
        packed = await self._cluster.get_many([self._prefix + key for key in keys])
        found = map(unpack, packed)
        return {key: one for key, one in zip(keys, found, strict=True) if one is not None}

    async def replace_many(self, wrong: Sequence[Wrong]) -> int:
        return sum(await self._cluster.call_many([self._replacement(*one) for one in wrong]))

    def _replacement(self, key: str, cached: Found, stored: Found | None) -> Call:
        name = self._prefix + key
        new = pack(stored) if stored is not None else b""
        return Call(name, ("EVAL", _REPLACE, 1, name, pack(cached), new, self._ttl_ms))
