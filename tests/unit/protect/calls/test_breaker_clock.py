"""A clock that is set back an hour, though a monotonic one should not be: nobody waits for that hour."""

import pytest

from tenfold.kernel import Duration
from tenfold.protect.calls.breaker import Breaker

HOUR_NS = 3_600 * 1_000_000_000
MS = 1_000_000


class JumpingClock:
    """Says what it is told to."""

    def __init__(self) -> None:
        self.now_ns = 10 * HOUR_NS

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return self.now_ns


def opened(clock: JumpingClock) -> Breaker:
    """It was well at 1,000 calls a second."""
    breaker = Breaker("main", clock=clock)
    for _ in range(2_000):
        clock.now_ns += MS
        breaker.succeeded(breaker.admit())
    for _ in range(5):
        breaker.failed("refused")
    return breaker


def half_open(clock: JumpingClock) -> Breaker:
    """Its probe is out."""
    breaker = opened(clock)
    clock.now_ns += 250 * MS
    assert breaker.admit()
    return breaker


def ramping(clock: JumpingClock) -> Breaker:
    breaker = half_open(clock)
    breaker.succeeded()
    for _ in range(500):
        clock.now_ns += MS
        epoch = breaker.admit()
        if epoch:
            breaker.succeeded(epoch)
    breaker.failed("refused")
    return breaker


@pytest.mark.parametrize("begin", [opened, half_open, ramping])
def test_a_clock_that_is_set_back_costs_seconds_and_not_hours(begin: object) -> None:
    """In OPEN, with a probe out that is lost, and on the ramp; five seconds of steady calls find it CLOSED."""
    clock = JumpingClock()
    breaker: Breaker = begin(clock)  # type: ignore[operator]
    assert breaker.state.value != "closed"
    clock.now_ns -= HOUR_NS
    for _ in range(Duration.from_s(5).ns // MS):
        clock.now_ns += MS
        epoch = breaker.admit()
        if epoch:
            breaker.succeeded(epoch)
    assert breaker.state.value == "closed"
