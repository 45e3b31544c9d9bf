"""Real servers for the tests of protect and stream, on one event loop that lasts as long as they do."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tenfold.fleet import Estate, Node, RunFolder
from tenfold.plan.model import Engine, ServerPlan
from tenfold.telemetry import EventLog

Result = TypeVar("Result")
DEADLINE_S = 10.0


class Ground:
    """The servers, and the loop that owns them: a test is a coroutine given to `run`."""

    def __init__(self, runner: asyncio.Runner, estate: Estate) -> None:
        self._runner = runner
        self._estate = estate

    def run(self, test: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(test)

    def url(self, node: str) -> str:
        return self._estate.references[f"{node}.url"]

    def node(self, name: str) -> Node:
        return self._estate.node(name)

    @contextmanager
    def hung(self, name: str) -> Iterator[None]:
        """The server is stopped by SIGSTOP: it accepts connections and says nothing."""
        pid = self.node(name).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def opened_ground(folder: Path, **engines: Engine) -> Iterator[Ground]:
    """Start one server for each name; all are gone afterwards."""
    servers = {name: ServerPlan(engine=engine) for name, engine in engines.items()}
    run = RunFolder.create(folder, "protect")
    estate = Estate(run, servers, EventLog("test"), token="unused")
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        try:
            yield Ground(runner, estate)
        finally:
            runner.run(estate.close())


async def until(holds: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
    """Wait until it holds; fail when it does not by the deadline."""
    async with asyncio.timeout(deadline_s):
        while not holds():  # noqa: ASYNC110  # what is asked is another process
            await asyncio.sleep(0.005)
