"""Breakers by dependency, operation and key class."""

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.breaker import Breakers, BreakerState, Policy
from tenfold.telemetry import Registry, render


def troubled(breakers: Breakers) -> set[str]:
    return {breaker.name for breaker in breakers if breaker.name.count("/") == 2 and not breaker.name.endswith("*")}


def test_one_operation_of_a_dependency_opens_alone() -> None:
    """Charging is broken, refunding is not."""
    breakers = Breakers(clock=VirtualClock())
    for _ in range(5):
        breakers.of("payment", "charge").failed("refused")
    assert not breakers.of("payment", "charge").allows()
    assert breakers.of("payment", "refund").allows()


def test_one_class_of_keys_opens_alone() -> None:
    """A broken store opens its own breaker, though for a moment it was the only one that called."""
    breakers = Breakers(clock=VirtualClock())
    store = breakers.of("stock", "read", "store-7")
    for _ in range(5):
        store.failed("refused", store.admit())
    assert store.admit() == 0
    assert store.state is BreakerState.OPEN
    assert breakers.of("stock", "read", "store-8").admit()


def test_calls_that_began_before_a_class_had_trouble_count_when_they_fail() -> None:
    """Five at once, as after a server died."""
    breakers = Breakers(clock=VirtualClock())
    store = breakers.of("stock", "read", "store-7")
    epochs = [store.admit() for _ in range(8)]
    for epoch in epochs:
        store.failed("refused", epoch)
    assert store.admit() == 0


def test_an_operation_opens_for_all_classes_when_most_calls_fail_whatever_their_class() -> None:
    """No class fails five times in a row, since each is called once."""
    breakers = Breakers(clock=VirtualClock())
    for number in range(20):
        store = breakers.of("stock", "read", f"store-{number}")
        store.failed("refused", store.admit())
    assert breakers.of("stock", "read", "store-999").admit() == 0


def test_a_class_without_trouble_costs_nothing() -> None:
    """A hundred thousand stores that answer leave nothing behind."""
    breakers = Breakers(clock=VirtualClock())
    for number in range(100_000):
        store = breakers.of("stock", "read", f"store-{number}")
        store.succeeded(store.admit())
    assert not troubled(breakers)


def test_classes_in_trouble_are_remembered_to_a_bound_and_the_rest_is_counted() -> None:
    """Those that admit leave first: one that is open still refuses after a thousand others had one failure each."""
    registry = Registry()
    breakers = Breakers(clock=VirtualClock(), registry=registry, keys_max=100)
    broken = breakers.of("stock", "read", "broken")
    for _ in range(5):
        broken.failed("refused")
    for number in range(1_000):
        breakers.of("stock", "read", f"store-{number}").failed("refused")
    assert len(troubled(breakers)) == 100
    assert "stock/read/broken" in troubled(breakers)
    text = render(registry).decode()
    assert "tenfold_breaker_keys 100" in text
    assert "tenfold_breaker_keys_forgotten_total 901" in text


def test_trouble_that_is_over_makes_room_by_itself() -> None:
    """What has been calm for longer than its window is let go at the next trouble, and is not counted as lost."""
    clock, registry = VirtualClock(), Registry()
    breakers = Breakers(clock=clock, registry=registry)
    well = breakers.of("stock", "read", "well")
    well.failed("refused")
    well.succeeded()
    clock.advance(Duration.from_s(10))
    breakers.of("stock", "read", "other").failed("refused")
    assert troubled(breakers) == {"stock/read/other"}
    assert "tenfold_breaker_keys_forgotten_total 0" in render(registry).decode()


def test_labels_name_operations_and_never_keys() -> None:
    """However many stores there are."""
    registry = Registry()
    breakers = Breakers(clock=VirtualClock(), registry=registry)
    for number in range(50):
        breakers.of("stock", "read", f"store-{number}").failed("refused")
    assert "store-" not in render(registry).decode()


def test_operations_beyond_the_bound_share_one_breaker() -> None:
    """Somebody made an operation of every URL."""
    breakers = Breakers(clock=VirtualClock(), operations_max=3)
    made = {id(breakers.of("web", f"/page/{number}")) for number in range(100)}
    keyed = {breakers.of("web", f"/page/{number}", "x").name for number in range(100)}
    assert len(made) == 4
    assert len(keyed) == 4


def test_a_dependency_or_an_operation_of_it_may_have_a_policy_of_its_own() -> None:
    """The most precise name wins."""
    policies = {"payment": Policy(failures_max=2), "payment/charge": Policy(failures_max=1)}
    breakers = Breakers(clock=VirtualClock(), policies=policies)
    for operation, failures in (("charge", 1), ("refund", 2)):
        breaker = breakers.of("payment", operation)
        for _ in range(failures):
            assert breaker.allows()
            breaker.failed("refused")
        assert not breaker.allows()


def test_a_probe_of_the_operation_is_given_back_when_its_class_refuses() -> None:
    """Else a broken store would hold the probe that the others wait for."""
    clock = VirtualClock()
    breakers = Breakers(clock=clock)
    broken = breakers.of("stock", "read", "broken")
    for _ in range(20):
        broken.failed("refused")
    clock.advance(Duration.from_ms(250))
    breakers.isolate("stock", "read", "broken", owner="test", reason="test")
    assert broken.admit() == 0
    assert breakers.of("stock", "read", "well").admit()


def test_a_dependency_that_is_isolated_is_left_alone_though_there_is_no_room_for_its_breaker() -> None:
    """It shares the one of the place that is held, and the common one again when that is released."""
    breakers = Breakers(clock=VirtualClock(), operations_max=1)
    assert breakers.of("stock", "read").admit()
    breakers.isolate("payment", owner="nina", reason="a test")
    assert not breakers.of("payment").admit()
    assert not breakers.of("payment", "charge").admit()
    assert not breakers.of("payment", "charge", "visa").admit()
    assert breakers.of("mail").admit()
    breakers.release("payment", owner="nina", reason="a test")
    assert breakers.of("mail").admit()
    assert breakers.of("payment", "charge").admit()
