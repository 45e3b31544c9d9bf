"""What products cost.

postgres   what a product costs in a store: set when the shop is seeded, read by key
change     a new price, and the note that all must be told
publisher  tells every process and both clusters of new prices
"""

from freshmart.pricing.change import PriceRefused, change_price
from freshmart.pricing.postgres import STORE_PRICE, price_key, read_prices
from freshmart.pricing.publisher import PricePublisher

__all__ = ["STORE_PRICE", "PricePublisher", "PriceRefused", "change_price", "price_key", "read_prices"]
