"""Two runs side by side. Pure: what stands in one and not in the other is a dash."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenfold.rehearse.past.archive import PastRun
from tenfold.rehearse.verdict import DrillVerdict, StepVerdict

_NOTHING = "–"


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One line: what is compared, and both values as text."""

    name: str
    first: str
    second: str

    @property
    def differs(self) -> bool:
        return self.first != self.second


def compared(first: PastRun, second: PastRun) -> list[ComparedRow]:
    """The whole, then each step, then each drill."""
    return [*_whole(first, second), *_steps(first, second), *_drills(first, second)]


def cpu_ms_per_request(step: StepVerdict) -> float | None:
    """Processor time of the whole run for one request of this step; None when nobody watched."""
    if step.machine is None or not step.requests:
        return None
    return step.machine.own_cpu_s * 1e3 / step.requests


def _whole(first: PastRun, second: PastRun) -> Iterator[ComparedRow]:
    yield ComparedRow("began", first.began(), second.began())
    yield ComparedRow("plan", first.verdict.plan, second.verdict.plan)
    yield ComparedRow("verdict", first.verdict.verdict.upper(), second.verdict.verdict.upper())
    one, other = first.summary, second.summary
    yield ComparedRow("highest step held", one.held, other.held)
    for mine, theirs in zip(one.scores, other.scores, strict=True):
        yield ComparedRow(mine.name.lower(), f"{mine.held}/{mine.of}", f"{theirs.held}/{theirs.of}")


def _steps(first: PastRun, second: PastRun) -> Iterator[ComparedRow]:
    mine = {step.factor: step for step in first.verdict.steps}
    theirs = {step.factor: step for step in second.verdict.steps}
    for factor in sorted({*mine, *theirs}):
        yield ComparedRow(f"step {factor:g}×", _step(mine.get(factor)), _step(theirs.get(factor)))


def _step(step: StepVerdict | None) -> str:
    if step is None:
        return _NOTHING
    cpu_ms = cpu_ms_per_request(step)
    cpu = "" if cpu_ms is None else f", cpu {cpu_ms:.2f} ms/request"
    held = "held" if step.held else "missed"
    return f"{held}, {step.sent_rps:,.0f}/s, p99 {step.slowest_p99_ms:,.1f} ms, {step.errors:,} errors{cpu}"


def _drills(first: PastRun, second: PastRun) -> Iterator[ComparedRow]:
    mine = {drill.name: drill for drill in first.verdict.drills}
    theirs = {drill.name: drill for drill in second.verdict.drills}
    for name in dict.fromkeys((*mine, *theirs)):
        yield ComparedRow(f"drill {name}", _drill(mine.get(name)), _drill(theirs.get(name)))


def _drill(drill: DrillVerdict | None) -> str:
    if drill is None:
        return _NOTHING
    held = "held" if drill.held and drill.reverted else "did not hold"
    return f"{held}, noticed {_ms(drill.detect_ms)}, recovered {_ms(drill.recover_ms)}, {drill.errors:,} errors"


def _ms(ms: float | None) -> str:
    return "never" if ms is None else f"{ms:,.0f} ms"
