"""The shards of one cluster: located when nobody knows where they are, examined, and watched while in use."""

import asyncio
from collections.abc import Sequence

from tenfold.engines.amplification import AmplificationBudget
from tenfold.engines.valkey.address import Access, Address, Endpoint, Kind
from tenfold.engines.valkey.connection import Command
from tenfold.engines.valkey.observer import ClusterObserver
from tenfold.engines.valkey.server import Server
from tenfold.engines.valkey.shard import UNKNOWN, ClusterUnreachable, Shard
from tenfold.engines.valkey.slots import Slots
from tenfold.engines.valkey.succession import Health
from tenfold.engines.valkey.topology import ShardPlace, TopologyUnknown, locate
from tenfold.kernel import Clock, Duration
from tenfold.kernel.tasks import end_tasks, runs_here

WATCH_DOUBTED = Duration.from_ms(25)
WATCH_DOUBTED_MAX = Duration.from_ms(250)


class Members:
    """One task watches while they are in use: every `watch` when all is well; at once, and often, when traffic
    doubts a server.
    """

    def __init__(
        self,
        address: Address,
        *,
        timeout: Duration,
        connect_timeout: Duration,
        watch: Duration,
        clock: Clock,
        observer: ClusterObserver,
        extra: AmplificationBudget,
    ) -> None:
        self.address = address
        self.slots: Slots[Shard] = Slots([])
        self._timeout, self._connect_timeout = timeout, connect_timeout
        self._watch_s = watch.s
        self._clock = clock
        self._observer = observer
        observer.on_doubt.append(self._wake)
        self._extra = extra
        self._examining: asyncio.Task[Health] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._located = address.kind is Kind.STANDALONE
        if self._located:
            self._take(ShardPlace(address.endpoints))

    @property
    def shards(self) -> Sequence[Shard]:
        return self.slots.owners

    @property
    def health(self) -> Health:
        """As far as is known now, without asking."""
        if not self.shards:
            return UNKNOWN
        healths = [shard.health for shard in self.shards]
        return Health(
            readable=all(health.readable for health in healths),
            primary=all(health.primary for health in healths),
            renewals=self._observer.renewals,
        )

    async def ready(self) -> None:
        """Have somebody watch, and know where the servers are. Raises ClusterUnreachable."""
        if not runs_here(self._watching):
            self._woken = asyncio.Event()
            self._watching = asyncio.create_task(self._watch())
        if not self.shards:
            await self.examine()
        if not self.shards:
            raise ClusterUnreachable("Nobody of the address says where the cluster's servers are.")

    async def examine(self) -> Health:
        """Have every server say who it is; one examination for all who ask meanwhile."""
        if self._examining is None or not runs_here(self._examining):
            self._examining = asyncio.create_task(self._examine())
        return await asyncio.shield(self._examining)

    def relocate(self) -> None:
        """A server said that it is not its turn: ask anew where everybody is."""
        self._located = self.address.kind is Kind.STANDALONE
        self._woken.set()

    async def close(self) -> None:
        await end_tasks(*(task for task in (self._watching, self._examining) if runs_here(task)))
        for shard in self.shards:
            shard.close()

    async def _watch(self) -> None:
        pause_s = WATCH_DOUBTED.s
        while True:
            self._woken.clear()
            await self.examine()
            settled = bool(self.shards) and all(shard.settled for shard in self.shards)
            pause_s = WATCH_DOUBTED.s if settled else min(pause_s * 2, WATCH_DOUBTED_MAX.s)
            try:
                async with asyncio.timeout(self._watch_s if settled else pause_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _examine(self) -> Health:
        lost = self.address.kind is not Kind.STANDALONE and not self.health.primary
        if not self._located or lost:
            await self._locate()
        await asyncio.gather(*(shard.examine() for shard in self.shards))
        return self.health

    async def _locate(self) -> None:
        """Shards whose servers are the same are kept, with what is known of them."""
        try:
            places = await locate(self.address, self._make_server)
        except TopologyUnknown:
            return
        self._located = True
        self._take(*places)

    def _take(self, *places: ShardPlace) -> None:
        known = {shard.endpoints: shard for shard in self.shards}
        kept = [known.get(frozenset(place.endpoints)) or self._make_shard(place) for place in places]
        self.slots = Slots(list(zip((place.slots for place in places), kept, strict=True)))
        for shard in known.values():
            if shard not in kept:
                shard.close()

    def _make_server(self, endpoint: Endpoint, access: Access, *greeting: Command) -> Server:
        return Server(endpoint, access, timeout=self._timeout, connect_timeout=self._connect_timeout, greeting=greeting)

    def _make_shard(self, place: ShardPlace) -> Shard:
        greeting: tuple[Command, ...] = (("READONLY",),) if self.address.kind is Kind.CLUSTER else ()
        servers = [self._make_server(endpoint, self.address.access, *greeting) for endpoint in place.endpoints]
        return Shard(
            servers,
            clock=self._clock,
            observer=self._observer,
            extra=self._extra,
        )

    def _wake(self, _reason: str) -> None:
        self._woken.set()
