"""`python -m freshmart.reprice --store 7 --sku 1000753 --fen 1290`: a new price, in force at once, everywhere."""

import argparse
import asyncio
import sys

import asyncpg

from freshmart.pricing import change_price
from freshmart.serve import run_program
from freshmart.settings import read_settings


async def reprice(primary_url: str, store: int, sku: int, unit_price_fen: int) -> None:
    """Raises PriceRefused."""
    connection = await asyncpg.connect(primary_url, timeout=5, command_timeout=5)
    try:
        await change_price(connection, store, sku, unit_price_fen)
    finally:
        await connection.close()


async def _reprice(asked: argparse.Namespace) -> None:
    await reprice(read_settings().primary_url, asked.store, asked.sku, asked.fen)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m freshmart.reprice", description=__doc__)
    parser.add_argument("--store", type=int, required=True)
    parser.add_argument("--sku", type=int, required=True)
    parser.add_argument("--fen", type=int, required=True, help="the new price of one, in fen")
    asked = parser.parse_args()
    return run_program("reprice", lambda: asyncio.run(_reprice(asked)), (asyncpg.PostgresError,))


if __name__ == "__main__":
    sys.exit(main())
