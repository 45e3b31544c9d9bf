"""Laws of rates and budgets, whatever is asked when."""

from hypothesis import given
from hypothesis import strategies as st

from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.limit import GradientLimit, Rate, RateLimits

GAPS_MS = st.integers(min_value=0, max_value=400)


@given(
    rate=st.integers(min_value=1, max_value=200),
    burst=st.integers(min_value=1, max_value=20),
    keys_max=st.integers(min_value=1, max_value=4),
    asked=st.lists(st.tuples(GAPS_MS, st.sampled_from("abcdefgh")), max_size=150),
)
def test_no_key_gets_more_than_its_burst_and_rate_however_many_keys_there_are(
    rate: int, burst: int, keys_max: int, asked: list[tuple[int, str]]
) -> None:
    """From any moment to any other, with buckets coming and going, and one more bucket for those without."""
    clock = VirtualClock()
    rates = RateLimits("law", rate, burst=burst, keys_max=keys_max, clock=clock)
    taken: dict[str, list[int]] = {}
    for gap_ms, key in asked:
        clock.advance(Duration.from_ms(gap_ms))
        if rates.take(key):
            taken.setdefault(key, []).append(clock.monotonic_ns())
        assert len(rates) <= keys_max
    for moments in taken.values():
        for first, began_ns in enumerate(moments):
            for last in range(first, len(moments)):
                seconds = (moments[last] - began_ns) / 1e9
                # a key may meet the shared bucket once before it has its own
                assert last - first + 1 <= 2 * burst + 2 * rate * seconds * 1.001 + 1e-6


@given(
    rates=st.lists(
        st.tuples(st.integers(min_value=1, max_value=2_000), st.integers(min_value=1, max_value=50)), min_size=1
    ),
    gaps_ms=st.lists(GAPS_MS, max_size=60),
)
def test_a_rate_that_is_changed_keeps_its_promise_from_that_moment(
    rates: list[tuple[int, int]], gaps_ms: list[int]
) -> None:
    """No more than its burst and its rate, and nobody waits for longer than it takes to earn one token."""
    clock = VirtualClock()
    limits = RateLimits("law", 1, clock=clock)
    for per_s, burst in rates:
        limits.rate = Rate(per_s, burst)
        began_ns, taken = clock.monotonic_ns(), 0
        for gap_ms in gaps_ms:
            taken += limits.take("key")
            assert taken <= burst + per_s * (clock.monotonic_ns() - began_ns) / 1e9 * 1.001 + 1e-6
            clock.advance(Duration.from_ms(gap_ms))
        while limits.take("key"):
            pass
        clock.advance(Duration(limits.rate.cost_ns))
        assert limits.take("key")


@given(
    share=st.floats(min_value=0, max_value=1),
    floor_per_s=st.floats(min_value=0, max_value=50),
    saved_max=st.floats(min_value=1, max_value=20),
    steps=st.lists(st.tuples(GAPS_MS, st.integers(min_value=0, max_value=30), st.integers(0, 30)), max_size=80),
)
def test_extras_never_exceed_what_was_saved_the_floor_and_the_share(
    share: float, floor_per_s: float, saved_max: float, steps: list[tuple[int, int, int]]
) -> None:
    """Whoever asks: retries and audits are one crowd."""
    clock = VirtualClock()
    budget = AmplificationBudget("law", share=share, floor_per_s=floor_per_s, saved_max=saved_max, clock=clock)
    made = called = 0
    for gap_ms, calls, extras in steps:
        clock.advance(Duration.from_ms(gap_ms))
        budget.called(calls)
        called += calls
        made += sum(budget.take("retry" if number % 2 else "audit") for number in range(extras))
        seconds = clock.monotonic_ns() / 1e9
        assert made <= saved_max + floor_per_s * seconds + share * called + 1e-6


@given(
    calls=st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=10**10),
            st.integers(min_value=0, max_value=10**11),
            st.integers(min_value=1, max_value=5_000),
            st.booleans(),
        ),
        max_size=300,
    )
)
def test_the_adaptive_limit_is_a_limit_whatever_it_is_told(calls: list[tuple[int, int, int, bool]]) -> None:
    """Calls that took no time, all the time, or all failed: it stays within its bounds and its baseline is no length
    that was never seen."""
    limit, now_ns, seen = GradientLimit(initial=5, least=2, most=50), 0, [0]
    for gap_ns, latency_ns, inflight, dropped in calls:
        now_ns += gap_ns
        seen.append(latency_ns)
        limit.sample(now_ns, latency_ns, inflight, dropped=dropped)
        assert 2 <= limit.value <= 50
        assert 0 <= limit.baseline_ns <= max(seen)
