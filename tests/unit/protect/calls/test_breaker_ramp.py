"""The way back from HALF_OPEN to CLOSED, on virtual time."""

from itertools import pairwise

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.breaker import Breaker, BreakerState
from tenfold.protect.calls.breaker.ramp import Ramp

MS = Duration.from_ms(1)
S = Duration.from_s(1).ns


def state_of(breaker: Breaker) -> BreakerState:
    """Asked anew each time, as a type checker must be told."""
    return breaker.state


def served(breaker: Breaker, clock: VirtualClock, milliseconds: int, *, fails_each: int = 0) -> int:
    """One call wanted each millisecond, answered at once, but each `fails_each`-th; how many were admitted."""
    admitted = 0
    for _ in range(milliseconds):
        clock.advance(MS)
        epoch = breaker.admit()
        if epoch:
            admitted += 1
            if fails_each and admitted % fails_each == 0:
                breaker.failed("overloaded", epoch)
            else:
                breaker.succeeded(epoch)
    return admitted


def ramping(clock: VirtualClock) -> Breaker:
    """Was well at 1,000 calls/s, broke, and has just answered its probe."""
    breaker = Breaker("main", clock=clock)
    served(breaker, clock, 2_000)
    for _ in range(5):
        breaker.failed("refused")
    clock.advance(Duration.from_ms(250))
    breaker.succeeded(breaker.admit())
    assert state_of(breaker) is BreakerState.HALF_OPEN
    return breaker


def test_a_dependency_that_is_back_gets_a_tenth_at_first_and_more_with_every_answer() -> None:
    """100, 170, 290 … calls/s; all of it after 1.5 s, and only then it is CLOSED."""
    clock = VirtualClock()
    breaker = ramping(clock)
    by_tenth = [served(breaker, clock, 100) for _ in range(15)]
    assert 9 <= by_tenth[0] <= 14
    assert all(after <= 1.25 * before + 2 for before, after in pairwise(by_tenth))
    assert by_tenth[-1] >= 85
    assert state_of(breaker) is BreakerState.HALF_OPEN
    served(breaker, clock, 300)
    assert state_of(breaker) is BreakerState.CLOSED


def test_a_ramp_falls_back_when_too_much_fails_and_the_breaker_does_not_open_for_it() -> None:
    """One in five calls is too much for the dependency: less is admitted, HALF_OPEN stays."""
    clock = VirtualClock()
    breaker = ramping(clock)
    served(breaker, clock, 800)
    before = served(breaker, clock, 100)
    served(breaker, clock, 200, fails_each=5)
    assert served(breaker, clock, 100, fails_each=5) < 0.7 * before
    assert state_of(breaker) is BreakerState.HALF_OPEN


def test_failures_that_are_there_at_any_rate_do_not_keep_it_half_open_for_ever() -> None:
    """One in thirty is tolerated at once; one in six after it has seen that going slower does not help."""
    for fails_each, limit_ms in ((30, 2_500), (6, 30_000)):
        clock = VirtualClock()
        breaker = ramping(clock)
        served(breaker, clock, limit_ms, fails_each=fails_each)
        assert state_of(breaker) is BreakerState.CLOSED


def test_failures_in_a_row_end_the_ramp() -> None:
    """It is gone again."""
    clock = VirtualClock()
    breaker = ramping(clock)
    served(breaker, clock, 500)
    assert served(breaker, clock, 200, fails_each=1) == 5
    assert state_of(breaker) is BreakerState.OPEN


def test_a_ramp_of_which_no_call_reports_is_broken() -> None:
    """A server that hangs: calls go and nothing is heard; growth needs answers."""
    clock = VirtualClock()
    breaker = ramping(clock)
    admitted = 0
    for _ in range(1_100):
        clock.advance(MS)
        admitted += breaker.allows()
    assert state_of(breaker) is BreakerState.OPEN
    assert admitted < 110


def test_a_call_that_is_lost_while_others_are_answered_does_not_end_the_ramp_after_a_lull() -> None:
    """Nobody called for a minute; who hangs afterwards is found all the same, a lease after the next call."""
    clock = VirtualClock()
    breaker = ramping(clock)
    clock.advance(Duration.from_ms(20))
    assert breaker.admit(), "the one that is lost"
    served(breaker, clock, 300)
    clock.advance(Duration.from_s(60))
    assert breaker.admit()
    assert state_of(breaker) is BreakerState.HALF_OPEN
    clock.advance(Duration.from_ms(999))
    assert breaker.admit()
    clock.advance(MS)
    assert not breaker.admit()
    assert state_of(breaker) is BreakerState.OPEN


def burst(breaker: Breaker, clock: VirtualClock, *, answered: bool = True) -> int:
    """Fifty calls at once, heard of 20 ms later; how many were admitted."""
    epochs = [epoch for epoch in (breaker.admit() for _ in range(50)) if epoch]
    clock.advance(Duration.from_ms(20))
    for epoch in epochs:
        breaker.succeeded(epoch) if answered else breaker.failed("refused", epoch)
    return len(epochs)


def test_a_dependency_that_is_called_in_bursts_has_all_of_them_again_after_two() -> None:
    """The first has its probe, the second the answer that says it is still well; once it took minutes."""
    clock = VirtualClock()
    breaker = Breaker("main", clock=clock)
    for _ in range(3):
        assert burst(breaker, clock) == 50
        clock.advance(Duration.from_s(60))
    burst(breaker, clock)
    clock.advance(Duration.from_ms(300))
    burst(breaker, clock, answered=False)
    for _ in range(2):
        assert state_of(breaker) is not BreakerState.CLOSED
        clock.advance(Duration.from_s(60))
        assert burst(breaker, clock) == 1
    assert state_of(breaker) is BreakerState.CLOSED


def test_a_ramp_is_not_over_while_something_fails_now_and_then_nor_for_mere_silence() -> None:
    """Calm is what was answered three lengths of the ramp after the last failure; nobody calling is no answer."""
    ramp = Ramp(1_000.0, length_ns=S, start=0.1, quiet_ns=S, now_ns=0)
    assert not ramp.is_over(3_600 * S)
    for second in range(2, 20, 2):
        ramp.succeeded(second * S)
        assert not ramp.is_over(second * S)
        ramp.failed(second * S)
    ramp.succeeded(21 * S - 1)
    assert not ramp.is_over(21 * S)
    ramp.succeeded(21 * S)
    assert ramp.is_over(21 * S)


def test_a_trickle_needs_no_ramp() -> None:
    """Ten calls a second are let through at once when the probe was answered."""
    clock = VirtualClock()
    breaker = Breaker("main", clock=clock)
    for _ in range(20):
        clock.advance(Duration.from_ms(100))
        breaker.succeeded(breaker.admit())
    for _ in range(5):
        breaker.failed("refused")
    clock.advance(Duration.from_ms(250))
    breaker.succeeded(breaker.admit())
    assert state_of(breaker) is BreakerState.CLOSED


def test_callers_who_leave_during_a_ramp_are_not_missed() -> None:
    """Cancelled calls say nothing: neither growth nor silence."""
    clock = VirtualClock()
    breaker = ramping(clock)
    for _ in range(2_000):
        clock.advance(MS)
        epoch = breaker.admit()
        if epoch:
            breaker.abandoned(epoch)
    assert state_of(breaker) is BreakerState.HALF_OPEN
