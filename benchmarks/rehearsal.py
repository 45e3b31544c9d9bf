"""`make bench-rehearsal`: processor time a request by process, p50 and p99 by journey, at 1× and 10× of a rehearsal.

    python -m benchmarks.rehearsal [--rounds N] [--plan FILE] [--against DIR]

With `--against` another checkout, with a `.venv` of its own, rehearses the same plan in turns with this one: A B A B.
Exit status: 0 every figure reached its target, 1 one did not, 2 it could not be measured.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Figures, spread_of, write_figures
from benchmarks.process_cost import Line, Sample, cost_us, sample, windows
from tenfold.fleet import FAULT_KINDS
from tenfold.kernel import Interrupted, SystemClock, TenfoldError, run_until_signal
from tenfold.kernel.clock import utc
from tenfold.plan import read_plan
from tenfold.rehearse.rehearsal import machine
from tenfold.rehearse.verdict import Verdict

CHECKOUT = Path(__file__).parents[1]
PLAN = CHECKOUT / "plans" / "freshmart.yaml"
ROUNDS = 3
FACTORS = (1.0, 10.0)
STEPS = {"warm_up": "6 s", "factors": list(FACTORS), "hold": "10 s", "peak_hold": "10 s"}
OURS, PEER = "here", "against"
TARGETS_US = {("api", 10.0): 200.0, ("driver", 10.0): 80.0}
_SAMPLE_EVERY_S = 0.25
_FAREWELL_S = 15.0
_LINE_BYTES = 1024 * 1024

Measure = tuple[str, float, str]
"""Of what, at which factor, in which unit."""


class RehearsalFailed(TenfoldError):
    """A rehearsal came to no verdict, or to none that says what its steps cost."""


@dataclass(slots=True)
class Watched:
    """What was seen of one rehearsal while it ran."""

    lines: list[Line] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    async def read(self, process: Process) -> None:
        while process.stderr and (line := await process.stderr.readline()):
            self.lines.append(Line(time.monotonic(), line.decode(errors="replace")))

    async def sample(self, process: Process) -> None:
        names: dict[int, str] = {}
        while True:
            self.samples.append(sample(process.pid, time.monotonic(), names))
            await asyncio.sleep(_SAMPLE_EVERY_S)


async def compare(
    checkouts: Mapping[str, Path], plan: Path, rounds: int, say: Callable[[str], None]
) -> dict[str, list[dict[Measure, float]]]:
    """Each checkout's rounds, in turns. Raises RehearsalFailed."""
    found: dict[str, list[dict[Measure, float]]] = {name: [] for name in checkouts}
    for number in range(rounds):
        for name, checkout in checkouts.items():
            say(f"round {number + 1} of {rounds}: {checkout} rehearses")
            found[name].append(await rehearse(checkout, plan))
    return found


async def rehearse(checkout: Path, plan: Path) -> dict[Measure, float]:
    """One quick rehearsal without drills; it is told to leave, and awaited, when this is cancelled."""
    command = [str(checkout / ".venv" / "bin" / "python"), "-m", "tenfold", "rehearse", "--plan", str(plan)]
    command += ["--quick", "--drills", "none", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=checkout, stdout=PIPE, stderr=PIPE, limit=_LINE_BYTES, start_new_session=True
    )
    watched = Watched()
    try:
        async with asyncio.TaskGroup() as group:
            sampling = group.create_task(watched.sample(process))
            group.create_task(watched.read(process))
            said = await process.stdout.read() if process.stdout else b""
            sampling.cancel()
        await asyncio.wait_for(process.wait(), _FAREWELL_S)
    finally:
        await _see_off(process)
    return measures_of(said, watched)


async def _see_off(process: Process) -> None:
    """A rehearsal that has not ended is told to; it ends its own children."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _FAREWELL_S)
    except TimeoutError:
        process.kill()


def measures_of(said: bytes, watched: Watched) -> dict[Measure, float]:
    """Cost by process and latency by journey of the steps. Raises RehearsalFailed."""
    try:
        verdict = msgspec.json.decode(said, type=Verdict)
    except msgspec.DecodeError as cause:
        end = "".join(line.text for line in watched.lines[-3:]).strip()
        raise RehearsalFailed(f"The rehearsal came to no verdict: {cause}.", remedy=f"Its last words: {end}") from cause
    ran, measures = windows(watched.lines), dict[Measure, float]()
    for step in verdict.steps:
        costs = cost_us(watched.samples, ran.get(step.factor, (0.0, 0.0)), step.sent_rps)
        if not costs:
            raise RehearsalFailed(f"Nothing was seen of step {step.factor:g}×, so it is not known what it cost.")
        measures |= {(name, step.factor, "µs"): cost for name, cost in costs.items()}
        measures[("all processes", step.factor, "µs")] = sum(costs.values())
        for name, journey in step.journeys.items():
            measures[(f"{name} p50", step.factor, "ms")] = journey.p50_ms
            measures[(f"{name} p99", step.factor, "ms")] = journey.p99_ms
    return measures


def figures_of(found: Mapping[str, Sequence[Mapping[Measure, float]]]) -> list[Figure]:
    """The median of each measure that every round of ours has, beside the other checkout's."""
    ours, theirs = found[OURS], found.get(PEER, ())
    shared = [measure for measure in ours[0] if all(measure in one for one in ours)]
    shared.sort(key=lambda measure: (measure[1], measure[2] != "µs"))
    return [_figure(number, measure, ours, theirs) for number, measure in enumerate(shared, 1)]


def _figure(
    number: int, measure: Measure, ours: Sequence[Mapping[Measure, float]], theirs: Sequence[Mapping[Measure, float]]
) -> Figure:
    name, factor, unit = measure
    rounds = [one[measure] for one in ours]
    beside = [one[measure] for one in theirs if measure in one]
    ratios = [mine / other for mine, other in zip(rounds, beside, strict=False) if other]
    target = TARGETS_US.get((name, factor), 0.0)
    return Figure(
        figure=number,
        name=f"{name} at {factor:g}×",
        value=median(rounds),
        unit=unit,
        target=target,
        held=not target or median(rounds) <= target,
        peers={PEER: median(beside)} if beside else {},
        ratio=median(ratios) if ratios else None,
        spread=spread_of(rounds),
        rounds=rounds,
    )


def table_of(figures: Sequence[Figure]) -> Table:
    """For people: microseconds of processor time a request, milliseconds from when a request was due."""
    table = Table(title="a rehearsal's cost a request", box=None, padding=(0, 2, 0, 0))
    for heading in ("", OURS, PEER, "ratio", "spread", "target", "held"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for one in figures:
        table.add_row(
            one.name,
            f"{one.value:,.1f} {one.unit}",
            f"{one.peers[PEER]:,.1f} {one.unit}" if one.peers else "–",
            f"{one.ratio:.2f} ×" if one.ratio is not None else "–",
            f"{one.spread:.0%}" if len(one.rounds) > 1 else "–",
            f"{one.target:,.0f} {one.unit}" if one.target else "–",
            ("yes" if one.held else "NO") if one.target else "–",
        )
    return table


def plan_of_two_steps(stated: Path, folder: Path) -> Path:
    """The plan with 1× and 10× as its quick steps, each held long enough for its processes to be weighed."""
    plan: dict[str, Any] = yaml.safe_load(stated.read_text(encoding="utf-8"))
    plan["steps"] = {**plan["steps"], "quick": STEPS}
    plan["traffic"] = {**plan["traffic"], "feed": str(read_plan(stated, FAULT_KINDS).traffic.feed.resolve())}
    path = folder / stated.name
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    return path


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    checkouts = {OURS: CHECKOUT} | ({PEER: options.against} if options.against else {})
    terminal = Console()
    began_at, load_average = utc(SystemClock().wall_ns()), os.getloadavg()[0]
    try:
        with tempfile.TemporaryDirectory(prefix="tenfold-bench-") as folder, terminal.status("starting") as status:
            plan = plan_of_two_steps(options.plan, Path(folder))
            found = run_until_signal(compare(checkouts, plan, options.rounds, status.update))
    except Interrupted as interrupted:
        print(f"benchmarks.rehearsal: {interrupted}", file=sys.stderr)
        return interrupted.status
    except (TenfoldError, OSError) as error:
        print(f"benchmarks.rehearsal: {error}", file=sys.stderr)
        return 2
    figures = figures_of(found)
    path = write_figures(
        "rehearsal",
        Figures(machine=machine(), measured_at=began_at, load_average=round(load_average, 2), figures=figures),
    )
    terminal.print(table_of(figures))
    terminal.print(f"written to {path.relative_to(CHECKOUT)}")
    return 0 if all(figure.held for figure in figures) else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-rehearsal", description="What a rehearsal costs, by process.")
    parser.add_argument("--rounds", type=int, choices=range(1, 100), default=ROUNDS, metavar="N", help="turns of each")
    parser.add_argument("--plan", type=Path, default=PLAN, metavar="FILE", help="the plan that all of them rehearse")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout, which takes turns with this one")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
