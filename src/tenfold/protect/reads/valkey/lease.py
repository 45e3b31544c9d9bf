"""Leases in Valkey or Redis: who of a fleet loads a key.

A lease is a key with an expiry that holds its owner's secret. Three scripts of two commands each, since what must not
come between them is another client; plain enough for every Valkey, and Redis from 5 on.
"""

from collections.abc import Sequence
from typing import Any

from tenfold.engines.valkey import TIMEOUT, Call, ValkeyCluster
from tenfold.kernel import Duration
from tenfold.protect.calls.breaker import Breaker
from tenfold.protect.reads.batcher import Batcher
from tenfold.protect.reads.flight import Grant, Held

_ACQUIRE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local now = redis.call('TIME')
  return {1, now[1] * 1000000 + now[2]}
end
return {0, redis.call('PTTL', KEYS[1])}
"""
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

_NONE = Duration(0)


class ValkeyLeases:
    """A `LeaseStore` under `prefix` + key, on the confirmed primary of each key: leases follow a failover.

    `cluster` is an URL (see `address`), or a cluster that rungs use too and that its maker closes; `timeout` and
    `connect_timeout` are for a cluster given by URL. What is asked in one turn of the loop is one round trip. No
    attempt is made while `breaker` is open; after a failure the cluster is examined before the next one, for it may
    have a new primary. The fence is the server's clock in microseconds. For one event loop.
    """

    def __init__(
        self,
        name: str,
        cluster: str | ValkeyCluster,
        *,
        prefix: str = "lease:",
        timeout: Duration = TIMEOUT,
        connect_timeout: Duration = TIMEOUT,
        batch_max: int = 256,
        batches_max: int = 3,
        breaker: Breaker | None = None,
    ) -> None:
        self.name = name
        self._prefix = prefix
        self._breaker = breaker or Breaker(f"{name}-leases")
        self._owns = isinstance(cluster, str)
        if isinstance(cluster, str):
            cluster = ValkeyCluster(name, cluster, timeout=timeout, connect_timeout=connect_timeout)
        self._cluster = cluster
        self._doubted = False
        self._acquires = Batcher(self._evaluate, batch_max=batch_max, batches_max=batches_max)

    async def acquire(self, key: str, owner: str, ttl: Duration) -> Grant | Held:
        granted, number = await self._acquires.ask(self._call(_ACQUIRE, key, owner, ttl))
        if granted:
            return Grant(key, owner, number)
        return Held(Duration.from_ms(max(0, number)))

    async def renew(self, grants: Sequence[Grant], ttl: Duration) -> Sequence[bool]:
        replies = await self._evaluate([self._call(_RENEW, grant.key, grant.owner, ttl) for grant in grants])
        return [reply == 1 for reply in replies]

    async def release(self, grants: Sequence[Grant]) -> None:
        await self._evaluate([self._call(_RELEASE, grant.key, grant.owner, _NONE) for grant in grants])

    async def close(self) -> None:
        """End what is under way; leases expire."""
        await self._acquires.close()
        if self._owns:
            await self._cluster.close()

    def _call(self, script: str, key: str, owner: str, ttl: Duration) -> Call:
        """The script goes as it is: the server remembers what it compiled, and there is no NOSCRIPT to mend."""
        name = self._prefix + key
        return Call(name, ("EVAL", script, 1, name, owner, max(1, round(ttl.ms))))

    async def _evaluate(self, calls: Sequence[Call]) -> Sequence[Any]:
        with self._breaker.guard():
            if self._doubted:
                self._doubted = False
                await self._cluster.examine()
            try:
                return await self._cluster.call_many(calls)
            except Exception:
                self._doubted = True
                raise
