"""A rung on Valkey or Redis: values of one kind on one cluster."""

from collections.abc import Mapping, Sequence
from random import random

from tenfold.kernel import Duration
from tenfold.protect.batcher import Batcher
from tenfold.protect.found import UNKNOWN, Found
from tenfold.protect.ladder import TIMEOUT
from tenfold.protect.valkey.cluster import ValkeyCluster
from tenfold.protect.valkey.envelope import pack, unpack
from tenfold.protect.valkey.values import Write

SPREAD = 0.1


class ValkeyRung:
    """Values under `prefix` + key, kept by the server for `ttl` after a fill, or a little less.

    `cluster` is an URL (see `address`), or a cluster that several rungs share and that whoever made it closes. Keys
    asked for in one turn of the loop are one MGET; values filled in one turn are one pipeline of SET … PX; at most
    `batches_max` batches are out. `timeout` and `connect_timeout` are for a cluster given by URL.
    """

    def __init__(
        self,
        name: str,
        cluster: str | ValkeyCluster,
        *,
        ttl: Duration,
        prefix: str = "",
        timeout: Duration = TIMEOUT,
        connect_timeout: Duration = TIMEOUT,
        batch_max: int = 256,
        batches_max: int = 3,
    ) -> None:
        self._name = name
        self._prefix = prefix
        self._ttl_ms = max(1, round(ttl.ms))
        self._owns = isinstance(cluster, str)
        if isinstance(cluster, str):
            cluster = ValkeyCluster(name, cluster, timeout=timeout, connect_timeout=connect_timeout)
        self.cluster = cluster
        self._reads = Batcher(self._read_many, batch_max=batch_max, batches_max=batches_max)
        self._fills = Batcher(self._fill_many, batch_max=batch_max, batches_max=1)

    @property
    def name(self) -> str:
        return self._name

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        return unpack(await self._reads.ask(self._prefix + key))

    async def fill(self, key: str, found: Found) -> None:
        await self._fills.ask(self._write(key, found))

    async def fill_many(self, found: Mapping[str, Found], *, spread: float = SPREAD) -> None:
        """Take all of these in one round trip of their own: for whoever works through many. Each is kept for `ttl`
        less a random share of it, `spread` at most, so that they do not expire together.
        """
        await self._fill_many([self._write(key, one, spread) for key, one in found.items()])

    async def close(self) -> None:
        """End what is under way, and the cluster's connections when the cluster was given by URL."""
        await self._reads.close()
        await self._fills.close()
        if self._owns:
            await self.cluster.close()

    def _write(self, key: str, found: Found, spread: float = SPREAD) -> Write:
        ttl_ms = max(1, round(self._ttl_ms * (1 - spread * random())))
        return Write(self._prefix + key, pack(found), ttl_ms)

    async def _read_many(self, keys: list[str]) -> Sequence[bytes | None]:
        return await self.cluster.get_many(keys)

    async def _fill_many(self, writes: list[Write]) -> Sequence[None]:
        await self.cluster.set_many(writes)
        return [None] * len(writes)
