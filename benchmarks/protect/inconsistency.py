"""Figure 6: 5 % of 100,000 keys made wrong in the cache, while 1,000 reads a second go through it.

    python -m benchmarks.protect.inconsistency --rounds 5

Real Valkey, real PostgreSQL with a streaming replica, real rungs; a writer changes other keys meanwhile. A round is one
inconsistency from the first wrong key to the last read's return; in between, findings alone are repeated, because a
p99 wants more of them. A strict read is one in ten; it is stale when it began after the alarm and its answer is wrong.
Thirty minutes of clean writes before a replica that lags by 500 ms are on virtual time, one seed a round, and the same
without the wait, which must sound alarms or the test could not fail.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import asyncpg
import msgspec
from redis.asyncio import Redis
from tests.lagging_world import LaggingWorld

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.runner import run
from tenfold.engines.valkey import ValkeyCluster
from tenfold.fleet import Estate, RunFolder
from tenfold.kernel import Duration, VirtualClock
from tenfold.plan.model import Engine, ServerPlan
from tenfold.protect.calls.limit import TierBudget
from tenfold.protect.reads.audit import Auditor, ReadBudget, RecentKeys
from tenfold.protect.reads.downgrade import CacheGuard, Downgrade, FreshRung, Repair
from tenfold.protect.reads.downgrade.postgres import PostgresFreshness
from tenfold.protect.reads.downgrade.valkey import RepairableValkey
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder import Demand, ReadLadder, Step
from tenfold.protect.reads.near import NearCache
from tenfold.protect.reads.postgres import PostgresRung
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.reads.valkey.rung import pack
from tenfold.telemetry import EventLog, Registry

KEYS = [f"{store}/{sku}" for store in range(100) for sku in range(1_000)]
STILL, WRITTEN = KEYS[:90_000], KEYS[90_000:]
"""Those that are made wrong, whose truth is therefore known at any moment, and those that are written."""
WRONG_RATIO = 0.05
READS_PER_S, WRITES_PER_S = 1_000, 20
FINDINGS_PER_ROUND = 4
DEADLINE_S = 20.0
CLEAN_MINUTES = 30
FOUND_S_MAX, DOWNGRADED_MS_MAX, BACK_S_MAX = 2.0, 100.0, 30.0
PREFIX, TTL, TIMEOUT, AUDIT_TIMEOUT = "price:", Duration.from_s(3600), Duration.from_ms(250), Duration.from_s(1)
STRICT = Demand(strict=True, tier=0)
QUERY = "SELECT key, value FROM price WHERE key = any($1::text[])"


class Round(NamedTuple):
    """One inconsistency. `stale`: strict reads that began after the alarm and were answered wrongly."""

    found_s: float
    downgraded_ms: float
    back_s: float
    strict_reads: int
    stale: int


class Servers(NamedTuple):
    """Pools for readers, and others for audits: neither waits behind the other."""

    cache_url: str
    valkey: Any
    primary: Any
    replica: Any
    audited_primary: Any
    audited_replica: Any


class Shop:
    """A ladder with its guard, as a service would have it."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.events, self.registry = EventLog("bench", keep=100_000), Registry()
        self.near = NearCache("price", bytes_max=8 << 20, ttl=Duration.from_ms(500))
        self.main = ValkeyRung("main", servers.cache_url, ttl=TTL, prefix=PREFIX, timeout=TIMEOUT)
        self.replica = PostgresRung("replica", servers.replica, QUERY, timeout=TIMEOUT)
        self.primary = PostgresRung("primary", servers.primary, QUERY, timeout=TIMEOUT)
        self.audited = PostgresRung("audited", servers.audited_replica, QUERY, timeout=AUDIT_TIMEOUT)
        self.cluster = ValkeyCluster("audited", servers.cache_url, timeout=AUDIT_TIMEOUT)
        self.shelf = RepairableValkey(self.cluster, ttl=TTL, prefix=PREFIX)
        budget = TierBudget(512, rate_max=5_000)
        self.downgrade = Downgrade("price", budget=budget, events=self.events, registry=self.registry)
        recent = RecentKeys()
        freshness = PostgresFreshness(
            primary=servers.audited_primary, replica=servers.audited_replica, timeout=AUDIT_TIMEOUT
        )
        self.ladder = ReadLadder(
            "price",
            near=self.near,
            steps=[
                Step(self.main, timeout=TIMEOUT, fills=True, inflight_max=512),
                Step(FreshRung(self.replica, lag=lambda: self.replica.lag), timeout=TIMEOUT, budget=budget),
                Step(self.primary, timeout=TIMEOUT, inflight_max=128),
            ],
            gate=self.downgrade,
            saw=recent.saw,
            registry=self.registry,
        )
        self.auditor = Auditor(
            "price",
            cache=self.shelf.read_many,
            database=self.audited.read_many,
            keys=recent,
            proven_ns=freshness.proven_ns,
            budget=ReadBudget(reads=self.database_reads),
            events=self.events,
            registry=self.registry,
        )
        repair = Repair("price", cache=self.shelf, database=self.audited.read_many, proven_ns=freshness.proven_ns)
        self.guard = CacheGuard(
            auditor=self.auditor,
            downgrade=self.downgrade,
            repair=repair,
            distrust=self.near.clear,
            observe=freshness.observe,
        )
        self.guarding: asyncio.Task[None] | None = None

    def database_reads(self) -> int:
        reads = self.registry.counter("tenfold_ladder_reads_total", "", ("ladder", "rung", "outcome"))
        return sum(reads.child("price", rung, "hit").value for rung in ("replica", "primary"))

    def audit_round_trips(self) -> int:
        return self.registry.counter("tenfold_audit_round_trips_total", "", ("audit",)).child("price").value

    async def event(self, kind: str, since_ns: int, deadline_s: float) -> int:
        """When the first event of this kind after `since_ns` happened, monotonic."""
        async with asyncio.timeout(deadline_s):
            while True:
                for event in self.events:
                    if event.kind == kind and event.monotonic_ns >= since_ns:
                        return event.monotonic_ns
                if self.guarding is not None and self.guarding.done():
                    self.guarding.result()
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        await self.ladder.close()
        for part in (self.main, self.replica, self.primary, self.audited, self.cluster):
            await part.close()


class Read(NamedTuple):
    began_ns: int
    strict: bool
    rung: str
    right: bool


class Load:
    """A read every millisecond, whatever became of the ones before; remembers each of a key whose truth is known."""

    def __init__(self, shop: Shop, chance: random.Random) -> None:
        self.reads: list[Read] = []
        self.errors: list[Exception] = []
        self._shop, self._chance = shop, chance
        self._out: set[asyncio.Task[None]] = set()
        self._tasks = [asyncio.create_task(self._arrive()), asyncio.create_task(self._write())]

    async def _arrive(self) -> None:
        began_s, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began_s) * READS_PER_S)
            for number in range(sent, due):
                task = asyncio.create_task(self._read(self._chance.choice(KEYS), number % 10 == 0))
                self._out.add(task)
                task.add_done_callback(self._out.discard)
            sent = due
            await asyncio.sleep(0.001)

    async def _read(self, key: str, strict: bool) -> None:
        began_ns = time.monotonic_ns()
        try:
            answer = await self._shop.ladder.read(key, STRICT if strict else Demand(tier=1))
        except Exception as error:
            self.errors.append(error)
            return
        right = key in _WRITTEN or answer.value == _truth(key)
        self.reads.append(Read(began_ns, strict, answer.rung, right))

    async def _write(self) -> None:
        """Commit, then remove from the cache: what most services do."""
        while True:
            key = self._chance.choice(WRITTEN)
            await self._shop.servers.primary.execute(
                "UPDATE price SET value = $2 WHERE key = $1", key, f"{time.monotonic_ns()}"
            )
            await self._shop.servers.valkey.delete(PREFIX + key)
            await asyncio.sleep(1 / WRITES_PER_S)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._out, return_exceptions=True)


_WRITTEN = frozenset(WRITTEN)


def _truth(key: str) -> bytes:
    return f"the price of {key}".encode()


@asynccontextmanager
async def opened_servers() -> AsyncIterator[Servers]:
    """With every key in the database and, rightly, in the cache."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tenfold-inconsistency-"))
        servers = {
            "main": ServerPlan(engine=Engine.VALKEY),
            "database": ServerPlan(engine=Engine.POSTGRESQL, replicas=1),
        }
        estate = Estate(RunFolder.create(Path(folder), "inconsistency"), servers, EventLog("bench"), token="unused")
        stack.push_async_callback(estate.close)
        await estate.open()
        urls = estate.references
        replica_url = next(url for name, url in urls.items() if name.startswith("database.replica"))
        pools = [
            await stack.enter_async_context(asyncpg.create_pool(url, min_size=2, max_size=size))
            for size in (6, 3)
            for url in (urls["database.primary.url"], replica_url)
        ]
        valkey = Redis.from_url(urls["main.primary.url"])
        stack.push_async_callback(valkey.aclose)
        opened = Servers(urls["main.primary.url"], valkey, *pools)
        await _stock(opened)
        yield opened


async def _stock(servers: Servers) -> None:
    await servers.primary.execute("CREATE TABLE price (key text PRIMARY KEY, value text NOT NULL)")
    rows = [(key, _truth(key).decode()) for key in KEYS]
    async with servers.primary.acquire() as connection:
        await connection.copy_records_to_table("price", records=rows)
    await _put(servers, {key: _truth(key) for key in KEYS})
    while await servers.replica.fetchval("SELECT to_regclass('price') IS NULL"):  # noqa: ASYNC110  # another process
        await asyncio.sleep(0.01)
    while await servers.replica.fetchval("SELECT count(*) FROM price") < len(KEYS):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def _put(servers: Servers, values: dict[str, bytes]) -> None:
    items = list(values.items())
    for begin in range(0, len(items), 1_000):
        pipeline = servers.valkey.pipeline(transaction=False)
        for key, value in items[begin : begin + 1_000]:
            pipeline.set(PREFIX + key, pack(Found(value, time.time_ns())), px=round(TTL.ms))
        await pipeline.execute()


async def make_wrong(servers: Servers, chance: random.Random) -> tuple[int, list[str]]:
    """When the first key began to be wrong, and the keys. They say that they are new: a version proves nothing."""
    keys = chance.sample(STILL, round(WRONG_RATIO * len(KEYS)))
    began_ns = time.monotonic_ns()
    await _put(servers, dict.fromkeys(keys, b"wrong"))
    return began_ns, keys


async def find(shop: Shop, chance: random.Random) -> float:
    """Seconds until the alarm; then the cache is put right by hand, for the next."""
    shop.downgrade.automatic = False
    began_ns, keys = await make_wrong(shop.servers, chance)
    found_ns = await shop.event("audit-alarm", began_ns, DEADLINE_S)
    await _put(shop.servers, {key: _truth(key) for key in keys})
    await asyncio.sleep(1.0 + chance.random() / 5)  # what was suspected settles, in no step with the next
    shop.auditor.forget()
    shop.downgrade.automatic = True
    return (found_ns - began_ns) / 1e9


async def live_through(shop: Shop, load: Load, chance: random.Random) -> Round:
    """One inconsistency, left to the guard."""
    began_ns, _ = await make_wrong(shop.servers, chance)
    found_ns = await shop.event("downgrade-begun", began_ns, DEADLINE_S)
    back_ns = await shop.event("downgrade-ended", found_ns, 3 * DEADLINE_S)
    returning_ns = await shop.event("downgrade-returning", found_ns, 1)
    await asyncio.sleep(1)
    reads = [read for read in load.reads if read.began_ns >= found_ns]
    at_cache = [read.began_ns for read in reads if read.rung == "main" and read.began_ns < returning_ns]
    strict = [read for read in reads if read.strict]
    return Round(
        found_s=(found_ns - began_ns) / 1e9,
        downgraded_ms=(max(at_cache, default=found_ns) - found_ns) / 1e6,
        back_s=(back_ns - began_ns) / 1e9,
        strict_reads=len(strict),
        stale=sum(not read.right for read in strict),
    )


async def false_alarms(seed: int, minutes: float, *, wait: bool) -> tuple[int, int]:
    """Alarms, and keys judged, while writes are clean and the replica lags by 500 ms; `wait` False does not wait."""
    clock = VirtualClock()
    world = LaggingWorld(clock, random.Random(seed))
    auditor = Auditor(
        "clean",
        cache=world.read_cache,
        database=world.read_replica,
        keys=world.recent,
        proven_ns=world.proven_ns if wait else None,
        settle=world.in_flight if wait else Duration(0),
        budget=ReadBudget(clock=clock),
        batch_max=64,
        clock=clock,
    )
    alarms = samples = 0
    while clock.monotonic_ns() < minutes * 60e9:
        settled = await auditor.step()
        alarms += settled is not None and settled.alarm
        samples += settled.samples if settled is not None else 0
        world.pass_time()
    return alarms, samples


def measure(rounds: int) -> list[Figure]:
    return asyncio.run(_measure(rounds))


async def _measure(rounds: int) -> list[Figure]:
    clean = [await false_alarms(seed, CLEAN_MINUTES, wait=True) for seed in range(rounds)]
    hasty = [await false_alarms(seed, 1, wait=False) for seed in range(rounds)]
    async with opened_servers() as servers:
        shop = Shop(servers)
        chance = random.Random(6)
        load = Load(shop, chance)
        shop.guarding = asyncio.create_task(shop.guard.run())
        try:
            await asyncio.sleep(2)
            lived: list[Round] = []
            found_s: list[float] = []
            for number in range(rounds):
                found_s += [await find(shop, chance) for _ in range(FINDINGS_PER_ROUND)]
                lived.append(await live_through(shop, load, chance))
                _say(number, lived[-1], found_s[-FINDINGS_PER_ROUND:], load, shop)
        finally:
            shop.guard.close()
            await shop.guarding
            await load.end()
            await shop.close()
    found_s += [one.found_s for one in lived]
    return [*_lived(lived, sorted(found_s)), *_clean(clean, hasty)]


def _lived(lived: Sequence[Round], found_s: Sequence[float]) -> list[Figure]:
    p99_s = found_s[-1 - len(found_s) // 100]
    away_ms, back_s = [one.downgraded_ms for one in lived], [one.back_s for one in lived]
    stale = sum(one.stale for one in lived)
    strict = sum(one.strict_reads for one in lived)
    return [
        _figure(f"5 % of 100,000 keys wrong, found: p99 of {len(found_s)}", p99_s, "s", FOUND_S_MAX, found_s),
        _figure("from the alarm to the last read of the cache", max(away_ms), "ms", DOWNGRADED_MS_MAX, away_ms),
        _figure("from the first wrong key to normal again", median(back_s), "s", BACK_S_MAX, back_s),
        _figure(f"stale answers to {strict} strict reads after the alarm", stale, "answers", 0, [stale]),
    ]


def _clean(clean: Sequence[tuple[int, int]], hasty: Sequence[tuple[int, int]]) -> list[Figure]:
    alarms = [alarms for alarms, _ in clean]
    without = median(alarms for alarms, _ in hasty)
    name = f"false alarms, {CLEAN_MINUTES} simulated minutes of clean writes, 500 ms lag"
    figure = _figure(name, sum(alarms), "alarms", 0, alarms)
    peers = {"without the wait, in one minute": float(without)}
    return [msgspec.structs.replace(figure, peers=peers, held=figure.held and without > 0)]


def _figure(name: str, value: float, unit: str, target: float, values: Sequence[float]) -> Figure:
    return Figure(
        figure=6,
        name=name,
        value=value,
        unit=unit,
        target=target,
        held=value <= target,
        spread=spread_of(values),
        rounds=list(values),
    )


def _say(number: int, lived: Round, found_s: Sequence[float], load: Load, shop: Shop) -> None:
    found = ", ".join(f"{one:.2f}" for one in found_s)
    print(
        f"round {number}: {lived}, found in {found} s, {len(load.reads)} reads, {_kinds(load.errors)} errors, "
        f"{shop.audit_round_trips()} audit round trips, {shop.database_reads()} database reads",
        file=sys.stderr,
    )


def _kinds(errors: Sequence[Exception]) -> dict[str, int]:
    return dict(Counter(str(error)[:160] for error in errors).most_common(4))


if __name__ == "__main__":
    run(measure)
