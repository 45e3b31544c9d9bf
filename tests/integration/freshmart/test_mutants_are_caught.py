"""A gate that has never said no is not a gate: each mutant breaks its invariant, and the product breaks none."""

import asyncio

import asyncpg
import pytest
from tests.freshmart_shop import Shop

from freshmart.cashier import Acquirer, Collector
from freshmart.mutants import MUTANTS, Mutant
from freshmart.orders import (
    AskedLine,
    AskedOrder,
    OrderConnection,
    OrderDesk,
    PrimaryConnection,
    apply_effects,
    read_order,
    read_waiting,
)
from tenfold.protect import Breaker

pytestmark = pytest.mark.engines

RESET = """
    TRUNCATE orders, order_line, stock_movement, idempotency, outbox, store_sales, dead_letter;
    UPDATE stock SET on_hand = opening WHERE on_hand <> opening
"""


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("", set()),
        ("oversell", {"never-oversold"}),
        ("lost-order", {"acknowledged-orders-stored"}),
        ("wrong-price", {"charged-price-in-force"}),
    ],
)
def test_each_mutant_breaks_exactly_its_invariant(shop: Shop, name: str, broken: set[str]) -> None:
    """Judged by the plan's own SQL after 200 orders, some for a shelf that runs empty."""

    async def rehearse() -> set[str]:
        await _reset(shop)
        acknowledged = await _order(shop, MUTANTS[name]() if name else Mutant())
        found = await shop.broken_invariants(acknowledged)
        await _reset(shop)
        return found

    assert shop.run(rehearse()) == broken


async def _reset(shop: Shop) -> None:
    connection = await shop.control()
    await connection.execute(RESET)
    await connection.close()


async def _order(shop: Shop, mutant: Mutant) -> list[tuple[str, int, str]]:
    scarce = shop.new_sku()
    await shop.stock_up(scarce, 5)
    connection: OrderConnection = PrimaryConnection(shop.settings.primary_url, place_sql=mutant.place_sql)
    desk = OrderDesk([mutant.through(connection) if mutant.through else connection], breaker=Breaker("primary"))
    desk.open()

    async def one(n: int, sku: int) -> tuple[str, int, str]:
        asked = AskedOrder(shop.store, [AskedLine(sku, 1)])
        decision = await desk.place(read_order(asked, f"mutant-{scarce}-{n}", shadow=True))
        return f"mutant-{scarce}-{n}", decision.status, decision.answer.decode()

    skus = [scarce if n % 10 == 0 else shop.new_sku() for n in range(200)]
    acknowledged = await asyncio.gather(*(one(n, sku) for n, sku in enumerate(skus)))
    await desk.close()
    await _apply(shop)
    return acknowledged


async def _apply(shop: Shop) -> None:
    connection = await asyncpg.connect(shop.settings.primary_url)
    await apply_effects(connection, await read_waiting(connection, 1_000))
    acquirer = Acquirer(shop.settings.payment_url)
    await Collector(acquirer.charge, breaker=Breaker("payment")).collect(connection)
    await acquirer.close()
    await connection.close()
