"""`python -m freshmart.reprice --store 7 --sku 1000753 --fen 1290`: a new price, in force at once, everywhere."""

import argparse
import asyncio
import sys

import asyncpg

from freshmart.pricing import change_price
from freshmart.settings import read_settings
from tenfold.kernel import TenfoldError


async def reprice(primary_url: str, store: int, sku: int, unit_price_fen: int) -> None:
    """Raises PriceRefused."""
    connection = await asyncpg.connect(primary_url, timeout=5, command_timeout=5)
    try:
        await change_price(connection, store, sku, unit_price_fen)
    finally:
        await connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m freshmart.reprice", description=__doc__)
    parser.add_argument("--store", type=int, required=True)
    parser.add_argument("--sku", type=int, required=True)
    parser.add_argument("--fen", type=int, required=True, help="the new price of one, in fen")
    asked = parser.parse_args()
    try:
        asyncio.run(reprice(read_settings().primary_url, asked.store, asked.sku, asked.fen))
    except (TenfoldError, OSError, asyncpg.PostgresError) as error:
        print(f"freshmart.reprice: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
