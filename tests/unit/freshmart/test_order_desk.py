"""The order desk without a database: what is gathered, what waits, what is told to whom."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from freshmart.orders import AskedLine, AskedOrder, Order, OrderDecision, OrderDesk, OrdersBusy, OrdersLate, read_order
from freshmart.orders.postgres import PrimaryUnreachable
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Breaker
from tenfold.protect.calls.breaker import BreakerState
from tenfold.protect.doors.deadline import deadline_within
from tenfold.protect.testing import run_in_virtual_time


class Primary:
    """Decides what `decide` says, one turn of the loop later; remembers the batches it was sent."""

    def __init__(self, decide: Callable[[Order], OrderDecision]) -> None:
        self.decide = decide
        self.batches: list[list[str]] = []
        self.away = False

    async def place(self, orders: Sequence[Order]) -> list[OrderDecision]:
        self.batches.append([order.key for order in orders])
        await asyncio.sleep(0)
        if self.away:
            raise PrimaryUnreachable("The primary is away.")
        return [self.decide(order) for order in orders]

    async def close(self) -> None:
        return None


class Desk:
    """A desk on virtual time: sleeping lets time pass."""

    def __init__(self, primary: Primary, **options: Any) -> None:
        self.clock = VirtualClock()
        self.breaker = Breaker("primary", clock=self.clock, failures_max=3)
        self.desk = OrderDesk([primary], breaker=self.breaker, clock=self.clock, sleep=self._sleep, **options)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(Duration.from_s(seconds))
        await asyncio.sleep(0)

    async def all(self, *orders: Order) -> list[OrderDecision | BaseException]:
        self.desk.open()
        decisions = await asyncio.gather(*(self.desk.place(order) for order in orders), return_exceptions=True)
        await self.desk.close()
        return decisions


def order(key: str, quantity: int = 1) -> Order:
    return read_order(AskedOrder(1, [AskedLine(7, quantity)]), key, shadow=True)


def accept(_: Order) -> OrderDecision:
    return OrderDecision("accepted", 201, b"{}")


def run(work: Awaitable[list[OrderDecision | BaseException]]) -> list[OrderDecision | BaseException]:
    async def awaited() -> list[OrderDecision | BaseException]:
        return await work

    return asyncio.run(awaited())


def on_desk(primary: Primary, *orders: Order, **options: Any) -> list[OrderDecision | BaseException]:
    async def place() -> list[OrderDecision | BaseException]:
        return await Desk(primary, **options).all(*orders)

    return asyncio.run(place())


def test_orders_that_arrive_together_leave_together() -> None:
    """One batch for all that wait, to the bound."""
    primary = Primary(accept)
    on_desk(primary, *(order(f"together-{n}") for n in range(5)), batch_max=3)
    assert [len(batch) for batch in primary.batches] == [3, 2]


def test_an_order_that_was_not_decided_goes_first_in_the_next_batch() -> None:
    """It came before those that arrived meanwhile."""
    asked: list[str] = []

    def decide(order: Order) -> OrderDecision:
        asked.append(order.key)
        return OrderDecision("again") if order.key == "order-1-" and asked.count("order-1-") == 1 else accept(order)

    primary = Primary(decide)
    decisions = on_desk(primary, *(order(f"order-{n}-") for n in range(4)), batch_max=2)
    assert primary.batches[1][0] == "order-1-"
    assert decisions == [accept(order("any-order"))] * 4


def test_one_key_is_never_in_a_batch_twice() -> None:
    """The second of the same key waits behind the first and asks for itself."""
    primary = Primary(accept)
    on_desk(primary, order("same-key-"), order("same-key-"), order("other-key"))
    assert primary.batches == [["same-key-", "other-key"], ["same-key-"]]


def test_orders_wait_while_the_primary_is_away_and_the_breaker_probes_it() -> None:
    """The same batch again until it is decided; nobody is told an error."""
    primary = Primary(accept)
    primary.away = True

    async def outage() -> tuple[list[OrderDecision | BaseException], BreakerState]:
        desk = Desk(primary)
        placing = asyncio.create_task(desk.all(order("patient-1"), order("patient-2")))
        while desk.breaker.state is not BreakerState.OPEN:  # noqa: ASYNC110  # virtual time passes by turns
            await asyncio.sleep(0)
        primary.away = False
        return await placing, desk.breaker.state

    decisions, state = asyncio.run(outage())
    assert decisions == [accept(order("any-order"))] * 2
    assert state is BreakerState.CLOSED
    assert set(map(tuple, primary.batches)) == {("patient-1", "patient-2")}


def test_an_order_that_waited_to_its_deadline_is_told_that_it_is_not_known() -> None:
    """OrdersLate, not silence."""
    primary = Primary(accept)
    primary.away = True
    (decision,) = on_desk(primary, order("too-late-"), deadline=Duration.from_s(8))
    assert isinstance(decision, OrdersLate)


def test_an_order_whose_caller_has_stopped_waiting_is_not_begun() -> None:
    """The others of the queue are; the caller's deadline holds though the desk's own is later."""
    primary = Primary(accept)

    async def place() -> list[OrderDecision | BaseException]:
        desk = Desk(primary)
        with deadline_within(Duration.from_ms(0), desk.clock):
            hurried = asyncio.ensure_future(desk.desk.place(order("hurried-")))
        return [*await desk.all(order("patient-")), *await asyncio.gather(hurried, return_exceptions=True)]

    decided, late = run(place())
    assert decided == accept(order("patient-"))
    assert isinstance(late, OrdersLate)
    assert primary.batches == [["patient-"]]


def test_more_orders_than_may_wait_are_not_taken() -> None:
    """OrdersBusy for those, an answer for the others."""
    primary = Primary(accept)
    decisions = on_desk(primary, *(order(f"crowd-{n:04}") for n in range(5)), waiting_max=3)
    assert [type(decision) for decision in decisions] == [
        OrderDecision,
        OrderDecision,
        OrderDecision,
        OrdersBusy,
        OrdersBusy,
    ]


def test_an_order_that_breaks_its_batch_breaks_nobody_else() -> None:
    """Everyone of the batch goes alone; only the one at fault is told."""

    def decide(order: Order) -> OrderDecision:
        if order.key == "broken-key":
            raise ValueError("broken")
        return accept(order)

    primary = Primary(decide)
    decisions = on_desk(primary, order("before-it-"), order("broken-key"), order("behind-it-"))
    assert [type(decision) for decision in decisions] == [OrderDecision, ValueError, OrderDecision]


@pytest.mark.parametrize("count", [1, 50])
def test_a_caller_who_left_takes_nobody_along(count: int) -> None:
    """A cancelled wait frees its place; the others are answered."""
    primary = Primary(accept)

    async def leave() -> list[OrderDecision | BaseException]:
        desk = Desk(primary)
        desk.desk.open()
        leaving = asyncio.create_task(desk.desk.place(order("leaving--")))
        staying = [asyncio.create_task(desk.desk.place(order(f"staying-{n}"))) for n in range(count)]
        await asyncio.sleep(0)
        leaving.cancel()
        decisions = await asyncio.gather(*staying, return_exceptions=True)
        await desk.desk.close()
        return decisions

    assert run(leave()) == [accept(order("any-order"))] * count


class SlowPrimary(Primary):
    """Takes six tenths of a second for a batch."""

    async def place(self, orders: Sequence[Order]) -> list[OrderDecision]:
        await asyncio.sleep(0.6)
        return await super().place(orders)


@pytest.mark.parametrize("key", ["same-key-", "other-key"])
def test_a_caller_in_a_hurry_hears_in_time_though_every_batch_is_out(key: str) -> None:
    """In the queue, and behind the order with the same key; neither is begun."""
    primary = SlowPrimary(accept)

    async def hurry(clock: VirtualClock) -> tuple[OrderDecision, int]:
        desk = OrderDesk([primary], breaker=Breaker("primary", clock=clock), clock=clock)
        desk.open()
        first = asyncio.create_task(desk.place(order("same-key-")))
        await asyncio.sleep(0.01)
        began_ns = clock.monotonic_ns()
        with deadline_within(Duration.from_ms(50), clock), pytest.raises(OrdersLate):
            await desk.place(order(key))
        heard_ns = clock.monotonic_ns() - began_ns
        decision = await first
        await desk.close()
        return decision, heard_ns

    decision, heard_ns = run_in_virtual_time(hurry)
    assert decision == accept(order("any-order"))
    assert 50_000_000 <= heard_ns < 51_000_000
    assert primary.batches == [["same-key-"]]


def test_an_order_that_is_late_with_its_batch_hears_so_when_the_batch_is_back() -> None:
    """It was out when it was due, and it is not known whether it was placed; it is not begun again."""
    primary = SlowPrimary(accept)
    primary.away = True

    async def wait(clock: VirtualClock) -> int:
        desk = OrderDesk([primary], breaker=Breaker("primary", clock=clock), clock=clock)
        desk.open()
        with deadline_within(Duration.from_ms(50), clock), pytest.raises(OrdersLate):
            await desk.place(order("hurried-"))
        await desk.close()
        return clock.monotonic_ns()

    assert run_in_virtual_time(wait) < 700_000_000
    assert primary.batches == [["hurried-"]]


def test_no_more_is_held_than_may_wait_however_many_come_and_leave() -> None:
    """A primary that is away, and callers who give up at once."""
    primary = Primary(accept)
    primary.away = True

    async def come_and_leave() -> tuple[int, list[int]]:
        desk = Desk(primary, waiting_max=10).desk
        desk.open()
        held = 0
        for number in range(500):
            leaving = [asyncio.create_task(desk.place(order(f"leaving-{number + n % 2}"))) for n in range(4)]
            await turns()
            held = max(held, len(list(desk._queue)))
            for task in leaving:
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)
        await turns()
        left = [len(list(desk._queue)), len(desk._queue._behind), desk._waiting]
        await desk.close()
        return held, left

    held, left = asyncio.run(come_and_leave())
    assert held <= 10
    assert left == [0, 0, 0]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("leaver", [0, 1])
def test_whoever_waits_behind_one_who_leaves_is_next(leaver: int) -> None:
    """Of three with one key the first, or the second, has gone while the desk was still closed."""
    primary = Primary(accept)

    async def leave() -> list[OrderDecision | BaseException]:
        desk = Desk(primary).desk
        placing = [asyncio.create_task(desk.place(order("same-key-"))) for _ in range(3)]
        await turns()
        placing.pop(leaver).cancel()
        await turns()
        desk.open()
        decisions = await asyncio.gather(*placing, return_exceptions=True)
        await desk.close()
        return decisions

    assert run(leave()) == [accept(order("any-order"))] * 2
    assert primary.batches == [["same-key-"]] * 2
