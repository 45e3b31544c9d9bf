"""Orders' money at a real acquirer that hangs, dies and comes back: every order is paid, none twice."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from tests.freshmart_shop import Shop, until

from freshmart.cashier import Acquirer, Cashier, Collector, PaymentDemand
from freshmart.orders import AskedLine, AskedOrder, OrderDesk, PrimaryConnection, read_order
from tenfold.engines.amplification import AmplificationBudget
from tenfold.fleet import FAULTS, Service
from tenfold.protect import Breaker
from tenfold.protect.calls.limit import FixedLimit, Limiter

pytestmark = pytest.mark.engines


@pytest.fixture
def payment(shop: Shop) -> Iterator[Service]:
    service = shop.estate.node("payment")
    assert isinstance(service, Service)
    yield service
    shop.run(service.mend())
    shop.run(service.start())


def make_cashier(acquirer: Acquirer) -> Cashier:
    limiter, budget = Limiter("payment", FixedLimit(3)), AmplificationBudget("payment")
    return Cashier(acquirer.authorise, breaker=Breaker("payment"), limiter=limiter, budget=budget)


async def order_some(shop: Shop, prefix: str, count: int) -> list[str]:
    """Place orders through a cashier; answers what was said of each one's payment."""
    acquirer = Acquirer(shop.settings.payment_url)
    cashier = make_cashier(acquirer)
    desk = OrderDesk([PrimaryConnection(shop.settings.primary_url)], breaker=Breaker("primary"), till=cashier)
    desk.open()
    sku = shop.new_sku()
    asked = AskedOrder(shop.store, [AskedLine(sku, 1)])
    orders = (read_order(asked, f"{prefix}-{sku}-{n}", shadow=True) for n in range(count))
    decisions = await asyncio.gather(*(desk.place(order) for order in orders))
    await desk.close()
    await cashier.close()
    await acquirer.close()
    assert {decision.status for decision in decisions} == {201}
    return ["deferred" if b'"deferred"' in decision.answer else "authorised" for decision in decisions]


async def collect_all(shop: Shop) -> None:
    connection = await asyncpg.connect(shop.settings.primary_url)
    acquirer = Acquirer(shop.settings.payment_url)
    collector = Collector(acquirer.charge, breaker=Breaker("payment"))

    async def collected() -> bool:
        await collector.collect(connection)
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM orders WHERE payment = 'deferred')")

    try:
        await until(collected)
    finally:
        await acquirer.close()
        await connection.close()


def test_orders_are_authorised_while_the_acquirer_answers(shop: Shop, payment: Service) -> None:
    assert set(shop.run(order_some(shop, "authorised", 50))) == {"authorised"}


@pytest.mark.parametrize("verb", ["hang", "kill"])
def test_orders_are_accepted_without_an_acquirer_and_collected_once_when_it_is_back(
    shop: Shop, payment: Service, verb: str
) -> None:
    """Every order keeps its promise, and in the end every one has a number of its own."""

    async def shop_on() -> set[str]:
        fault = FAULTS[verb](payment)
        await fault.inject()
        said = await order_some(shop, f"without-{verb}", 50)
        await fault.revert()
        await collect_all(shop)
        return set(said)

    assert shop.run(shop_on()) == {"deferred"}
    assert "paid-once" not in shop.run(shop.broken_invariants())


def test_money_that_was_held_and_never_heard_of_is_taken_once(shop: Shop, payment: Service) -> None:
    """The answer was lost, the order deferred: charging it later answers the number that was lost."""
    acquirer = Acquirer(shop.settings.payment_url)

    async def twice() -> list[str]:
        demand = PaymentDemand("held-and-lost-1", 500)
        asked = (acquirer.authorise, acquirer.charge, acquirer.charge)
        receipts = [receipt for ask in asked for receipt in await ask([demand])]
        await acquirer.close()
        return [receipt.authorisation for receipt in receipts]

    assert len(set(shop.run(twice()))) == 1
