"""Orders on a real PostgreSQL: never oversold, never twice, never lost, whatever happens on the way."""

import asyncio
import json
import random
from collections.abc import Sequence

import msgspec
import pytest
from tests.freshmart_shop import Shop

from freshmart.orders import AskedLine, AskedOrder, OrderDecision, OrderDesk, PrimaryConnection, read_order
from freshmart.web.reply import ProblemReply
from tenfold.fleet import FAULTS
from tenfold.kernel import Duration
from tenfold.protect import Breaker
from tenfold.protect.calls.breaker import Policy
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines


def open_desk(shop: Shop, events: EventLog | None = None) -> OrderDesk:
    connections = [PrimaryConnection(shop.settings.primary_url) for _ in range(2)]
    cool_down = Duration.from_ms(50)
    policy = Policy(failures_max=3, cool_down=cool_down, cool_down_max=cool_down, ramp=Duration(0))
    breaker = Breaker("primary", policy=policy, events=events)
    desk = OrderDesk(connections, breaker=breaker)
    desk.open()
    return desk


async def place(desk: OrderDesk, key: str, store: int, *lines: tuple[int, int], shadow: bool = True) -> OrderDecision:
    asked = AskedOrder(store, [AskedLine(sku, quantity) for sku, quantity in lines])
    return await desk.place(read_order(asked, key, shadow=shadow))


def test_two_hundred_orders_for_the_last_ten_pieces_sell_ten(shop: Shop) -> None:
    """Exactly ten are accepted, the shelf is empty, and everyone else is told so."""
    sku = shop.new_sku()

    async def rush() -> list[OrderDecision]:
        await shop.stock_up(sku, 10)
        desk = open_desk(shop)
        decisions = await asyncio.gather(*(place(desk, f"rush-{sku}-{n}", shop.store, (sku, 1)) for n in range(200)))
        await desk.close()
        return decisions

    outcomes = [decision.outcome for decision in shop.run(rush())]
    assert (outcomes.count("accepted"), outcomes.count("declined")) == (10, 190)
    assert (
        shop.run(shop.one("SELECT on_hand FROM stock WHERE store = $1 AND sku = $2 AND shadow", shop.store, sku)) == 0
    )


def test_an_order_is_not_declined_for_a_batch_mate_that_was_declined_itself(shop: Shop) -> None:
    """The greedy one before it asks for what is not there; what is there goes to the modest one."""
    plenty, scarce = shop.new_sku(), shop.new_sku()

    async def compete() -> tuple[OrderDecision, ...]:
        await shop.stock_up(plenty, 10)
        await shop.stock_up(scarce, 0)
        desk = open_desk(shop)
        decisions = await asyncio.gather(
            place(desk, f"greedy-{plenty}", shop.store, (plenty, 10), (scarce, 1)),
            place(desk, f"modest-{plenty}", shop.store, (plenty, 10)),
        )
        await desk.close()
        return decisions

    assert [decision.outcome for decision in shop.run(compete())] == ["declined", "accepted"]


def test_one_key_sent_many_times_at_once_is_one_order_with_one_answer(shop: Shop) -> None:
    """Twenty retries on two desks, as from two processes: one row, twenty equal answers."""
    sku = shop.new_sku()

    async def retry() -> list[OrderDecision]:
        desks = [open_desk(shop), open_desk(shop)]
        decisions = await asyncio.gather(
            *(place(desks[n % 2], f"retry-{sku}", shop.store, (sku, 2)) for n in range(20))
        )
        await asyncio.gather(*(desk.close() for desk in desks))
        return decisions

    decisions = shop.run(retry())
    assert len({(decision.status, decision.answer) for decision in decisions}) == 1
    assert decisions[0].status == 201
    assert shop.run(shop.one("SELECT count(*) FROM orders WHERE key = $1", f"retry-{sku}")) == 1


def test_a_key_used_for_another_body_is_refused(shop: Shop) -> None:
    """409 key-reused, and the first order stands."""
    sku = shop.new_sku()

    async def reuse() -> tuple[OrderDecision, OrderDecision]:
        desk = open_desk(shop)
        first = await place(desk, f"reuse-{sku}", shop.store, (sku, 1))
        second = await place(desk, f"reuse-{sku}", shop.store, (sku, 2))
        await desk.close()
        return first, second

    first, second = shop.run(reuse())
    assert (first.status, second.status) == (201, 409)
    problem = msgspec.json.decode(second.answer, type=ProblemReply)
    assert (problem.title, problem.status, problem.error) == ("Conflict", 409, "key-reused")


def test_a_declined_order_stays_declined_under_its_key(shop: Shop) -> None:
    """The same question has the same answer, even when the shelf was filled meanwhile."""
    sku = shop.new_sku()

    async def ask_twice() -> tuple[OrderDecision, OrderDecision]:
        await shop.stock_up(sku, 0)
        desk = open_desk(shop)
        first = await place(desk, f"sold-out-{sku}", shop.store, (sku, 1))
        await shop.stock_up(sku, 9)
        second = await place(desk, f"sold-out-{sku}", shop.store, (sku, 1))
        await desk.close()
        return first, second

    first, second = shop.run(ask_twice())
    assert json.loads(first.answer) == {"error": "sold-out", "status": "declined", "store": shop.store, "skus": [sku]}
    assert (second.status, second.answer) == (409, first.answer)


def test_an_unknown_product_or_store_is_told_and_leaves_the_key_free(shop: Shop) -> None:
    """422 names it; the same key may then carry the corrected order."""
    sku = shop.new_sku()

    async def ask() -> list[OrderDecision]:
        desk = open_desk(shop)
        decisions = [
            await place(desk, f"unknown-{sku}", shop.store, (sku, 1), (999_999_999, 1)),
            await place(desk, f"unknown-{sku}", 999_999_999, (sku, 1)),
            await place(desk, f"unknown-{sku}", shop.store, (sku, 1)),
        ]
        await desk.close()
        return decisions

    decisions = shop.run(ask())
    assert [decision.status for decision in decisions] == [422, 422, 201]
    assert json.loads(decisions[0].answer)["skus"] == [999_999_999]


def test_a_shadow_order_takes_nothing_from_the_real_shelf(shop: Shop) -> None:
    """And a real order nothing from the shadow shelf."""
    sku = shop.new_sku()

    async def order_both() -> list[int]:
        await shop.stock_up(sku, 10, shadow=True)
        await shop.stock_up(sku, 10, shadow=False)
        desk = open_desk(shop)
        await place(desk, f"shadow-{sku}", shop.store, (sku, 3), shadow=True)
        await place(desk, f"real-{sku}", shop.store, (sku, 4), shadow=False)
        await desk.close()
        query = "SELECT on_hand FROM stock WHERE store = $1 AND sku = $2 AND shadow = $3"
        return [await shop.one(query, shop.store, sku, lane) for lane in (True, False)]

    assert shop.run(order_both()) == [7, 6]


def test_orders_wait_while_the_primary_is_cut_and_none_is_lost_or_doubled(shop: Shop) -> None:
    """Connections cut mid-flight and refused for a second: everyone gets a yes, and what is stored is what was said."""
    skus = [shop.new_sku() for _ in range(5)]
    events = EventLog("desk")

    async def shop_on() -> list[OrderDecision]:
        desk = open_desk(shop, events)
        orders: list[asyncio.Task[OrderDecision]] = []

        async def arrive(count: int) -> None:
            for _ in range(count):
                line = (skus[len(orders) % len(skus)], 1)
                orders.append(asyncio.create_task(place(desk, f"cut-{skus[0]}-{len(orders)}", shop.store, line)))
                await asyncio.sleep(0.002)

        cut = FAULTS["cut"](shop.estate.node("database.primary"))
        await arrive(100)
        await asyncio.gather(cut.inject(), arrive(300))
        await asyncio.gather(cut.revert(), arrive(100))
        decisions = await asyncio.gather(*orders)
        await desk.close()
        return decisions

    decisions = shop.run(shop_on())
    assert {decision.status for decision in decisions} == {201}
    stored = shop.run(shop.one("SELECT count(*) FROM orders WHERE key LIKE $1", f"cut-{skus[0]}-%"))
    assert (stored, len({json.loads(decision.answer)["id"] for decision in decisions})) == (500, 500)
    assert {"breaker-opened", "breaker-closed"} <= {event.kind for event in events if event.subject == "primary"}


def test_random_batches_are_decided_as_one_after_the_other(shop: Shop) -> None:
    """Orders that hold each other's shelves end as a queue of single orders would: same pieces, none below zero."""
    skus = [shop.new_sku() for _ in range(4)]
    chance = random.Random(20261122)
    pieces = {sku: chance.randint(0, 12) for sku in skus}
    asked = [[(sku, chance.randint(1, 4)) for sku in chance.sample(skus, chance.randint(1, 3))] for _ in range(60)]

    async def compete() -> list[OrderDecision]:
        for sku in skus:
            await shop.stock_up(sku, pieces[sku])
        desk = open_desk(shop)
        decisions = await asyncio.gather(
            *(place(desk, f"random-{skus[0]}-{n}", shop.store, *lines) for n, lines in enumerate(asked))
        )
        await desk.close()
        return decisions

    outcomes = [decision.outcome for decision in shop.run(compete())]
    left = _served_in_some_order(pieces, asked, outcomes)
    on_hand = [
        shop.run(shop.one("SELECT on_hand FROM stock WHERE store = $1 AND sku = $2 AND shadow", shop.store, sku))
        for sku in skus
    ]
    assert on_hand == [left[sku] for sku in skus]
    declined = [lines for lines, outcome in zip(asked, outcomes, strict=True) if outcome == "declined"]
    assert all(any(quantity > left[sku] for sku, quantity in lines) for lines in declined)


def _served_in_some_order(
    pieces: dict[int, int], asked: Sequence[list[tuple[int, int]]], outcomes: Sequence[str]
) -> dict[int, int]:
    left = dict(pieces)
    for lines, outcome in zip(asked, outcomes, strict=True):
        for sku, quantity in lines:
            left[sku] -= quantity if outcome == "accepted" else 0
    assert min(left.values()) >= 0
    return left
