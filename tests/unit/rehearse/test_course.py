from tenfold.rehearse.load.course import TICK_NS, Course
from tenfold.rehearse.load.messages import Segment, Stage

STAGE = Stage("drill", [Segment(4, TICK_NS), Segment(8, 3 * TICK_NS)])
OFFSETS = [TICK_NS // 2, TICK_NS, 3 * TICK_NS]


def course() -> Course:
    return Course(STAGE, iter(OFFSETS), start_ns=0)


def test_every_tick_is_made_once_but_the_one_at_the_end_which_is_the_last() -> None:
    """A tick of nothing but stragglers has a median that says nothing."""
    stage = course()
    assert [stage.ticks(at) for at in (TICK_NS - 1, TICK_NS, TICK_NS, 2 * TICK_NS, 3 * TICK_NS)] == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert [stage.ticks(4 * TICK_NS), stage.ticks(4 * TICK_NS + 1), stage.ticks(5 * TICK_NS)] == [False, False, True]


def test_a_stage_is_over_when_its_time_is_and_every_arrival_was_taken_in_hand() -> None:
    """A caller that comes late finds what fell due meanwhile."""
    stage = course()
    assert not stage.is_over(5 * TICK_NS)
    assert [stage.pacer.take(5 * TICK_NS) for _ in range(4)] == [*OFFSETS, None]
    assert stage.is_over(4 * TICK_NS)
    assert not stage.is_over(4 * TICK_NS - 1)


def test_each_arrival_belongs_to_the_segment_in_which_it_is_due() -> None:
    stage = course()
    rates = [stage.segment_at(at).rate_rps for at in (0, TICK_NS - 1, TICK_NS, 4 * TICK_NS)]
    assert rates == [4, 4, 8, 8]


def test_an_early_end_is_at_the_next_tick_and_says_how_long_it_lasted() -> None:
    """What falls due before it is sent; what would have after it is not, and nothing is dropped for it."""
    stage = course()
    assert stage.ticks(TICK_NS)
    stage.end_early()
    assert stage.lasted_ns == 2 * TICK_NS
    assert [stage.pacer.take(2 * TICK_NS) for _ in range(3)] == [OFFSETS[0], OFFSETS[1], None]
    assert stage.is_over(2 * TICK_NS)


def test_an_end_that_comes_too_late_ends_nothing() -> None:
    stage = course()
    for at in range(1, 6):
        stage.ticks(at * TICK_NS)
    stage.end_early()
    assert stage.lasted_ns == 4 * TICK_NS
