"""The suite that is shipped for every rung holds for ours, in memory and on real engines; and it can fail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest
from tests.integration.protect.ground import Ground, opened_ground

from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.protect import Rung
from tenfold.protect.reads.found import UNKNOWN, Found
from tenfold.protect.reads.postgres import PostgresRung
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.testing import HELD, RUNG_LAWS, MemoryRung, RungLaw

QUERY = "SELECT key, value FROM held WHERE key = any($1::text[])"

MakeRung = Callable[[Ground], AbstractAsyncContextManager[Rung]]
"""Opens a rung that holds HELD."""


@asynccontextmanager
async def memory(ground: Ground) -> AsyncIterator[Rung]:
    yield MemoryRung("memory", HELD)


@asynccontextmanager
async def valkey(ground: Ground) -> AsyncIterator[Rung]:
    rung = ValkeyRung("main", ground.url("main.primary"), ttl=Duration.from_s(60), timeout=Duration.from_s(5))
    await rung.fill({key: Found(value) for key, value in HELD.items()})
    yield rung
    await rung.close()


@asynccontextmanager
async def postgres(ground: Ground) -> AsyncIterator[Rung]:
    async with asyncpg.create_pool(ground.url("database.primary"), min_size=0, max_size=2) as pool:
        await pool.execute("CREATE TABLE IF NOT EXISTS held (key text PRIMARY KEY, value bytea)")
        await pool.executemany("INSERT INTO held VALUES ($1, $2) ON CONFLICT DO NOTHING", list(HELD.items()))
        rung = PostgresRung("primary", pool, QUERY, timeout=Duration.from_s(5))
        yield rung
        await rung.close()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("rungs")
    with opened_ground(folder, main=Engine.VALKEY, database=Engine.POSTGRESQL) as ground:
        yield ground


@pytest.mark.engines
@pytest.mark.parametrize("law", RUNG_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("make_rung", [memory, valkey, postgres], ids=lambda make: make.__name__)
def test_a_rung_keeps_every_law(ground: Ground, make_rung: MakeRung, law: RungLaw) -> None:
    """The fake in memory stands where real ones do because it passes what they pass."""
    ground.run(law(lambda: make_rung(ground)))


class Wrong(MemoryRung):
    """A rung with every fault at once."""

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        self.background = asyncio.create_task(asyncio.sleep(60))
        if len(self.reads) % 3:
            raise asyncio.CancelledError
        return await super().read("key-0") or Found(b"")


@pytest.mark.parametrize("law", RUNG_LAWS, ids=lambda law: law.__name__)
def test_a_wrong_rung_breaks_every_law(law: RungLaw) -> None:
    """A suite that a wrong rung passes would prove nothing."""

    @asynccontextmanager
    async def wrong() -> AsyncIterator[Rung]:
        yield Wrong("wrong", HELD)

    with pytest.raises((AssertionError, asyncio.CancelledError)):
        asyncio.run(law(wrong))
