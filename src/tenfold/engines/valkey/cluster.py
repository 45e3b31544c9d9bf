"""One cache cluster: standalone with replicas, watched by Sentinels, or a Cluster; values read, filled and examined."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from tenfold.engines.amplification import AmplificationBudget
from tenfold.engines.valkey.address import Address, Endpoint, Kind
from tenfold.engines.valkey.connection import ReplyError
from tenfold.engines.valkey.members import Members
from tenfold.engines.valkey.observer import ClusterObserver
from tenfold.engines.valkey.server import TIMEOUT
from tenfold.engines.valkey.shard import Shard
from tenfold.engines.valkey.succession import Health
from tenfold.engines.valkey.values import KeyedCommand, Lasting, get, get_lasting, lasting_of, values_of
from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.telemetry import EventLog, Registry

WATCH = Duration.from_s(1)
"""How often servers are asked who they are while all is well: only so that a promotion is known before it is needed."""
HEDGED_SHARE = 0.05
"""Of the batches; so a cluster that is slow because it has too much to do does not get twice as much."""
MOVED = frozenset({"MOVED", "ASK", "READONLY"})
"""Error replies that mean: not here, or not any more."""


class ValkeyCluster:
    """May be shared by rungs of all kinds of values, in one event loop. Nothing is opened before the first use.

    `url` as in `address`. Reads survive the loss of any server that has a replica; see `Shard`. While it is in use one
    task watches it: once a `watch` when all is well, at once and often when traffic doubts somebody. Hedges draw on
    `extra`, which others who ask the cluster on top may share; without it on a budget of their own.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        timeout: Duration = TIMEOUT,
        connect_timeout: Duration = TIMEOUT,
        watch: Duration = WATCH,
        extra: AmplificationBudget | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        observer = ClusterObserver(name, registry=registry or Registry(), events=events, health=lambda: self.health)
        self.on_doubt = observer.on_doubt
        self._members = Members(
            Address.parse(url),
            timeout=timeout,
            connect_timeout=connect_timeout,
            watch=watch,
            clock=clock or SystemClock(),
            observer=observer,
            extra=extra or AmplificationBudget(name, share=HEDGED_SHARE, floor_per_s=0.0, registry=registry),
        )

    @property
    def health(self) -> Health:
        """As the last examination found it."""
        return self._members.health

    @property
    def trusted(self) -> bool:
        """True when each of its keys has a server that is not suspected."""
        return all(shard.trusted for shard in self._members.shards)

    def primary_of(self, key: str) -> Endpoint | None:
        """The confirmed primary that holds `key`, for whoever must speak with it himself."""
        if not self._members.shards:
            return None
        primary = self._members.slots.owner(key).primary
        return primary.endpoint if primary is not None else None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """What lies at each key. Raises ClusterUnreachable, ServerUnreachable, ReplyError."""
        await self._members.ready()
        return await self._members.slots.carry(keys, _itself, self._get)

    async def get_lasting(self, keys: Sequence[str]) -> list[Lasting | None]:
        """As `get_many`, and how long it will lie there."""
        await self._members.ready()
        return await self._members.slots.carry(keys, _itself, self._get_lasting)

    async def set_many(self, writes: Sequence[KeyedCommand]) -> None:
        """Write to confirmed primaries only; where there is a doubt, it is examined first.

        Raises PrimaryUnknown, ServerUnreachable, ReplyError.
        """
        await self._members.ready()
        if any(shard.primary is None for shard in self._members.shards):
            await self.examine()
        await self._members.slots.carry(writes, _key, self._set)

    async def call_many(self, calls: Sequence[KeyedCommand]) -> list[Any]:
        """Carry out each command on the confirmed primary of its key; replies in order.

        Raises PrimaryUnknown, ServerUnreachable, ReplyError.
        """
        await self._be_examined()
        return await self._members.slots.carry(calls, _key, self._call)

    async def call_waiting(self, call: KeyedCommand, wait: Duration) -> Any:
        """As `call_many`, one command that may wait on the server for `wait`, on a connection of its own."""
        await self._be_examined()
        reply = await self._members.slots.owner(call.key).write_aside(call.command, wait)
        return self._raised([reply])[0]

    async def scan(self, prefix: str, count: int) -> AsyncIterator[list[str]]:
        """All keys that begin with `prefix` and lie there from beginning to end, about `count` a list, some twice.

        Raises PrimaryUnknown, ServerUnreachable, ReplyError.
        """
        await self.examine()
        for shard in list(self._members.shards):
            cursor: bytes | int = 0
            while True:
                command = ("SCAN", cursor, "MATCH", _literally(prefix) + "*", "COUNT", count)
                cursor, keys = self._raised(await shard.write(command))[0]
                if keys:
                    yield [key.decode() for key in keys]
                if int(cursor) == 0:
                    break

    async def examine(self) -> Health:
        """Have every server say who it is, now."""
        return await self._members.examine()

    async def close(self) -> None:
        await self._members.close()

    async def _be_examined(self) -> None:
        await self._members.ready()
        if not all(shard.examined for shard in self._members.shards):
            await self.examine()

    async def _get(self, shard: Shard, keys: list[str]) -> list[bytes | None]:
        clustered = self._members.address.kind is Kind.CLUSTER
        return self._values(values_of(await shard.read(*get(keys, clustered=clustered)), clustered=clustered))

    async def _get_lasting(self, shard: Shard, keys: list[str]) -> list[Lasting | None]:
        replies = await shard.read(*get_lasting(keys))
        return lasting_of(self._values(replies[::2]), replies[1::2])

    async def _set(self, shard: Shard, writes: list[KeyedCommand]) -> list[Any]:
        return self._values(await shard.write(*(write.command for write in writes)))

    async def _call(self, shard: Shard, calls: list[KeyedCommand]) -> list[Any]:
        return self._raised(await shard.write(*(call.command for call in calls)))

    def _raised(self, replies: list[Any]) -> list[Any]:
        """Raise the first error reply; when it says "not here", have the servers located and examined anew."""
        for reply in replies:
            if isinstance(reply, ReplyError):
                if reply.code in MOVED:
                    self._members.relocate()
                raise reply
        return replies

    def _values(self, replies: Sequence[Any]) -> list[Any]:
        """A slot that has moved is located anew, and meanwhile its keys are "not here"; other errors are raised."""
        errors = [reply for reply in replies if isinstance(reply, ReplyError)]
        for error in errors:
            if error.code not in MOVED:
                raise error
        if errors:
            self._members.relocate()
        return [None if isinstance(reply, ReplyError) else reply for reply in replies]


def _itself(key: str) -> str:
    return key


def _key(one: KeyedCommand) -> str:
    return one.key


def _literally(text: str) -> str:
    """As a pattern that matches nothing else."""
    return "".join("\\" + letter if letter in "*?[]\\^" else letter for letter in text)
