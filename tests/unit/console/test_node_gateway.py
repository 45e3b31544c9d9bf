"""The way to the control node: a slow one holds up nobody."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.memory_control import MemoryControl

from tenfold.console.switchboard import NodeGateway
from tenfold.console.switchboard import gateway as gateway_module
from tenfold.console.switchboard.gateway import THREADS, GatewayBusy, NodeNotAttached
from tenfold.kernel.clock import VirtualClock
from tenfold.respond.control import ControlUnreachableError
from tenfold.respond.switchboard import SwitchOperator


def at_gateway(
    scene: Callable[[NodeGateway], Coroutine[Any, Any, None]], *, attached: bool = True, deadline_s: float = 5.0
) -> None:
    async def whole() -> None:
        clock = VirtualClock()
        gateway = NodeGateway(clock=clock, connect=lambda node, timeout_s: MemoryControl(clock), deadline_s=deadline_s)  # type: ignore[arg-type, return-value]
        if attached:
            gateway.attach("http://127.0.0.1:7600", "token")
        try:
            await scene(gateway)
        finally:
            gateway.close()

    asyncio.run(asyncio.wait_for(whole(), 10))


def test_a_node_that_does_not_answer_is_given_up_and_the_loop_goes_on() -> None:
    """The page says so within the deadline; since when stays known until the node answers."""

    async def scene(gateway: NodeGateway) -> None:
        stuck = threading.Event()
        began_s = time.monotonic()
        asking = asyncio.create_task(gateway.ask(lambda _: stuck.wait(5)))
        await asyncio.sleep(0)
        assert time.monotonic() - began_s < 0.05
        with pytest.raises(ControlUnreachableError, match="did not answer within"):
            await asking
        assert gateway.unreachable_since_ns is not None
        stuck.set()
        assert await gateway.ask(lambda operator: operator.newest()) == 0
        assert gateway.unreachable_since_ns is None

    at_gateway(scene, deadline_s=0.1)


def test_a_thread_that_hangs_keeps_its_place_and_no_other_is_begun() -> None:
    """However often a page is loaded again: THREADS at most, and all come back."""

    async def scene(gateway: NodeGateway) -> None:
        stuck, begun = threading.Event(), []

        def hang(operator: SwitchOperator) -> None:
            begun.append(operator)
            stuck.wait(5)

        for _ in range(THREADS + 2):
            with pytest.raises(ControlUnreachableError):
                await gateway.ask(hang)
        assert len(begun) == THREADS
        stuck.set()
        answers = await asyncio.gather(*(gateway.ask(lambda _: "fine") for _ in range(2 * THREADS)))
        assert answers == ["fine"] * (2 * THREADS)

    at_gateway(scene, deadline_s=0.05)


def test_too_many_who_wait_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue has an end, and whoever stands in it is served."""
    monkeypatch.setattr(gateway_module, "WAITING_MAX", 1)

    async def scene(gateway: NodeGateway) -> None:
        stuck = threading.Event()
        asking = [asyncio.create_task(gateway.ask(lambda _: stuck.wait(5))) for _ in range(THREADS + 1)]
        await asyncio.sleep(0)
        with pytest.raises(GatewayBusy):
            await gateway.ask(lambda _: None)
        stuck.set()
        assert await asyncio.gather(*asking) == [True] * (THREADS + 1)

    at_gateway(scene)


def test_before_the_node_is_known_nothing_is_asked() -> None:
    """In a sentence that says what will happen."""

    async def scene(gateway: NodeGateway) -> None:
        with pytest.raises(NodeNotAttached, match="looks again by itself"):
            await gateway.ask(lambda _: None)

    at_gateway(scene, attached=False)
