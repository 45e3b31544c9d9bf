"""How limits decide."""

import math
import random

import pytest
from benchmarks.protect.vegas import VegasLimit

from tenfold.protect.calls.limit import (
    AimdLimit,
    Baseline,
    FixedLimit,
    GradientLimit,
    Limit,
    Summary,
    Window,
)

MS = 1_000_000
STEP_NS = 5 * MS


class Calls:
    """Gives a limit one call after the other, 5 ms apart."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.now_ns = 0

    def end(self, count: int, *, latency_ms: float, inflight: int | None = None, dropped: bool = False) -> None:
        for _ in range(count):
            self.now_ns += STEP_NS
            running = self.limit.value if inflight is None else inflight
            self.limit.sample(self.now_ns, int(latency_ms * MS), running, dropped=dropped)


def test_a_fixed_limit_stays_whatever_happens() -> None:
    """It learns nothing."""
    limit = FixedLimit(7)
    Calls(limit).end(500, latency_ms=9_000, dropped=True)
    assert limit.value == 7


def test_the_adaptive_limit_doubles_while_calls_stay_as_quick_as_they_were() -> None:
    """A used limit finds its size in a few windows, not in a few minutes."""
    limit = GradientLimit(initial=4)
    Calls(limit).end(200, latency_ms=10)
    assert limit.value >= 64


@pytest.mark.parametrize("limit", [GradientLimit(initial=4), VegasLimit(initial=4), AimdLimit(initial=4)])
def test_a_limit_that_is_not_used_does_not_grow(limit: Limit) -> None:
    """Otherwise the first rush would find no limit at all."""
    Calls(limit).end(2_000, latency_ms=10, inflight=1)
    assert limit.value == 4


def test_a_limit_that_has_found_its_size_grows_no_further_when_it_is_not_used() -> None:
    """Nor after its start: a quiet night is no proof."""
    limit = GradientLimit(initial=4)
    calls = Calls(limit)
    calls.end(100, latency_ms=10)
    calls.end(40, latency_ms=40)
    found = limit.value
    calls.end(2_000, latency_ms=10, inflight=1)
    assert limit.value <= 1.2 * found  # it was held back by the dither then


def test_a_limit_that_is_not_pressed_does_not_shrink_whatever_the_calls_are() -> None:
    """One at a time, hits of 0.05 ms and orders of 20 ms: the mean shows the mix and no queue."""
    limit, chance = GradientLimit(), random.Random(1)
    calls = Calls(limit)
    for _ in range(5_000):
        calls.end(1, latency_ms=20 if chance.random() < 0.05 else 0.05, inflight=1)
        assert limit.value == 8


def test_a_limit_that_is_far_too_high_stays_while_it_is_not_pressed_and_comes_down_once_it_is() -> None:
    """A queue of ours shows only then."""
    limit = GradientLimit(initial=400)
    calls = Calls(limit)
    calls.end(500, latency_ms=10, inflight=20)
    assert limit.value == 400
    for _ in range(4_000):
        calls.end(1, latency_ms=limit.value / 2)
    assert limit.value < 60


def test_calls_that_were_dropped_cut_the_limit() -> None:
    """A stable timeout has no gradient (Netflix concurrency-limits, issue 137): it is heard of as what it is."""
    limit = GradientLimit(initial=64)
    calls = Calls(limit)
    calls.end(100, latency_ms=10, inflight=40)
    calls.end(400, latency_ms=5_000, dropped=True)
    assert limit.value < 16
    assert limit.baseline_ns == pytest.approx(10 * MS)


def test_the_adaptive_limit_stays_within_its_bounds() -> None:
    """From below and from above."""
    least, most = GradientLimit(initial=5, least=3), GradientLimit(initial=5, most=9)
    Calls(least).end(2_000, latency_ms=10, dropped=True)
    Calls(most).end(2_000, latency_ms=10)
    assert (least.value, most.value) == (3, 9)


def test_an_aimd_limit_goes_up_by_one_and_down_by_a_tenth() -> None:
    """Window by window."""
    limit = AimdLimit(initial=20)
    calls = Calls(limit)
    calls.end(20, latency_ms=10)
    assert limit.value == 21
    calls.end(20, latency_ms=10, dropped=True)
    assert limit.value == 18


def test_a_window_waits_for_enough_samples_and_then_says_their_mean_and_its_error() -> None:
    """A few calls are luck."""
    window = Window()
    summaries = [window.add(number * 50 * MS, (10 + number % 2) * MS, 4, number % 10 == 0) for number in range(1, 21)]
    assert summaries[:-1] == [None] * 19
    seen = summaries[-1]
    assert seen is not None
    assert seen.dropped_ratio == 0.1
    assert seen.latency_ns == pytest.approx(10.5 * MS, rel=0.02)
    assert seen.error_ns == pytest.approx(0.5 * MS / math.sqrt(18), rel=0.05)


def test_a_window_that_was_quiet_for_too_long_begins_anew() -> None:
    """What was ten seconds ago says nothing of now."""
    window = Window()
    assert [window.add(number * 1_000 * MS, MS, 1, dropped=False) for number in range(1, 40)] == [None] * 39


@pytest.mark.parametrize("slower", [1.3, 10.0])
def test_the_adaptive_limit_dithers_within_its_bounds(slower: float) -> None:
    """A pool of twenty has twenty, and not twenty-two, whether it is held back a little or to the utmost."""
    limit = GradientLimit(initial=20, least=10, most=20)
    calls, values = Calls(limit), set[int]()
    calls.end(250, latency_ms=20)
    for _ in range(200):
        calls.end(50, latency_ms=20 * slower + limit.value / 5)
        values.add(limit.value)
    assert min(values) >= 10
    assert max(values) <= 20


def window_of(latency_ms: float, inflight: float, error_ms: float = 0.0) -> Summary:
    return Summary(latency_ms * MS, error_ms * MS, inflight, 0.0)


def test_a_queue_of_our_own_never_raises_the_baseline() -> None:
    """Latency follows concurrency: a thousand windows of it, and the baseline is no higher than at first."""
    baseline = Baseline()
    baseline.learn(window_of(10, 10), pressed=True)
    for number in range(1_000):
        inflight = 22 if number % 4 < 2 else 18
        baseline.learn(window_of(inflight, inflight), pressed=True)
    assert baseline.ns <= 10 * MS


def test_calls_of_another_kind_never_carry_the_baseline_below_nothing() -> None:
    """Where the long ones are what is under way, latency follows concurrency too, at twenty times the baseline."""
    baseline = Baseline()
    baseline.learn(window_of(0.05, 10), pressed=True)
    for number in range(1_000):
        longer = 1.2 if number % 4 < 2 else 1.0
        baseline.learn(window_of(longer, 4 * longer), pressed=True)
        assert baseline.ns > 0


def test_a_dependency_that_has_become_slower_by_itself_raises_the_baseline() -> None:
    """Latency stays the same whatever the concurrency: it is not our queue."""
    baseline = Baseline()
    baseline.learn(window_of(10, 10), pressed=True)
    for number in range(100):
        baseline.learn(window_of(20, 22 if number % 4 < 2 else 18), pressed=True)
    assert baseline.ns > 17 * MS


def test_one_lucky_window_hardly_lowers_the_baseline() -> None:
    """It is believed only so far as it is not luck."""
    baseline = Baseline()
    baseline.learn(window_of(10, 10), pressed=True)
    baseline.learn(window_of(7, 10, error_ms=2), pressed=True)
    assert baseline.ns == pytest.approx(9.8 * MS)


def test_an_unhurried_window_raises_the_baseline_slowly() -> None:
    """By a fiftieth, however slow it was."""
    baseline = Baseline()
    baseline.learn(window_of(10, 10), pressed=True)
    baseline.learn(window_of(1_000, 2), pressed=False)
    assert baseline.ns == pytest.approx(10.2 * MS)
