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
