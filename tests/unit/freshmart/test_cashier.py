"""The cashier without an acquirer: what is authorised, what goes on without, and that nobody waits for long."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from freshmart.cashier import DEFERRED, AcquirerUnreachable, Cashier, Demand, Receipt
from freshmart.orders import AskedLine, AskedOrder, Decision, Order, OrderDesk, read_order
from freshmart.payment import Ledger
from tenfold.kernel import Duration
from tenfold.protect import Breaker
from tenfold.protect.breaker import BreakerState
from tenfold.protect.limit import AmplificationBudget, FixedLimit, Limiter
from tenfold.protect.testing import run_in_virtual_time
from tenfold.telemetry import Registry


class Bank:
    """Answers after `takes_s`, or fails at once as often as it is told to; remembers the batches."""

    def __init__(self, takes_s: float = 0.015, failures: int = 0) -> None:
        self.takes_s = takes_s
        self.failures = failures
        self.batches: list[int] = []

    async def authorise(self, demands: Sequence[Demand]) -> list[Receipt]:
        self.batches.append(len(demands))
        if self.failures:
            self.failures -= 1
            raise AcquirerUnreachable("It hung up.")
        await asyncio.sleep(self.takes_s)
        return [Receipt(demand.key, f"number-of-{demand.key}") for demand in demands]


class Open:
    """A cashier on virtual time with everything that it stands on."""

    def __init__(self, bank: Bank, clock: Any, at_once: int = 2, saved_max: float = 10.0) -> None:
        self.breaker = Breaker("payment", clock=clock, failures_max=3)
        self.cashier = Cashier(
            bank.authorise,
            breaker=self.breaker,
            limiter=Limiter("payment", FixedLimit(at_once), clock=clock),
            budget=AmplificationBudget("payment", saved_max=saved_max, clock=clock),
            deadline=Duration.from_ms(80),
            clock=clock,
        )

    async def all(self, count: int) -> list[str]:
        return await asyncio.gather(*(self.cashier.authorise(Demand(f"k{n}", 100)) for n in range(count)))


def in_time(work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    return run_in_virtual_time(work)


def test_orders_of_one_moment_share_an_exchange_and_each_has_its_own_number() -> None:
    """However many they are."""
    bank = Bank()

    async def pay(clock: Any) -> list[str]:
        return await Open(bank, clock).all(100)

    assert in_time(pay) == [f"number-of-k{n}" for n in range(100)]
    assert bank.batches == [100]


def test_what_comes_while_as_many_exchanges_as_may_are_out_gathers() -> None:
    """The limit says how many; nobody is turned away for it."""
    bank = Bank()

    async def pay(clock: Any) -> list[str]:
        cashier = Open(bank, clock, at_once=1).cashier
        first = asyncio.create_task(cashier.authorise(Demand("first", 1)))
        await asyncio.sleep(0.001)
        others = [asyncio.create_task(cashier.authorise(Demand(f"k{n}", 1))) for n in range(9)]
        return [await first, *(await asyncio.gather(*others))]

    assert DEFERRED not in in_time(pay)
    assert bank.batches == [1, 9]


def test_a_late_acquirer_costs_an_order_the_deadline_and_no_more() -> None:
    """The order goes on without; those that waited behind it too."""
    bank = Bank(takes_s=10.0)

    async def pay(clock: Any) -> tuple[list[str], float]:
        cashier = Open(bank, clock, at_once=1)
        began_ns = clock.monotonic_ns()
        first = asyncio.create_task(cashier.cashier.authorise(Demand("first", 1)))
        await asyncio.sleep(0.001)
        others = (cashier.cashier.authorise(Demand(f"k{n}", 1)) for n in range(3))
        outcomes = await asyncio.gather(first, *others)
        return outcomes, (clock.monotonic_ns() - began_ns) / 1e6

    outcomes, took_ms = in_time(pay)
    assert outcomes == [DEFERRED] * 4
    assert took_ms == 80


def test_an_open_breaker_lets_orders_go_on_at_once() -> None:
    """Three late exchanges open it; the next order does not wait at all, and the acquirer is not asked."""
    bank = Bank(takes_s=10.0)

    async def pay(clock: Any) -> tuple[BreakerState, str, int]:
        open_ = Open(bank, clock)
        for n in range(3):
            await open_.cashier.authorise(Demand(f"k{n}", 1))
        before_ns = clock.monotonic_ns()
        outcome = await open_.cashier.authorise(Demand("next", 1))
        return open_.breaker.state, outcome, clock.monotonic_ns() - before_ns

    assert in_time(pay) == (BreakerState.OPEN, DEFERRED, 0)
    assert len(bank.batches) == 3


def test_an_exchange_that_failed_at_once_goes_again_while_the_budget_lasts() -> None:
    """A connection that the acquirer had closed is no reason to defer anything; an acquirer that is gone is."""

    async def pay_once(clock: Any) -> list[str]:
        return await Open(Bank(failures=1), clock).all(1)

    async def pay_without_budget(clock: Any) -> list[str]:
        return await Open(Bank(failures=1), clock, saved_max=0.0).all(1)

    assert in_time(pay_once) == ["number-of-k0"]
    assert in_time(pay_without_budget) == [DEFERRED]


def test_closing_leaves_nobody_waiting() -> None:
    """Whoever waits goes on without."""

    async def close(clock: Any) -> list[str]:
        cashier = Open(Bank(takes_s=10.0), clock, at_once=1).cashier
        waiting = [asyncio.create_task(cashier.authorise(Demand(f"k{n}", 1))) for n in range(3)]
        await asyncio.sleep(0.001)
        waiting.append(asyncio.create_task(cashier.authorise(Demand("queued", 1))))
        await asyncio.sleep(0.001)
        await cashier.close()
        return await asyncio.gather(*waiting)

    assert in_time(close) == [DEFERRED] * 4


def test_the_desk_places_an_order_with_the_number_under_which_its_money_is_held() -> None:
    """And without, when there is none: the customer is told yes either way."""
    placed: list[Order] = []

    class Primary:
        async def place(self, orders: Sequence[Order]) -> list[Decision]:
            placed.extend(orders)
            return [Decision("accepted", 201, b"{}") for _ in orders]

        async def close(self) -> None:
            return None

    async def order(clock: Any) -> None:
        bank = Bank()
        desk = OrderDesk([Primary()], breaker=Breaker("primary"), till=Open(bank, clock).cashier)
        desk.open()
        asked = AskedOrder(1, [AskedLine(7, 2)])
        await desk.place(read_order(asked, "in-time-1", shadow=True))
        bank.takes_s = 10.0
        await desk.place(read_order(asked, "too-late-1", shadow=True))
        await desk.close()

    in_time(order)
    assert [(one.key, one.authorisation) for one in placed] == [
        ("in-time-1", "number-of-in-time-1"),
        ("too-late-1", DEFERRED),
    ]


def test_the_acquirer_takes_the_money_of_a_key_once() -> None:
    """Held and then charged, charged twice, held after it was charged: one charge, one number."""
    registry = Registry()
    ledger = Ledger(registry)
    demand = Demand("order-1", 500)
    receipts = {verb(demand).authorisation for verb in (ledger.hold, ledger.charge, ledger.charge, ledger.hold)}
    assert len(receipts) == 1
    assert ledger._counts["charged"].value == 1
