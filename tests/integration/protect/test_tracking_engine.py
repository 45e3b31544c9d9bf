"""Invalidations from a real server that is killed, hung, flushed and restarted; heard in a loop and in a thread."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from tests.integration.protect.ground import Ground, opened_ground, until

from tenfold.engines.valkey.slots import slot_of
from tenfold.fleet import binaries
from tenfold.fleet.ports import free_port
from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.protect import NearCache
from tenfold.protect.reads.near import Lifetimes
from tenfold.protect.reads.valkey.tracking import AnnouncementFailed, Announcer, AsyncTracking, Tracking, TrackingPace
from tenfold.protect.reads.valkey.tracking.notice import HOME
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

Reader = type[Tracking] | type[AsyncTracking]
PATIENT = Duration.from_s(5)
HOUR = Duration.from_s(3_600)
BOUND_S = 0.3
"""Heartbeat and silence: what was acknowledged so long ago has been heard, or is doubted."""
LATE_S = 0.25
"""What a busy machine may add."""
both = pytest.mark.parametrize("reader", [Tracking, AsyncTracking])


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with opened_ground(tmp_path_factory.mktemp("tracking"), main=Engine.VALKEY) as ground:
        yield ground


class House:
    """A near cache that is kept coherent, whoever announces, and another client."""

    def __init__(self, ground: Ground, reader: Reader, *, keys: bool = False, pace: TrackingPace | None = None) -> None:
        url = ground.url("main.primary")
        self.events = EventLog("test")
        self.near = NearCache("price", bytes_max=1 << 20, ttl=HOUR, lifetimes=Lifetimes(jitter_ratio=0))
        self.tracking = reader("main", url, {"price:": self.near}, keys=keys, pace=pace, events=self.events)
        self.announcer = Announcer("relay", url, timeout=PATIENT)
        self.other: Any = Redis.from_url(url, protocol=2)

    def is_fresh(self, key: str) -> bool:
        return is_fresh(self.near, key)

    def remember(self, key: str, version: int = 0) -> None:
        assert self.near.put(key, b"value", version, token=self.near.begin(key))

    async def proven(self) -> None:
        await until(lambda: self.tracking.proven)


@asynccontextmanager
async def opened_house(
    ground: Ground, reader: Reader, *, keys: bool = False, pace: TrackingPace | None = None
) -> AsyncIterator[House]:
    house = House(ground, reader, keys=keys, pace=pace)
    house.tracking.open()
    try:
        await house.proven()
        yield house
    finally:
        if isinstance(house.tracking, AsyncTracking):
            await house.tracking.close()
        else:
            house.tracking.close()
        await house.announcer.close()
        await house.other.aclose()
    assert not house.near.proven


@both
def test_what_another_client_writes_is_invalidated_within_50_ms(ground: Ground, reader: Reader) -> None:
    """Of twenty writes, each by itself; the middle one, since the machine is shared."""

    async def test() -> None:
        async with opened_house(ground, reader, keys=True) as house:
            waits_s = []
            for _ in range(20):
                house.remember("7/4711")
                written_s = time.monotonic()
                await house.other.set("price:7/4711", b"new")
                await until(lambda: not house.is_fresh("7/4711"))
                waits_s.append(time.monotonic() - written_s)
            assert sorted(waits_s)[10] < 0.05

    ground.run(test())


@both
def test_an_announcement_spares_what_is_as_new_and_refuses_what_is_older(ground: Ground, reader: Reader) -> None:
    """The version stands in the notice: who has loaded the new value already keeps it."""

    async def test() -> None:
        async with opened_house(ground, reader) as house:
            house.remember("old", 4)
            house.remember("new", 5)
            await house.announcer.announce("price:", {"old": 5, "new": 5, "never:seen": 5})
            await until(lambda: not house.is_fresh("old"))
            assert house.is_fresh("new")
            assert not house.near.put("never:seen", b"from a replica that lags", 4)
            assert await house.other.keys("{notice}*") == []

    ground.run(test())


@both
def test_those_who_fill_the_cluster_disturb_nobody(ground: Ground, reader: Reader) -> None:
    """A fill is no change of the truth; nor is the expiry of what was filled."""

    async def test() -> None:
        async with opened_house(ground, reader) as house:
            house.remember("7/4711", 4)
            house.remember("told last", 4)
            for _ in range(100):
                await house.other.set("price:7/4711", b"value", px=1)
            await house.announcer.announce("price:", {"told last": 5})
            await until(lambda: not house.is_fresh("told last"))
            assert house.is_fresh("7/4711")

    ground.run(test())


async def _kill(ground: Ground, house: House) -> None:
    await ground.node("main.primary").kill()


async def _hang(ground: Ground, house: House) -> None:
    os.kill(ground.node("main.primary").pid, 19)


async def _throw_out(ground: Ground, house: House) -> None:
    await house.other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def _flush(ground: Ground, house: House) -> None:
    await house.other.flushall()


async def _restart(ground: Ground, house: House) -> None:
    await ground.node("main.primary").kill()
    await ground.node("main.primary").start()


async def _demote(ground: Ground, house: House) -> None:
    await house.other.execute_command("REPLICAOF", "127.0.0.1", "1")


async def _mend(ground: Ground, house: House) -> None:
    if not ground.node("main.primary").pid:
        await ground.node("main.primary").start()
    os.kill(ground.node("main.primary").pid, 18)
    await house.other.execute_command("REPLICAOF", "NO", "ONE")


@both
@pytest.mark.parametrize("harm", [_kill, _hang, _throw_out, _flush, _restart, _demote], ids=lambda harm: harm.__name__)
def test_nothing_from_before_a_gap_is_answered_as_fresh(
    ground: Ground, reader: Reader, harm: Callable[[Ground, House], Any]
) -> None:
    """It is doubted in time, and what was loaded before or meanwhile stays so; what is loaded afterwards is fresh."""

    async def test() -> None:
        async with opened_house(ground, reader) as house:
            house.remember("before", 1)
            token = house.near.begin("meanwhile")
            harmed_s = time.monotonic()
            await harm(ground, house)
            await until(lambda: any(event.kind == "tracking-lost" for event in house.events))
            lost = next(event for event in house.events if event.kind == "tracking-lost")
            if harm is not _restart:
                assert lost.monotonic_ns / 1e9 - harmed_s < BOUND_S + LATE_S
            assert not house.is_fresh("before")
            await _mend(ground, house)
            await house.proven()
            assert not house.is_fresh("before")
            assert not house.near.put("meanwhile", b"", 1, token=token)
            house.remember("after", 1)
            assert house.is_fresh("after")
            assert list(house.events)[-1].kind == "tracking-proven"

    ground.run(test())


@both
def test_an_announcer_that_falls_silent_is_a_gap(ground: Ground, reader: Reader) -> None:
    """The server is well: only nobody says any more what changes."""

    async def test() -> None:
        house = House(ground, reader, pace=TrackingPace(beat_max=Duration.from_ms(500)))
        house.tracking.open()
        for _ in range(5):
            await house.announcer.beat("price:")
            await asyncio.sleep(0.1)
        assert house.tracking.proven
        await until(lambda: not house.near.proven)
        lost = [event for event in house.events if event.kind == "tracking-lost"]
        assert lost[-1].detail["gap"] == "unannounced"
        closing = house.tracking.close()
        if closing is not None:
            await closing
        await house.announcer.close()
        await house.other.aclose()

    ground.run(test())


def test_an_announcement_that_may_not_have_arrived_is_an_error(ground: Ground) -> None:
    """And when the server is back, the same announcer goes on."""

    async def test() -> None:
        async with opened_house(ground, AsyncTracking) as house:
            await house.announcer.announce("price:", {"a": 1})
            await ground.node("main.primary").kill()
            with pytest.raises(AnnouncementFailed, match="Announce it again"):
                await house.announcer.announce("price:", {"a": 2})
            await ground.node("main.primary").start()
            await house.proven()
            house.remember("a", 1)
            async with asyncio.timeout(10):
                while house.is_fresh("a"):
                    try:
                        await house.announcer.announce("price:", {"a": 2})
                    except AnnouncementFailed:
                        await asyncio.sleep(0.02)

    ground.run(test())


@both
def test_a_listener_that_the_server_throws_out_for_being_slow_doubts(ground: Ground, reader: Reader) -> None:
    """Its output buffer on the server overflowed: what was in it is lost."""

    async def test() -> None:
        async with opened_house(ground, reader) as house:
            await house.other.config_set("client-output-buffer-limit", "normal 100kb 0 0")
            house.remember("a", 1)
            for number in range(20):
                await house.announcer.announce("price:", {f"{'x' * 20_000}{number}/{name}": 2 for name in range(50)})
                if any(event.kind == "tracking-lost" for event in house.events):
                    break
            await until(lambda: any(event.kind == "tracking-lost" for event in house.events))
            assert not house.is_fresh("a")
            await house.other.config_set("client-output-buffer-limit", "normal 0 0 0")

    ground.run(test())


@both
def test_a_fresh_answer_is_never_older_than_what_was_acknowledged_before_the_bound(
    ground: Ground, reader: Reader
) -> None:
    """A writer announces all the time, the server is hung and listeners are thrown out; readers fill and read."""

    async def test() -> None:
        async with opened_house(ground, reader) as house:
            world = Truth(house)
            writing = asyncio.create_task(world.write())
            reading = threading.Thread(target=world.read)
            reading.start()
            for _ in range(2):
                await asyncio.sleep(0.4)
                await house.other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                await asyncio.sleep(0.4)
                with ground.hung("main.primary"):
                    await asyncio.sleep(0.5)
                await house.proven()
            await asyncio.sleep(0.3)
            world.over.set()
            await asyncio.to_thread(reading.join)
            await writing
            assert world.wrong == []
            assert world.fresh > 1_000
            assert world.version > 100

    ground.run(test())


class Truth:
    """One number, what of it was acknowledged and when, and a thread that reads it through the near cache."""

    def __init__(self, house: House) -> None:
        self.over = threading.Event()
        self.version = 0
        self.acknowledged: list[tuple[float, int]] = [(0.0, 0)]
        self.wrong: list[tuple[int, int]] = []
        self.fresh = 0
        self._house = house

    async def write(self) -> None:
        while not self.over.is_set():
            self.version += 1
            try:
                async with asyncio.timeout(0.2):
                    await self._house.announcer.announce("price:", {"a": self.version})
            except (AnnouncementFailed, TimeoutError):
                continue
            self.acknowledged.append((time.monotonic(), self.version))
            await asyncio.sleep(0.002)

    def read(self) -> None:
        near, due = self._house.near, 0
        while not self.over.is_set():
            token, version = near.begin("a"), self.version
            near.put("a", b"", version, token=token)
            for _ in range(20):
                past_s = time.monotonic() - BOUND_S - LATE_S
                while due + 1 < len(self.acknowledged) and self.acknowledged[due + 1][0] <= past_s:
                    due += 1
                entry = near.entry("a")
                if entry is not None and entry.fresh:
                    self.fresh += 1
                    if entry.version < self.acknowledged[due][1]:
                        self.wrong.append((entry.version, self.acknowledged[due][1]))
                time.sleep(0.000_1)


FORK = """
import os, sys, time
from tenfold.kernel import Duration
from tenfold.protect import NearCache
from tenfold.protect.reads.valkey.tracking import Tracking

def until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)

near = NearCache("price", bytes_max=1 << 20, ttl=Duration.from_s(3600))
tracking = Tracking("main", sys.argv[1], {"price:": near}, keys=True)
tracking.open()
until(lambda: tracking.proven)
near.put("a", b"1")
child = os.fork()
if child == 0:
    assert near.get("a") is None, "the child answered as fresh what it had inherited"
    until(lambda: tracking.proven)
    near.put("a", b"2")
    print("child", flush=True)
    until(lambda: near.get("a") is None)
    tracking.close()
    os._exit(0)
assert near.get("a") == b"1"
print("parent", flush=True)
until(lambda: near.get("a") is None)
assert os.waitpid(child, 0)[1] == 0
tracking.close()
print("both", flush=True)
"""


def test_the_child_of_a_fork_doubts_and_has_its_own_listener(ground: Ground) -> None:
    """And the parent's goes on."""
    url = ground.url("main.primary")
    with subprocess.Popen([sys.executable, "-c", FORK, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert {process.stdout.readline().strip() for _ in range(2)} == {"parent", "child"}

        async def write() -> None:
            other: Any = Redis.from_url(url, protocol=2)
            await other.set("price:a", b"new")
            await other.aclose()

        ground.run(write())
        assert process.stdout.readline().strip() == "both"
        assert process.wait(10) == 0


@asynccontextmanager
async def opened_server(folder: Path, *options: str) -> AsyncIterator[int]:
    """One `valkey-server` of its own; answers its port."""
    port = free_port()
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240  # one folder, once
    process = await asyncio.create_subprocess_exec(
        *(str(binaries.valkey()), *options, "--port", str(port), "--dir", str(folder), "--save", ""),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await told(port, "PING", wanted=b"PONG")
        yield port
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def told(port: int, *command: str, wanted: bytes = b"") -> Any:
    """Say it until it is answered as wanted."""
    client: Any = Redis(port=port, protocol=2)
    client.response_callbacks.clear()
    async with asyncio.timeout(15), client:
        while True:
            try:
                reply = await client.execute_command(*command)
                if wanted in (reply if isinstance(reply, bytes) else repr(reply).encode()):
                    return reply
            except (OSError, RedisError):
                pass
            await asyncio.sleep(0.02)


@asynccontextmanager
async def followed(url: str, reader: Reader) -> AsyncIterator[tuple[NearCache, Announcer]]:
    """Followed while somebody beats."""
    near = NearCache("price", bytes_max=1 << 20, ttl=HOUR)
    tracking = reader("main", url, {"price:": near}, pace=TrackingPace(beat_max=Duration.from_ms(500)))
    announcer = Announcer("relay", url, timeout=PATIENT)
    beating = asyncio.create_task(beat(announcer))
    tracking.open()
    try:
        await until(lambda: tracking.proven)
        yield near, announcer
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        closing = tracking.close()
        if closing is not None:
            await closing
        await announcer.close()


def is_fresh(near: NearCache, key: str) -> bool:
    entry = near.entry(key)
    return entry is not None and entry.fresh


async def beat(announcer: Announcer) -> None:
    while True:
        with suppress(AnnouncementFailed):
            await announcer.beat("price:")
        await asyncio.sleep(0.05)


async def hears(near: NearCache, announcer: Announcer, version: int) -> None:
    """What is announced is heard."""
    near.put("a", b"", version - 1, token=near.begin("a"))
    await announcer.announce("price:", {"a": version})
    await until(lambda: near.entry("a") is None)


def test_the_primary_that_sentinels_name_is_followed_and_its_successor_too(tmp_path: Path) -> None:
    """When it dies, what was remembered is in doubt, and what is announced to the new primary is heard."""

    async def test() -> None:
        async with (
            opened_server(tmp_path / "one", "--repl-diskless-sync-delay", "0") as one,
            opened_server(tmp_path / "two", "--replicaof", f"127.0.0.1 {one}") as two,
        ):
            await told(two, "ROLE", wanted=b"connected")
            config = tmp_path / "sentinel.conf"
            config.write_text(f"sentinel monitor shop 127.0.0.1 {one} 1\nsentinel down-after-milliseconds shop 300\n")
            async with opened_server(tmp_path / "sentinel", str(config), "--sentinel") as sentinel:
                await told(sentinel, "SENTINEL", "REPLICAS", "shop", wanted=str(two).encode())
                async with followed(f"redis+sentinel://127.0.0.1:{sentinel}/shop", Tracking) as (near, announcer):
                    await hears(near, announcer, 2)
                    near.put("before", b"", 1, token=near.begin("before"))
                    with suppress(RedisError):
                        await Redis(port=one, protocol=2).shutdown(nosave=True)
                    await told(two, "ROLE", wanted=b"master")
                    await until(lambda: near.proven and not is_fresh(near, "before"))
                    await until_announced(announcer)
                    await hears(near, announcer, 3)

    asyncio.run(test())


async def until_announced(announcer: Announcer) -> None:
    """Until the announcer has found the primary again."""
    async with asyncio.timeout(15):
        while True:
            try:
                return await announcer.announce("price:", {"anything": 1})
            except AnnouncementFailed:
                await asyncio.sleep(0.02)


def test_of_a_cluster_the_node_that_hears_all_notices_is_followed(tmp_path: Path) -> None:
    """By whichever node is named; when the slot moves, the stream is in doubt until its new owner is followed."""

    async def test() -> None:
        options = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
        async with (
            opened_server(tmp_path / "one", *options) as one,
            opened_server(tmp_path / "two", *options) as two,
        ):
            slot = slot_of(HOME)
            others = [str(bound) for first, last in ((0, slot - 1), (slot + 1, 16_383)) for bound in (first, last)]
            await told(one, "CLUSTER", "ADDSLOTSRANGE", *others, wanted=b"OK")
            await told(two, "CLUSTER", "ADDSLOTS", str(slot), wanted=b"OK")
            await told(one, "CLUSTER", "MEET", "127.0.0.1", str(two), wanted=b"OK")
            for port in (one, two):
                await told(port, "CLUSTER", "INFO", wanted=b"cluster_slots_ok:16384")
            async with followed(f"redis+cluster://127.0.0.1:{one}", AsyncTracking) as (near, announcer):
                await hears(near, announcer, 2)
                near.put("before", b"", 1, token=near.begin("before"))
                new_owner = (await told(one, "CLUSTER", "MYID")).decode()
                for port in (one, two):
                    await told(port, "CLUSTER", "SETSLOT", str(slot), "NODE", new_owner, wanted=b"OK")
                await until(lambda: near.proven and not is_fresh(near, "before"))
                await until_announced(announcer)
                await hears(near, announcer, 3)

    asyncio.run(test())
