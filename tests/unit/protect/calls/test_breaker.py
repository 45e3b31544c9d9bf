"""The circuit breaker, state by state."""

import asyncio

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Breaker
from tenfold.protect.calls.breaker import BreakerState, CircuitOpen
from tenfold.telemetry import EventLog, Registry, render

COOL_DOWN = Duration.from_ms(250)


def state_of(breaker: Breaker) -> BreakerState:
    """Asked anew each time, as a type checker must be told."""
    return breaker.state


def breaker_on(clock: VirtualClock, **settings: int) -> Breaker:
    return Breaker("main", clock=clock, failures_max=3, **settings)  # type: ignore[arg-type]


def opened(clock: VirtualClock, **settings: int) -> Breaker:
    breaker = breaker_on(clock, **settings)
    for _ in range(3):
        assert breaker.allows()
        breaker.failed("refused")
    assert state_of(breaker) is BreakerState.OPEN
    return breaker


def test_breaker_opens_after_failures_in_a_row() -> None:
    """A success in between begins the row anew."""
    breaker = breaker_on(VirtualClock())
    for _ in range(2):
        breaker.failed("refused")
    breaker.succeeded()
    for _ in range(2):
        breaker.failed("refused")
    assert state_of(breaker) is BreakerState.CLOSED
    breaker.failed("refused")
    assert state_of(breaker) is BreakerState.OPEN


def test_breaker_opens_when_half_the_window_fails() -> None:
    """Failures that are never three in a row, but half of twenty."""
    breaker = breaker_on(VirtualClock())
    for _ in range(9):
        breaker.succeeded()
        breaker.failed("timeout")
    assert state_of(breaker) is BreakerState.CLOSED
    breaker.succeeded()
    breaker.failed("timeout")
    assert state_of(breaker) is BreakerState.OPEN


def test_failures_older_than_the_window_are_forgotten() -> None:
    """Half of twenty, but not in one window."""
    clock = VirtualClock()
    breaker = breaker_on(clock)
    for _ in range(9):
        breaker.succeeded()
        breaker.failed("timeout")
    clock.advance(Duration.from_s(2))
    breaker.succeeded()
    breaker.failed("timeout")
    assert state_of(breaker) is BreakerState.CLOSED


def test_an_open_breaker_refuses_until_its_cool_down_is_over() -> None:
    """Then one call is let through, and no second one beside it."""
    clock = VirtualClock()
    breaker = opened(clock)
    clock.advance(Duration(COOL_DOWN.ns - 1))
    assert not breaker.allows()
    clock.advance(Duration(1))
    assert breaker.allows()
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert not breaker.allows()


def test_a_probe_that_succeeds_closes_and_one_that_fails_doubles_the_cool_down() -> None:
    """250, 500, 1000, 1000 ms; and still 1000 when it opens again soon after it was closed."""
    clock = VirtualClock()
    breaker = opened(clock)
    for wait_ms in (250, 500, 1000, 1000):
        clock.advance(Duration(Duration.from_ms(wait_ms).ns - 1))
        assert not breaker.allows()
        clock.advance(Duration(1))
        assert breaker.allows()
        breaker.failed("refused")
    clock.advance(Duration.from_s(1))
    assert breaker.allows()
    breaker.succeeded()
    assert state_of(breaker) is BreakerState.CLOSED
    for _ in range(3):
        breaker.failed("refused")
    clock.advance(Duration(Duration.from_s(1).ns - 1))
    assert not breaker.allows()
    clock.advance(Duration(1))
    assert breaker.allows()


def test_calm_times_make_a_breaker_forget_how_often_it_opened() -> None:
    """One doubling for each ten seconds in CLOSED; what comes back sooner rests for twice as long as before."""
    clock = VirtualClock()
    breaker = opened(clock)
    for wait_ms, closed_s in ((250, 0), (500, 9), (1000, 10), (1000, 20), (500, 1000), (250, 0), (500, 0)):
        clock.advance(Duration(Duration.from_ms(wait_ms).ns - 1))
        assert not breaker.allows(), wait_ms
        clock.advance(Duration(1))
        assert breaker.allows(), wait_ms
        breaker.succeeded()
        assert state_of(breaker) is BreakerState.CLOSED
        clock.advance(Duration.from_s(closed_s))
        for _ in range(3):
            breaker.failed("refused")


def test_a_probe_that_never_reports_is_a_failed_probe() -> None:
    """Its late word counts for nothing, and the breaker is never wedged."""
    clock = VirtualClock()
    breaker = opened(clock)
    clock.advance(COOL_DOWN)
    lost = breaker.admit()
    clock.advance(Duration.from_s(1))
    assert not breaker.allows()
    assert state_of(breaker) is BreakerState.OPEN
    clock.advance(Duration.from_s(1))
    assert breaker.allows()
    breaker.succeeded(lost)
    assert state_of(breaker) is BreakerState.HALF_OPEN


def test_a_probe_whose_caller_left_gives_its_place_to_the_next() -> None:
    """Leaving says nothing of the dependency."""
    clock = VirtualClock()
    breaker = opened(clock)
    clock.advance(COOL_DOWN)
    breaker.abandoned(breaker.admit())
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert breaker.allows()


def test_every_probe_must_succeed_to_close() -> None:
    """Two probes, at once or one after the other."""
    clock = VirtualClock()
    breaker = opened(clock, probes=2)
    clock.advance(COOL_DOWN)
    assert breaker.allows()
    assert breaker.allows()
    assert not breaker.allows()
    breaker.succeeded()
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert not breaker.allows()
    breaker.succeeded()
    assert state_of(breaker) is BreakerState.CLOSED


def test_the_late_word_of_a_call_from_before_the_opening_counts_for_nothing() -> None:
    """A thousand calls were under way when the server died: the breaker opens once."""
    clock = VirtualClock()
    breaker = breaker_on(clock)
    epochs = [breaker.admit() for _ in range(1000)]
    for epoch in epochs[:500]:
        breaker.failed("refused", epoch)
    clock.advance(COOL_DOWN)
    assert breaker.allows()
    for epoch in epochs[500:]:
        breaker.failed("refused", epoch)
    breaker.succeeded(epochs[0])
    assert state_of(breaker) is BreakerState.HALF_OPEN


def test_guard_makes_the_call_or_raises_circuit_open() -> None:
    """Its exception is a failure and reaches the caller."""
    breaker = breaker_on(VirtualClock())
    for _ in range(3):
        with pytest.raises(KeyError), breaker.guard():
            raise KeyError("x")
    with pytest.raises(CircuitOpen, match="'main' is open"), breaker.guard():
        raise AssertionError("the call must not be made")


def test_guard_takes_a_cancellation_for_no_verdict() -> None:
    """Whoever is cancelled says nothing of the dependency."""
    breaker = breaker_on(VirtualClock())
    for _ in range(10):
        with pytest.raises(asyncio.CancelledError), breaker.guard():
            raise asyncio.CancelledError
    assert state_of(breaker) is BreakerState.CLOSED


def test_every_change_is_an_event_with_its_evidence_and_a_metric() -> None:
    """Drills read these names; they are documented in docs/reference/protect.md."""
    clock, registry = VirtualClock(), Registry()
    events = EventLog("test", clock=clock)
    breaker = Breaker("main", clock=clock, registry=registry, events=events, failures_max=2)
    for _ in range(2):
        breaker.failed("timeout")
    clock.advance(COOL_DOWN)
    assert breaker.allows()
    breaker.succeeded()
    told = [(event.kind, event.subject) for event in events]
    assert told == [("breaker-opened", "main"), ("breaker-half-open", "main"), ("breaker-closed", "main")]
    assert next(iter(events)).detail == {
        "reason": "timeout",
        "in_a_row": 2,
        "calls": 2,
        "failures": 2,
        "cool_down_ms": 250.0,
    }
    text = render(registry).decode()
    assert 'tenfold_breaker_state{breaker="main"} 0' in text
    assert 'tenfold_breaker_transitions_total{breaker="main",to="open"} 1' in text


def probing(clock: VirtualClock, probes: int) -> tuple[Breaker, list[int]]:
    """As many probes are out as there may be."""
    breaker = Breaker("main", clock=clock, failures_max=1, probes=probes)
    breaker.failed("refused")
    clock.advance(COOL_DOWN)
    return breaker, [epoch for epoch in (breaker.admit() for _ in range(probes + 1)) if epoch]


def test_probes_that_outlast_the_rest_count_among_those_that_may_be_out() -> None:
    """One of three failed; the two others are on their way when it probes anew, so one may join them."""
    clock = VirtualClock()
    breaker, out = probing(clock, 3)
    assert len(out) == 3
    breaker.failed("refused", out.pop())
    clock.advance(Duration.from_ms(500))
    assert breaker.admit()
    assert not breaker.admit()
    breaker.failed("refused", out.pop())
    assert breaker.admit(), "whose word is late is out no more"
    assert not breaker.admit()
    breaker.abandoned(out.pop())
    assert breaker.admit()
    assert not breaker.admit()


def test_a_probe_of_before_that_is_lost_keeps_its_place_no_longer_than_its_lease() -> None:
    """Else whoever dies with a probe would close it for ever."""
    clock = VirtualClock()
    breaker, out = probing(clock, 2)
    breaker.failed("refused", out.pop())
    clock.advance(Duration.from_ms(500))
    assert [bool(breaker.admit()) for _ in range(2)] == [True, False]
    clock.advance(Duration.from_ms(600))
    assert breaker.admit()


def test_a_late_answer_to_a_probe_that_was_thought_lost_is_heard() -> None:
    """Nothing but silence spoke against the dependency."""
    clock = VirtualClock()
    breaker, out = probing(clock, 1)
    clock.advance(Duration.from_s(1))
    assert not breaker.admit()
    assert state_of(breaker) is BreakerState.OPEN
    breaker.succeeded(out.pop())
    assert state_of(breaker) is BreakerState.CLOSED


def test_a_late_answer_says_nothing_when_another_probe_has_failed_since() -> None:
    """What began before is older news."""
    clock = VirtualClock()
    breaker, out = probing(clock, 1)
    clock.advance(Duration.from_s(1))
    assert not breaker.admit()
    clock.advance(Duration.from_s(1))
    breaker.failed("refused", breaker.admit())
    breaker.succeeded(out.pop())
    assert state_of(breaker) is BreakerState.OPEN
