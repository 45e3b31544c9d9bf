"""Reading an order: what is refused, and which orders are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshmart.orders import AskedLine, AskedOrder, OrderMalformed, read_order
from freshmart.orders.order import fingerprint

numbers = st.integers(1, 2**31 - 1)
lines = st.lists(st.builds(AskedLine, numbers, st.integers(1, 999)), min_size=1, max_size=5)
orders = st.builds(AskedOrder, numbers, lines)


@given(orders, orders, st.booleans(), st.booleans())
def test_two_orders_have_one_fingerprint_exactly_when_they_are_the_same(
    one: AskedOrder, other: AskedOrder, one_lane: bool, other_lane: bool
) -> None:
    """Store, lane, every line and their order count."""
    same = (one, one_lane) == (other, other_lane)
    assert (fingerprint(one, shadow=one_lane) == fingerprint(other, shadow=other_lane)) == same


def test_a_sku_in_two_lines_is_malformed() -> None:
    """Two lines of one product would be charged and counted as one thing twice."""
    with pytest.raises(OrderMalformed, match="two lines"):
        read_order(AskedOrder(1, [AskedLine(7, 1), AskedLine(7, 2)]), "a-good-key", shadow=False)
