"""Leases in Valkey or Redis: who of a fleet loads a key.

A lease is a key with an expiry that holds its owner's secret. Three scripts of two commands each, since what must not
come between them is another client; plain enough for every Valkey, and Redis from 5 on.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from tenfold.engines.valkey import TIMEOUT
from tenfold.engines.valkey.address import Address, Endpoint
from tenfold.engines.valkey.cluster import ValkeyCluster
from tenfold.engines.valkey.connection import Command, ReplyError
from tenfold.engines.valkey.server import Server
from tenfold.kernel import Duration, TenfoldError
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


class LeasesUnreachable(TenfoldError):
    """No primary is known that could say who holds a lease."""


class ValkeyLeases:
    """A `LeaseStore` under `prefix` + key, on the confirmed primary of each key: leases follow a failover.

    `url` as in `address`; `cluster`, when given, is that of a rung at the same `url`, and whoever made it closes it.
    What is asked in one turn of the loop is one round trip, on a connection of its own. No attempt is made while
    `breaker` is open. The fence is the server's clock in microseconds. For one event loop.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        cluster: ValkeyCluster | None = None,
        prefix: str = "lease:",
        timeout: Duration = TIMEOUT,
        connect_timeout: Duration = TIMEOUT,
        batch_max: int = 256,
        batches_max: int = 3,
        breaker: Breaker | None = None,
    ) -> None:
        self.name = name
        self._prefix = prefix
        self._timeout, self._connect_timeout = timeout, connect_timeout
        self._breaker = breaker or Breaker(f"{name}-leases")
        self._access = Address.parse(url).access
        self._owns = cluster is None
        self._cluster = cluster or ValkeyCluster(name, url, timeout=timeout, connect_timeout=connect_timeout)
        self._servers: dict[Endpoint, Server] = {}
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
        """End what is under way and close the connections; leases expire."""
        await self._acquires.close()
        for server in self._servers.values():
            server.close()
        if self._owns:
            await self._cluster.close()

    def _call(self, script: str, key: str, owner: str, ttl: Duration) -> Command:
        """The script goes as it is: the server remembers what it compiled, and there is no NOSCRIPT to mend."""
        return ("EVAL", script, 1, self._prefix + key, owner, max(1, round(ttl.ms)))

    async def _evaluate(self, calls: Sequence[Command]) -> Sequence[Any]:
        with self._breaker.guard():
            try:
                return await self._carry(calls)
            except Exception:
                self._doubted = True  # a new primary may have to be found
                raise

    async def _carry(self, calls: Sequence[Command]) -> Sequence[Any]:
        """Each call to the primary of its key, those of one primary together; the replies in the order of the calls."""
        by_primary: dict[Endpoint, list[int]] = {}
        for position, call in enumerate(calls):
            by_primary.setdefault(await self._primary_of(call), []).append(position)
        parts = await asyncio.gather(
            *(self._ask(endpoint, [calls[n] for n in positions]) for endpoint, positions in by_primary.items())
        )
        replies: list[Any] = [None] * len(calls)
        for positions, part in zip(by_primary.values(), parts, strict=True):
            for position, reply in zip(positions, part, strict=True):
                replies[position] = reply
        return replies

    async def _ask(self, endpoint: Endpoint, calls: list[Command]) -> list[Any]:
        server = self._servers.get(endpoint)
        if server is None:
            server = self._servers[endpoint] = Server(
                endpoint, self._access, timeout=self._timeout, connect_timeout=self._connect_timeout
            )
        replies = await server.ask(*calls)
        for reply in replies:
            if isinstance(reply, ReplyError):
                raise reply
        return replies

    async def _primary_of(self, call: Command) -> Endpoint:
        key = str(call[3])
        endpoint = self._cluster.primary_of(key)
        if endpoint is None or self._doubted:
            self._doubted = False
            await self._cluster.examine()
            endpoint = self._cluster.primary_of(key)
        if endpoint is None:
            raise LeasesUnreachable(f"Leases '{self.name}' are unreachable: no primary is known; reads go without.")
        return endpoint
