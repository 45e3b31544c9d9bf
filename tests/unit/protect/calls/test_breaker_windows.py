"""What a breaker counts, and for how long."""

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.breaker import Breaker, PolicyInvalid
from tenfold.protect.calls.breaker.window import CountWindow, TimeWindow

SLOW = Duration.from_ms(100)


def test_slow_answers_open_it_when_too_many_of_enough_calls_are_slow() -> None:
    """Half of twenty took as long as is slow; not one of them failed."""
    breaker = Breaker("main", clock=VirtualClock(), slow=SLOW)
    for _ in range(9):
        breaker.succeeded(breaker.admit(), took_ns=SLOW.ns - 1)
        breaker.succeeded(breaker.admit(), took_ns=SLOW.ns)
    breaker.succeeded(breaker.admit())
    assert breaker.state.value == "closed"
    breaker.succeeded(breaker.admit(), took_ns=SLOW.ns)
    assert breaker.state.value == "open"


def test_a_slow_probe_is_a_failed_probe() -> None:
    """A dependency that answers too slowly is not back."""
    clock = VirtualClock()
    breaker = Breaker("main", clock=clock, slow=SLOW, failures_max=1)
    breaker.failed("refused")
    clock.advance(Duration.from_ms(250))
    breaker.succeeded(breaker.admit(), took_ns=SLOW.ns)
    assert breaker.state.value == "open"


def test_guard_measures_how_long_an_answer_took_where_answers_may_be_slow() -> None:
    """By the breaker's own clock."""
    clock = VirtualClock()
    breaker = Breaker("main", clock=clock, slow=SLOW, calls_min=1)
    with breaker.guard():
        clock.advance(SLOW)
    assert breaker.state.value == "open"


def test_timeouts_have_a_ratio_of_their_own() -> None:
    """Six of twenty are too many when they are timeouts, and not when they are refusals."""
    for timeout, state in ((False, "closed"), (True, "open")):
        breaker = Breaker("main", clock=VirtualClock(), timeout_ratio=0.3)
        for _ in range(12):
            breaker.succeeded(breaker.admit())
        for _ in range(3):
            breaker.failed("late", timeout=timeout)
            breaker.failed("late", timeout=timeout)
            breaker.succeeded()
        assert breaker.state.value == state


def test_guard_tells_a_timeout_from_another_failure() -> None:
    """A TimeoutError, whoever raised it, is a timeout: one call is judged, and failures alone may not open it here."""
    breaker = Breaker("main", clock=VirtualClock(), calls_min=2, timeout_ratio=0.5, ratio=1.0, failures_max=0)
    breaker.succeeded()
    with pytest.raises(TimeoutError), breaker.guard():
        raise TimeoutError
    assert breaker.state.value == "open"


def test_a_window_of_calls_forgets_nothing_by_time() -> None:
    """Ten failures a day are ten of the last twenty calls."""
    clock = VirtualClock()
    breaker = Breaker("main", clock=clock, window_calls=20)
    for _ in range(9):
        breaker.succeeded()
        breaker.failed("refused")
        clock.advance(Duration.from_s(3_600))
    assert breaker.state.value == "closed"
    breaker.succeeded()
    breaker.failed("refused")
    assert breaker.state.value == "open"


def test_a_window_of_calls_holds_no_more_than_its_length() -> None:
    """Between its length less one slice and its length."""
    window = CountWindow(100)
    for number in range(1_000):
        window.at(number).calls += 1
        assert min(number + 1, 90) <= window.totals(number).calls <= 100


def test_a_window_of_calls_holds_them_all_whatever_their_number() -> None:
    """Also when slices of like size do not add up to it: then it is rounded up, by less than a slice."""
    for length in range(1, 200):
        window, counts = CountWindow(length), set()
        for number in range(3 * length):
            window.at(number).calls += 1
            counts.add(window.totals(number).calls)
        assert length <= max(counts) < 1.1 * length + 1
        full = counts - set(range(window.least))
        assert full == set(range(window.least, max(counts) + 1))


def test_a_window_of_calls_judges_each_failure_once_it_was_full() -> None:
    """Every second call fails, always the first or always the second of a slice."""
    for length in (15, 19, 20, 25):
        for failing in (0, 1):
            breaker = Breaker("main", clock=VirtualClock(), failures_max=0, window_calls=length, calls_min=length)
            for number in range(2 * length):
                breaker.failed("refused") if number % 2 == failing else breaker.succeeded()
            assert breaker.state.value == "open", (length, failing)


def test_a_window_too_short_for_its_share_to_be_judged_is_refused_with_what_to_do() -> None:
    """The least number of calls is 20 unless told."""
    with pytest.raises(PolicyInvalid, match="state calls_min=10 or less, or window_calls=20 or more"):
        Breaker("main", window_calls=10)
    Breaker("main", window_calls=10, calls_min=10)
    Breaker("main", window_calls=20)


def test_a_window_of_time_does_not_count_what_a_clock_that_was_set_back_left_in_the_future() -> None:
    """An hour of failures to come would keep a breaker open for an hour."""
    window = TimeWindow(1_000)
    for now_ns in range(500, 1_500, 100):
        window.at(now_ns).calls += 1
    assert window.totals(1_499).calls == 10
    assert window.totals(600).calls == 2


def test_the_rate_is_that_of_the_time_in_which_all_was_well() -> None:
    """Seven good slices of three calls, then the failure that opens it: three calls in each 100 ns."""
    window = TimeWindow(1_000)
    for now_ns in range(0, 900, 100):
        window.at(now_ns).calls += 3 if now_ns < 700 else 50
        window.at(now_ns).failures += now_ns >= 700
    assert window.rate_per_s(950) == 3 / 100 * 1e9


def test_thresholds_with_which_a_breaker_could_not_work_are_refused() -> None:
    """Each says what may stand there."""
    for wrong in ({"ratio": 0.0}, {"probes": 0}, {"window": Duration(0)}, {"failures_max": -1}, {"ramp_from": 2.0}):
        with pytest.raises(PolicyInvalid):
            Breaker("main", **wrong)
