"""The rehearsal's side of the load: starts the driver's process, gives it orders, and hears it out.

    open(target) ──► Ready;   run(stage) ──► Tick, Tick, … last Tick ──► StageResult;   close()
                                 └── end(name): enough of it

A driver that dies, or says nothing for `silence`, is lost: what it measured since is not known, so nothing is made up.
"""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import msgspec

from tenfold.kernel import Duration, TenfoldError
from tenfold.rehearse.load.messages import Failed, LoadTarget, Order, Ready, Report, Stage, StageEnd, Tick
from tenfold.rehearse.load.result import JourneyResult, StageResult, sum_of

__all__ = ["SILENCE", "JourneyResult", "Load", "LoadLost", "Spawn", "StageResult"]

SILENCE = Duration.from_s(5)
OPEN_LIMIT = Duration.from_s(20)
FAREWELL = Duration.from_s(2)
_READ_BYTES = 64 * 1024

Spawn = Callable[[Sequence[str], Mapping[str, str]], Awaitable[Process]]
"""Starts a command with more environment; its stdin and stdout are pipes, its stderr is the spawner's affair."""


class LoadLost(TenfoldError):
    """The load driver died, fell silent, or said that it cannot go on; the stage it was in proves nothing."""


class Load:
    """One driver process. `spawn` starts it, so that whoever owns the run's processes owns this one too."""

    def __init__(
        self, spawn: Spawn, environment: Mapping[str, str] | None = None, *, silence: Duration = SILENCE
    ) -> None:
        self._spawn = spawn
        self._silence = silence
        self._environment = dict(environment or {})
        self._process: Process | None = None
        self._reports: AsyncIterator[Report] | None = None
        self._cpu_ns = 0

    async def open(self, target: LoadTarget) -> Ready:
        """Start the driver and wait until it can send. Raises LoadLost with what the driver says is wrong."""
        argv = [sys.executable, "-m", "tenfold.rehearse.load.driver"]
        self._process = await self._spawn(argv, self._environment)
        self._reports = _reports_of(self._process)
        await self._tell(target)
        report = await self._next(OPEN_LIMIT)
        if not isinstance(report, Ready):
            raise await self._lost("answered its target with something else")
        self._cpu_ns = report.cpu_ns
        return report

    @property
    def pid(self) -> int:
        """Of the driver; 0 while none runs."""
        return self._process.pid if self._process else 0

    async def run(self, stage: Stage, on_tick: Callable[[Tick], None] = lambda _: None) -> StageResult:
        """Send one stage to its end; `on_tick` sees each tick as it comes. Raises LoadLost."""
        await self._tell(stage)
        ticks: list[Tick] = []
        while not (ticks and ticks[-1].last):
            tick = await self._next(self._silence)
            if not isinstance(tick, Tick) or tick.stage != stage.name:
                raise await self._lost(f"spoke of something else during stage '{stage.name}'")
            ticks.append(tick)
            on_tick(tick)
        result = sum_of(stage, ticks, self._cpu_ns)
        self._cpu_ns = ticks[-1].cpu_ns
        return result

    async def end(self, name: str) -> None:
        """Have the stage that runs end at its next tick: `run` answers as soon as all that was sent has ended."""
        await self._tell(StageEnd(name))

    async def close(self) -> None:
        """Let the driver go; one that does not leave within FAREWELL is killed. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), FAREWELL.s)
        except TimeoutError:
            await _kill(process)

    async def _tell(self, order: Order) -> None:
        if self._process is None or self._process.stdin is None:
            raise LoadLost("The load driver is not running, so it takes no orders.")
        try:
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            await asyncio.wait_for(self._process.stdin.drain(), SILENCE.s)
        except (OSError, TimeoutError):
            raise await self._lost("takes no orders") from None

    async def _next(self, patience: Duration) -> Report:
        """The driver's next report. Raises LoadLost when none comes, or when it says that it failed."""
        if self._reports is None:
            raise LoadLost("The load driver was never started.")
        try:
            report = await asyncio.wait_for(anext(self._reports), patience.s)
        except TimeoutError:
            raise await self._lost(f"has said nothing for {patience}") from None
        except StopAsyncIteration:
            raise await self._lost("ended") from None
        except msgspec.DecodeError as cause:
            raise await self._lost(f"said something that is no report: {cause}") from None
        if isinstance(report, Failed):
            raise await self._lost(f"cannot go on: {report.reason.rstrip('.')}")
        return report

    async def _lost(self, state: str) -> LoadLost:
        """The error to raise. The driver is not left running: load that nobody watches is load that nobody ends."""
        process, self._process = self._process, None
        if process is None:
            return LoadLost(f"The load driver {state}.")
        try:
            await asyncio.wait_for(process.wait(), 0.5)
        except TimeoutError:
            await _kill(process)
        return LoadLost(
            f"The load driver (pid {process.pid}, exit status {process.returncode}) {state}.",
            remedy="What it wrote to stderr is in the run's logs.",
        )


async def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def _reports_of(process: Process) -> AsyncIterator[Report]:
    """Lines of any length, each a report, until the driver ends."""
    decoder = msgspec.json.Decoder(Report)
    buffer = b""
    while process.stdout is not None and (received := await process.stdout.read(_READ_BYTES)):
        *lines, buffer = (buffer + received).split(b"\n")
        for line in lines:
            yield decoder.decode(line)
