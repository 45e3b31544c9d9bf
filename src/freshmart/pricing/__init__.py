"""What products cost.

price      the price of a product in a store
postgres   reads prices from the database
change     a new price, and the note that all must be told
herald     tells every process and both clusters of new prices
"""

from freshmart.pricing.change import PriceRefused, change_price
from freshmart.pricing.herald import PriceHerald
from freshmart.pricing.postgres import price_key, read_prices
from freshmart.pricing.price import STORE_PRICE, store_price_fen

__all__ = ["STORE_PRICE", "PriceHerald", "PriceRefused", "change_price", "price_key", "read_prices", "store_price_fen"]
