"""Which waiting orders the relay sends, and when it sends one again."""

from uuid import UUID, uuid4

from freshmart.orders import SentOrders
from tenfold.kernel import Duration

RESEND_AFTER = Duration.from_s(2)


def test_an_order_is_sent_once_and_again_only_when_it_still_waits_after_a_while() -> None:
    """What was lost with the stream goes again; what is on its way does not."""
    orders_sent = SentOrders(RESEND_AFTER)
    order = uuid4()
    assert orders_sent.due([order], 0) == [order]
    orders_sent.sent([order], 0)
    assert orders_sent.due([order], RESEND_AFTER.ns - 1) == []
    assert orders_sent.due([order], RESEND_AFTER.ns) == [order]
    orders_sent.sent([order], RESEND_AFTER.ns)
    assert orders_sent.resent == 1


def test_what_waits_no_longer_is_forgotten() -> None:
    """So the memory is bounded by what waits."""
    orders_sent = SentOrders(RESEND_AFTER)
    gone, waiting = uuid4(), uuid4()
    orders_sent.sent([gone, waiting], 0)
    assert orders_sent.due([waiting], 1) == []
    assert orders_sent.due([gone, waiting], 2) == [gone]


def test_orders_are_sent_in_the_order_in_which_they_wait() -> None:
    """The oldest first."""
    orders = [UUID(int=n) for n in range(5)]
    assert SentOrders(RESEND_AFTER).due(orders, 0) == orders
