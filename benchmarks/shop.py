"""The servers of `plans/freshmart.yaml`, seeded once, and its acquirer; the same morning again before each turn."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from tenfold.bootstrap import resolve
from tenfold.fleet import Estate, RunFolder
from tenfold.kernel import SystemClock, TenfoldError, run_id
from tenfold.plan import Plan
from tenfold.telemetry import EventLog

CHECKOUT = Path(__file__).parents[1]
_GRACE_S = 4.0
_DRIVER = "driver"
_ACQUIRER, _WORKER = "payment", "worker"

_MORNING = (
    "TRUNCATE orders, order_line, stock_movement, idempotency, outbox, store_sales",
    "UPDATE stock SET on_hand = opening WHERE on_hand <> opening",
    "VACUUM stock",
    "CHECKPOINT",  # or it comes in the middle of somebody's turn
)


class ContestantLost(TenfoldError):
    """The program under measurement ended by itself."""


class Shop:
    """One estate for the whole benchmark; one program at a time serves on it."""

    def __init__(self, plan: Plan, estate: Estate, token: str) -> None:
        self.plan = plan
        self.estate = estate
        self.token = token
        self._turns = 0

    async def open(self) -> None:
        """Start the servers, seed them and start the acquirer, as the plan says."""
        await self.estate.open()
        for command in self.plan.setup:
            await self.estate.run_setup(command, self._environment)
        acquirer = self.plan.services[_ACQUIRER]
        await self.estate.start_service(_ACQUIRER, acquirer.command, self._environment, acquirer.ready)

    @property
    def _environment(self) -> dict[str, str]:
        """What the plan tells every command: where those are that have started by now."""
        references = self.estate.references
        return {name: resolve(value, references) for name, value in self.plan.environment.items()}

    @property
    def control_url(self) -> str:
        return self.estate.references["database.primary.control_url"]

    async def new_morning(self) -> None:
        """No order, full shelves, empty caches: whoever comes next finds what everybody found."""
        database = await asyncpg.connect(self.control_url, timeout=5, command_timeout=60)
        try:
            for statement in _MORNING:
                await database.execute(statement)
        finally:
            await database.close(timeout=2)
        for name in ("main.primary.url", "standby.primary.url"):
            async with Redis.from_url(self.estate.references[name], socket_timeout=5) as cache:
                await cache.flushall()

    @asynccontextmanager
    async def serving(self, contestant: str, command: Sequence[str]) -> AsyncIterator[str]:
        """The address of the program, ready and warm; it is gone afterwards. Raises ContestantLost."""
        self._turns += 1
        lost: list[int] = []
        environment = {**self._environment, "PYTHONPATH": str(CHECKOUT)}
        service = await self.estate.start_service(f"{contestant}-{self._turns}", command, environment, "/ready")
        service.on_exit.append(lambda _, status: lost.append(status))
        try:
            yield service.url
        finally:
            await service.close(grace_s=_GRACE_S)
        if lost:
            raise ContestantLost(
                f"'{contestant}' ended with status {lost[0]} while it was measured; nothing is proven."
            )

    @asynccontextmanager
    async def settling(self) -> AsyncIterator[None]:
        """The plan's worker is at work: it applies what was ordered and collects what was deferred."""
        async with self.serving(_WORKER, self.plan.services[_WORKER].command):
            yield

    async def spawn(self, argv: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        """Start a load driver as a process of this run, out of Ctrl-C's reach: its owner ends it."""
        with (self.estate.run.logs / f"{_DRIVER}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *argv,
                env={**self.estate.environment(_DRIVER), **environment},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )


@asynccontextmanager
async def open_shop(plan: Plan, root: Path) -> AsyncIterator[Shop]:
    """Everything of the plan's servers, below `root`; all of it ended on the way out."""
    clock = SystemClock()
    run = RunFolder.create(root, run_id(clock, os.getpid()))
    token = secrets.token_urlsafe(16)
    estate = Estate(run, plan.servers, EventLog("bench", path=run.events / "bench.jsonl", clock=clock), token)
    try:
        shop = Shop(plan, estate, token)
        await shop.open()
        yield shop
    finally:
        await estate.close()
