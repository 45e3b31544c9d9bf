"""What stands while a run lasts: servers and services that answer, and whoever watches them."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tenfold.bootstrap.call import Call
from tenfold.bootstrap.control import ControlNode
from tenfold.bootstrap.ending import cancelled, to_the_end
from tenfold.bootstrap.lifeline import Lifeline
from tenfold.bootstrap.record import record_of
from tenfold.bootstrap.services import run_setup, start_services
from tenfold.bootstrap.views import open_views
from tenfold.console import Console
from tenfold.fleet import Estate, RunFolder, sweep_dead_runs
from tenfold.kernel import Clock, SystemClock, run_id
from tenfold.kernel.clock import utc
from tenfold.rehearse import Board, Witness
from tenfold.telemetry import EventLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The parts of one run, each made for it alone."""

    run: RunFolder
    clock: Clock
    estate: Estate
    board: Board
    witness: Witness
    control: ControlNode
    lifeline: Lifeline
    token: str
    """What marks this run's own traffic."""

    @property
    def answers(self) -> Path:
        """The journal of acknowledged answers that the driver writes."""
        return self.run.state / "answers.jsonl"


@asynccontextmanager
async def opened(call: Call) -> AsyncIterator[Site]:
    """Everything of the plan started and ready, with terminal and console; all of it ended on the way out."""
    sweep_dead_runs(Path.cwd())
    site = _laid_out(call)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lambda: to_the_end(site.estate.close()))
        console = await open_views(call, site.board, stack)
        stack.push_async_callback(cancelled, asyncio.create_task(site.board.paint()))
        stack.push_async_callback(cancelled, asyncio.create_task(site.witness.watch()))
        await site.estate.watch(site.lifeline.cut)
        await site.estate.open()
        await site.lifeline.hold(_start_plan(call, site, console))
        yield site


def _laid_out(call: Call) -> Site:
    """Folders and objects; no process yet."""
    clock = SystemClock()
    run = RunFolder.create(Path.cwd(), run_id(clock, call.seed))
    token = secrets.token_urlsafe(16)
    board = Board(record_of(call, run.id, utc(clock.wall_ns())), clock)
    estate = Estate(run, call.plan.servers, EventLog("tenfold", path=run.events / "tenfold.jsonl", clock=clock), token)
    return Site(
        run=run,
        clock=clock,
        estate=estate,
        board=board,
        witness=Witness(run.events, estate, board, clock),
        control=ControlNode(estate),
        lifeline=Lifeline(run.logs),
        token=token,
    )


async def _start_plan(call: Call, site: Site, console: Console) -> None:
    """The control node before anybody who looks for it; the plan's setup before the services that need it."""
    site.board.phase("seeding")
    await site.control.open()
    console.follow_control(site.control.url, site.control.token)
    await run_setup(call, site.estate, site.control.environment)
    await start_services(call, site.estate, site.control.environment)
