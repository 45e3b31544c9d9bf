"""What the shop can do without: recommendations, reviews, promotion banners, order history, delivery slots, images.

shielded   each as it is declared: tier, what a customer sees, what its absence costs
samples    what they show, made from the real baskets and by seeded chance
postgres   reads them from the database
"""

from freshmart.features.postgres import (
    history_key,
    read_banners,
    read_history,
    read_recommendations,
    read_reviews,
    read_slots,
)
from freshmart.features.samples import BANNERS, REVIEWED, SLOTS, bought_together, reviews
from freshmart.features.shielded import BANNER, HISTORY, IMAGE, RECOMMENDATIONS, REVIEWS, SLOT, declare_features

__all__ = [
    "BANNER",
    "BANNERS",
    "HISTORY",
    "IMAGE",
    "RECOMMENDATIONS",
    "REVIEWED",
    "REVIEWS",
    "SLOT",
    "SLOTS",
    "bought_together",
    "declare_features",
    "history_key",
    "read_banners",
    "read_history",
    "read_recommendations",
    "read_reviews",
    "read_slots",
    "reviews",
]
