"""The worker on real servers: every accepted order has its effect once, whoever dies on the way."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.freshmart_shop import Shop, until

from freshmart.orders import AskedLine, AskedOrder, OrderDesk, PrimaryConnection, read_order
from freshmart.worker import STREAM
from tenfold.fleet import Service
from tenfold.protect import Breaker
from tenfold.stream.valkey import ValkeyStream

pytestmark = pytest.mark.engines

COMMAND = ["python", "-m", "freshmart.worker"]


@pytest.fixture
def worker(shop: Shop) -> Iterator[Service]:
    service = shop.run(shop.estate.start_service("worker", COMMAND, shop.environment, "/ready"))
    yield service
    shop.run(service.close(grace_s=5.0))


async def order_many(shop: Shop, count: int) -> None:
    sku = shop.new_sku()
    desk = OrderDesk([PrimaryConnection(shop.settings.primary_url)], breaker=Breaker("primary"))
    desk.open()
    asked = AskedOrder(shop.store, [AskedLine(sku, 1)])
    orders = [read_order(asked, f"effect-{sku}-{n}", shadow=True) for n in range(count)]
    await asyncio.gather(*(desk.place(order) for order in orders))
    await desk.close()


async def settled(shop: Shop) -> None:
    await until(lambda: shop.holds("SELECT NOT EXISTS (SELECT FROM outbox)"))


async def exactly_once(shop: Shop) -> bool:
    return "effects-exactly-once" not in await shop.broken_invariants()


def test_effects_come_once_although_the_worker_is_killed_in_the_middle(shop: Shop, worker: Service) -> None:
    """SIGKILL while it is at work on 2,000 orders; the next one does the rest and nothing twice."""

    async def kill_and_replace() -> bool:
        ordering = asyncio.create_task(order_many(shop, 2_000))
        await until(lambda: shop.holds("SELECT count(*) > 100 FROM orders WHERE status = 'confirmed'"))
        await worker.kill()  # answers when it is gone: one that is only dying would not be started again
        await ordering
        assert await shop.holds("SELECT count(*) > 0 FROM outbox"), "it was done before it was killed"
        await worker.start()
        await settled(shop)
        return await exactly_once(shop)

    assert shop.run(kill_and_replace())


def test_effects_come_once_although_the_stream_is_lost(shop: Shop, worker: Service) -> None:
    """Valkey main dies with what it held and comes back empty; the outbox is the truth, so it is sent again."""
    main = shop.estate.node("main.primary")

    async def lose_the_stream() -> bool:
        ordering = asyncio.create_task(order_many(shop, 1_000))
        await main.kill()
        await ordering
        await main.start()
        await settled(shop)
        return await exactly_once(shop)

    assert shop.run(lose_the_stream())


def test_the_same_messages_again_have_no_effect(shop: Shop, worker: Service) -> None:
    """Everything that was ever relayed comes a second time."""

    async def repeat() -> bool:
        await order_many(shop, 50)
        await settled(shop)
        connection = await shop.control()
        orders = await connection.fetch("SELECT id FROM orders ORDER BY id DESC LIMIT 50")
        await connection.close()
        stream = ValkeyStream(shop.settings.stream_url, STREAM)
        await stream.publish([row["id"].bytes for row in orders])
        await order_many(shop, 1)  # behind them: when it is done, they were seen
        await settled(shop)
        await stream.close()
        return await exactly_once(shop)

    assert shop.run(repeat())


def test_a_message_that_nobody_understands_is_buried_and_the_others_go_on(shop: Shop, worker: Service) -> None:
    """It lies in dead_letter with a reason."""

    async def poison() -> str:
        stream = ValkeyStream(shop.settings.stream_url, STREAM)
        await stream.publish([b"poison"])
        await order_many(shop, 5)
        await settled(shop)
        await stream.close()
        reason = await shop.one("DELETE FROM dead_letter WHERE body = $1 RETURNING reason", b"poison")
        return str(reason)

    assert shop.run(poison()) == "not an order's id"
