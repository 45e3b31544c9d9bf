"""The examples of the documentation that need servers, each a program of its own beside real ones."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest
from benchmarks.protect.followers import ControlProcess
from tests.integration.protect.ground import DEADLINE_S, Ground
from tests.page_examples import Example, examples

from tenfold.fleet import Estate, RunFolder
from tenfold.plan.model import Engine, ServerPlan
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

SEED = """
CREATE TABLE price (sku text PRIMARY KEY, price text NOT NULL);
INSERT INTO price SELECT n::text, (100 + n)::text FROM generate_series(1, 5000) AS n;
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Two clusters, a database with a replica, a control node: as the pages name them."""
    folder = tmp_path_factory.mktemp("pages")
    cache, database = ServerPlan(engine=Engine.VALKEY), ServerPlan(engine=Engine.POSTGRESQL, replicas=1)
    servers = {"main": cache, "standby": cache, "database": database}
    estate = Estate(RunFolder.create(folder, "pages"), servers, EventLog("test"), token="unused")
    control = ControlProcess(folder)
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        ground = Ground(runner, estate)
        runner.run(_seed(ground.url("database.primary"), ground.url("database.replica")))
        control.open()
        try:
            yield os.environ | {
                "MAIN_URL": ground.url("main.primary"),
                "STANDBY_URL": ground.url("standby.primary"),
                "DATABASE_URL": ground.url("database.primary"),
                "REPLICA_URL": ground.url("database.replica"),
                "CONTROL_URL": control.url,
                "CONTROL_TOKEN": control.token,
            }
        finally:
            control.close()
            runner.run(estate.close())


@pytest.mark.parametrize("example", [each for each in examples() if each.needs_servers], ids=str)
def test_an_example_beside_real_servers_prints_what_its_comments_say(
    environment: Mapping[str, str], example: Example, tmp_path: Path
) -> None:
    """In a process of its own, as a newcomer would."""
    command = [sys.executable, "-c", example.code]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert done.stdout.splitlines() == example.prints


async def _seed(primary_url: str, replica_url: str) -> None:
    """And wait until the replica has it."""
    primary, replica = await asyncpg.connect(primary_url), await asyncpg.connect(replica_url)
    try:
        await primary.execute(SEED)
        lsn = await primary.fetchval("SELECT pg_current_wal_lsn()::text")
        async with asyncio.timeout(DEADLINE_S):
            while not await replica.fetchval("SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", lsn):  # noqa: ASYNC110  # a server
                await asyncio.sleep(0.005)
    finally:
        await primary.close()
        await replica.close()
