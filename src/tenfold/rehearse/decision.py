"""The rule that says go or no-go, or that the machine let nobody know: from what was found to reasons.

An invariant that is broken says no, and so does a promise that the server broke, a drill that did not hold, a fault
that is still in place. What the machine spoiled says nothing: with nothing else against the system the run is
inconclusive, never a no-go and never a go.
"""

from collections.abc import Iterable, Iterator, Sequence

from tenfold.rehearse.headline import Failure, listed
from tenfold.rehearse.verdict import CrashVerdict, Decision, DrillVerdict, InvariantVerdict, JourneyVerdict, StepVerdict

_MACHINE = "machine"


def decide(failures: Sequence[Failure]) -> tuple[Decision, list[str]]:
    """Go, no-go or inconclusive, and why: one sentence for each thing that did not hold, named first.

    Without the machine's part in it, what is unknown is a no-go: a gate is not passed by knowing nothing.
    """
    if not failures:
        return "go", []
    spoiled = any(failure.cause.startswith(_MACHINE) for failure in failures)
    excused = spoiled and not any(failure.against for failure in failures)
    return "inconclusive" if excused else "no-go", [reason for failure in failures for reason in failure.reasons]


def failures_of(
    steps: Sequence[StepVerdict],
    drills: Sequence[DrillVerdict],
    invariants: Sequence[InvariantVerdict],
    *,
    left_out: Sequence[str] = (),
    settled: bool = True,
    crashes: Sequence[CrashVerdict] = (),
) -> list[Failure]:
    """Everything that did not hold, in the order in which a person should look.

    Nothing measured is nothing proven: a run without steps or without invariants fails too, and so does one
    that `left_out` drills of its plan: who asks for a word on the plan must not be given one on a part of it.
    A crash is a finding whatever held meanwhile: who restarts it in the night of the sale?
    `settled` says whether the system had finished its work when the invariants were asked.
    """
    top = max(steps, key=lambda step: step.factor, default=None)
    return [
        *_missing(steps, invariants),
        *_left_out(left_out),
        *([] if settled else [_unknown("the load", "did not settle", _UNSETTLED)]),
        *(failure for invariant in invariants for failure in _broken(invariant)),
        *_crashed(crashes),
        *(failure for step in steps for failure in _missed(step)),
        *(failure for drill in drills for failure in _failed(drill, top)),
    ]


_UNSETTLED = "The system did not settle after the load: work that it had accepted was still not done."


def _unknown(subject: str, fate: str, reason: str) -> Failure:
    return Failure(subject=subject, fate=fate, cause=fate, reasons=(reason,), against=False)


def _missing(steps: Sequence[StepVerdict], invariants: Sequence[InvariantVerdict]) -> Iterator[Failure]:
    if not steps:
        reason = "No step was run, so nothing is known about the load that the system bears."
        yield _unknown("the climb", "was not run", reason)
    if not invariants:
        reason = "No invariant was checked, so nothing is known about the orders and the stock."
        yield _unknown("the audit", "checked nothing", reason)


def _left_out(names: Sequence[str]) -> Iterator[Failure]:
    if names:
        were, prove = ("drill was", "it proves") if len(names) == 1 else ("drills were", "they prove")
        left_out = f"{len(names)} {were} left out, so nothing is known about what {prove}: {listed(names)}"
        reason = f"Only a part of the plan was carried out. {left_out}."
        yield _unknown("a part of the plan", "was left out", reason)


def _broken(invariant: InvariantVerdict) -> Iterator[Failure]:
    name = f"invariant {invariant.name}"
    if not invariant.checked:
        reason = f"Invariant {invariant.name} was checked on nothing, so it is not known to hold."
        yield Failure(subject=name, fate="was checked on nothing", cause="unchecked", reasons=(reason,), against=False)
    elif not invariant.held or invariant.violations:
        counts = f"{invariant.violations:,} violations in {invariant.checked:,} checked"
        reason = f"Invariant {invariant.name} is broken: {counts}."
        yield Failure(subject=name, fate="did not hold", cause="invariants", reasons=(reason,))


def _crashed(crashes: Sequence[CrashVerdict]) -> Iterator[Failure]:
    for name in dict.fromkeys(crash.service for crash in crashes):
        first, *more = [crash for crash in crashes if crash.service == name]
        again = [f"Service '{name}' crashed {len(more)} more {'time' if len(more) == 1 else 'times'}."] if more else []
        reasons = (first.says, *again)
        yield Failure(subject=f"service {name}", fate="crashed", cause=f"crash {name}", reasons=reasons)


def _missed(step: StepVerdict) -> Iterator[Failure]:
    reasons = tuple(_step_reasons(step))
    if reasons:
        yield Failure(
            subject=f"{step.factor:g}×",
            fate="missed",
            cause=_cause(step),
            evidence="; ".join([step.evidence or _pace(step), *_effects(step)]),
            reasons=reasons,
            against=step.limited_by not in (_MACHINE, "generator", "inconclusive"),
        )


def _cause(found: StepVerdict | DrillVerdict) -> str:
    """Neighbours are one cause, whichever of them was the busiest just then."""
    neighbour = found.limited_by == _MACHINE and found.culprit not in ("steal", "quota", "disk")
    return f"{found.limited_by} {'others' if neighbour else found.culprit}".strip()


def _pace(step: StepVerdict) -> str:
    pace = f"{step.sent_rps:,.0f} of {step.target_rps:,.0f} requests/s were sent"
    return f"{pace} and {step.dropped:,} arrivals never were" if step.dropped else pace


def _effects(step: StepVerdict) -> Iterator[str]:
    broken = [name for name, found in step.journeys.items() if not found.slo_held]
    if broken:
        yield f"{listed(broken)} broke {'its promise' if len(broken) == 1 else 'their promises'}"


def _step_reasons(step: StepVerdict) -> Iterator[str]:
    name, pace = f"Step {step.factor:g}×", _pace(step)
    if step.limited_by == "server":
        yield f"{name} was more than the server bears: {pace}."
    elif step.limited_by == "generator":
        yield f"{name} proves nothing: the load generator was the limit, {pace}."
    elif step.limited_by == "inconclusive":
        yield f"{name} is inconclusive: neither the server nor the generator is known to be the limit, {pace}."
    elif step.limited_by == _MACHINE:
        yield f"{name} is inconclusive: the machine was the limit{_tried(step)}, {step.evidence}; {pace}."
    elif step.dropped:
        yield f"{name} dropped {step.dropped:,} arrivals: they fell due and were never sent."
    if not step.requests:
        yield f"{name} made no request."
    broken = [_promise(journey, found) for journey, found in step.journeys.items() if not found.slo_held]
    if broken:
        yield f"{name} broke its promise to {listed(broken)}."
    elif step.errors and not step.journeys:
        yield f"{name} had {step.errors:,} errors in {step.requests:,} requests."


def _tried(found: StepVerdict | DrillVerdict) -> str:
    return " both times" if found.earlier else ""


def _promise(journey: str, found: JourneyVerdict) -> str:
    return f"{journey} ({found.errors:,} errors in {found.requests:,} requests, p99 {found.p99_ms:,.1f} ms)"


def _failed(drill: DrillVerdict, top: StepVerdict | None) -> Iterator[Failure]:
    name = f"drill {drill.name}"
    if not drill.held:
        symptoms = listed(_symptoms(drill))
        reasons = [f"Drill {drill.name} did not hold: {symptoms}."]
        spoiled = drill.limited_by == _MACHINE
        if spoiled:
            why = f"the machine was the limit{_tried(drill)}, {drill.evidence}"
            reasons.insert(0, f"Drill {drill.name} is inconclusive: {why}.")
        yield Failure(
            subject=name,
            fate="did not hold",
            cause=_cause(drill) if spoiled else _drill_cause(drill, top),
            evidence=drill.evidence if spoiled else symptoms,
            reasons=tuple(reasons),
            against=not spoiled,
        )
    if not drill.reverted:
        in_place = listed(drill.remains or ["nothing has shown that it is gone"])
        reason = f"Drill {drill.name} was not reverted, the fault is still in place: {in_place}."
        yield Failure(subject=name, fate="was not reverted", cause="unreverted", reasons=(reason,))


def _drill_cause(drill: DrillVerdict, top: StepVerdict | None) -> str:
    """A drill runs at the rate of the last step: where that is more than the server bears, it tells nothing new."""
    if top is not None and top.limited_by == "server" and not top.held:
        return _cause(top)
    signs = {"errors": drill.errors > 0, "unnoticed": drill.detect_ms is None, "lasting": drill.recover_ms is None}
    return f"drills: {' '.join(sign for sign, shown in signs.items() if shown)}"


def _symptoms(drill: DrillVerdict) -> Iterable[str]:
    yield f"{drill.errors:,} errors in {drill.requests:,} requests"
    if drill.detect_ms is None:
        yield "the fault was never noticed"
    if drill.recover_ms is None:
        yield "the system did not recover in time"
