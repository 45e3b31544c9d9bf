"""Hot keys with a real Valkey below, a real control node between, and real kills."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from benchmarks.protect.followers import ControlProcess
from tests.integration.protect.ground import Ground, opened_ground, until

from tenfold.channel import Channel
from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.hot import HotKeys, link_hot_keys
from tenfold.protect.reads.ladder import ReadLadder, Step
from tenfold.protect.reads.near import NearCache
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.testing import CountingRung

pytestmark = pytest.mark.engines

PATIENCE = Duration.from_s(1)
HOT = "hot"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with opened_ground(tmp_path_factory.mktemp("hot"), main=Engine.VALKEY) as ground:
        yield ground


@pytest.fixture
def control(tmp_path: Path) -> Iterator[ControlProcess]:
    control = ControlProcess(tmp_path)
    control.open()
    yield control
    control.close()


class Service:
    """What a service has: a channel, hot keys, a near cache, a ladder. Several live in this one process."""

    def __init__(self, url: str, control: ControlProcess) -> None:
        self.valkey = ValkeyRung("main", url, ttl=Duration.from_s(60), prefix=f"{control.token}:", timeout=PATIENCE)
        self.rung = CountingRung(self.valkey)
        self.near = NearCache("price", bytes_max=1 << 20, ttl=Duration.from_ms(100))
        self.hot = HotKeys("price")
        self.channel = Channel(control.url, control.token, service="test")
        self.ladder = ReadLadder("price", near=self.near, steps=[Step(self.rung, timeout=PATIENCE)], hot=self.hot)
        link_hot_keys(self.channel, [self.hot])
        self.channel.open()

    async def read(self, key: str) -> bytes | None:
        return self.ladder.near_hit(key) or (await self.ladder.read(key)).value

    async def close(self) -> None:
        await self.ladder.close()
        await self.valkey.close()
        self.channel.close()


@asynccontextmanager
async def services(ground: Ground, control: ControlProcess, number: int = 3) -> AsyncIterator[list[Service]]:
    """All follow the control node, have read once, and the hot key lies in the cluster as version 1."""
    async with AsyncExitStack() as stack:
        opened = [Service(ground.url("main.primary"), control) for _ in range(number)]
        for service in opened:
            stack.push_async_callback(service.close)
        await opened[0].valkey.fill({HOT: Found(b"one", 1)})
        for service in opened:
            await service.read("first")
        await until(lambda: all(service.channel.connected for service in opened))
        yield opened


@asynccontextmanager
async def read_by(*readers: Service, key: str = HOT) -> AsyncIterator[Counter[bytes | None]]:
    """While inside, each reads the key 500 times a second; what they were answered."""
    answers: Counter[bytes | None] = Counter()

    async def read() -> None:
        while True:
            for service in readers:
                answers[await service.read(key)] += 1
            await asyncio.sleep(0.002)

    reading = asyncio.create_task(read())
    try:
        yield answers
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def test_what_two_find_hot_a_third_holds_before_it_is_asked(ground: Ground, control: ControlProcess) -> None:
    """Through a real channel: reported, merged, pushed, fetched into a near cache that nobody has read."""

    async def check() -> None:
        async with services(ground, control) as (one, two, quiet), read_by(one, two):
            await until(lambda: quiet.hot.is_hot(HOT))
            await until(lambda: (entry := quiet.near.entry(HOT)) is not None and entry.value == b"one")

    ground.run(check())


def test_a_held_key_costs_the_cluster_a_hundredth(ground: Ground, control: ControlProcess) -> None:
    """Two processes, a thousand reads a second, and one of them at a time looks: a few a second reach Valkey."""

    async def check() -> None:
        async with services(ground, control) as (one, two, quiet), read_by(one, two) as answers:
            await until(lambda: quiet.hot.is_hot(HOT))
            for service in (one, two, quiet):
                service.rung.reads.clear()
            begun = answers.total()
            await until(lambda: answers.total() - begun >= 1_000)
            below = sum(service.rung.reads[HOT] for service in (one, two, quiet))
            assert answers.total() - begun >= 50 * below, f"{below} of {answers.total() - begun}"

    ground.run(check())


def test_a_new_value_reaches_all_and_the_old_one_does_not_come_back(ground: Ground, control: ControlProcess) -> None:
    """The one who sees it first tells the others; the bound is the hold, and nobody goes back."""

    async def check() -> None:
        async with services(ground, control) as (one, two, _), read_by(one, two) as answers:
            await until(lambda: one.hot.is_hot(HOT) and two.hot.is_hot(HOT))
            await one.valkey.fill({HOT: Found(b"two", 2)})
            await until(lambda: {one.near.hit(HOT), two.near.hit(HOT)} == {b"two"})
            answers.clear()
            await until(lambda: answers.total() >= 300)
            assert set(answers) == {b"two"}

    ground.run(check())


def test_a_control_node_killed_costs_nobody_an_answer_and_is_followed_again(
    ground: Ground, control: ControlProcess
) -> None:
    """SIGKILL: each goes on holding its own; when the node is back, the fleet's set is too, without anybody's help."""

    async def check() -> None:
        async with services(ground, control) as (one, two, quiet), read_by(one, two) as answers:
            await until(lambda: quiet.hot.is_hot(HOT))
            control.kill()
            answers.clear()
            await until(lambda: answers.total() >= 1_000)
            assert one.hot.is_hot(HOT)
            assert set(answers) == {b"one"}
            quiet.hot.notified(None)
            await until(lambda: not quiet.hot.is_hot(HOT))
            control.open()
            await until(lambda: quiet.hot.is_hot(HOT))

    ground.run(check())


def test_a_hung_cluster_leaves_the_held_value_to_be_answered(ground: Ground, control: ControlProcess) -> None:
    """SIGSTOP of Valkey: reads within the hold notice nothing, and refreshes that hang do not pile up."""

    async def check() -> None:
        async with services(ground, control) as (one, two, _):
            async with read_by(one, two):
                await until(lambda: one.hot.is_hot(HOT) and two.hot.is_hot(HOT))
                await until(lambda: one.near.hit(HOT) is not None)
            with ground.hung("main.primary"):
                asked = one.rung.reads[HOT]
                assert await one.read(HOT) is not None
                assert one.rung.reads[HOT] - asked <= 1

    ground.run(check())
