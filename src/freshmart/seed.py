"""`python -m freshmart.seed`: migrates the database, fills an empty shop from the real data, uploads its pictures."""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from freshmart.catalog import Product, RetailStore, read_baskets, read_products, read_stores
from freshmart.features import BANNERS, REVIEWED, SLOTS, bought_together, reviews
from freshmart.inventory import PLENTY, SCARCE, festival_shelves
from freshmart.media import PictureStore, category_key, draw_picture, product_key
from freshmart.migrate import migrate
from freshmart.pricing import STORE_PRICE
from freshmart.serve import run_program
from freshmart.settings import Settings, read_settings
from tenfold.kernel import Duration

PICTURED = 2_000
"""So many products have a picture of their own; any other shows its category's."""
UPLOAD_TIMEOUT = Duration.from_s(10)
_LOCK = 0x66726573685F7364  # one seeding at a time
SETTLE = "VACUUM (ANALYZE)"
"""What was copied in is vacuumed at once. Left to the server, that begins a minute later, in the middle of the steps:
every page is touched, and with it written to the log, to the replica and to both disks."""


async def seed(settings: Settings) -> None:
    """Safe to run again: what is there stays."""
    products, stores = read_products(), read_stores()
    began = time.monotonic()
    database = asyncio.create_task(seed_database(settings, products, stores))
    await upload_pictures(settings, products)
    pictures_s = time.monotonic() - began
    await database
    print(f"pictures {pictures_s:.1f} s, all {time.monotonic() - began:.1f} s")  # noqa: T201


async def seed_database(settings: Settings, products: Sequence[Product], stores: Sequence[RetailStore]) -> None:
    connection = await asyncpg.connect(settings.primary_url, timeout=10)
    second = await asyncpg.connect(settings.primary_url, timeout=10)
    try:
        await migrate(connection)
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if await connection.fetchval("SELECT EXISTS (SELECT FROM stock)"):
            return
        await _fill_catalogue(connection, products, stores)
        await asyncio.gather(_fill_prices(connection), _fill_shelves(second))
        await _checkpoint(connection)
    finally:
        await asyncio.gather(connection.close(), second.close())


async def _fill_catalogue(connection: Any, products: Sequence[Product], stores: Sequence[RetailStore]) -> None:
    """Stores come last in the same transaction as products, so that a seeding cut short starts over."""
    async with connection.transaction():
        await connection.execute("TRUNCATE product, category, store, price, banner")
        categories = {product.slug: (product.slug, product.category, product.department) for product in products}
        await connection.copy_records_to_table("category", records=categories.values())
        await connection.copy_records_to_table("product", records=[_product_row(*row) for row in enumerate(products)])
        await connection.copy_records_to_table("store", records=[(s.store, f"Store {s.store}") for s in stores])
        await _fill_features(connection, products, stores)
    await connection.execute(f"{SETTLE} category, product, store, bought_together, review")


async def _fill_features(connection: Any, products: Sequence[Product], stores: Sequence[RetailStore]) -> None:
    await connection.execute("TRUNCATE bought_together, review, banner, delivery_slot")
    pairs = bought_together([line.sku for line in basket.lines] for basket in read_baskets())
    await connection.copy_records_to_table("bought_together", records=pairs)
    said = reviews(product.sku for product in products[:REVIEWED])
    await connection.copy_records_to_table("review", records=said)
    ranked = [(*banner, rank) for rank, banner in enumerate(BANNERS)]
    await connection.copy_records_to_table("banner", records=ranked)
    slots = [(store.store, hour, deliveries) for store in stores for hour, deliveries in SLOTS]
    await connection.copy_records_to_table("delivery_slot", records=slots)


def _product_row(place: int, product: Product) -> tuple[object, ...]:
    picture = product_key(product.sku) if place < PICTURED else category_key(product.slug)
    p = product
    return (p.sku, p.name, p.slug, p.brand, p.package, p.weight_g, p.price_fen, p.bought, picture)


async def _fill_prices(connection: Any) -> None:
    await connection.execute(
        f"""
        INSERT INTO price (store, sku, valid_from, unit_price_fen)
        SELECT store, sku, date_trunc('day', now()), {STORE_PRICE}
        FROM store CROSS JOIN product
        ORDER BY store, sku
        """  # noqa: S608  # a constant of ours
    )
    await connection.execute(f"{SETTLE} price")


async def _fill_shelves(connection: Any) -> None:
    offers = festival_shelves([(basket.store, [line.sku for line in basket.lines]) for basket in read_baskets()])
    async with connection.transaction():
        await connection.execute(
            """
            INSERT INTO stock (store, sku, shadow, opening, on_hand)
            SELECT store, sku, shadow, pieces, pieces
            FROM store
            CROSS JOIN product
            CROSS JOIN (VALUES (false), (true)) AS lane (shadow)
            LEFT JOIN unnest($1::integer[], $2::integer[]) AS offer (store, sku) USING (store, sku)
            CROSS JOIN LATERAL (SELECT CASE WHEN offer.sku IS NULL THEN $3::integer ELSE $4 END) AS shelf (pieces)
            ORDER BY store, sku, shadow
            """,
            [store for store, _ in offers],
            [sku for _, sku in offers],
            PLENTY,
            SCARCE,
        )
    await connection.execute(f"{SETTLE} stock")


async def _checkpoint(connection: Any) -> None:
    """What a replica that restarts in the middle of the peak would replay begins here, not before the seeding.

    It took 4.5 s to come back without this. A role that may not ask for a checkpoint has one sooner or later anyway.
    """
    if await connection.fetchval("SELECT pg_has_role('pg_checkpoint', 'USAGE')"):
        await connection.execute("CHECKPOINT")


async def upload_pictures(settings: Settings, products: Sequence[Product]) -> None:
    """The same bytes at the same keys each time, so that doing it twice changes nothing."""
    pictures = {product_key(p.sku): draw_picture(p.name, p.category, str(p.sku)) for p in products[:PICTURED]}
    categories = {p.slug: p for p in products}
    pictures |= {category_key(slug): draw_picture(p.category, p.department, slug) for slug, p in categories.items()}
    store = PictureStore(settings.objects_url, settings.bucket, timeout=UPLOAD_TIMEOUT, retries_max=5)
    await store.put_all(pictures)


if __name__ == "__main__":
    sys.exit(run_program("seed", lambda: asyncio.run(seed(read_settings())), (asyncpg.PostgresError,)))
