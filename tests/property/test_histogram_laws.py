"""What a histogram promises of any values whatever."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tenfold.telemetry import Histogram
from tenfold.telemetry.histogram import RELATIVE_ERROR_MAX

values = st.lists(st.integers(0, 2**42 - 1) | st.integers(0, 1000), min_size=1, max_size=200)
shares = st.floats(0, 1)


def histogram_of(recorded: list[int]) -> Histogram:
    histogram = Histogram()
    for value in recorded:
        histogram.record(value)
    return histogram


@given(values, shares)
def test_a_quantile_flatters_nobody_and_is_off_by_no_more_than_it_says(recorded: list[int], share: float) -> None:
    """Never below the true value, never more than 1/128 above it, at any magnitude."""
    rank = max(1, math.ceil(share * len(recorded)))
    truth = sorted(recorded)[rank - 1]
    quantile = histogram_of(recorded).quantile(share)
    assert truth <= quantile <= truth * (1 + RELATIVE_ERROR_MAX)


@given(values, shares, shares)
def test_quantiles_ascend(recorded: list[int], one: float, other: float) -> None:
    """p999 is never below p99."""
    histogram = histogram_of(recorded)
    assert histogram.quantile(min(one, other)) <= histogram.quantile(max(one, other)) <= histogram.max


@given(values, values)
def test_adding_two_histograms_is_recording_both_their_values(one: list[int], other: list[int]) -> None:
    """So several drivers, and many ticks, make one truth."""
    added = histogram_of(one)
    added.add(histogram_of(other))
    whole = histogram_of(one + other)
    assert added.to_counts() == whole.to_counts()
    assert (added.count, added.total, added.max) == (whole.count, whole.total, whole.max)


@given(values)
def test_counts_survive_the_wire(recorded: list[int]) -> None:
    """Exact in every bucket; total and maximum are the buckets' upper ends."""
    sent = histogram_of(recorded)
    received = Histogram.from_counts(sent.to_counts())
    assert received.to_counts() == sent.to_counts()
    assert received.count == sent.count
    assert sent.total <= received.total <= sent.total * (1 + RELATIVE_ERROR_MAX)
    assert sent.max <= received.max <= sent.max * (1 + RELATIVE_ERROR_MAX)


@given(values, st.integers(0, 2**43))
def test_the_count_within_a_limit_is_right_to_the_width_of_a_bucket(recorded: list[int], limit: int) -> None:
    """Values of the limit's own bucket count as within it."""
    (within,) = histogram_of(recorded).cumulative([limit])
    surely = sum(value <= limit for value in recorded)
    perhaps = sum(value <= limit * (1 + RELATIVE_ERROR_MAX) + 1 for value in recorded)
    assert surely <= within <= perhaps


@given(values, st.lists(st.integers(0, 2**43), max_size=20).map(sorted))
def test_cumulative_counts_are_the_counts_within_each_limit(recorded: list[int], limits: list[int]) -> None:
    """The fast pass over all limits agrees with asking one by one."""
    histogram = histogram_of(recorded)
    one_by_one = [histogram.cumulative([limit])[0] for limit in limits]
    assert histogram.cumulative(limits) == one_by_one
