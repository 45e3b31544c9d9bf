"""The stages of a climb."""

import pytest

from tenfold.kernel import Duration
from tenfold.plan.model import Peak, Steps
from tenfold.rehearse.climb import climb, rate_at, step_name, warm_up
from tenfold.rehearse.load.messages import Segment, Stage

PEAK = Peak(daily_peak_rps=300.0, hours=(*[0.02] * 20, *[0.15] * 4))
STEPS = Steps(
    warm_up=Duration.from_s(12),
    factors=(1.0, 2.5, 10.0),
    hold=Duration.from_s(8),
    peak_hold=Duration.from_s(20),
)


def test_the_warm_up_is_one_day_and_its_busiest_hour_is_the_daily_peak() -> None:
    stage = warm_up(PEAK, Duration.from_s(12))
    assert len(stage.segments) == 24
    assert max(segment.rate_rps for segment in stage.segments) == pytest.approx(300.0)
    assert stage.segments[0].rate_rps == pytest.approx(40.0)
    assert sum(segment.duration_ns for segment in stage.segments) == 12_000_000_000


def test_each_step_is_a_multiple_of_the_daily_peak_and_the_last_is_held_longest() -> None:
    steps = climb(PEAK, STEPS)
    assert [(factor, stage.name) for factor, stage in steps] == [(1.0, "1×"), (2.5, "2.5×"), (10.0, "10×")]
    assert [stage.segments[0].rate_rps for _, stage in steps] == [300.0, 750.0, 3000.0]
    assert [stage.segments[0].duration_ns // 10**9 for _, stage in steps] == [8, 8, 20]


def test_the_rate_of_a_stage_follows_its_segments() -> None:
    stage = Stage(name="s", segments=[Segment(10.0, 100), Segment(20.0, 100)])
    assert [rate_at(stage, ns) for ns in (0, 99, 100, 199, 200)] == [10.0, 10.0, 20.0, 20.0, 0.0]


def test_a_whole_factor_is_written_without_a_point() -> None:
    assert (step_name(10.0), step_name(2.5)) == ("10×", "2.5×")
