"""A drill: a fault under load, and the proof that a written plan met it.

    rate  ───────────────┬───────────────┬──────────────────────
                  lead   │     hold      │    at most tail
                         inject          revert      enough
                            └ noticed       └ recovered

The load goes on until it has shown enough (`enough`). The fault was *noticed* when the system gave the signal that the
plan names (a breaker opened, reads left the cache). It was *reverted* when the fault itself had proven that nothing of
it is left; the system had *recovered* when it had taken its signal back and no tick after that broke a promise. Each of
the two may be true alone.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tenfold.kernel import Clock, Duration
from tenfold.plan.model import Drill, Journey, Signal, SignalKind
from tenfold.rehearse.fault import Injectable
from tenfold.rehearse.load.messages import JourneyTick, Tick
from tenfold.rehearse.verdict import DrillVerdict
from tenfold.telemetry import Event, Histogram

LEAD = Duration.from_s(1)
"""The load comes back to its rate before the fault: the step or drill before has just shown the steady state."""
STEADY = Duration.from_s(2)
"""How long no promise may have been broken before a drill is over: longer than a breaker's rest (1 s at most) or its
ramp (1.5 s), in which it would open again."""
_CHANCE = 6.0
"""Standard deviations of a Poisson count: a rate that is off by more was not the rate that was ordered."""

REFUSED = "status-503"
"""The answer of who is asked for more than can be served: try again later."""

SPOKEN = {
    SignalKind.BREAKER: ("breaker-opened", "breaker-closed"),
    SignalKind.CLUSTER: ("cluster-doubted", "cluster-primary-confirmed"),
    SignalKind.DOWNGRADE: ("downgrade-begun", "downgrade-ended"),
    SignalKind.FAILOVER: ("failover-standby", "failover-main"),
    SignalKind.HOT_KEY: ("hot-key-risen", "hot-key-cooled"),
    SignalKind.SHED: ("shed-begun", "shed-ended"),
    SignalKind.SHIELD: ("shield-begun", "shield-ended"),
}
"""The kinds of events that say: noticed, and over."""


@dataclass(slots=True)
class Timeline:
    """What a drill saw, in CLOCK_MONOTONIC nanoseconds; 0 where it has not come to that."""

    began_ns: int
    injected_ns: int = 0
    reverting_ns: int = 0
    reverted_ns: int = 0
    """When the fault itself had proven that it is gone; 0 when `remains` says what is still in place."""
    ended_ns: int = 0
    planned: float | None = None
    """How many arrivals were ordered for as long as the load went on."""
    remains: list[str] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HeldLoad:
    """Requests a second while the fault was in: that fell due, and that were answered as promised: neither refused nor
    later than the p99 of their journey."""

    offered_rps: float = 0.0
    served_rps: float = 0.0


async def carry_out(
    fault: Injectable, hold: Duration, timeline: Timeline, clock: Clock, on_state: Callable[[str], None]
) -> None:
    """Inject, hold, revert, ask the fault whether it is gone; it is reverted too when this is cancelled half way."""
    try:
        await asyncio.sleep(LEAD.s)
        timeline.injected_ns = clock.monotonic_ns()
        await fault.inject()
        on_state("injected")
        await asyncio.sleep(hold.s)
    finally:
        timeline.reverting_ns = clock.monotonic_ns()
        on_state("reverting")
        await fault.revert()
        timeline.remains = await fault.remains()
        timeline.reverted_ns = 0 if timeline.remains else clock.monotonic_ns()


def judge_drill(name: str, drill: Drill, journeys: dict[str, Journey], timeline: Timeline) -> DrillVerdict:
    """What the timeline proves of the drill's plan; every reason is a sentence."""
    requests, errors, degraded = _sums(timeline.ticks, drill.degraded)
    detect = noticed_after(timeline, drill.signal)
    recover = recovered_after(timeline, drill, journeys)
    load = load_held(timeline, journeys)
    reasons = [f"{count} {journey} requests failed" for journey, count in errors.items() if count]
    if dropped := sum(tick.dropped for tick in timeline.ticks):
        reasons.append(f"{dropped} arrivals were never sent")
    if wrong := _wrong_load(timeline):
        reasons.append(wrong)
    if detect is None:
        reasons.append(f"{drill.signal} never spoke: nobody noticed the fault")
    if recover is None:
        reasons.append(f"no steady state within {drill.tail} of the revert")
    return DrillVerdict(
        name=name,
        target=drill.target.value,
        proves=drill.proves,
        held=not reasons,
        requests=sum(requests.values()),
        errors=sum(errors.values()),
        detect_ms=detect.ms if detect else None,
        recover_ms=recover.ms if recover else None,
        reverted=timeline.reverted_ns > 0,
        recovered=recover is not None,
        degraded=sum(degraded.values()),
        offered_rps=load.offered_rps,
        served_rps=load.served_rps,
        reasons=reasons,
        remains=timeline.remains,
        recover_max_ms=drill.tail.ms,
    )


def noticed_after(timeline: Timeline, signal: Signal) -> Duration | None:
    """From the fault to the first word of it, from whichever process it came."""
    noticed, _ = SPOKEN[signal.kind]
    said = [event.monotonic_ns for event in _of(timeline, signal) if event.kind == noticed]
    return Duration(min(said) - timeline.injected_ns) if said else None


def recovered_after(timeline: Timeline, drill: Drill, journeys: dict[str, Journey]) -> Duration | None:
    """From the start of the revert until every process had taken its word back and the last broken promise was past."""
    over_ns = _all_over_ns(_of(timeline, drill.signal), SPOKEN[drill.signal.kind][1])
    if over_ns is None:
        return None
    promised = [name for name in journeys if name in drill.unharmed + drill.delayed + drill.degraded]
    broken = [tick.at_ns for tick in timeline.ticks if _breaks_promise(tick, promised, journeys)]
    steady_ns = max([over_ns, timeline.reverting_ns, *(at for at in broken if at > timeline.reverting_ns)])
    if timeline.ended_ns - steady_ns < STEADY.ns:
        return None
    return Duration(steady_ns - timeline.reverting_ns)


def _wrong_load(timeline: Timeline) -> str | None:
    """A drill at another rate than the plan's proves nothing of the plan's."""
    due, planned = sum(tick.due for tick in timeline.ticks), timeline.planned
    if planned is None or abs(due - planned) <= _CHANCE * math.sqrt(planned) + 1:
        return None
    return f"{due:,} arrivals fell due where {planned:,.0f} were planned"


def load_held(timeline: Timeline, journeys: dict[str, Journey]) -> HeldLoad:
    """From the first tick after the fault to the last before its revert; zeros when there are not two."""
    ticks = [tick for tick in timeline.ticks if timeline.injected_ns < tick.at_ns <= timeline.reverting_ns]
    if len(ticks) < 2:
        return HeldLoad()
    seconds = (ticks[-1].at_ns - ticks[0].at_ns) / 1e9
    served = sum(_kept(seen, journeys[name]) for tick in ticks[1:] for name, seen in tick.journeys.items())
    return HeldLoad(sum(tick.due for tick in ticks[1:]) / seconds, served / seconds)


def _kept(seen: JourneyTick, journey: Journey) -> int:
    """How many answers were what was promised. A refusal is quick: whoever was late had an answer."""
    (within,) = Histogram.from_counts(seen.latency).cumulative([journey.slo.p99.ns])
    return max(0, within - seen.errors)


def _of(timeline: Timeline, signal: Signal) -> list[Event]:
    """What was said of it since the fault, in order; other kinds of events may have a subject of the same name."""
    since = [event for event in timeline.events if event.monotonic_ns >= timeline.injected_ns]
    said = [event for event in since if event.kind.startswith(signal.kind) and _names(signal, event.subject)]
    return sorted(said, key=lambda event: event.monotonic_ns)


def _names(signal: Signal, subject: str) -> bool:
    """`price` means the hot keys of prices too, whose subjects are `price/…`."""
    return subject == signal.name or subject.startswith(f"{signal.name}/")


def _all_over_ns(events: Iterable[Event], over: str) -> int | None:
    """When the last of the processes took its word back for good; None when one has not."""
    newest = {(event.source, event.subject): event for event in events}
    if not newest or any(event.kind != over for event in newest.values()):
        return None
    return max(event.monotonic_ns for event in newest.values())


def _breaks_promise(tick: Tick, names: Sequence[str], journeys: dict[str, Journey]) -> bool:
    """Whether this tick holds an error, a dropped arrival, or a median that misses what is promised of the p99.

    A tick is a quarter of a second: too few requests for a p99 of its own, enough for a median.
    """
    if tick.dropped:
        return True
    for name in names:
        seen = tick.journeys.get(name)
        if seen is None or not seen.requests:
            continue
        if seen.errors or Histogram.from_counts(seen.latency).quantile(0.5) > journeys[name].slo.p99.ns:
            return True
    return False


def _sums(ticks: Iterable[Tick], sheddable: Collection[str]) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Requests, errors and answers with less. A journey that may be answered with less may be refused as well."""
    requests: dict[str, int] = {}
    errors: dict[str, int] = {}
    degraded: dict[str, int] = {}
    for tick in ticks:
        for name, seen in tick.journeys.items():
            requests[name] = requests.get(name, 0) + seen.requests
            refused = seen.answers.get(REFUSED, 0) if name in sheddable else 0
            errors[name] = errors.get(name, 0) + seen.errors - refused
            degraded[name] = degraded.get(name, 0) + seen.degraded + refused
    return requests, errors, degraded
