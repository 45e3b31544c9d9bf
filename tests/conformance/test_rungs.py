"""What every rung must do, in memory and on real engines alike. To test your own, add a way to make it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest
from tests.integration.protect.ground import Ground, opened_ground

from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.protect import Rung
from tenfold.protect.postgres import PostgresRung
from tenfold.protect.testing import MemoryRung
from tenfold.protect.valkey import ValkeyRung

HELD = {f"key-{number}": f"value-{number}".encode() for number in range(300)} | {
    "ключ/🔑 with spaces\r\n": b"any text is a key",
    "empty": b"",
    "binary": bytes(range(256)),
    "large": b"x" * 300_000,
}
QUERY = "SELECT key, value FROM held WHERE key = any($1::text[])"

MakeRung = Callable[[Ground], AbstractAsyncContextManager[Rung]]
"""Opens a rung that holds HELD."""


@asynccontextmanager
async def memory(ground: Ground) -> AsyncIterator[Rung]:
    yield MemoryRung("memory", HELD)


@asynccontextmanager
async def valkey(ground: Ground) -> AsyncIterator[Rung]:
    rung = ValkeyRung("main", ground.url("main.primary"), ttl=Duration.from_s(60), timeout=Duration.from_s(5))
    for key, value in HELD.items():
        await rung.fill(key, value)
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


pytestmark = [
    pytest.mark.engines,
    pytest.mark.parametrize("make_rung", [memory, valkey, postgres], ids=["memory", "valkey", "postgres"]),
]


def test_a_rung_answers_what_it_holds_byte_for_byte(ground: Ground, make_rung: MakeRung) -> None:
    """Any text is a key; a value may be empty, binary or large."""

    async def test() -> None:
        async with make_rung(ground) as rung:
            for key, value in HELD.items():
                assert await rung.read(key) == value

    ground.run(test())


def test_a_rung_says_none_for_what_it_does_not_hold(ground: Ground, make_rung: MakeRung) -> None:
    """None is "not here", and is not the empty value."""

    async def test() -> None:
        async with make_rung(ground) as rung:
            assert await rung.read("nowhere") is None
            assert await rung.read("empty") == b""

    ground.run(test())


def test_concurrent_readers_each_get_their_own_answer(ground: Ground, make_rung: MakeRung) -> None:
    """Hundreds at once, some twice, some for what is not there."""

    async def test() -> None:
        keys = [*HELD, *HELD, *(f"nowhere-{number}" for number in range(300))]
        async with make_rung(ground) as rung:
            answers = await asyncio.gather(*(rung.read(key) for key in keys))
        assert answers == [HELD.get(key) for key in keys]

    ground.run(test())


def test_a_reader_who_leaves_leaves_the_others_their_answers(ground: Ground, make_rung: MakeRung) -> None:
    """Every other reader is cancelled at a different moment."""

    async def test() -> None:
        async with make_rung(ground) as rung:
            keys = [key for key in HELD if key.startswith("key-")]
            readers = {key: asyncio.create_task(rung.read(key)) for key in keys}
            for place, key in enumerate(keys[::2]):
                if place % 10 == 0:
                    await asyncio.sleep(0)
                readers[key].cancel()
            await asyncio.wait(readers.values())
            for key in keys[1::2]:
                assert readers[key].result() == HELD[key]

    ground.run(test())


def test_a_fill_is_taken_or_ignored_and_never_changes_another_key(ground: Ground, make_rung: MakeRung) -> None:
    """A rung that keeps nothing goes on answering what it holds."""

    async def test() -> None:
        async with make_rung(ground) as rung:
            await rung.fill("filled", b"new")
            assert await rung.read("filled") in (b"new", None)
            assert await rung.read("key-1") == HELD["key-1"]

    ground.run(test())


def test_closing_leaves_no_task_behind(ground: Ground, make_rung: MakeRung) -> None:
    """Nothing runs on after the rung is closed."""

    async def test() -> None:
        async with make_rung(ground) as rung:
            await asyncio.gather(*(rung.read(key) for key in HELD))
        assert [task for task in asyncio.all_tasks() if "Batcher" in repr(task)] == []

    ground.run(test())
