from tenfold.rehearse.load.pacer import Pacer


def test_nothing_is_handed_out_before_it_is_due() -> None:
    """An early request is one that no customer sent."""
    pacer = Pacer(iter([10, 20]), start_ns=100)
    assert pacer.next_ns == 110
    assert pacer.take(109) is None
    assert pacer.take(110) == 110
    assert pacer.take(110) is None


def test_a_late_caller_gets_every_arrival_with_the_time_it_was_due() -> None:
    """The open model: a pause of the caller is lateness, never fewer arrivals."""
    pacer = Pacer(iter([10, 20, 30]), start_ns=0)
    assert [pacer.take(1000) for _ in range(4)] == [10, 20, 30, None]
    assert pacer.next_ns is None


def test_who_would_come_after_an_early_end_stays_away_and_who_came_before_is_handed_out() -> None:
    """Also the one that was next already, and also when the caller is late."""
    pacer = Pacer(iter([10, 20, 30]), start_ns=0)
    pacer.end(20)
    assert [pacer.take(1000), pacer.take(1000)] == [10, None]
    pacer = Pacer(iter([10, 20]), start_ns=0)
    pacer.end(10)
    assert pacer.next_ns is None
