"""A whole freshmart on real servers, seeded once for all tests of this folder."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from tests.freshmart_shop import PLAN, TOKEN, Shop

from freshmart.seed import seed
from tenfold.fleet import Estate, RunFolder
from tenfold.telemetry import EventLog


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with asyncio.Runner() as runner:
        run = RunFolder.create(tmp_path_factory.mktemp("shop"), f"freshmart-{os.getpid()}")
        estate = Estate(run, PLAN.servers, EventLog("tests"), TOKEN)
        runner.run(estate.open())
        try:
            shop = Shop(runner, estate)
            runner.run(seed(shop.settings))
            runner.run(estate.start_service("payment", ["python", "-m", "freshmart.payment"], {}, "/ready"))
            yield shop
        finally:
            runner.run(estate.close())
