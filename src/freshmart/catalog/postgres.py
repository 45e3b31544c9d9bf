"""Reads the catalogue from PostgreSQL, as the JSON that is sent."""

from collections.abc import Mapping
from typing import Any

PAGE_PRODUCTS = 24

_READ_PAGES = f"""
    SELECT asked.store || ':' || asked.slug AS key,
        json_build_object(
            'store', asked.store, 'category', category.slug, 'title', category.title, 'department', department,
            'products', shown.products)::text AS value
    FROM unnest($1::integer[], $2::text[]) AS asked (store, slug)
    JOIN store USING (store)
    JOIN category USING (slug)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'sku', best.sku, 'name', best.name, 'brand', best.brand, 'unit_price_fen', in_force.unit_price_fen,
            'image', '/products/' || best.sku || '/image')) AS products
        FROM (
            SELECT sku, name, brand FROM product
            WHERE product.category = asked.slug
            ORDER BY popularity DESC, sku
            LIMIT {PAGE_PRODUCTS}
        ) AS best
        CROSS JOIN LATERAL (
            SELECT unit_price_fen FROM price
            WHERE price.store = asked.store AND price.sku = best.sku AND price.valid_from <= now()
            ORDER BY price.valid_from DESC
            LIMIT 1
        ) AS in_force
    ) AS shown
"""  # noqa: S608  # a constant of ours

READ_PRODUCTS = """
    SELECT sku::text, json_build_object(
        'sku', sku, 'name', name, 'category', product.category, 'title', category.title, 'department', department,
        'brand', brand, 'package', package, 'weight_g', weight_g, 'image', '/products/' || sku || '/image')::text
    FROM product JOIN category ON category.slug = product.category
    WHERE sku = ANY ($1::text[]::integer[])
"""
"""The rung query of a product: (SKU, JSON) for each SKU that is there."""


def page_key(store: int, slug: str) -> str:
    return f"{store}:{slug}"


async def read_pages(connection: Any, keys: list[str]) -> Mapping[str, bytes]:
    """A category's most bought products with their prices, by `page_key`."""
    pairs = [key.split(":", 1) for key in keys]
    rows = await connection.fetch(_READ_PAGES, [int(store) for store, _ in pairs], [slug for _, slug in pairs])
    return {row["key"]: row["value"].encode() for row in rows}


async def read_pictures(connection: Any) -> dict[int, str]:
    """Where each product's picture lies in the object store, by SKU."""
    return {row["sku"]: row["picture"] for row in await connection.fetch("SELECT sku, picture FROM product")}


async def read_store_numbers(connection: Any) -> list[int]:
    """The number of each store, ascending."""
    return [row["store"] for row in await connection.fetch("SELECT store FROM store ORDER BY store")]
