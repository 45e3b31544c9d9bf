"""A rung on Valkey or Redis: values of one kind on one cluster, each with version and time of truth before it."""

import struct
from collections.abc import Mapping, Sequence
from random import random
from typing import NamedTuple

from tenfold.engines.valkey import TIMEOUT
from tenfold.engines.valkey.cluster import ValkeyCluster
from tenfold.engines.valkey.connection import Command
from tenfold.kernel import Duration
from tenfold.protect.reads.batcher import Batcher
from tenfold.protect.reads.found import UNKNOWN, Found

SPREAD = 0.1
_STAMP = struct.Struct(">QQ")
"""Version and time of truth, big-endian."""
SET_UNLESS_NEWER = """
local function version(stamped) return struct.unpack('>I4I4', stamped) end
local here = redis.call('GETRANGE', KEYS[1], 0, 7)
if #here == 8 then
  local high, low = version(here)
  local new_high, new_low = version(ARGV[1])
  if high > new_high or (high == new_high and low > new_low) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""A late write that does not replace what is newer. Halves, because a number of Lua is exact to 53 bits only."""


def pack(found: Found) -> bytes:
    return _STAMP.pack(found.version, found.true_at_ns) + found.value


def unpack(packed: bytes | None) -> Found | None:
    """What was packed; what is too short to have been packed is not ours, and nothing."""
    if packed is None or len(packed) < _STAMP.size:
        return None
    return Found(packed[_STAMP.size :], *_STAMP.unpack_from(packed))


def as_new(packed: bytes | None, other: bytes) -> bool:
    """True when what lies here is no older than the other."""
    here, there = unpack(packed), unpack(other)
    return here is not None and (there is None or here.version >= there.version)


class Write(NamedTuple):
    """One value to be kept for so long. `late`: it was read or written elsewhere before, and replaces nothing newer."""

    key: str
    packed: bytes
    ttl_ms: int
    late: bool = False

    @property
    def command(self) -> Command:
        if self.late:
            return "EVAL", SET_UNLESS_NEWER, 1, self.key, self.packed, self.ttl_ms
        return "SET", self.key, self.packed, "PX", self.ttl_ms


class ValkeyRung:
    """Values under `prefix` + key, kept by the server for `ttl` after a fill, or a little less.

    `cluster` is an URL (see `address`), or a cluster that several rungs share and that whoever made it closes. Keys
    asked for in one turn of the loop are one MGET, and at most `batches_max` of them are out; values filled together
    are pipelines of SET … PX. `timeout` and `connect_timeout` are for a cluster given by URL.
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
        self._batch_max = batch_max

    @property
    def name(self) -> str:
        return self._name

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        return unpack(await self._reads.ask(self._prefix + key))

    async def fill(self, found: Mapping[str, Found], *, spread: float = SPREAD) -> None:
        """Each value is kept for `ttl` less a random share of it, `spread` at most, so that what came in together does
        not expire together.
        """
        await self._write([self._written(key, one, spread) for key, one in found.items()])

    async def close(self) -> None:
        """End what is under way, and the cluster's connections when the cluster was given by URL."""
        await self._reads.close()
        if self._owns:
            await self.cluster.close()

    async def _write(self, writes: Sequence[Write]) -> None:
        for first in range(0, len(writes), self._batch_max):
            await self.cluster.set_many(writes[first : first + self._batch_max])

    def _written(self, key: str, found: Found, spread: float) -> Write:
        ttl_ms = max(1, round(self._ttl_ms * (1 - spread * random())))
        return Write(self._prefix + key, pack(found), ttl_ms)

    async def _read_many(self, keys: list[str]) -> Sequence[bytes | None]:
        return await self.cluster.get_many(keys)
