"""The cashier without an acquirer: what is authorised, what goes on without, and that nobody waits for long."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from freshmart.cashier import DEFERRED, Acquirer, AcquirerUnreachable, Cashier, Collector, PaymentDemand, Receipt
from freshmart.orders import AskedLine, AskedOrder, Order, OrderDecision, OrderDesk, read_order
from freshmart.payment import AcquirerLedger
from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Duration
from tenfold.protect import Breaker
from tenfold.protect.calls.breaker import BreakerState
from tenfold.protect.calls.limit import FixedLimit, Limiter
from tenfold.protect.doors.deadline import deadline_within
from tenfold.protect.testing import run_in_virtual_time
from tenfold.telemetry import Registry


class Bank:
    """Answers after `takes_s`, or fails at once as often as it is told to; remembers the batches."""

    def __init__(self, takes_s: float = 0.015, failures: int = 0) -> None:
        self.takes_s = takes_s
        self.failures = failures
        self.batches: list[int] = []

    async def authorise(self, demands: Sequence[PaymentDemand]) -> list[Receipt]:
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
        return await asyncio.gather(*(self.cashier.authorise(PaymentDemand(f"k{n}", 100)) for n in range(count)))


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
        first = asyncio.create_task(cashier.authorise(PaymentDemand("first", 1)))
        await asyncio.sleep(0.001)
        others = [asyncio.create_task(cashier.authorise(PaymentDemand(f"k{n}", 1))) for n in range(9)]
        return [await first, *(await asyncio.gather(*others))]

    assert DEFERRED not in in_time(pay)
    assert bank.batches == [1, 9]


def test_a_late_acquirer_costs_an_order_the_deadline_and_no_more() -> None:
    """The order goes on without; those that waited behind it too."""
    bank = Bank(takes_s=10.0)

    async def pay(clock: Any) -> tuple[list[str], float]:
        cashier = Open(bank, clock, at_once=1)
        began_ns = clock.monotonic_ns()
        first = asyncio.create_task(cashier.cashier.authorise(PaymentDemand("first", 1)))
        await asyncio.sleep(0.001)
        others = (cashier.cashier.authorise(PaymentDemand(f"k{n}", 1)) for n in range(3))
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
            await open_.cashier.authorise(PaymentDemand(f"k{n}", 1))
        before_ns = clock.monotonic_ns()
        outcome = await open_.cashier.authorise(PaymentDemand("next", 1))
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
        waiting = [asyncio.create_task(cashier.authorise(PaymentDemand(f"k{n}", 1))) for n in range(3)]
        await asyncio.sleep(0.001)
        waiting.append(asyncio.create_task(cashier.authorise(PaymentDemand("queued", 1))))
        await asyncio.sleep(0.001)
        await cashier.close()
        return await asyncio.gather(*waiting)

    assert in_time(close) == [DEFERRED] * 4


def test_closing_leaves_nobody_waiting_whose_exchange_has_just_been_begun() -> None:
    """Its task is cancelled before its first step; the permit is given back all the same."""

    async def close(clock: Any) -> tuple[bool, int]:
        open_ = Open(Bank(), clock)
        cashier = open_.cashier
        asked = asyncio.create_task(cashier.authorise(PaymentDemand("k", 1)))
        while not cashier._out:  # noqa: ASYNC110  # turns pass, no time
            await asyncio.sleep(0)
        await cashier.close()
        await asyncio.sleep(0)
        answered = asked.done()
        asked.cancel()
        return answered, cashier._limiter.inflight

    assert in_time(close) == (True, 0)


async def hurried(cashier: Cashier, clock: Any, left_ms: float) -> tuple[str, float]:
    """What a caller with so much time was told, and after how many milliseconds."""
    began_ns = clock.monotonic_ns()
    with deadline_within(Duration.from_ms(left_ms), clock):
        answer = await cashier.authorise(PaymentDemand("hurried", 1))
    return answer, (clock.monotonic_ns() - began_ns) / 1e6


def test_a_caller_in_a_hurry_is_answered_in_time_and_nothing_is_begun_for_it_after() -> None:
    """It waits behind an exchange of 42 ms, with 35 of its own."""
    bank = Bank(takes_s=0.042)

    async def pay(clock: Any) -> tuple[str, tuple[str, float], str]:
        cashier = Open(bank, clock, at_once=1).cashier
        first = asyncio.create_task(cashier.authorise(PaymentDemand("first", 1)))
        await asyncio.sleep(0.005)
        others = asyncio.gather(hurried(cashier, clock, 35), cashier.authorise(PaymentDemand("patient", 1)))
        return (await first, *await others)

    first, (answer, took_ms), patient = in_time(pay)
    assert (answer, took_ms) == (DEFERRED, 35)
    assert DEFERRED not in (first, patient)
    assert bank.batches == [1, 1]


def test_a_caller_in_a_hurry_costs_the_others_of_its_exchange_nothing() -> None:
    """It goes on without; their answer comes when it comes, and nobody calls the acquirer late. Each counts once."""

    async def pay(clock: Any) -> tuple[tuple[str, float], str, dict[str, float]]:
        open_ = Open(Bank(takes_s=0.045), clock)
        told = await asyncio.gather(
            hurried(open_.cashier, clock, 35), open_.cashier.authorise(PaymentDemand("patient", 1))
        )
        return (*told, {name: count.value for name, count in open_.cashier._counts.items() if count.value})

    assert in_time(pay) == ((DEFERRED, 35), "number-of-patient", {"authorised": 1, "late": 1})


def test_nothing_is_asked_for_whoever_has_left() -> None:
    """While it waited for an exchange."""
    bank = Bank()

    async def pay(clock: Any) -> str:
        cashier = Open(bank, clock, at_once=1).cashier
        first = asyncio.create_task(cashier.authorise(PaymentDemand("first", 1)))
        await asyncio.sleep(0.001)
        left = asyncio.create_task(cashier.authorise(PaymentDemand("left", 1)))
        stays = asyncio.create_task(cashier.authorise(PaymentDemand("stays", 1)))
        await asyncio.sleep(0.001)
        left.cancel()
        await first
        return await stays

    assert in_time(pay) == "number-of-stays"
    assert bank.batches == [1, 1]


@pytest.mark.parametrize("answer", [RuntimeError("a head without end"), []])
def test_what_is_no_answer_opens_the_breaker(answer: Exception | list[Receipt]) -> None:
    """Whatever is raised, and fewer receipts than were asked for."""

    async def answers(_: Sequence[PaymentDemand]) -> list[Receipt]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pay(clock: Any) -> tuple[list[str], BreakerState, int]:
        open_ = Open(Bank(), clock)
        open_.cashier._authorise = answers
        told = [await open_.cashier.authorise(PaymentDemand(f"k{n}", 1)) for n in range(4)]
        return told, open_.breaker.state, open_.cashier._limiter.inflight

    assert in_time(pay) == ([DEFERRED] * 4, BreakerState.OPEN, 0)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 500 x\r\nx: " + b"a" * 200_000, b"\r\ncontent-length:0\r\n\r\n", b"no\r\n\r\n", b""]
)
def test_an_acquirer_that_says_no_answer_is_unreachable(said: bytes) -> None:
    """A head that never ends, one without a status, without a length, nothing; a collector asks again later."""

    async def exchange() -> tuple[int, BreakerState]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            acquirer = Acquirer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            with pytest.raises(AcquirerUnreachable):
                await acquirer.authorise([PaymentDemand("k", 1)])
            breaker = Breaker("payment/collect", failures_max=1)
            collected = await Collector(acquirer.charge, breaker=breaker).collect(Books())
            await acquirer.close()
        return collected, breaker.state

    assert asyncio.run(exchange()) == (0, BreakerState.OPEN)


class Books:
    """A connection to a database in which one order is to be collected."""

    async def fetch(self, _: str, __: int) -> list[dict[str, Any]]:
        return [{"id": 1, "key": "k", "total_fen": 1}]


def test_a_collector_outlives_whatever_is_raised() -> None:
    """It counts as a failure, and the order is collected later."""

    async def fails(_: Sequence[PaymentDemand]) -> list[Receipt]:
        raise RecursionError

    async def collect() -> tuple[int, BreakerState]:
        breaker = Breaker("payment/collect", failures_max=1)
        return await Collector(fails, breaker=breaker).collect(Books()), breaker.state

    assert asyncio.run(collect()) == (0, BreakerState.OPEN)


def test_the_desk_places_an_order_with_the_number_under_which_its_money_is_held() -> None:
    """And without, when there is none: the customer is told yes either way."""
    placed: list[Order] = []

    class Primary:
        async def place(self, orders: Sequence[Order]) -> list[OrderDecision]:
            placed.extend(orders)
            return [OrderDecision("accepted", 201, b"{}") for _ in orders]

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
    ledger = AcquirerLedger(registry)
    demand = PaymentDemand("order-1", 500)
    receipts = {verb(demand).authorisation for verb in (ledger.hold, ledger.charge, ledger.charge, ledger.hold)}
    assert len(receipts) == 1
    assert ledger._counts["charged"].value == 1
