"""How much may be asked of one place."""

from hypothesis import given
from hypothesis import strategies as st

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Budget


def test_a_bulkhead_lets_in_as_many_as_it_holds_and_another_when_one_leaves() -> None:
    """Without a rate nothing else counts."""
    budget = Budget(2, clock=VirtualClock())
    assert [budget.take() for _ in range(3)] == [True, True, False]
    budget.give_back()
    assert budget.take()
    assert budget.inflight == 2


@given(
    rate=st.integers(min_value=1, max_value=5_000),
    burst=st.integers(min_value=1, max_value=500),
    gaps_ms=st.lists(st.integers(min_value=0, max_value=200), min_size=1, max_size=200),
)
def test_no_stretch_of_time_sees_more_than_the_burst_and_the_rate(rate: int, burst: int, gaps_ms: list[int]) -> None:
    """However it is asked, from any moment to any other."""
    clock = VirtualClock()
    budget = Budget(10_000, rate_max=rate, burst=burst, clock=clock)
    taken_ns = []
    for gap_ms in gaps_ms:
        clock.advance(Duration.from_ms(gap_ms))
        if budget.take():
            taken_ns.append(clock.monotonic_ns())
    for first, began_ns in enumerate(taken_ns):
        for last in range(first, len(taken_ns)):
            seconds = (taken_ns[last] - began_ns) / 1e9
            assert last - first + 1 <= burst + rate * seconds * 1.001 + 1e-6
