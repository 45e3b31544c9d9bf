"""Two clusters, of which the second takes over when the first is lost, and gives back when the first is warm."""

import asyncio
from collections.abc import Sequence
from functools import partial
from random import Random

from tenfold.engines.valkey import Health
from tenfold.engines.valkey.cluster import ValkeyCluster
from tenfold.kernel import Duration, TenfoldError
from tenfold.kernel.tasks import end_tasks, runs_here
from tenfold.protect.reads.failover import Failover, FailoverState, Side
from tenfold.protect.reads.found import UNKNOWN, Found
from tenfold.protect.reads.ladder import NotAsked
from tenfold.protect.reads.recent import RecentKeys
from tenfold.protect.reads.valkey.copying import BATCH_MAX, WriteBehind, copy_recent
from tenfold.protect.reads.valkey.rung import ValkeyRung, Write
from tenfold.telemetry import Registry

WATCH = Duration.from_s(1)
WATCH_UNSETTLED = Duration.from_ms(100)
RECENT_MAX = 4_096
_SETTLED_PART = 4
"""While all is well a part of the copies is enough to keep the standby warm and to know that it is: each look at all of
them would hold the event loop for as long as a hundred reads take."""


class ClusterPair:
    """Main and standby, shared by the rungs of all kinds of values; its `close` closes rungs and clusters too.

        main, standby = pair.rungs(ttl=Duration.from_s(60), prefix="price:")
        steps = [Step(main, fills=True), Step(standby, fills=True, mirrors=standby.mirrors), Step(database)]

    While it is in use one task examines both clusters: once a `watch`, and more often while `failover` is not at
    home. At each look it copies up to `copies_max` of the recently read values, a quarter of that while at home, to the
    cluster that is not active, where they are missing or older: so the standby is kept warm, and the main is made warm
    before it returns.
    """

    def __init__(
        self,
        main: ValkeyCluster,
        standby: ValkeyCluster,
        *,
        failover: Failover | None = None,
        random: Random | None = None,
        registry: Registry | None = None,
        watch: Duration = WATCH,
        watch_unsettled: Duration = WATCH_UNSETTLED,
        copies_max: int = BATCH_MAX,
    ) -> None:
        registry = registry or Registry()
        self.main, self.standby = main, standby
        self.failover = failover or Failover(main.name, registry=registry)
        self.recent = RecentKeys(keys_max=RECENT_MAX, chance=random)
        self.to_main = WriteBehind(main, registry=registry)
        self.to_standby = WriteBehind(standby, registry=registry)
        self._watch_s, self._unsettled_s = watch.s, watch_unsettled.s
        self._copies_max = copies_max
        copied = registry.counter("tenfold_warmed_total", "Values copied to make a cluster warm.", ("cluster",))
        self._copied = {side: copied.child(cluster.name) for side, cluster in self._sides().items()}
        self._watching: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._rungs: list[ValkeyRung] = []
        for side, cluster in self._sides().items():
            cluster.on_doubt.append(partial(self._doubted, side, cluster))

    def rungs(self, *, ttl: Duration, prefix: str = "") -> tuple["MainRung", "StandbyRung"]:
        """The two rungs of one kind of value, named after the clusters."""
        rungs = MainRung(self, ttl=ttl, prefix=prefix), StandbyRung(self, ttl=ttl, prefix=prefix)
        self._rungs += rungs
        return rungs

    def ready(self) -> None:
        """Have somebody watch; called with every read."""
        if not runs_here(self._watching):
            self._woken = asyncio.Event()
            self._watching = asyncio.create_task(self._watch())

    async def examine(self) -> None:
        """One look at both clusters, and what follows from it."""
        main, standby = await asyncio.gather(self.main.examine(), self.standby.examine())
        warmth = await self._warm(main, standby)
        self.failover.examined(main, standby, warmth)

    async def close(self) -> None:
        await end_tasks(self._watching)
        await asyncio.gather(*(rung.close() for rung in self._rungs))
        await asyncio.gather(self.to_main.close(), self.to_standby.close())
        await asyncio.gather(self.main.close(), self.standby.close())

    def _sides(self) -> dict[Side, ValkeyCluster]:
        return {Side.MAIN: self.main, Side.STANDBY: self.standby}

    def _doubted(self, side: Side, cluster: ValkeyCluster, reason: str) -> None:
        if not cluster.trusted:
            self.failover.doubt(side, reason)
        self._woken.set()

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            await self.examine()
            try:
                async with asyncio.timeout(self._watch_s if self._settled else self._unsettled_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    @property
    def in_step(self) -> bool:
        """True when the main serves undoubted, and the standby has what it was filled with and no more."""
        return self._settled and self.main.trusted and self.failover.active is Side.MAIN

    @property
    def _settled(self) -> bool:
        return self.failover.state is FailoverState.MAIN and self.main.health.primary

    async def _warm(self, main: Health, standby: Health) -> float | None:
        """How warm the passive cluster was, and a little warmer now; None when it cannot be said."""
        sides, healths = self._sides(), {Side.MAIN: main, Side.STANDBY: standby}
        active = self.failover.active
        passive = Side.STANDBY if active is Side.MAIN else Side.MAIN
        if not (healths[active].readable and healths[passive].primary and len(self.recent)):
            return None
        count = max(1, self._copies_max // _SETTLED_PART) if self._settled else self._copies_max
        keys = list(dict.fromkeys(self.recent.sample_reads(count)))
        try:
            warmth, copied = await copy_recent(sides[active], sides[passive], keys)
        except TenfoldError:
            return None
        self._copied[passive].inc(copied)
        return warmth


class MainRung(ValkeyRung):
    """Asked while the failover says so. What is filled here is filled into the standby too."""

    def __init__(self, pair: ClusterPair, *, ttl: Duration, prefix: str) -> None:
        super().__init__(pair.main.name, pair.main, ttl=ttl, prefix=prefix)
        self._pair = pair

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        self._pair.ready()
        self._pair.recent.saw(self._prefix + key)
        if not self._pair.failover.asks_main(key):
            raise NotAsked(f"Cluster '{self.name}' is left; reads are on '{self._pair.standby.name}'.")
        return await super().read(key, not_before)

    async def _write(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self._pair.to_standby.offer(write)
        await super()._write(writes)


class StandbyRung(ValkeyRung):
    """Asked for what the main does not answer. While it serves, what is filled here is filled into the main too."""

    def mirrors(self) -> bool:
        """Whether it lacks whatever the main lacks: for `Step`."""
        return self._pair.in_step

    def __init__(self, pair: ClusterPair, *, ttl: Duration, prefix: str) -> None:
        super().__init__(pair.standby.name, pair.standby, ttl=ttl, prefix=prefix)
        self._pair = pair

    async def _write(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self._pair.to_standby.forget(write.key)
            if self._pair.failover.active is Side.STANDBY:
                self._pair.to_main.offer(write)
        await super()._write(writes)
