"""Failover on real servers: killed, hung, promoted, come back empty; Sentinel and Cluster."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration.protect.ground import Ground, until

from tenfold.engines.valkey import ValkeyCluster
from tenfold.engines.valkey.shard import PrimaryUnknown
from tenfold.fleet import Estate, RunFolder, binaries
from tenfold.fleet.ports import free_port
from tenfold.kernel import Duration, TenfoldError
from tenfold.plan.model import Engine, ServerPlan
from tenfold.protect import Breaker, ReadLadder, Step
from tenfold.protect.reads.failover import Failover, FailoverState
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.valkey import ClusterPair, ValkeyRung
from tenfold.protect.testing import MemoryRung
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

KEYS = [f"key-{number}" for number in range(200)]
TTL = Duration.from_s(60)
READS_PER_S = 500
PATIENT = Duration.from_s(5)
"""A busy machine is not the point."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    run = RunFolder.create(tmp_path_factory.mktemp("failover"), "protect")
    server = ServerPlan(engine=Engine.VALKEY, replicas=1)
    estate = Estate(run, {"main": server, "standby": server}, EventLog("test"), token="unused")
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        try:
            yield Ground(runner, estate)
        finally:
            runner.run(estate.close())


def address(ground: Ground, name: str) -> str:
    """Primary and replica."""
    head, _, db = ground.url(f"{name}.primary").rpartition("/")
    return f"{head},{ground.node(f'{name}.replica').address}/{db}"


async def command(ground: Ground, node: str, *words: str) -> Any:
    """What one server answers, asked by itself."""
    cluster = ValkeyCluster(node, ground.url(node), timeout=Duration.from_s(5))
    try:
        await cluster.examine()
        return (await cluster._members.shards[0].servers[0].ask(words))[0]
    finally:
        await cluster.close()


async def whole_again(ground: Ground) -> None:
    """Primary and replica of the main as they were at the beginning, both empty."""
    primary = ground.node("main.primary")
    await primary.start()
    await command(ground, "main.replica", "REPLICAOF", "127.0.0.1", str(primary.port))

    async def follows() -> bool:
        return b"master_link_status:up" in bytes(await command(ground, "main.replica", "INFO", "replication"))

    await holds(follows)
    await command(ground, "main.primary", "FLUSHALL")


async def holds(condition: Callable[[], Awaitable[bool]]) -> None:
    """Until a question to servers is answered with yes."""
    async with asyncio.timeout(10):
        while True:
            try:
                if await condition():
                    return
            except TenfoldError:
                pass
            await asyncio.sleep(0.02)


@asynccontextmanager
async def opened_rung(ground: Ground) -> AsyncIterator[ValkeyRung]:
    """On the main cluster, warm, the replica too."""
    await whole_again(ground)
    cluster = ValkeyCluster("main", address(ground, "main"), events=EventLog("test"))
    rung = ValkeyRung("main", cluster, ttl=TTL)
    await rung.fill({key: Found(key.encode(), 1) for key in KEYS})
    await command(ground, "main.primary", "WAIT", "1", "1000")
    try:
        yield rung
    finally:
        await rung.close()
        await cluster.close()


async def read_all(rung: ValkeyRung) -> list[bytes | None]:
    found = await asyncio.gather(*(rung.read(key) for key in KEYS))
    return [one.value if one else None for one in found]


VALUES = [key.encode() for key in KEYS]


def test_reads_go_on_at_the_replica_when_the_primary_is_killed_and_nothing_is_written_meanwhile(ground: Ground) -> None:
    """The very first read after the kill is answered; a fill without a confirmed primary is refused."""

    async def test() -> None:
        async with opened_rung(ground) as rung:
            assert await read_all(rung) == VALUES
            os.kill(ground.node("main.primary").pid, signal.SIGKILL)
            assert await read_all(rung) == VALUES
            await ground.node("main.primary").kill()
            await until(lambda: not rung.cluster.health.primary)
            with pytest.raises(PrimaryUnknown):
                await rung.fill({"new": Found(b"new")})
            assert await read_all(rung) == VALUES

    ground.run(test())


def test_a_hung_primary_costs_its_callers_a_hedge_and_not_a_timeout(ground: Ground) -> None:
    """SIGSTOP: the first reads wait for the hedge, the later ones go to the replica at once; then it is back."""

    async def test() -> None:
        async with opened_rung(ground) as rung:
            await read_all(rung)
            with ground.hung("main.primary"):
                waits_s = []
                for _ in range(20):
                    began_s = time.monotonic()
                    assert await read_all(rung) == VALUES
                    waits_s.append(time.monotonic() - began_s)
                assert sorted(waits_s)[10] < 0.03
                await until(lambda: not rung.cluster.health.primary)
            await until(lambda: rung.cluster.primary_of("any") is not None)
            await rung.fill({"new": Found(b"new")})
            assert rung.cluster.health.renewals == 0

    ground.run(test())


def test_a_promoted_replica_is_the_primary_and_the_old_one_comes_back_as_a_stranger(ground: Ground) -> None:
    """The lineage goes on in the promoted; who comes back empty is neither read nor written, whatever its ROLE."""

    async def test() -> None:
        async with opened_rung(ground) as rung:
            await read_all(rung)
            await ground.node("main.primary").kill()
            await command(ground, "main.replica", "REPLICAOF", "NO", "ONE")
            replica = ground.node("main.replica").port
            await until(lambda: getattr(rung.cluster.primary_of("any"), "port", 0) == replica)
            await rung.fill({"new": Found(b"new", 2)})
            await ground.node("main.primary").start()
            for _ in range(5):
                await rung.cluster.examine()
                assert getattr(rung.cluster.primary_of("any"), "port", 0) == replica
                assert await read_all(rung) == VALUES
            assert await command(ground, "main.primary", "DBSIZE") == 0
            assert rung.cluster.health.renewals == 0

    ground.run(test())


class House:
    """main → standby → memory, with a failover that does not stay away for long."""

    def __init__(self, ground: Ground) -> None:
        self.events = EventLog("test")
        self.failover = Failover(
            "cache", events=self.events, stay=Duration.from_ms(200), hold=Duration.from_ms(100), stay_max=TTL
        )
        self.pair = ClusterPair(
            ValkeyCluster("main", address(ground, "main"), events=self.events),
            ValkeyCluster("standby", address(ground, "standby"), timeout=PATIENT, events=self.events),
            failover=self.failover,
            watch_unsettled=Duration.from_ms(50),
        )
        self.main, self.standby = self.pair.rungs(ttl=TTL, prefix="price:")
        self.database = MemoryRung("database", {key: key.encode() for key in KEYS})
        self.ladder = ReadLadder(
            "price",
            steps=[
                Step(self.main, breaker=Breaker("main"), fills=True, inflight_max=512),
                Step(
                    self.standby,
                    breaker=Breaker("standby"),
                    timeout=PATIENT,
                    fills=True,
                    inflight_max=512,
                    mirrors=self.standby.mirrors,
                ),
                Step(self.database, inflight_max=512),
            ],
        )
        self.rungs: list[str] = []
        self.errors: list[Exception] = []

    async def load(self) -> None:
        """Open arrivals until cancelled."""
        began_s, sent = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while True:
                for _ in range(int((time.monotonic() - began_s) * READS_PER_S) - sent):
                    group.create_task(self._read(KEYS[sent % len(KEYS)]))
                    sent += 1
                await asyncio.sleep(0.002)

    async def _read(self, key: str) -> None:
        try:
            answer = await self.ladder.read(key)
            assert answer.value == key.encode()
            self.rungs.append(answer.rung)
        except Exception as error:
            self.errors.append(error)

    async def reached(self, state: FailoverState) -> None:
        await until(lambda: self.failover.state is state)


@asynccontextmanager
async def opened_house(ground: Ground) -> AsyncIterator[House]:
    """Under load, warm and settled."""
    await whole_again(ground)
    house = House(ground)
    loading = asyncio.create_task(house.load())
    await until(lambda: len(house.rungs) > 2 * len(KEYS) and house.rungs[-1] == "main")
    try:
        yield house
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await house.ladder.close()
        await house.pair.close()


def test_the_standby_takes_over_and_the_main_returns_only_when_it_is_warm_again(ground: Ground) -> None:
    """It comes back empty; no caller sees an error, and the database is not asked for what the standby holds."""

    async def test() -> None:
        async with opened_house(ground) as house:
            killed_ns = time.monotonic_ns()
            await ground.node("main.primary").kill()
            await house.reached(FailoverState.STANDBY)
            left = next(event for event in house.events if event.kind == "failover-standby")
            assert left.monotonic_ns - killed_ns < 1_000_000_000
            house.rungs.clear()
            await until(lambda: house.rungs.count("standby") > 100)
            await ground.node("main.primary").start()
            await house.reached(FailoverState.RETURNING)
            await house.reached(FailoverState.MAIN)
            assert house.errors == []
            assert "database" not in house.rungs
            returning = next(event for event in house.events if event.kind == "failover-returning")
            assert returning.detail["warmth"] >= 0.9
            assert house.pair.main.health.renewals == 1
            ttl_ms = await command(ground, "main.primary", "PTTL", f"price:{KEYS[0]}")
            assert 0 < ttl_ms < TTL.ms - 200

    ground.run(test())


def test_what_is_filled_while_the_standby_serves_is_filled_into_the_main_too(ground: Ground) -> None:
    """A copy never replaces what is newer."""

    async def test() -> None:
        async with opened_house(ground) as house:
            house.failover._stay.ns = TTL.ns
            with ground.hung("main.primary"):
                await house.reached(FailoverState.STANDBY)
            await until(lambda: house.pair.main.primary_of("any") is not None)
            await house.standby.fill({"fresh": Found(b"fresh", 7)})
            plain = ValkeyRung("main", house.pair.main, ttl=TTL, prefix="price:")

            async def has(key: str) -> bool:
                return await plain.read(key) is not None

            await holds(partial(has, "fresh"))
            await plain.fill({"fresh": Found(b"newer", 8)})
            await house.standby.fill({"fresh": Found(b"fresh", 7)})
            await house.standby.fill({"last": Found(b"last", 1)})
            await holds(partial(has, "last"))
            assert await plain.read("fresh") == Found(b"newer", 8)

    ground.run(test())


@asynccontextmanager
async def server(folder: Path, *options: str) -> AsyncIterator[int]:
    """One `valkey-server` of its own; answers its port."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(binaries.valkey()),
        *options,
        *("--port", str(port), "--dir", str(folder), "--save", "", "--appendonly", "no"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answering(port)
        yield port
    finally:
        process.kill()
        await process.wait()


async def _answering(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


async def told(port: int, *words: str) -> Any:
    cluster = ValkeyCluster("one", f"redis://127.0.0.1:{port}", timeout=Duration.from_s(5))
    try:
        await cluster.examine()
        return (await cluster._members.shards[0].servers[0].ask(words))[0]
    finally:
        await cluster.close()


def test_a_primary_that_sentinels_watch_is_found_and_its_successor_too(tmp_path: Path) -> None:
    """By URL; after SENTINEL FAILOVER the fills go to the promoted replica."""

    async def test() -> None:
        config = tmp_path / "sentinel.conf"
        async with (
            server(tmp_path, "--repl-diskless-sync-delay", "0") as first,
            server(tmp_path, "--replicaof", f"127.0.0.1 {first}") as second,
        ):

            async def follows() -> bool:
                return b"master_link_status:up" in bytes(await told(second, "INFO", "replication"))

            await holds(follows)
            config.write_text(
                f"sentinel monitor shop 127.0.0.1 {first} 1\nsentinel down-after-milliseconds shop 500\n"
                "sentinel failover-timeout shop 2000\n"
            )
            async with server(tmp_path, str(config), "--sentinel") as sentinel:
                cluster = ValkeyCluster("main", f"redis+sentinel://127.0.0.1:{sentinel}/shop")

                async def knows_replica() -> bool:
                    return bool(await told(sentinel, "SENTINEL", "REPLICAS", "shop"))

                await holds(knows_replica)
                rung = ValkeyRung("main", cluster, ttl=TTL)
                await rung.fill({"a": Found(b"1", 1)})
                assert cluster.primary_of("a") == ("127.0.0.1", first)

                async def told_to_fail_over() -> bool:
                    return isinstance(await told(sentinel, "SENTINEL", "FAILOVER", "shop"), bytes)

                await holds(told_to_fail_over)
                await until(lambda: cluster.primary_of("a") == ("127.0.0.1", second), deadline_s=15)
                await rung.fill({"b": Found(b"2", 1)})
                assert await rung.read("a") == Found(b"1", 1)
                await rung.close()
                await cluster.close()

    asyncio.run(test())


def test_a_cluster_of_several_shards_is_read_and_filled_by_slot(tmp_path: Path) -> None:
    """Two primaries share the slots; one node is named; a shard whose primary is killed loses its own keys only."""

    async def test() -> None:
        options = (
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--cluster-require-full-coverage",
            "no",
        )
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        async with (
            server(tmp_path / "one", *options) as one,
            server(tmp_path / "two", *options) as two,
        ):
            await told(one, "CLUSTER", "ADDSLOTSRANGE", "0", "8000")
            await told(two, "CLUSTER", "ADDSLOTSRANGE", "8001", "16383")
            await told(one, "CLUSTER", "MEET", "127.0.0.1", str(two))

            async def met() -> bool:
                slots = await told(one, "CLUSTER", "SLOTS")
                info = await told(two, "CLUSTER", "INFO")
                return isinstance(slots, list) and len(slots) == 2 and b"cluster_state:ok" in info

            await holds(met)
            cluster = ValkeyCluster("main", f"redis+cluster://127.0.0.1:{one}")
            rung = ValkeyRung("main", cluster, ttl=TTL)
            await rung.fill({key: Found(key.encode(), 1) for key in KEYS})
            assert await read_all(rung) == VALUES
            sizes = [await told(port, "DBSIZE") for port in (one, two)]
            assert sum(sizes) == len(KEYS)
            assert min(sizes) > 0
            assert {cluster.primary_of(key).port for key in KEYS} == {one, two}  # type: ignore[union-attr]
            await rung.close()
            await cluster.close()

    asyncio.run(test())
