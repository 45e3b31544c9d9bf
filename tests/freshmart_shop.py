"""A whole freshmart on real servers, seeded once for all tests of this folder."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from freshmart.catalog import read_products, read_stores
from freshmart.settings import Settings, read_settings
from tenfold.bootstrap import resolve
from tenfold.fleet import FAULT_KINDS, Estate
from tenfold.plan import read_plan

Result = TypeVar("Result")

TOKEN = "the-token-of-these-tests"
PLAN = read_plan(Path(__file__).parents[1] / "plans" / "freshmart.yaml", FAULT_KINDS)


class Shop:
    """The servers, the settings that lead to them, and the event loop that all tests share with them."""

    def __init__(self, runner: asyncio.Runner, estate: Estate) -> None:
        self._runner = runner
        self.estate = estate
        self.events_path = estate.run.reports / "events" / "tests.jsonl"
        self._unused = iter(product.sku for product in read_products()[10_000:])
        self.store, self.other_store = (store.store for store in read_stores()[:2])

    @property
    def environment(self) -> dict[str, str]:
        references = self.estate.references
        return {name: _resolved(value, references) for name, value in PLAN.environment.items()}

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    def new_sku(self) -> int:
        """A product that no other test has touched."""
        return next(self._unused)

    async def control(self) -> Any:
        """A connection of the superuser, whom no fault cuts off."""
        return await asyncpg.connect(self.estate.references["database.primary.control_url"], timeout=5)

    async def stock_up(self, sku: int, pieces: int, *, shadow: bool = True) -> None:
        """Let the day begin with so many pieces on the first store's shelf."""
        connection = await self.control()
        await connection.execute(
            "UPDATE stock SET opening = $3, on_hand = $3 WHERE store = $1 AND sku = $2 AND shadow = $4",
            self.store,
            sku,
            pieces,
            shadow,
        )
        await connection.close()

    async def holds(self, query: str, *arguments: object) -> bool:
        """What a query that answers yes or no says; None, when there is nothing to say it of, is no."""
        return bool(await self.one(query, *arguments))

    async def one(self, query: str, *arguments: object) -> Any:
        connection = await self.control()
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    async def broken_invariants(self, acknowledged: list[tuple[str, int, str]] | None = None) -> set[str]:
        """The plan's own audit; `acknowledged` are key, status and answer of orders."""
        connection = await self.control()
        try:
            await connection.execute(
                "CREATE TEMP TABLE acknowledged (journey text, key text, status integer, answer jsonb)"
            )
            rows = [("order", key, status, answer) for key, status, answer in acknowledged or []]
            await connection.executemany("INSERT INTO acknowledged VALUES ($1, $2, $3, $4::jsonb)", rows)
            return {
                name for name, invariant in PLAN.invariants.items() if await connection.fetchval(invariant.violations)
            }
        finally:
            await connection.close()


async def until(holds: Callable[[], Awaitable[bool]], limit_s: float = 20.0) -> bool:
    """Ask again and again until it holds; TimeoutError when it never does."""
    async with asyncio.timeout(limit_s):
        while not await holds():  # noqa: ASYNC110  # another process is asked, it cannot set an event of ours
            await asyncio.sleep(0.02)
    return True


def _resolved(value: str, references: dict[str, str]) -> str:
    return resolve(value, references)
