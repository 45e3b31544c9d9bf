"""How often a service that crashes is started again, and after which pause."""

from tenfold.bootstrap.restart_bound import FIRST, LONGEST, RESTARTS_MAX, WITHIN, RestartBound

SECOND_NS = 1_000_000_000


def test_pauses_grow_and_end_when_it_crashes_too_often() -> None:
    """A service that cannot run is not started for ever."""
    bound = RestartBound()
    waits = [bound.next_s(n * SECOND_NS) for n in range(RESTARTS_MAX + 1)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, None]
    assert waits[0] == FIRST.s


def test_rare_crashes_are_borne_for_ever_and_forgotten() -> None:
    """One an hour: each time at once, as the first time."""
    bound = RestartBound()
    assert {bound.next_s(n * 3600 * SECOND_NS) for n in range(100)} == {FIRST.s}


def test_bound_is_on_any_minute() -> None:
    """The sixth comes when the first is a minute old; the pause is never longer than its bound."""
    bound = RestartBound()
    every_ns = WITHIN.ns // RESTARTS_MAX
    waits = [bound.next_s(n * every_ns) for n in range(20)]
    assert None not in waits
    assert waits[-1] == LONGEST.s
