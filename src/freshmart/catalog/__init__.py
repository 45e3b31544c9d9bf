"""What is sold.

product    products, stores and baskets as records
extract    the real grocery data that the package ships
postgres   reads category pages and products from the database
"""

from freshmart.catalog.extract import read_baskets, read_products, read_stores
from freshmart.catalog.postgres import READ_PRODUCTS, page_key, read_pages, read_pictures, read_store_numbers
from freshmart.catalog.product import Basket, BasketLine, Product, RetailStore

__all__ = [
    "READ_PRODUCTS",
    "Basket",
    "BasketLine",
    "Product",
    "RetailStore",
    "page_key",
    "read_baskets",
    "read_pages",
    "read_pictures",
    "read_products",
    "read_store_numbers",
    "read_stores",
]
