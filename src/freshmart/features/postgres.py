"""Reads what the features show from PostgreSQL, as the JSON that is sent."""

from collections.abc import Mapping
from typing import Any

SHOWN_MAX = 5
ORDERS_MAX = 20

_RECOMMENDATIONS = """
    SELECT asked.store || ':' || asked.sku AS key,
        json_build_object('store', asked.store, 'sku', asked.sku, 'products', coalesce(shown.products, '[]'))::text
            AS value
    FROM unnest($1::integer[], $2::integer[]) AS asked (store, sku)
    JOIN store USING (store)
    JOIN product AS bought USING (sku)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'sku', product.sku, 'name', product.name, 'unit_price_fen', in_force.unit_price_fen,
            'image', '/products/' || product.sku || '/image') ORDER BY together DESC, product.sku) AS products
        FROM bought_together
        JOIN product ON product.sku = bought_together.other
        CROSS JOIN LATERAL (
            SELECT unit_price_fen FROM price
            WHERE price.store = asked.store AND price.sku = product.sku AND price.valid_from <= now()
            ORDER BY price.valid_from DESC
            LIMIT 1
        ) AS in_force
        WHERE bought_together.sku = asked.sku
    ) AS shown
"""

_REVIEWS = f"""
    SELECT asked.sku::text AS key,
        json_build_object('sku', asked.sku, 'count', said.count, 'stars', said.stars,
            'reviews', coalesce(said.newest, '[]'))::text AS value
    FROM unnest($1::integer[]) AS asked (sku)
    JOIN product USING (sku)
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, round(avg(stars), 1) AS stars,
            json_agg(json_build_object('stars', stars, 'text', text, 'author', author, 'written_on', written_on)
                ORDER BY written_on DESC, n) FILTER (WHERE place <= {SHOWN_MAX}) AS newest
        FROM (
            SELECT *, row_number() OVER (ORDER BY written_on DESC, n) AS place FROM review WHERE review.sku = asked.sku
        ) AS each
    ) AS said
"""  # noqa: S608  # a constant of ours

_BANNERS = """
    SELECT asked.store::text AS key,
        json_build_object('store', asked.store, 'banners', coalesce(shown.banners, '[]'))::text AS value
    FROM unnest($1::integer[]) AS asked (store)
    JOIN store USING (store)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'banner', banner, 'title', title,
            'href', '/stores/' || asked.store || '/categories/' || category) ORDER BY rank) AS banners
        FROM banner
    ) AS shown
"""

_HISTORY = f"""
    SELECT lane || ':' || asked.store AS key,
        json_build_object('store', asked.store, 'orders', coalesce(newest.orders, '[]'))::text AS value
    FROM unnest($1::text[], $2::integer[]) AS asked (lane, store)
    JOIN store USING (store)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'id', id, 'status', status, 'payment', payment, 'total_fen', total_fen, 'placed_at', placed_at)
            ORDER BY id DESC) AS orders
        FROM (
            SELECT id, status, payment, total_fen, placed_at FROM orders
            WHERE orders.store = asked.store AND orders.shadow = (lane = 's')
            ORDER BY id DESC
            LIMIT {ORDERS_MAX}
        ) AS each
    ) AS newest
"""  # noqa: S608  # a constant of ours

_SLOTS = """
    SELECT asked.store::text AS key,
        json_build_object('store', asked.store, 'slots', coalesce(ahead.slots, '[]'))::text AS value
    FROM unnest($1::integer[]) AS asked (store)
    JOIN store USING (store)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'begins_at', begins_at, 'ends_at', begins_at + interval '2 hours', 'deliveries', deliveries)
            ORDER BY begins_at) AS slots
        FROM delivery_slot
        CROSS JOIN LATERAL (
            SELECT date_trunc('day', now()) + make_interval(hours => hour) AS today
        ) AS day
        CROSS JOIN LATERAL (
            SELECT CASE WHEN today > now() THEN today ELSE today + interval '1 day' END AS begins_at
        ) AS slot
        WHERE delivery_slot.store = asked.store
    ) AS ahead
"""

Read = Mapping[str, bytes]


def history_key(store: int, *, shadow: bool) -> str:
    return f"{'s' if shadow else 'r'}:{store}"


async def read_recommendations(connection: Any, keys: list[str]) -> Read:
    """What baskets held beside a product, with the store's prices, by `price_key`."""
    pairs = [key.split(":") for key in keys]
    stores, skus = [int(store) for store, _ in pairs], [int(sku) for _, sku in pairs]
    return _values(await connection.fetch(_RECOMMENDATIONS, stores, skus))


async def read_reviews(connection: Any, keys: list[str]) -> Read:
    """Stars and the newest reviews, by SKU."""
    return _values(await connection.fetch(_REVIEWS, [int(key) for key in keys]))


async def read_banners(connection: Any, keys: list[str]) -> Read:
    """What is on promotion, by store."""
    return _values(await connection.fetch(_BANNERS, [int(key) for key in keys]))


async def read_slots(connection: Any, keys: list[str]) -> Read:
    """The delivery slots of the next 24 hours, by store."""
    return _values(await connection.fetch(_SLOTS, [int(key) for key in keys]))


async def read_history(connection: Any, keys: list[str]) -> Read:
    """A store's newest orders, by `history_key`."""
    pairs = [key.split(":") for key in keys]
    return _values(await connection.fetch(_HISTORY, [lane for lane, _ in pairs], [int(store) for _, store in pairs]))


def _values(rows: Any) -> Read:
    return {row["key"]: row["value"].encode() for row in rows}
