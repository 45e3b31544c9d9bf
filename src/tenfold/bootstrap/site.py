"""What stands while a run lasts: servers and services that answer, and whoever watches them."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tenfold.bootstrap.control import ControlProcess
from tenfold.bootstrap.ending import cancelled, to_the_end
from tenfold.bootstrap.lifeline import Lifeline
from tenfold.bootstrap.request import RunRequest, progress_of
from tenfold.bootstrap.services import run_setup, start_services, write_out
from tenfold.bootstrap.supervisor import Supervisor
from tenfold.bootstrap.views import open_views
from tenfold.console import Console
from tenfold.fleet import Estate, RunFolder, sweep_dead_runs
from tenfold.kernel import Clock, SystemClock, run_id
from tenfold.kernel.clock import utc
from tenfold.rehearse import ProcessMonitor, RunRecord
from tenfold.telemetry import EventLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The parts of one run, each made for it alone."""

    run: RunFolder
    clock: Clock
    estate: Estate
    record: RunRecord
    monitor: ProcessMonitor
    control: ControlProcess
    lifeline: Lifeline
    supervisor: Supervisor
    token: str
    """What marks this run's own traffic."""

    @property
    def answers(self) -> Path:
        """The journal of acknowledged answers that the driver writes."""
        return self.run.state / "answers.jsonl"


@asynccontextmanager
async def opened(request: RunRequest) -> AsyncIterator[Site]:
    """Everything of the plan started and ready, with terminal and console; all of it ended on the way out."""
    sweep_dead_runs(Path.cwd())
    site = _laid_out(request)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lambda: to_the_end(_end(site)))
        stack.push_async_callback(site.supervisor.close)
        console = await open_views(request, site.record, stack)
        stack.push_async_callback(cancelled, asyncio.create_task(site.record.paint()))
        stack.push_async_callback(cancelled, asyncio.create_task(site.monitor.watch()))
        await site.estate.watch(site.supervisor.left)
        await site.estate.open()
        await site.lifeline.hold(_start_plan(request, site, console))
        yield site


async def _end(site: Site) -> None:
    """Everything, once what is worth keeping of the control node's store is kept."""
    await site.control.export()
    await site.estate.close()


def _laid_out(request: RunRequest) -> Site:
    """Folders and objects; no process yet."""
    clock = SystemClock()
    run = RunFolder.create(Path.cwd(), run_id(clock, request.seed))
    token = secrets.token_urlsafe(16)
    record = RunRecord(progress_of(request, run.id, utc(clock.wall_ns())), clock)
    events = EventLog("tenfold", path=run.events / "tenfold.jsonl", clock=clock)
    estate = Estate(run, request.plan.servers, events, token)
    lifeline = Lifeline(run.logs)
    return Site(
        run=run,
        clock=clock,
        estate=estate,
        record=record,
        monitor=ProcessMonitor(run.events, estate, record, clock),
        control=ControlProcess(estate),
        lifeline=lifeline,
        supervisor=Supervisor(estate, record, events, lifeline, clock, rehearsing=request.rehearsing),
        token=token,
    )


async def _start_plan(request: RunRequest, site: Site, console: Console) -> None:
    """The control node before anybody who looks for it; the plan's setup before the services that need it."""
    site.record.phase("seeding")
    await site.control.open()
    console.follow_control(site.control.url, site.control.token)
    await run_setup(request, site.estate)
    async with asyncio.TaskGroup() as group:
        group.create_task(write_out())
        group.create_task(start_services(request, site.estate, site.control.environment_of))
