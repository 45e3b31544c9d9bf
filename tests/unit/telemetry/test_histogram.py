"""Distributions: the corners that laws (tests/property/test_histogram_laws.py) pass by."""

from tenfold.telemetry import Histogram
from tenfold.telemetry.histogram import bucket_of, highest_in


def histogram_of(*values: int) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def test_an_empty_histogram_has_no_quantile_and_breaks_no_promise() -> None:
    """Nothing was asked, so nothing was late."""
    empty = Histogram()
    assert (empty.quantile(0.99), empty.max, empty.count, empty.total) == (0, 0, 0, 0)
    assert empty.cumulative([0]) == [0]


def test_values_out_of_range_count_at_its_ends() -> None:
    """A clock that went back is a zero; a request that never ended is the longest there is."""
    histogram = histogram_of(-5, 2**60)
    assert histogram.count == 2
    assert histogram.quantile(0.5) == 0
    assert histogram.quantile(1) == histogram.max == 2**42 - 1


def test_small_values_are_exact() -> None:
    """Below 256 every value has a bucket of its own."""
    histogram = histogram_of(*range(256))
    assert [histogram.quantile((value + 1) / 256) for value in range(256)] == list(range(256))


def test_a_quantile_never_exceeds_the_largest_value() -> None:
    """The bucket of the maximum is wider than the maximum."""
    assert histogram_of(1_000_001).quantile(0.99) == 1_000_001


def test_the_value_that_exactly_a_share_does_not_exceed_is_the_quantile() -> None:
    """The 99th of 100 values is the 99 % quantile, and the 100th is not."""
    histogram = histogram_of(*[10] * 99, 200)
    assert histogram.quantile(0.99) == 10
    assert histogram.quantile(0.991) == 200


def test_cumulative_counts_answer_several_limits_in_one_pass() -> None:
    """As Prometheus wants its buckets."""
    assert histogram_of(1, 2, 3, 100, 5000).cumulative([0, 2, 2, 100, 10_000]) == [0, 2, 2, 4, 5]


def test_buckets_follow_each_other_without_a_gap() -> None:
    """The highest value of a bucket is followed by the lowest of the next."""
    for bucket in range(4000):
        assert bucket_of(highest_in(bucket)) == bucket
        assert bucket_of(highest_in(bucket) + 1) == bucket + 1
