"""Makes the compact extract of real grocery data that freshmart ships: `python -m tools.extract_grocery SOURCE`.

SOURCE is a folder with the parquet files of *Complete Journey 2.0* (84.51°, CC0). What every column becomes, and why,
stands in docs/reference/grocery-data.md. The same source gives the same bytes.
"""

import csv
import io
import json
import lzma
import re
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

TARGET = Path(__file__).parent.parent / "src" / "freshmart" / "data"
STORES = 20
PRODUCTS = 22_000
QUANTITY_MAX = 20
LINES_MAX = 20
# Hours move by one between January and July exactly as daylight saving time does in the east of the United States.
LOCAL_TIME = ZoneInfo("America/New_York")
NOT_GOODS = re.compile(
    r"COUPON|MISC ITEMS|FUEL|DEPOSIT|PHOTOFINISHING|TICKETS|CALLING|PREPAID|PHARMACY|(PROD|DELI|MEAT) SUPPLIES|PROPANE"
)
NOT_RETAIL = {
    "AUTOMOTIVE", "CHARITABLE CONT", "CHEF SHOPPE", "CNTRL/STORE SUP", "COUPON", "ELECT &PLUMBING", "FROZEN GROCERY",
    "FUEL", "GM MERCH EXP", "HOUSEWARES", "MISCELLANEOUS", "PHOTO & VIDEO", "POSTAL CENTER", "PROD-WHS SALES", "TOYS",
    "TRAVEL & LEISURE",
}  # fmt: skip

OUNCE_G, POUND_G = 28.349523125, 453.59237
GRAMS = {
    "OZ": OUNCE_G, "FZ": OUNCE_G, "LB": POUND_G, "LBS": POUND_G, "G": 1.0, "GR": 1.0, "GM": 1.0, "KG": 1000.0,
    "ML": 1.0, "L": 1000.0, "LTR": 1000.0, "LT": 1000.0, "PT": 473.0, "QT": 946.0, "GA": 3785.0, "GAL": 3785.0,
}  # fmt: skip
SIZE = re.compile(
    r"(?:(\d+) ?(?:PK|CT) ?/ ?)?(\d*\.?\d+|\d+/\d+)? ?(" + "|".join(sorted(GRAMS, key=len)[::-1]) + r")\.?"
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    sku: int
    name: str
    department: str
    category: str
    brand: str
    package: str
    weight_g: int | None
    price_fen: int
    bought: int


def main(source: Path) -> None:
    catalogue = {sku_of(row): row for row in rows(source / "products.parquet") if is_goods(row)}
    lines = [row for row in rows(source / "transactions_sample.parquet") if sku_of(row) in catalogue]
    baskets = gather_baskets(lines)
    stores = [store for store, _ in Counter(basket["store"] for basket in baskets).most_common(STORES)]
    products = choose_products(catalogue, lines)
    feed = [basket for basket in baskets if basket["store"] in set(stores)]
    write_products(products)
    write_baskets(feed, {product.sku: slug(product.category) for product in products})
    write_stores(stores, Counter(basket["store"] for basket in feed))
    print("hours:", hour_shares(rows(source / "transactions_sample.parquet")))
    print(f"{len(products)} products, {len(stores)} stores, {len(feed)} baskets")


def rows(path: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(path).to_pylist())


def is_goods(row: Row) -> bool:
    """A thing that a shop has on a shelf, of a real department, with a category."""
    category = row["product_category"]
    return bool(category) and row["department"] not in NOT_RETAIL and not NOT_GOODS.search(category)


def sku_of(row: Row) -> int:
    """The source went through R, which wrote some round numbers as `9e+05`."""
    return int(float(row["product_id"]))


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def gather_baskets(lines: Iterable[Row]) -> list[dict[str, Any]]:
    """Real baskets, each line's pieces added up and bounded; in order of time, then of basket."""
    gathered: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        gathered[line["basket_id"]].append(line)
    ordered = sorted(gathered.items(), key=lambda item: (item[1][0]["transaction_timestamp"], item[0]))
    return [basket_of(lines) for _, lines in ordered]


def basket_of(lines: list[Row]) -> dict[str, Any]:
    quantities: Counter[int] = Counter()
    for line in sorted(lines, key=sku_of):
        quantities[sku_of(line)] += max(1, int(line["quantity"]))
    looked_at = sorted(quantities)[int(float(lines[0]["basket_id"])) % len(quantities)]
    return {
        "store": int(lines[0]["store_id"]),
        "hour": local_hour(lines[0]["transaction_timestamp"]),
        "sku": looked_at,
        "lines": [
            {"sku": sku, "quantity": min(quantity, QUANTITY_MAX)}
            for sku, quantity in list(quantities.items())[:LINES_MAX]
        ],
    }


def local_hour(timestamp_s: float) -> int:
    return datetime.fromtimestamp(timestamp_s, tz=UTC).astimezone(LOCAL_TIME).hour


def hour_shares(lines: Iterable[Row]) -> list[float]:
    """Share of baskets by local hour, of all stores, in percent."""
    began = {line["basket_id"]: line["transaction_timestamp"] for line in lines}
    by_hour = Counter(local_hour(timestamp) for timestamp in began.values())
    return [round(100 * by_hour[hour] / len(began), 2) for hour in range(24)]


def choose_products(catalogue: Mapping[int, Row], lines: Iterable[Row]) -> list[Product]:
    """Everything that was bought, the most bought first; then what was not, lowest number first, to PRODUCTS."""
    paid_fen: dict[int, list[float]] = defaultdict(list)
    for line in lines:
        if line["sales_value"] > 0 and line["quantity"] > 0:
            paid_fen[sku_of(line)].append(100 * line["sales_value"] / line["quantity"])
    bought = Counter(sku_of(line) for line in lines)
    typical = category_prices_fen(catalogue, paid_fen)
    unbought = sorted(sku for sku in catalogue if sku not in bought)
    ordered = sorted(bought, key=lambda sku: (-bought[sku], sku)) + unbought
    return [
        product_of(sku, catalogue[sku], paid_fen.get(sku), typical, bought[sku])
        for sku in ordered[: max(PRODUCTS, len(bought))]
    ]


def category_prices_fen(catalogue: Mapping[int, Row], paid_fen: Mapping[int, list[float]]) -> dict[str, float]:
    """What a product of a category typically costs: the median of its products' medians."""
    medians: dict[str, list[float]] = defaultdict(list)
    for sku, prices in paid_fen.items():
        medians[catalogue[sku]["product_category"]].append(statistics.median(prices))
    return {category: statistics.median(prices) for category, prices in medians.items()}


def product_of(
    sku: int, row: Row, paid_fen: list[float] | None, typical_fen: Mapping[str, float], bought: int
) -> Product:
    price_fen = statistics.median(paid_fen) if paid_fen else plausible_fen(sku, row["product_category"], typical_fen)
    package = row["package_size"] or ""
    grams = weight_g(package, row["department"])
    shown = package.lower() if grams or row["department"] != "PRODUCE" else ""
    return Product(
        sku=sku,
        name=" ".join(filter(None, (title(row["product_type"] or row["product_category"]), shown))),
        department=title(row["department"]),
        category=title(row["product_category"]),
        brand=row["brand"],
        package=package,
        weight_g=grams,
        price_fen=max(1, round(price_fen)),
        bought=bought,
    )


def plausible_fen(sku: int, category: str, typical_fen: Mapping[str, float]) -> float:
    """The category's typical price, 0.70 to 1.30 times of it by the SKU's digits; 399 where a category has none."""
    return typical_fen.get(category, 399.0) * (0.70 + (sku * 2_654_435_761 % 61) / 100)


def title(text: str) -> str:
    words = re.sub(r"\s+", " ", re.sub(r"\s*([/&:,-])\s*", r"\1", text)).strip().lower()
    return re.sub(r"(^|[\s/&:-])([a-z])", lambda found: found[1] + found[2].upper(), words)


def weight_g(package: str, department: str) -> int | None:
    """Grams (a millilitre counts as one) where the size states one; a crate of produce says nothing of a piece."""
    found = SIZE.fullmatch(package.strip().upper())
    if found is None:
        return None
    packs, amount, unit = found.groups()
    numerator, _, denominator = (amount or "1").partition("/")
    grams = int(packs or 1) * float(numerator) / float(denominator or 1) * GRAMS[unit]
    is_crate = department == "PRODUCE" and grams > 5_000
    return None if is_crate or not 1 <= grams <= 50_000 else round(grams)


def write_products(products: Iterable[Product]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("sku", "name", "department", "category", "slug", "brand", "package", "weight_g", "price_fen", "bought")
    )
    for p in products:
        writer.writerow(
            (
                p.sku,
                p.name,
                p.department,
                p.category,
                slug(p.category),
                p.brand,
                p.package,
                p.weight_g,
                p.price_fen,
                p.bought,
            )
        )
    write_xz("products.csv.xz", text.getvalue())


def write_baskets(baskets: Iterable[dict[str, Any]], category: Mapping[int, str]) -> None:
    placed = ({**basket, "category": category[basket["sku"]]} for basket in baskets)
    keys = ("store", "hour", "sku", "category", "lines")
    text = "".join(json.dumps({key: basket[key] for key in keys}, separators=(",", ":")) + "\n" for basket in placed)
    write_xz("baskets.jsonl.xz", text)


def write_stores(stores: Iterable[int], baskets: Mapping[int, int]) -> None:
    text = "store,baskets\n" + "".join(f"{store},{baskets[store]}\n" for store in stores)
    (TARGET / "stores.csv").write_text(text, encoding="utf-8")


def write_xz(name: str, text: str) -> None:
    (TARGET / name).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
