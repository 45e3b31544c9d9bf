"""Which waiting orders the relay sends, and when it sends one again."""

from uuid import UUID, uuid4

from freshmart.orders import Relay
from tenfold.kernel import Duration

RESEND_AFTER = Duration.from_s(2)


def test_an_order_is_sent_once_and_again_only_when_it_still_waits_after_a_while() -> None:
    """What was lost with the stream goes again; what is on its way does not."""
    relay = Relay(RESEND_AFTER)
    order = uuid4()
    assert relay.due([order], 0) == [order]
    relay.sent([order], 0)
    assert relay.due([order], RESEND_AFTER.ns - 1) == []
    assert relay.due([order], RESEND_AFTER.ns) == [order]
    relay.sent([order], RESEND_AFTER.ns)
    assert relay.resent == 1


def test_what_waits_no_longer_is_forgotten() -> None:
    """So the memory is bounded by what waits."""
    relay = Relay(RESEND_AFTER)
    gone, waiting = uuid4(), uuid4()
    relay.sent([gone, waiting], 0)
    assert relay.due([waiting], 1) == []
    assert relay.due([gone, waiting], 2) == [gone]


def test_orders_are_sent_in_the_order_in_which_they_wait() -> None:
    """The oldest first."""
    orders = [UUID(int=n) for n in range(5)]
    assert Relay(RESEND_AFTER).due(orders, 0) == orders
