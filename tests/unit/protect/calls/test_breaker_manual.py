"""Breakers held by hand, and breakers in a forked child."""

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.breaker import Breaker, Breakers, BreakerState, CircuitOpen, Policy
from tenfold.telemetry import EventLog, Registry, render

WHO = {"owner": "wang.li", "reason": "maintenance until 02:00"}


def test_a_breaker_that_is_forced_open_lets_nobody_through_until_it_is_released() -> None:
    """No probe either, for as long as it takes; then a probe finds out."""
    clock = VirtualClock()
    breaker = Breaker("main", clock=clock)
    breaker.force_open(**WHO)
    clock.advance(Duration.from_s(86_400))
    assert not breaker.allows()
    breaker.release(**WHO)
    breaker.succeeded(breaker.admit())
    assert breaker.state.value == "closed"


def test_a_breaker_that_is_forced_closed_lets_everybody_through_whatever_fails() -> None:
    """Released, it judges what happens from then on and before."""
    breaker = Breaker("main", clock=VirtualClock())
    breaker.force_closed(**WHO)
    for _ in range(100):
        breaker.failed("refused", breaker.admit())
    assert breaker.allows()
    breaker.release(**WHO)
    breaker.failed("refused", breaker.admit())
    assert not breaker.allows()


def test_a_hold_says_who_and_why() -> None:
    """In the breaker, as events, as a metric."""
    clock, registry = VirtualClock(), Registry()
    events = EventLog("test", clock=clock)
    breaker = Breaker("main", clock=clock, registry=registry, events=events)
    breaker.force_open(**WHO)
    assert breaker.hold is not None
    assert breaker.hold.owner == "wang.li"
    assert 'tenfold_breaker_held{breaker="main"} 1' in render(registry).decode()
    breaker.release(owner="zhao", reason="done")
    told = [(event.kind, event.detail.get("owner"), event.detail.get("reason")) for event in events]
    assert ("breaker-forced", "wang.li", WHO["reason"]) in told
    assert ("breaker-released", "zhao", "done") in told


def test_a_dependency_that_is_isolated_is_so_with_all_operations_present_and_to_come() -> None:
    """And with every class of keys; what else there is goes on."""
    breakers = Breakers(clock=VirtualClock())
    charge = breakers.of("payment", "charge")
    breakers.isolate("payment", **WHO)
    assert not charge.allows()
    assert not breakers.of("payment", "refund").allows()
    with (
        pytest.raises(CircuitOpen, match="payment/charge/store-7"),
        breakers.of("payment", "charge", "store-7").guard(),
    ):
        raise AssertionError("the call must not be made")
    assert breakers.of("stock", "reserve").allows()
    breakers.isolate("payment", "refund", **WHO)
    breakers.release("payment", **WHO)
    assert charge.allows()
    assert not breakers.of("payment", "refund").allows()


def test_a_dependency_that_is_trusted_is_called_whatever_fails_in_all_operations_and_classes() -> None:
    """But for what somebody isolates, before or after; afterwards each decides for itself again."""
    breakers = Breakers(clock=VirtualClock(), policy=Policy(failures_max=3))
    store = breakers.of("payment", "charge", "store-7")
    for _ in range(3):
        store.failed("refused")
    assert not store.admit()
    breakers.isolate("payment", "refund", **WHO)
    breakers.isolate("payment", "charge", "store-8", **WHO)
    breakers.trust("payment", **WHO)
    for called in (store, breakers.of("payment", "authorise")):
        assert all(called.admit() for _ in range(100)), "whatever fails"
        called.failed("refused")
    assert (store.state, breakers.of("payment", "charge", "store-8").state) == (BreakerState.CLOSED, BreakerState.OPEN)
    assert not breakers.of("payment", "refund").admit()
    assert not breakers.of("payment", "charge", "store-8").admit()
    breakers.release("payment", **WHO)
    assert not store.admit()
    assert not breakers.of("payment", "refund").admit()


def test_what_holds_one_breaker_alone_outlives_what_is_done_above_it() -> None:
    """Trusted and released above, in the very same words: it stays open until it is released itself."""
    breakers = Breakers(clock=VirtualClock())
    charge = breakers.of("payment", "charge")
    charge.force_open(**WHO)
    for above in (breakers.isolate, breakers.trust, breakers.release):
        above("payment", **WHO)
        assert not charge.admit(), above.__name__
        assert charge.hold is not None, above.__name__
    charge.release(**WHO)
    assert charge.admit()


def test_what_is_isolated_is_so_though_one_breaker_of_it_was_forced_closed() -> None:
    """And afterwards that one decides for itself; trust and release above leave it as it is held."""
    breakers = Breakers(clock=VirtualClock())
    charge = breakers.of("payment", "charge")
    charge.force_closed(owner="wang.li", reason="its own")
    for above in (breakers.trust, breakers.release):
        above("payment", **WHO)
        assert charge.hold is not None
        assert charge.hold.reason == "its own"
    breakers.isolate("payment", **WHO)
    assert not charge.admit()
    breakers.release("payment", **WHO)
    assert charge.hold is None


def test_one_class_can_be_isolated_alone() -> None:
    """And is not forgotten to make room for others."""
    breakers = Breakers(clock=VirtualClock(), keys_max=4)
    breakers.isolate("stock", "read", "store-7", **WHO)
    for number in range(100):
        breakers.of("stock", "read", f"store-{100 + number}").failed("refused")
        for _ in range(2):
            breakers.of("stock", "read", "store-8").succeeded()
    assert breakers.of("stock", "read", "store-7").admit() == 0
    assert breakers.of("stock", "read", "store-8").admit() != 0


def test_classes_that_are_isolated_stay_so_when_there_is_no_room_for_another() -> None:
    """A hold outlives the breaker that was forgotten, and is taken back by whoever made it or another."""
    breakers = Breakers(clock=VirtualClock(), keys_max=4)
    held = [breakers.of("stock", "read", f"store-{number}") for number in range(9)]
    for number in range(9):
        breakers.isolate("stock", "read", f"store-{number}", **WHO)
    for _ in range(2):
        breakers.of("stock", "read", "store-99").failed("refused")
    for store in held:
        assert (store.admit(), store.state) == (0, BreakerState.OPEN), store.name
        store.failed("refused")
        assert (store.admit(), store.state) == (0, BreakerState.OPEN), store.name
    assert breakers.of("stock", "read", "store-99").admit()
    for number in range(9):
        breakers.release("stock", "read", f"store-{number}", **WHO)
        assert held[number].admit(), held[number].name


def test_a_class_that_is_held_closed_stays_so_when_it_was_forgotten() -> None:
    """It admits whatever fails, until it is released."""
    breakers = Breakers(clock=VirtualClock(), keys_max=1)
    store = breakers.of("stock", "read", "store-7")
    store.force_closed(**WHO)
    breakers.isolate("stock", "read", "store-8", **WHO)
    for _ in range(10):
        store.failed("refused", store.admit())
    assert store.admit()
    store.release(**WHO)
    for _ in range(10):
        store.failed("refused", store.admit())
    assert not store.admit()


def test_somebody_may_isolate_while_an_operation_is_used_for_the_first_time() -> None:
    """The request that grows a breaker looks at the holds while they change, as another thread may change them."""
    breakers = Breakers(clock=VirtualClock())
    breakers.isolate("payment", **WHO)
    breakers.isolate("stock", **WHO)

    class Meddled(str):
        """Whoever compares it, somebody isolates something meanwhile."""

        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            breakers.isolate(f"dependency-{len(seen)}", **WHO)
            seen.append(other)
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    seen: list[object] = []
    assert breakers.of(Meddled("search")).allows()
    assert seen


def test_the_probes_that_were_out_at_a_fork_are_the_parents() -> None:
    """The child begins its own, at once, and the late word of a copied call counts for nothing."""
    clock = VirtualClock()
    breaker = Breaker("main", clock=clock, failures_max=1)
    breaker.failed("refused")
    clock.advance(Duration.from_ms(250))
    copied = breaker.admit()
    assert copied
    assert not breaker.allows()
    breaker.after_fork()
    assert breaker.allows()
    breaker.succeeded(copied)
    assert breaker.state.value == "half-open"
    breaker.succeeded()
    assert breaker.state.value == "closed"
