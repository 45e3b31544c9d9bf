"""A ladder whose database rung loses its server and finds it again."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
import pytest
from tests.integration.protect.ground import Ground, opened_ground

from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.protect import Breaker, ReadLadder, Step
from tenfold.protect.calls.breaker import BreakerState
from tenfold.protect.reads.postgres import PostgresRung
from tenfold.protect.testing import MemoryRung

pytestmark = pytest.mark.engines

TIMEOUT = Duration.from_ms(500)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with opened_ground(tmp_path_factory.mktemp("postgres"), database=Engine.POSTGRESQL) as ground:
        yield ground


def test_a_database_that_dies_is_passed_over_and_found_again_when_it_is_back(ground: Ground) -> None:
    """No reader gets an error; the pool's dead connections are replaced."""

    async def test() -> None:
        pool = asyncpg.create_pool(ground.url("database.primary"), min_size=0, max_size=3, timeout=TIMEOUT.s)
        async with pool:
            rung = PostgresRung("replica", pool, "SELECT k, k FROM unnest($1::text[]) AS k", timeout=TIMEOUT)
            breaker = Breaker("replica")
            last = MemoryRung("last", {"a": b"a"})
            ladder = ReadLadder("price", steps=[Step(rung, breaker=breaker, timeout=TIMEOUT), Step(last)])
            assert (await ladder.read("a")).rung == "replica"
            await ground.node("database.primary").kill()
            while breaker.state is BreakerState.CLOSED:
                assert (await ladder.read("a")).rung == "last"
            await ground.node("database.primary").start()
            async with asyncio.timeout(10):
                while (await ladder.read("a")).rung != "replica":  # noqa: ASYNC110  # the server is another process
                    await asyncio.sleep(0.01)
            await ladder.close()
            await rung.close()

    ground.run(test())


def test_keys_that_must_be_taken_apart_are_read_by_a_function(ground: Ground) -> None:
    """All keys of one turn in one call."""
    calls: list[list[str]] = []

    async def read_many(connection: Any, keys: list[str]) -> Mapping[str, bytes]:
        calls.append(keys)
        pairs = [tuple(map(int, key.split(":"))) for key in keys]
        rows = await connection.fetch(
            "SELECT a, b, a * b FROM unnest($1::int[], $2::int[]) AS pair(a, b)", *map(list, zip(*pairs, strict=True))
        )
        return {f"{a}:{b}": str(product).encode() for a, b, product in rows}

    async def test() -> None:
        async with asyncpg.create_pool(ground.url("database.primary"), min_size=0, max_size=2) as pool:
            rung = PostgresRung("replica", pool, read_many, timeout=Duration.from_s(5))
            answers = await asyncio.gather(*(rung.read(f"{number}:3") for number in range(20)))
            await rung.close()
        assert [answer and answer.value for answer in answers] == [str(number * 3).encode() for number in range(20)]
        assert len(calls) == 1

    ground.run(test())
