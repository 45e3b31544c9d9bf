"""What a rehearsal found and what that means: the record that `verdict.json` is, and the rule that says go or no-go.

The format is schema 1, stable: docs/reference/verdict.md. Keys are only ever added, and only such as may be missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

Decision = Literal["go", "no-go"]
LimitedBy = Literal["none", "server", "generator", "inconclusive"]


class Machine(msgspec.Struct, omit_defaults=True):
    """Where it was measured: a figure without its machine is no figure."""

    cores: int
    processor: str = ""
    memory_bytes: int = 0
    system: str = ""


class JourneyVerdict(msgspec.Struct):
    """One journey during one step. Latencies are response times: from when a request was due to its last byte."""

    requests: int
    errors: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    slo_held: bool


class StepVerdict(msgspec.Struct):
    """One step of the climb. `dropped` arrivals fell due and were never sent; each is a missed promise."""

    factor: float
    duration_s: float
    target_rps: float
    sent_rps: float
    dropped: int
    requests: int
    errors: int
    limited_by: LimitedBy
    journeys: dict[str, JourneyVerdict]

    @property
    def held(self) -> bool:
        """Whether the rate was reached, every arrival sent, and every promise kept."""
        kept = all(journey.slo_held for journey in self.journeys.values())
        return self.limited_by == "none" and not self.dropped and kept

    @property
    def slowest_p99_ms(self) -> float:
        """Of the slowest journey; 0 when there was none."""
        return max((journey.p99_ms for journey in self.journeys.values()), default=0.0)


class DrillVerdict(msgspec.Struct):
    """One fault under load. `detect_ms` and `recover_ms` are None when it was never noticed or never over.

    `reverted`: the fault itself has proven that it is gone; if it has not, `remains` says what is still in place.
    `recovered`: steady state under load was reached. `reasons` say why the drill did not hold.

    `degraded` requests were answered with less, or refused where the plan allows it. `offered_rps` fell due while the
    fault was in, `served_rps` were answered as promised: not refused, and within the p99 of their journey.
    """

    name: str
    target: Literal["cache", "database", "object-store", "service", "traffic"]
    proves: str
    held: bool
    requests: int
    errors: int
    detect_ms: float | None
    recover_ms: float | None
    reverted: bool
    degraded: int = 0
    offered_rps: float = 0.0
    served_rps: float = 0.0
    recovered: bool = False
    reasons: list[str] = []
    remains: list[str] = []


class InvariantVerdict(msgspec.Struct):
    """What must hold after the load, and in how many of the places looked at it does not."""

    name: str
    held: bool
    checked: int
    violations: int


class Verdict(msgspec.Struct):
    """The whole of `verdict.json`."""

    schema: Literal[1]
    run_id: str
    plan: str
    verdict: Decision
    reasons: list[str]
    machine: Machine
    steps: list[StepVerdict]
    drills: list[DrillVerdict]
    invariants: list[InvariantVerdict]


def decide(
    steps: Sequence[StepVerdict],
    drills: Sequence[DrillVerdict],
    invariants: Sequence[InvariantVerdict],
    *,
    left_out: Sequence[str] = (),
    settled: bool = True,
) -> tuple[Decision, list[str]]:
    """Say go or no-go, and for a no-go why: one sentence for each thing that did not hold, named first.

    Nothing measured is nothing proven: a run without steps or without invariants is a no-go too, and so is one
    that `left_out` drills of its plan: who asks for a word on the plan must not be given one on a part of it.
    `settled` says whether the system had finished its work when the invariants were asked.
    """
    reasons = [*_missing(steps, invariants), *_left_out(left_out)]
    if not settled:
        reasons.append("The system did not settle after the load: work that it had accepted was still not done.")
    reasons += [reason for invariant in invariants for reason in _broken(invariant)]
    reasons += [reason for step in steps for reason in _missed(step)]
    reasons += [reason for drill in drills for reason in _failed(drill)]
    return ("no-go", reasons) if reasons else ("go", [])


def _missing(steps: Sequence[StepVerdict], invariants: Sequence[InvariantVerdict]) -> Iterator[str]:
    if not steps:
        yield "No step was run, so nothing is known about the load that the system bears."
    if not invariants:
        yield "No invariant was checked, so nothing is known about the orders and the stock."


def _left_out(names: Sequence[str]) -> Iterator[str]:
    if names:
        were, prove = ("drill was", "it proves") if len(names) == 1 else ("drills were", "they prove")
        left_out = f"{len(names)} {were} left out, so nothing is known about what {prove}: {_listed(names)}"
        yield f"Only a part of the plan was carried out. {left_out}."


def _broken(invariant: InvariantVerdict) -> Iterator[str]:
    if not invariant.checked:
        yield f"Invariant {invariant.name} was checked on nothing, so it is not known to hold."
    elif not invariant.held or invariant.violations:
        counts = f"{invariant.violations:,} violations in {invariant.checked:,} checked"
        yield f"Invariant {invariant.name} is broken: {counts}."


def _missed(step: StepVerdict) -> Iterator[str]:
    name = f"Step {step.factor:g}×"
    pace = f"{step.sent_rps:,.0f} of {step.target_rps:,.0f} requests/s were sent"
    if step.dropped:
        pace += f" and {step.dropped:,} arrivals never were"
    if step.limited_by == "server":
        yield f"{name} was more than the server bears: {pace}."
    elif step.limited_by == "generator":
        yield f"{name} proves nothing: the load generator was the limit, {pace}."
    elif step.limited_by == "inconclusive":
        yield f"{name} is inconclusive: neither the server nor the generator is known to be the limit, {pace}."
    elif step.dropped:
        yield f"{name} dropped {step.dropped:,} arrivals: they fell due and were never sent."
    if not step.requests:
        yield f"{name} made no request."
    broken = [_promise(journey, found) for journey, found in step.journeys.items() if not found.slo_held]
    if broken:
        yield f"{name} broke its promise to {_listed(broken)}."
    elif step.errors and not step.journeys:
        yield f"{name} had {step.errors:,} errors in {step.requests:,} requests."


def _promise(journey: str, found: JourneyVerdict) -> str:
    return f"{journey} ({found.errors:,} errors in {found.requests:,} requests, p99 {found.p99_ms:,.1f} ms)"


def _failed(drill: DrillVerdict) -> Iterator[str]:
    if not drill.held:
        yield f"Drill {drill.name} did not hold: {_listed(_symptoms(drill))}."
    if not drill.reverted:
        in_place = _listed(drill.remains or ["nothing has shown that it is gone"])
        yield f"Drill {drill.name} was not reverted, the fault is still in place: {in_place}."


def _symptoms(drill: DrillVerdict) -> list[str]:
    symptoms = [f"{drill.errors:,} errors in {drill.requests:,} requests"]
    if drill.detect_ms is None:
        symptoms.append("the fault was never noticed")
    if drill.recover_ms is None:
        symptoms.append("the system did not recover in time")
    return symptoms


def _listed(parts: Iterable[str]) -> str:
    *head, last = parts
    return f"{', '.join(head)} and {last}" if head else last
