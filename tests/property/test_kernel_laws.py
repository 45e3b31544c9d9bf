"""What lengths of time, clocks and seeds promise of any values whatever."""

from hypothesis import given
from hypothesis import strategies as st

from tenfold.kernel import Duration, VirtualClock, derive_seed, run_id

lengths = st.integers(0, 10**18).map(Duration)


@given(lengths)
def test_what_a_length_is_shown_as_is_read_as_the_same_length(length: Duration) -> None:
    """A report's figure can be pasted into a plan."""
    assert Duration.parse(str(length)) == length


@given(st.integers(0, 10**9), st.integers(0, 999))
def test_decimals_are_read_exactly(whole: int, thousandths: int) -> None:
    """No float stands between the text and the nanoseconds."""
    assert Duration.parse(f"{whole}.{thousandths:03} s").ns == whole * 10**9 + thousandths * 10**6


@given(st.integers(0, 10**15))
def test_seconds_there_and_back_are_the_same_to_the_microsecond(ns: int) -> None:
    """Floats are for people and engines; up to eleven days they lose less than a microsecond."""
    assert abs(Duration.from_s(Duration(ns).s).ns - ns) <= 1000


@given(st.lists(lengths))
def test_time_passes_by_the_sum_of_what_it_was_told(steps: list[Duration]) -> None:
    """However it is cut into steps."""
    clock = VirtualClock()
    for step in steps:
        clock.advance(step)
    assert clock.monotonic_ns() == sum(step.ns for step in steps)


@given(st.integers(0, 2**64), st.lists(st.text(max_size=5), max_size=3))
def test_a_seed_is_64_bits_and_not_its_parent(seed: int, purpose: list[str]) -> None:
    """Any engine of chance takes it."""
    derived = derive_seed(seed, *purpose)
    assert 0 <= derived < 2**64
    assert derived != derive_seed(seed + 1, *purpose)


@given(st.integers(0, 4 * 10**18), st.integers(0, 4 * 10**18), st.integers(0, 2**64))
def test_the_run_that_began_later_has_the_greater_name(one_ns: int, other_ns: int, seed: int) -> None:
    """To the millisecond, which the name shows; in every year that a wall reading of 64 bits can state."""
    earlier, later = sorted((one_ns, other_ns))
    if later - earlier >= 1_000_000:
        assert run_id(VirtualClock(wall_ns=earlier), seed) < run_id(VirtualClock(wall_ns=later), seed)
