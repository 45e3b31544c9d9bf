"""The two cache clusters: the rungs on them, who keeps them warm, true and in step with the prices, and the way round.

main ◄─ failover ─► standby     one pair for all kinds of values
tracking                        price changes reach the near cache in milliseconds, or it is in doubt
guard                           samples prices; when the cluster is wrong on a large scale, reads of every kind leave it
                                for the replica until all of it has been compared with the database and put right
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from freshmart.inventory import SHELVES
from freshmart.settings import Settings
from tenfold.engines.amplification import AmplificationBudget
from tenfold.engines.valkey import ValkeyCluster
from tenfold.kernel import Duration
from tenfold.protect import Found, NearCache
from tenfold.protect.calls.limit import TierBudget
from tenfold.protect.reads.audit import Auditor, ReadBudget, RecentKeys
from tenfold.protect.reads.downgrade import CacheGuard, Downgrade, Repair
from tenfold.protect.reads.downgrade.postgres import PostgresFreshness
from tenfold.protect.reads.downgrade.valkey import RepairableValkey
from tenfold.protect.reads.failover import Failover
from tenfold.protect.reads.flight import LeasedFlight
from tenfold.protect.reads.ladder import Refill, RungFound
from tenfold.protect.reads.postgres import Pool, PostgresRung
from tenfold.protect.reads.valkey import ClusterPair, StandbyRung, ValkeyLeases, ValkeyRung
from tenfold.protect.reads.valkey.tracking import Tracking, TrackingPace, TrackingTarget
from tenfold.telemetry import EventLog, Registry

PRICES = "price:"
BEAT_MAX = Duration.from_s(8)
"""Without a word of the publisher for so long, what is near may be old: four of its looks."""
CACHE_TIMEOUT = Duration.from_ms(200)
STAY_MAX = Duration.from_s(2)
"""A switch costs no read an error, so a cluster that comes and goes is not kept waiting for long."""
COPIES_MAX = 1_024
LOOK_UNSETTLED = Duration.from_ms(200)
"""Values copied at each look make an empty main warm again within seconds; more of them would be felt at the peak."""
REPAIR_TTL = Duration.from_s(120)
REPAIR_KEYS_PER_S_MAX = 4_000
"""A sixth of a core at the peak: slower than it could, since the shop is open meanwhile."""
WARMTH_MIN = 0.8
"""An empty main takes readers back, by fractions, when it can answer so many of them; the rest climb a rung further."""
REFILL_KEYS_PER_S_MAX = {"price": 3_000, "availability": 3_000, "page": 300}
REFILL_OTHERS_PER_S_MAX = 300
"""What matters most comes back first; a page costs the replica as much as a hundred prices."""
REPLICA_INFLIGHT_MAX = 512
REPLICA_READS_PER_S_MAX = 4_000
"""What the replica bore in rehearsals with both clusters gone, and half as much again."""


class CachedKind(NamedTuple):
    """One kind of value: where it lies near and for how long, in both clusters, and in the replica."""

    near: NearCache
    near_ttl: Duration
    clusters: tuple[ValkeyRung, ValkeyRung]
    source: PostgresRung


class Caches:
    """Opened and closed by the backends. `downgrade` is the gate of every ladder that leans on the clusters."""

    def __init__(self, settings: Settings, *, registry: Registry, events: EventLog) -> None:
        self._settings = settings
        self._registry = registry
        self._events = events
        self.extra = AmplificationBudget("main", share=0.1, floor_per_s=5.0, saved_max=20.0, registry=registry)
        """What hedges, refreshes and the audit may ask of the main cluster, together, on top of the reads."""
        self.main = self._cluster("main", settings.main_url, self.extra)
        self.standby = self._cluster("standby", settings.standby_url)
        failover = Failover(
            "main",
            stay=Duration.from_s(1),
            stay_max=STAY_MAX,
            hold=Duration.from_ms(200),
            warmth_min=WARMTH_MIN,
            registry=registry,
            events=events,
        )
        self._pair = ClusterPair(
            self.main,
            self.standby,
            failover=failover,
            registry=registry,
            watch_unsettled=LOOK_UNSETTLED,
            copies_max=COPIES_MAX,
        )
        self.replica_budget = TierBudget(REPLICA_INFLIGHT_MAX, rate_max=REPLICA_READS_PER_S_MAX)
        self.downgrade = Downgrade("cache", budget=self.replica_budget, registry=registry, events=events)
        self._price_names = RecentKeys()
        self._leases = ValkeyLeases("main", self.main)
        self.lease: LeasedFlight[RungFound | None] = LeasedFlight("page", self._leases, registry=registry)
        self._tracking: Tracking | None = None
        self._audited = self._cluster("main-audited", settings.main_url)
        self._repairable = RepairableValkey(self._audited, ttl=REPAIR_TTL)
        self._refills: dict[str, Refill] = {}
        self._guarding: asyncio.Task[None] | None = None

    def rungs(self, kind: str, ttl: Duration) -> tuple[ValkeyRung, StandbyRung]:
        """Main and standby, for values of one kind."""
        return self._pair.rungs(ttl=ttl, prefix=f"{kind}:")

    def saw_price(self, key: str) -> None:
        """A reader climbs for that price: the audit samples among these."""
        self._price_names.saw(PRICES + key)

    def follow(self, prices: NearCache, shelves: TrackingTarget) -> None:
        """Keep near prices and shelves in step with what is announced; in doubt until that is certain."""
        loop = asyncio.get_running_loop()
        target = Proven(prices, lambda: loop.call_soon_threadsafe(self._refill, prices))
        self._tracking = Tracking(
            "main",
            self._settings.main_url,
            {PRICES: target, SHELVES: shelves},
            pace=TrackingPace(beat_max=BEAT_MAX),
            registry=self._registry,
            events=self._events,
        )
        self._tracking.open()

    def watch_over(self, kinds: Mapping[str, "CachedKind"], *, replica: Pool, primary: Pool) -> None:
        """Guard the main cluster from now on."""
        database = _Kinds({name: kind.source for name, kind in kinds.items()})
        self._refills = {
            name: Refill(
                kind.near,
                kind.source.read_many,
                keys_per_s_max=REFILL_KEYS_PER_S_MAX.get(name, REFILL_OTHERS_PER_S_MAX),
                registry=self._registry,
            )
            for name, kind in kinds.items()
        }
        freshness = PostgresFreshness(primary=primary, replica=replica)
        guard = CacheGuard(
            auditor=self._auditor(database, freshness),
            downgrade=self.downgrade,
            repair=Repair(
                "cache",
                cache=self._repairable,
                database=database.read_many,
                proven_ns=freshness.proven_ns,
                keys_per_s_max=REPAIR_KEYS_PER_S_MAX,
                registry=self._registry,
            ),
            distrust=lambda: self._begin_anew(kind.near for kind in kinds.values()),
            observe=freshness.observe,
        )
        self._guarding = asyncio.create_task(guard.run(), name="cache-guard")

    async def close(self) -> None:
        if self._guarding is not None:
            self._guarding.cancel()
            await asyncio.gather(self._guarding, return_exceptions=True)
        if self._tracking is not None:
            self._tracking.close()
        await asyncio.gather(*(refill.close() for refill in self._refills.values()))
        await self._audited.close()
        await self.lease.close()
        await self._leases.close()
        await self._pair.close()

    async def answers(self) -> bool:
        """Whether one of the clusters can be read."""
        healths = await asyncio.gather(self.main.examine(), self.standby.examine(), return_exceptions=True)
        return any(not isinstance(health, BaseException) and health.readable for health in healths)

    def _begin_anew(self, nears: Iterable[NearCache]) -> None:
        """What lies near may come from a cache that is wrong: out with it, and in again from the replica."""
        for near in nears:
            self._refills[near.name].begin(near.keys())
            near.clear()

    def _refill(self, near: NearCache) -> None:
        """What was in doubt is read anew: its readers would do so too, one by one."""
        if near.name in self._refills:
            self._refills[near.name].begin(near.keys(unproven=True))

    def _auditor(self, database: "_Kinds", freshness: PostgresFreshness) -> Auditor:
        """Prices are the kind that is kept in step; any other may be as old as its lifetime, which proves nothing."""
        return Auditor(
            "cache",
            cache=self._repairable.read_many,
            database=database.read_many,
            keys=self._price_names,
            proven_ns=freshness.proven_ns,
            budget=ReadBudget(floor_per_s=3, within=self.extra),
            batch_max=128,
            registry=self._registry,
            events=self._events,
        )

    def _cluster(self, name: str, url: str, extra: AmplificationBudget | None = None) -> ValkeyCluster:
        return ValkeyCluster(
            name,
            url,
            timeout=CACHE_TIMEOUT,
            connect_timeout=CACHE_TIMEOUT,
            extra=extra,
            registry=self._registry,
            events=self._events,
        )


class _Kinds:
    """Values of every kind by the names they have in the clusters: `price:7:4711`."""

    def __init__(self, rungs: Mapping[str, PostgresRung]) -> None:
        self._rungs = rungs

    async def read_many(self, names: Sequence[str]) -> Mapping[str, Found]:
        found: dict[str, Found] = {}
        for kind, rung in self._rungs.items():
            prefix = f"{kind}:"
            keys = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
            if keys:
                found |= {prefix + key: one for key, one in (await rung.read_many(keys)).items()}
        return found


class Proven:
    """A near cache that is followed, and somebody who is told when it is proven again; told in the reader's thread."""

    def __init__(self, near: NearCache, tell: Callable[[], object]) -> None:
        self._near = near
        self._tell = tell

    def invalidate(self, key: str, version: int = 0) -> None:
        self._near.invalidate(key, version)

    def doubt(self) -> None:
        self._near.doubt()

    def prove(self) -> None:
        self._near.prove()
        self._tell()
