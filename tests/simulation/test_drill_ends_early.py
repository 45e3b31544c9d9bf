"""A drill whose load ends once it has shown enough is judged as one whose load went on to the end of its tail."""

import sys
from dataclasses import replace
from random import Random

import pytest

from tenfold.kernel import Duration
from tenfold.plan.model import Drill, Fault, Journey, Signal, SignalKind, Slo, Target, Tier
from tenfold.rehearse.drill import STEADY, Timeline, judge_drill
from tenfold.rehearse.enough import is_over
from tenfold.rehearse.load.messages import JourneyTick, Tick
from tenfold.telemetry import Event, Histogram

MS = 1_000_000
TICK_NS = 250 * MS
INJECTED_NS, REVERTING_NS = 8 * TICK_NS, 20 * TICK_NS
TAIL = Duration.from_s(12)
JOURNEYS = {"read": Journey(tier=Tier.P0, share=1, method="GET", path="/", slo=Slo(p99=Duration.from_ms(50)))}
DRILL = Drill(
    target=Target.CACHE,
    fault=Fault("kill", ("main",)),
    hold=Duration.from_s(3),
    signal=Signal(SignalKind.FAILOVER, "main"),
    tail=TAIL,
    degraded=("read",),
    proves="It comes back.",
)


def slow_until(at_ns: int, back_ns: int) -> Tick:
    """Reads are slow from the fault until `back_ns`."""
    latency = Histogram()
    latency.record(80 * MS if INJECTED_NS < at_ns <= back_ns else 2 * MS)
    read = JourneyTick(requests=1, latency=latency.to_counts())
    return Tick("drill", at_ns, 1, 1, 0, 0, {}, 0, {"read": read}, 0)


def said(at_ns: int, kind: str, source: str) -> Event:
    return Event(monotonic_ns=at_ns, at="", source=source, kind=kind, subject="main")


def whole_drill(random: Random) -> Timeline:
    """Until the end of the tail: when it comes back, and when it says so, are chance; sometimes it never does."""
    end_ns = REVERTING_NS + TAIL.ns
    back_ns = REVERTING_NS + round(random.uniform(0, 1.3) * TAIL.ns)
    events = []
    for source in ("api", "worker"):
        events.append(said(INJECTED_NS + random.randrange(500) * MS, "failover-standby", source))
        events.append(said(REVERTING_NS + round(random.uniform(0, 1.2) * TAIL.ns), "failover-main", source))
    return Timeline(
        began_ns=0,
        injected_ns=INJECTED_NS,
        reverting_ns=REVERTING_NS,
        reverted_ns=REVERTING_NS + random.randrange(3_000) * MS,
        ended_ns=end_ns,
        ticks=[slow_until(at_ns, back_ns) for at_ns in range(TICK_NS, end_ns + 1, TICK_NS)],
        events=[event for event in events if event.monotonic_ns <= end_ns],
    )


def known_at(whole: Timeline, at_ns: int) -> Timeline:
    return replace(
        whole,
        reverted_ns=whole.reverted_ns if whole.reverted_ns <= at_ns else 0,
        ended_ns=at_ns,
        ticks=[tick for tick in whole.ticks if tick.at_ns <= at_ns],
        events=[event for event in whole.events if event.monotonic_ns <= at_ns],
    )


def ended_early(whole: Timeline) -> Timeline:
    """As the conductor does it: one look a tick, and the load ends at the tick after."""
    for tick in whole.ticks[:-1]:
        if is_over(known_at(whole, tick.at_ns), DRILL, JOURNEYS):
            return known_at(whole, tick.at_ns + TICK_NS)
    return whole


@pytest.mark.parametrize("seed", range(200))
def test_an_early_end_changes_no_word_of_the_verdict(seed: int) -> None:
    """Held or not, noticed when, recovered when, reverted: all as after the whole tail."""
    sys.stdout.write(f"seed {seed}\n")
    whole = whole_drill(Random(seed))
    early = ended_early(whole)
    judged, patient = (judge_drill("d", DRILL, JOURNEYS, one) for one in (early, whole))
    assert replaced(judged) == replaced(patient)
    if patient.recover_ms is not None:
        proven_ns = max(whole.reverted_ns, REVERTING_NS + round(patient.recover_ms * 1e6) + STEADY.ns)
        assert early.ended_ns <= proven_ns + 2 * TICK_NS


def replaced(verdict: object) -> dict[str, object]:
    """All but the count of requests, of which a longer load has more."""
    return {
        name: getattr(verdict, name) for name in ("held", "detect_ms", "recover_ms", "recovered", "reverted", "reasons")
    }
