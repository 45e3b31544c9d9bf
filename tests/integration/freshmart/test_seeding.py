"""The seed on real servers: what it fills, and that doing it again changes nothing."""

import asyncpg
import pytest
from tests.freshmart_shop import Shop

from freshmart.catalog import read_products, read_stores
from freshmart.migrate import SchemaUnknown, migrate, migrations
from freshmart.seed import seed

pytestmark = pytest.mark.engines

COUNTS = "SELECT (SELECT count(*) FROM price), (SELECT count(*) FROM stock), (SELECT sum(opening) FROM stock)"


def test_every_store_has_a_price_and_two_shelves_for_every_product(shop: Shop) -> None:
    """20 stores and more than 20,000 products, all real."""
    shelves = len(read_stores()) * len(read_products())
    assert len(read_stores()) >= 20
    assert len(read_products()) >= 20_000
    assert shop.run(shop.one("SELECT count(DISTINCT (store, sku)) FROM price")) == shelves
    assert shop.run(shop.one("SELECT count(*) FROM stock")) == 2 * shelves


def test_seeding_again_changes_nothing(shop: Shop) -> None:
    """So a setup that was cut short can be run once more."""

    async def seed_again() -> bool:
        connection = await shop.control()
        before = await connection.fetchrow(COUNTS)
        await seed(shop.settings)
        after = await connection.fetchrow(COUNTS)
        await connection.close()
        return bool(before == after)

    assert shop.run(seed_again())


def store_price_fen(list_price_fen: int, store: int, sku: int) -> int:
    """95 % to 105 % of the list price, integer fen, rounded half up."""
    return max(1, (list_price_fen * (95 + (store * 31 + sku * 17) % 11) + 50) // 100)


def test_a_store_price_follows_the_formula_and_stays_within_five_percent(shop: Shop) -> None:
    """The database computes it; the formula is written here once more."""

    async def prices() -> list[asyncpg.Record]:
        connection = await shop.control()
        rows = await connection.fetch(
            "SELECT store, sku, list_price_fen, unit_price_fen FROM price JOIN product USING (sku) WHERE sku % 37 = 0"
        )
        await connection.close()
        return list(rows)

    rows = shop.run(prices())
    assert len(rows) > 5_000
    for row in rows:
        list_fen, price_fen = row["list_price_fen"], row["unit_price_fen"]
        assert price_fen == store_price_fen(list_fen, row["store"], row["sku"])
        assert price_fen >= 1
        assert list_fen * 0.95 - 0.5 <= price_fen <= list_fen * 1.05 + 0.5 or price_fen == 1


def test_a_database_of_a_newer_build_is_left_alone(shop: Shop) -> None:
    """A migration that this build does not know is an error, and nothing is applied."""

    async def meet_a_newer_one() -> None:
        connection = await asyncpg.connect(shop.settings.primary_url)
        assert await migrate(connection) == []
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("INSERT INTO schema_migrations (name) VALUES ('9999_future.sql')")
            with pytest.raises(SchemaUnknown, match=r"9999_future\.sql"):
                await migrate(connection)
        finally:
            await transaction.rollback()
            await connection.close()

    shop.run(meet_a_newer_one())
    assert sorted(migrations()) == list(migrations())
