"""How many orders a second one store may place."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from tests.channel_in_memory import MemoryChannel

from freshmart.backends import Backends
from freshmart.orders import AskedLine, AskedOrder, Order, OrderDecision, OrderRates
from freshmart.web import Storefront
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.limit import RateExceeded
from tenfold.protect.live.switches import Rule, Switches
from tenfold.telemetry import Registry


class Tills:
    """Stores that send orders, and the switches that a duty officer sets."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.channel = MemoryChannel(service="api")
        switches = Switches()
        self.rates = OrderRates(switches, registry=Registry(), clock=self.clock)
        switches.open(self.channel, tended=False)

    def send(self, store: int, count: int, *, shadow: bool = False) -> int:
        """So many orders at once; answers how many were let through."""
        let = 0
        for _ in range(count):
            try:
                self.rates.check(store, shadow=shadow)
            except RateExceeded:
                continue
            let += 1
        return let


def test_a_till_gone_wild_gets_its_burst_and_then_its_rate_and_nobody_else_is_concerned() -> None:
    """400 at once, then 200 a second; another store, and the same one in the other lane, have their own."""
    tills = Tills()
    assert tills.send(7, 1_000) == 400
    tills.clock.advance(Duration.from_s(1))
    assert tills.send(7, 1_000) == 200
    assert tills.send(8, 300) == 300
    assert tills.send(7, 300, shadow=True) == 300


def test_a_duty_officer_changes_both_figures_in_mid_peak() -> None:
    """For the chain, and for the one store; each from the next order on."""
    tills = Tills()
    tills.channel.put_record("orders-per-store-burst", Rule(value=50), Rule(value=1, stores=("7",)))
    tills.channel.put_record("orders-per-store-per-s", Rule(value=1_000), Rule(value=2, stores=("7",)))
    assert (tills.send(7, 100), tills.send(8, 100)) == (1, 50)
    tills.clock.advance(Duration.from_ms(10))
    assert (tills.send(7, 100), tills.send(8, 100)) == (0, 10)
    tills.clock.advance(Duration.from_ms(490))
    assert tills.send(7, 100) == 1


def test_an_order_too_many_is_a_429_that_says_when_to_come_back() -> None:
    """A problem as every other, with its whole seconds."""
    tills = Tills()
    tills.channel.put_record("orders-per-store-burst", Rule(value=1))

    async def place(order: Order) -> OrderDecision:
        return OrderDecision("accepted", 201, b"{}")

    backends = SimpleNamespace(
        reads=None,
        registry=Registry(),
        shields=[],
        settings=SimpleNamespace(rehearsal_token=""),
        order_rates=tills.rates,
        desk=SimpleNamespace(place=place),
    )
    storefront = Storefront(cast("Backends", backends))
    asked = AskedOrder(store=7, lines=[AskedLine(sku=1, quantity=1)])

    async def order_twice() -> list[Any]:
        return [await storefront.place(asked, f"key-{number}", shadow=False) for number in range(2)]

    first, second = asyncio.run(order_twice())
    assert (first.status, second.status) == (201, 429)
    assert dict(second.headers)[b"retry-after"] == b"1"
    assert b'"error":"too-many-orders"' in second.body
