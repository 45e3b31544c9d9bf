"""Audit, downgrade and repair on a real Valkey and a real PostgreSQL with a streaming replica."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from tests.integration.protect.ground import DEADLINE_S, Ground, until

from tenfold.engines.valkey import ValkeyCluster
from tenfold.fleet import Estate, RunFolder
from tenfold.fleet.postgres import PostgresNode
from tenfold.kernel import Duration, SystemClock
from tenfold.plan.model import Engine, ServerPlan
from tenfold.protect.reads.audit import Auditor, RecentKeys, Wrong
from tenfold.protect.reads.downgrade import CacheGuard, Downgrade, Phase, Repair
from tenfold.protect.reads.downgrade.postgres import PostgresFreshness
from tenfold.protect.reads.downgrade.valkey import RepairableValkey
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.postgres import PostgresRung
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

KEYS = [f"{number}" for number in range(3_000)]
TTL, PATIENCE = Duration.from_s(600), Duration.from_s(5)
QUERY = "SELECT key, value FROM price WHERE key = any($1::text[])"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    servers = {"main": ServerPlan(engine=Engine.VALKEY), "database": ServerPlan(engine=Engine.POSTGRESQL, replicas=1)}
    run = RunFolder.create(tmp_path_factory.mktemp("audit"), "audit")
    estate = Estate(run, servers, EventLog("test"), token="unused")
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        try:
            yield Ground(runner, estate)
        finally:
            runner.run(estate.close())


class House:
    """The database's two pools, and the cache from both sides."""

    def __init__(self, ground: Ground, prefix: str, primary: asyncpg.Pool, replica: asyncpg.Pool) -> None:
        self.primary = primary
        self.main = ValkeyRung("main", ground.url("main.primary"), ttl=TTL, prefix=prefix, timeout=PATIENCE)
        self.audited = ValkeyCluster("audited", ground.url("main.primary"), timeout=PATIENCE)
        self.shelf = RepairableValkey(self.audited, ttl=TTL, prefix=prefix)
        self.replica = PostgresRung("replica", replica, QUERY, timeout=PATIENCE)
        self.freshness = PostgresFreshness(primary=primary, replica=replica, timeout=PATIENCE)

    async def fill(self, keys: list[str], value: str = "right") -> None:
        await self.main.fill({key: Found(f"{value} {key}".encode(), 7) for key in keys})

    async def close(self) -> None:
        for part in (self.main, self.audited, self.replica):
            await part.close()


@asynccontextmanager
async def opened_house(ground: Ground, prefix: str) -> AsyncIterator[House]:
    urls = ground.url("database.primary"), ground.url("database.replica")
    pools = [asyncpg.create_pool(url, min_size=1, max_size=3) for url in urls]
    async with pools[0] as primary, pools[1] as replica:
        await primary.execute("CREATE TABLE IF NOT EXISTS price (key text PRIMARY KEY, value text NOT NULL)")
        await primary.executemany(
            "INSERT INTO price VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2",
            [(key, f"right {key}") for key in KEYS],
        )
        house = House(ground, prefix, primary, replica)
        try:
            yield house
        finally:
            await house.close()


def test_a_shelf_is_scanned_read_and_replaced_by_comparison(ground: Ground) -> None:
    """Only under its prefix, also one that looks like a pattern; what has changed meanwhile stays."""

    async def test() -> None:
        async with opened_house(ground, "price*[1]:") as house, opened_house(ground, "price1:") as other:
            await house.fill(KEYS[:500])
            await other.fill(KEYS[:7], "other")
            seen = [key async for keys in house.shelf.scan(100) for key in keys]
            assert sorted(set(seen)) == sorted(KEYS[:500])
            found = await house.shelf.read_many([*KEYS[:3], "absent"])
            assert found == {key: Found(f"right {key}".encode(), 7) for key in KEYS[:3]}
            newer = Found(b"newer", 3)
            wrong = [
                Wrong("0", found["0"], newer),
                Wrong("1", found["1"], None),
                Wrong("2", Found(b"was here before", 7), newer),
                Wrong("absent", found["0"], newer),
            ]
            assert await house.shelf.replace_many(wrong) == 2
            assert await house.main.read("0") == newer
            assert await house.main.read("1") is None
            assert await house.main.read("2") == found["2"]
            assert await house.main.read("absent") is None

    ground.run(test())


def test_a_replica_that_replays_nothing_proves_nothing(ground: Ground) -> None:
    """Replay is paused: the proof stands still and comes when replay goes on."""

    async def test() -> None:
        clock = SystemClock()
        async with opened_house(ground, "lag:") as house:
            node = ground.node("database.replica")
            assert isinstance(node, PostgresNode)
            freshness = house.freshness
            async with node.control() as control:
                await control.execute("SELECT pg_wal_replay_pause()")
                async with asyncio.timeout(DEADLINE_S):
                    while await control.fetchval("SELECT pg_get_wal_replay_pause_state()") != "paused":  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                await house.primary.execute("UPDATE price SET value = 'newer' WHERE key = '0'")
                written_ns = clock.monotonic_ns()
                await freshness.observe()
                await asyncio.sleep(0.05)
                await freshness.observe()
                assert freshness.proven_ns() < written_ns
                await control.execute("SELECT pg_wal_replay_resume()")
                async with asyncio.timeout(DEADLINE_S):
                    while freshness.proven_ns() < written_ns:
                        await freshness.observe()
                assert (await house.replica.read_many(["0"]))["0"].value == b"newer"

    ground.run(test())


def test_a_cache_gone_wrong_is_found_left_repaired_and_used_again(ground: Ground) -> None:
    """Unattended; the wrong entries say that they are newer than everything."""

    async def test() -> None:
        async with opened_house(ground, "price:") as house:
            await house.fill(KEYS)
            events, keys = EventLog("test"), RecentKeys(chance=random.Random(1))
            for key in KEYS:
                keys.saw(key)
            downgrade = Downgrade("price", events=events, return_step=Duration.from_ms(200))
            settle, proven_ns = Duration.from_ms(200), house.freshness.proven_ns
            guard = CacheGuard(
                auditor=Auditor(
                    "price",
                    cache=house.shelf.read_many,
                    database=house.replica.read_many,
                    keys=keys,
                    proven_ns=proven_ns,
                    settle=settle,
                    timeout=PATIENCE,
                ),
                downgrade=downgrade,
                repair=Repair(
                    "price",
                    cache=house.shelf,
                    database=house.replica.read_many,
                    proven_ns=proven_ns,
                    settle=settle,
                    timeout=PATIENCE,
                ),
                observe=house.freshness.observe,
            )
            guarding = asyncio.create_task(guard.run())
            await house.main.fill(dict.fromkeys(KEYS[:300], Found(b"wrong", 1 << 60)))
            await until(lambda: downgrade.phase is not Phase.NORMAL)
            await until(lambda: downgrade.phase is Phase.NORMAL, deadline_s=30)
            guard.close()
            await guarding
            found = await house.shelf.read_many(KEYS)
            assert {key: one.value for key, one in found.items()} == {key: f"right {key}".encode() for key in KEYS}
            kinds = [event.kind for event in events]
            assert kinds[:3] == ["downgrade-begun", "downgrade-repairing", "downgrade-returning"]
            assert kinds[-1] == "downgrade-ended"
            repaired = next(event.detail for event in events if event.kind == "downgrade-returning")
            assert (repaired["keys"], repaired["wrong"], repaired["replaced"]) == (3_000, 300, 300)

    ground.run(test())
