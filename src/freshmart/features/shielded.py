"""Each feature as it is declared: tier, what a customer sees, what its absence costs."""

from tenfold.protect.doors.shields import Shields

RECOMMENDATIONS, REVIEWS, BANNER = "recommendations", "reviews", "banners"
HISTORY, SLOT, IMAGE = "order-history", "delivery-slots", "images"
OWNER = "storefront"

_DECLARED = (
    (RECOMMENDATIONS, "P3", "what others bought with it", "the second item that a customer had not thought of"),
    (REVIEWS, "P3", "what others think of it", "first purchases of products that nobody knows"),
    (BANNER, "P3", "what is on promotion", "promotions that are paid for and not seen"),
    (HISTORY, "P2", "a store's newest orders", "calls to the store: where is my order"),
    (SLOT, "P2", "when it can be delivered", "deliveries at a time of the customer's choice"),
    (IMAGE, "P2", "what it looks like", "appetite: a placeholder stands in for every picture"),
)


def declare_features(shields: Shields) -> None:
    """A shield of the whole chain is one press, so a confirmation is asked for more than three stores at once only."""
    for name, tier, says, cost in _DECLARED:
        shields.declare(name, tier=tier, says=says, cost=cost, owner=OWNER, stores_max=3)  # type: ignore[arg-type]
