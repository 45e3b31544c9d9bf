"""A person's hand on a breaker, by its switch."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from tenfold.channel import Change
from tenfold.protect.calls.breaker import Breaker, Breakers, BreakerState
from tenfold.protect.live.switches import Rule, Switches, SwitchRecord, hold_by_switch


class Channel:
    """What a control node says, said by the test."""

    process = SimpleNamespace(service="shop", store="", instance="1")
    state = SimpleNamespace(boot="1")

    def __init__(self) -> None:
        self.tell: Callable[[Change], None]

    def subscribe(self, _topic: str, on_change: Callable[[Change], None]) -> Callable[[], None]:
        self.tell = on_change
        return lambda: None

    def current(self, _topic: str) -> dict[str, Change]:
        return {}

    def report(self, _topic: str, _payload: Any) -> bool:
        return True


class Shop:
    """Breakers that a person may hold."""

    def __init__(self) -> None:
        self.breakers, self.channel, switches = Breakers(), Channel(), Switches()
        hold_by_switch(switches, self.breakers, "payment")
        switches.open(cast("Any", self.channel), tended=False)
        self.epoch = 0

    def set(self, value: str | None) -> None:
        self.epoch += 1
        record = SwitchRecord((Rule(value=value, owner="alice", reason="their incident"),)) if value else None
        json = msgspec.Raw(msgspec.json.encode(record)) if record else msgspec.UNSET
        self.channel.tell(Change(topic="switches", key="breaker-payment", epoch=self.epoch, value=json))


def fail(breaker: Breaker, times: int) -> int:
    """So many calls that fail; how many of them were admitted."""
    admitted = 0
    for _ in range(times):
        epoch = breaker.admit()
        admitted += epoch != 0
        if epoch:
            breaker.failed("refused", epoch)
    return admitted


def test_a_dependency_is_left_alone_while_its_switch_says_so_and_every_operation_of_it() -> None:
    """With the name and the reason of who set it; what is used for the first time later is held too."""
    shop = Shop()
    assert shop.breakers.of("payment").admit()
    shop.set("open")
    payment, refunds = shop.breakers.of("payment"), shop.breakers.of("payment", "refund")
    assert (payment.admit(), refunds.admit()) == (0, 0)
    assert payment.hold is not None
    assert (payment.hold.owner, payment.hold.reason) == ("alice", "their incident")
    shop.set(None)
    assert payment.hold is None
    assert payment.admit(), "the first call is a probe"


def test_a_dependency_is_called_whatever_fails_while_its_switch_says_closed() -> None:
    """Afterwards it decides by itself again, by what it has seen meanwhile: the next failure opens it."""
    shop = Shop()
    payment = shop.breakers.of("payment")
    shop.set("open")
    shop.set("closed")
    assert (fail(payment, 100), payment.state) == (100, BreakerState.CLOSED)
    assert fail(shop.breakers.of("payment", "refund"), 100) == 100, "an operation that is first used now"
    shop.set("auto")
    assert fail(payment, 100) == 1
