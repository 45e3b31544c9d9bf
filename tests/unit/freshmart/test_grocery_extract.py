"""The real data that the package ships, and what is made of it."""

import re
import struct
import zlib
from collections import Counter

from freshmart.catalog import read_baskets, read_products, read_stores
from freshmart.inventory import PLENTY, festival_shelves
from freshmart.media import PNG, draw_picture, kind_of, placeholder
from freshmart.media.picture import SIGNATURE, SIZE


def test_the_extract_is_whole_and_clean() -> None:
    """Prices and weights that can be, no coupons, slugs that fit in a path, every SKU once."""
    products = read_products()
    assert len({product.sku for product in products}) == len(products) >= 20_000
    assert all(product.price_fen > 0 and product.name and product.category for product in products)
    assert all(product.weight_g is None or 1 <= product.weight_g <= 50_000 for product in products)
    assert all(re.fullmatch("[a-z0-9-]{1,80}", product.slug) for product in products)
    assert not [product for product in products if "coupon" in product.category.lower()]


def test_every_basket_can_be_ordered() -> None:
    """Known stores, known products, each in one line, 1 to 20 pieces."""
    stores, skus = {store.store for store in read_stores()}, {product.sku for product in read_products()}
    baskets = read_baskets()
    assert {basket.store for basket in baskets} == stores
    assert len(stores) == 20
    for basket in baskets:
        named = [line.sku for line in basket.lines]
        assert len(set(named)) == len(named) > 0
        assert skus.issuperset(named)
        assert all(1 <= line.quantity <= 20 for line in basket.lines)


def test_festival_shelves_are_few_enough_that_most_orders_are_accepted() -> None:
    """At most 2 % of all orders want an offer that is gone: 300 of 306 orders a second are still accepted."""
    baskets = read_baskets()
    offers = set(festival_shelves([(basket.store, [line.sku for line in basket.lines]) for basket in baskets]))
    wanting = [basket for basket in baskets if any((basket.store, line.sku) in offers for line in basket.lines)]
    assert 0.005 < len(wanting) / len(baskets) < 0.02


def test_plenty_lasts_for_a_hundred_thousand_orders() -> None:
    """Of the shelf that the real baskets want most, twice over."""
    baskets = read_baskets()
    wanted: Counter[tuple[int, int]] = Counter()
    for basket in baskets:
        for line in basket.lines:
            wanted[basket.store, line.sku] += line.quantity
    assert 2 * max(wanted.values()) * 100_000 / len(baskets) < PLENTY


def test_pictures_are_repeatable_small_and_escaped() -> None:
    """The same words draw the same picture, of pixels; checksums that hold say that no word broke out of its place."""
    picture = draw_picture("Salt & <script>", "Spices", "7")
    assert picture == draw_picture("Salt & <script>", "Spices", "7")
    assert draw_picture("Salt", "Spices", "8") != draw_picture("Salt", "Spices", "7")
    assert b"Salt & <script>, Spices" in picture
    assert 1_000 < len(picture) < 4_000
    for drawn in (picture, placeholder()):
        assert kind_of(drawn) == PNG
        assert pixels(drawn) == SIZE * (SIZE + 1)


def pixels(png: bytes) -> int:
    """How many bytes its rows hold, every chunk's checksum seen."""
    rows, at = b"", len(SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", png, at + 8 + size) == (zlib.crc32(kind + content),)
        rows += content if kind == b"IDAT" else b""
        at += size + 12
    return len(zlib.decompress(rows))
