from itertools import pairwise
from random import Random

from tenfold.rehearse.load.arrivals import arrivals
from tenfold.rehearse.load.messages import Segment

SECOND = 1_000_000_000


def test_a_segment_holds_exactly_as_many_arrivals_as_its_rate_promises() -> None:
    """The rate in the verdict is the plan's, without chance."""
    offsets = list(arrivals([Segment(3000.0, 2 * SECOND)], Random(1)))
    assert len(offsets) == 6000
    assert offsets == sorted(offsets)
    assert offsets[0] >= 0
    assert offsets[-1] < 2 * SECOND


def test_fractions_of_an_arrival_are_carried_into_the_next_segment() -> None:
    """A day played in twelve seconds has hours of less than one arrival; they are not lost."""
    offsets = list(arrivals([Segment(0.5, SECOND)] * 8, Random(1)))
    assert len(offsets) == 4


def test_each_segment_has_its_own_rate_and_a_rate_of_nothing_has_none() -> None:
    """Segments follow each other; a silent one is silent."""
    offsets = list(arrivals([Segment(100, SECOND), Segment(0, SECOND), Segment(200, SECOND)], Random(1)))
    counts = [sum(offset // SECOND == second for offset in offsets) for second in range(3)]
    assert counts == [100, 0, 200]


def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others() -> None:
    """A run can be repeated from the seed it prints."""
    segments = [Segment(500, SECOND)]
    assert list(arrivals(segments, Random(7))) == list(arrivals(segments, Random(7)))
    assert list(arrivals(segments, Random(7))) != list(arrivals(segments, Random(8)))


def test_gaps_are_exponential() -> None:
    """Independent customers: the gap exceeds its mean with 1/e, twice its mean with 1/e², and so on."""
    offsets = list(arrivals([Segment(1000, 100 * SECOND)], Random(3)))
    gaps = [later - earlier for earlier, later in pairwise(offsets)]
    for means, expected in ((0.5, 0.6065), (1, 0.3679), (2, 0.1353), (4, 0.0183)):
        share = sum(gap > means * 1_000_000 for gap in gaps) / len(gaps)
        assert abs(share - expected) < 0.01


def test_counts_of_short_windows_scatter_as_those_of_independent_customers() -> None:
    """Poisson: variance and mean of the count in 10 ms are the same, so bursts are as large as in life."""
    offsets = list(arrivals([Segment(1000, 100 * SECOND)], Random(4)))
    counts = [0] * 10_000
    for offset in offsets:
        counts[offset // 10_000_000] += 1
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert abs(variance / mean - 1) < 0.05
