"""What a page of the switchboard is told while it is open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from tests.memory_control import MemoryControl

from tenfold.channel import Change, Process
from tenfold.console.switchboard import NodeGateway, Watch
from tenfold.console.switchboard import watch as watch_module
from tenfold.kernel import Duration
from tenfold.kernel.clock import VirtualClock
from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control import ControlUnreachableError

Scene = Callable[[Watch, MemoryControl, VirtualClock], Coroutine[Any, Any, None]]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(watch_module, "FRESH", Duration.from_ms(0))


def watched(scene: Scene) -> None:
    async def whole() -> None:
        clock = VirtualClock()
        control = MemoryControl(clock)
        gateway = NodeGateway(clock=clock, connect=lambda node, timeout_s: control)  # type: ignore[arg-type, return-value]
        gateway.attach("http://127.0.0.1:7600", "token")
        watch = Watch(gateway)
        try:
            await scene(watch, control, clock)
        finally:
            await watch.close(patience_s=0.0)
            gateway.close()

    asyncio.run(asyncio.wait_for(whole(), 10))


async def changed(stream: AsyncIterator[bytes]) -> None:
    assert b"event: changed" in await anext(stream)


async def until(holds: Callable[[], bool]) -> None:
    """Ask again until it holds; the scene's deadline ends it."""
    while not holds():  # noqa: ASYNC110 (what is asked has no event of its own)
        await asyncio.sleep(0.001)


def test_a_page_is_told_when_something_is_different_and_not_otherwise() -> None:
    """Once at the first look, then at each difference: a switch, a process, a node that is gone and back."""

    async def scene(watch: Watch, control: MemoryControl, clock: VirtualClock) -> None:
        stream = watch.stream()
        await changed(stream)
        await changed(stream)
        control.declare(Declaration(name="reviews", kind="boolean", default=True))
        await changed(stream)
        assert watch.newest is not None
        assert [card.view.name for card in watch.newest.cards] == ["reviews"]
        number, looks = watch.number, clock.wall_ns()
        clock.advance(Duration.from_s(1))
        await until(lambda: watch.newest is not None and watch.newest.at_ns > looks)
        assert watch.number == number
        control.failing = ControlUnreachableError("gone")
        await changed(stream)
        control.failing = None
        await changed(stream)

    watched(scene)


def test_a_page_is_told_who_takes_up_a_change_that_leaves_nothing_set() -> None:
    """An undo has no record any more; the page that shows who has it must hear of each process all the same."""

    async def scene(watch: Watch, control: MemoryControl, clock: VirtualClock) -> None:
        control.follow(Process(id="p1", service="api"))
        stream = watch.stream()
        await changed(stream)
        control.put(
            TOPIC,
            "odd",
            SwitchRecord((Rule(value=1, owner="Ann", reason="set"),)),
            by="Ann",
            reason="set",
            confirmed=True,
        )
        undone = control.remove(TOPIC, "odd", by="Ann", reason="undo", confirmed=True)
        assert isinstance(undone, Change)
        await until(lambda: watch.newest is not None and watch.newest.newest == undone.epoch)
        assert watch.newest is not None
        assert (watch.newest.behind, watch.newest.cards) == (1, ())
        number = watch.number
        control.presences[0].epoch = undone.epoch
        await until(lambda: watch.number > number)
        assert watch.newest.behind == 0

    watched(scene)


def test_nobody_looks_when_nobody_looks_on() -> None:
    """A console that no page is open at asks the node nothing."""

    async def scene(watch: Watch, control: MemoryControl, clock: VirtualClock) -> None:
        stream = watch.stream()
        await changed(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await until(lambda: "switchboard-watch" not in {task.get_name() for task in asyncio.all_tasks()})

    watched(scene)


def test_a_page_is_told_at_the_end() -> None:
    """And then the stream is over."""

    async def scene(watch: Watch, control: MemoryControl, clock: VirtualClock) -> None:
        stream = watch.stream()
        await changed(stream)
        await watch.close(patience_s=0.0)
        said = [chunk async for chunk in stream]
        assert said[-1] == b"event: closed\ndata: {}\n\n"

    watched(scene)


def test_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is told so by the address of the stream."""
    monkeypatch.setattr(watch_module, "VIEWERS_MAX", 0)
    assert Watch(NodeGateway()).full()
