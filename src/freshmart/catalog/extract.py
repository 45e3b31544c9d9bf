"""The real grocery data that freshmart ships (docs/reference/grocery-data.md), read from the package."""

import csv
import lzma
from importlib.resources import files

import msgspec

from freshmart.catalog.product import Basket, BasketLine, Product, RetailStore

_DATA = files("freshmart") / "data"


class _Row(msgspec.Struct):
    store: int
    lines: list[dict[str, int]]


def read_products() -> list[Product]:
    """Every product, those that were bought first, the most bought ahead."""
    return [
        Product(
            sku=int(row["sku"]),
            name=row["name"],
            department=row["department"],
            category=row["category"],
            slug=row["slug"],
            brand=row["brand"],
            package=row["package"],
            weight_g=int(row["weight_g"]) if row["weight_g"] else None,
            price_fen=int(row["price_fen"]),
            bought=int(row["bought"]),
        )
        for row in csv.DictReader(_unpacked("products.csv.xz").splitlines())
    ]


def read_stores() -> list[RetailStore]:
    """Every store, the busiest first."""
    rows = csv.DictReader((_DATA / "stores.csv").read_text(encoding="utf-8").splitlines())
    return [RetailStore(int(row["store"]), int(row["baskets"])) for row in rows]


def read_baskets() -> list[Basket]:
    decode = msgspec.json.Decoder(_Row).decode
    rows = (decode(line) for line in _unpacked("baskets.jsonl.xz").splitlines())
    return [Basket(row.store, [BasketLine(line["sku"], line["quantity"]) for line in row.lines]) for row in rows]


def _unpacked(name: str) -> str:
    return lzma.decompress((_DATA / name).read_bytes()).decode()
