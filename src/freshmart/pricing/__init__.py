"""What products cost.

price      the price of a product in a store
postgres   reads prices from the database
"""

from freshmart.pricing.postgres import price_key, read_prices
from freshmart.pricing.price import STORE_PRICE, store_price_fen

__all__ = ["STORE_PRICE", "price_key", "read_prices", "store_price_fen"]
