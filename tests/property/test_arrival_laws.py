from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tenfold.rehearse.load.arrivals import arrivals
from tenfold.rehearse.load.messages import Segment

SEGMENTS = st.lists(st.builds(Segment, st.floats(0, 2000, allow_nan=False), st.integers(0, 500_000_000)), max_size=5)


@given(segments=SEGMENTS, seed=st.integers(0, 2**32))
def test_arrivals_ascend_lie_in_their_stage_and_are_as_many_as_ordered(segments: list[Segment], seed: int) -> None:
    """For any stage and any seed."""
    offsets = list(arrivals(segments, Random(seed)))
    expected = sum(segment.rate_rps * segment.duration_ns / 1e9 for segment in segments)
    assert abs(len(offsets) - expected) <= 1
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= sum(segment.duration_ns for segment in segments) for offset in offsets)
