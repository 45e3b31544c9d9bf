"""What a drill's timeline proves."""

import asyncio
from dataclasses import replace

from tenfold.kernel import Duration
from tenfold.plan.model import Drill, Fault, Journey, Signal, SignalKind, Slo, Target, Tier
from tenfold.rehearse.decision import decide, failures_of
from tenfold.rehearse.drill import Timeline, judge_drill
from tenfold.rehearse.enough import end_once_over, is_over
from tenfold.rehearse.load.messages import JourneyTick, Tick
from tenfold.telemetry import Event, Histogram

S = 1_000_000_000

JOURNEYS = {
    "price": Journey(tier=Tier.P0, share=0.9, method="GET", path="/p", slo=Slo(p99=Duration.from_ms(50))),
    "order": Journey(tier=Tier.P0, share=0.1, method="POST", path="/o", slo=Slo(p99=Duration.from_ms(100))),
}
DRILL = Drill(
    target=Target.CACHE,
    fault=Fault("kill", ("main.primary",)),
    hold=Duration.from_s(3),
    signal=Signal(SignalKind.BREAKER, "main"),
    proves="Reads go on.",
    unharmed=("price",),
    delayed=("order",),
)


def tick(at_s: float, *, errors: int = 0, latency_ms: float = 2.0, dropped: int = 0) -> Tick:
    latency = Histogram()
    for _ in range(100):
        latency.record(round(latency_ms * 1e6))
    price = JourneyTick(requests=100, errors=errors, latency=latency.to_counts())
    return Tick(
        stage="drill",
        at_ns=round(at_s * S),
        due=100,
        sent=100,
        dropped=dropped,
        inflight=0,
        lateness={},
        waited=0,
        journeys={"price": price},
        cpu_ns=0,
    )


def event(at_s: float, kind: str, *, source: str = "api", subject: str = "main") -> Event:
    return Event(monotonic_ns=round(at_s * S), at="", source=source, kind=kind, subject=subject)


def timeline(ticks: list[Tick], events: list[Event]) -> Timeline:
    return Timeline(
        began_ns=0,
        injected_ns=2 * S,
        reverting_ns=5 * S,
        reverted_ns=5 * S,
        ended_ns=12 * S,
        ticks=ticks,
        events=events,
    )


NOTICED = event(2.12, "breaker-opened")
CLOSED = event(5.9, "breaker-closed")


def test_a_drill_that_is_noticed_and_over_without_an_error_holds() -> None:
    """Detection counts from the fault, recovery from the start of the revert."""
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(3.0), tick(6.0), tick(11.0)], [NOTICED, CLOSED]))
    assert outcome.held
    assert (outcome.reverted, outcome.recovered) == (True, True)
    assert outcome.detect_ms == 120.0
    assert outcome.recover_ms == 900.0
    assert (outcome.requests, outcome.errors) == (300, 0)


def test_one_error_fails_a_drill() -> None:
    """Unharmed means without one error, in whichever part of the drill."""
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(3.0, errors=1), tick(11.0)], [NOTICED, CLOSED]))
    assert not outcome.held
    assert outcome.reasons == ["1 price requests failed"]


def test_an_arrival_that_was_never_sent_fails_a_drill() -> None:
    """A customer who is not served is harmed, whatever the server thinks."""
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(3.0, dropped=2), tick(11.0)], [NOTICED, CLOSED]))
    assert outcome.reasons == ["2 arrivals were never sent"]


def test_a_fault_that_nobody_notices_fails_the_drill() -> None:
    """A drill whose fault touched nothing has proven nothing."""
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(3.0), tick(11.0)], []))
    assert outcome.detect_ms is None
    assert not outcome.held


def test_events_before_the_fault_are_not_its_detection() -> None:
    """A breaker that had opened for another reason did not notice this fault."""
    early = event(1.0, "breaker-opened")
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(11.0)], [early]))
    assert outcome.detect_ms is None


def test_a_breaker_that_stays_open_in_one_process_is_no_recovery() -> None:
    """Every process that noticed must be back."""
    worker = event(2.3, "breaker-opened", source="worker")
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(11.0)], [NOTICED, worker, CLOSED]))
    assert outcome.recover_ms is None
    assert not outcome.recovered
    assert outcome.reverted


def test_slow_answers_after_the_revert_put_recovery_off() -> None:
    """It is over when the last broken promise is past, not when the breaker says so."""
    slow = tick(7.0, latency_ms=80)
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([slow, tick(11.0)], [NOTICED, CLOSED]))
    assert outcome.recover_ms == 2000.0


def test_without_two_seconds_of_steady_state_nothing_has_recovered() -> None:
    """Recovery at the very end of the load may be the end of the load."""
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(11.5, latency_ms=80)], [NOTICED, CLOSED]))
    assert outcome.recover_ms is None


def test_a_journey_that_the_drill_does_not_name_may_be_slow() -> None:
    """The plan says what must go on; the rest is measured, not judged for speed."""
    drill = replace(DRILL, unharmed=("order",), delayed=())
    outcome = judge_drill("d", drill, JOURNEYS, timeline([tick(7.0, latency_ms=80)], [NOTICED, CLOSED]))
    assert outcome.held


def test_a_refusal_is_no_error_of_a_journey_that_may_be_answered_with_less() -> None:
    """503 says: try again later. Any other error counts, and a 503 to whom everything was promised."""

    def refused(degraded: tuple[str, ...], status: str) -> int:
        ticks = [tick(at, errors=5) for at in (2.5, 3.0)]
        for one in ticks:
            one.journeys["price"].answers[f"status-{status}"] = 5
        drill = replace(DRILL, unharmed=(), delayed=(), degraded=degraded)
        return judge_drill("d", drill, JOURNEYS, timeline(ticks, [])).errors

    assert [refused(("price",), "503"), refused(("price",), "500"), refused((), "503")] == [0, 10, 10]


def test_what_was_offered_and_served_is_counted_while_the_fault_was_in() -> None:
    """Arrivals before and after it do not count, and neither a refusal nor what comes too late is a service."""
    ticks = [tick(at, errors=40 if 2 < at <= 5 else 0) for at in (1, 2, 3, 4, 5, 6)]
    load = judge_drill("overload", DRILL, JOURNEYS, timeline(ticks, []))
    assert (load.offered_rps, load.served_rps) == (100.0, 60.0)
    late = [tick(at, latency_ms=51) for at in (3, 4, 5)]
    assert judge_drill("overload", DRILL, JOURNEYS, timeline(late, [])).served_rps == 0.0


def test_a_fault_shorter_than_two_ticks_says_nothing_of_the_load() -> None:
    load = judge_drill("overload", DRILL, JOURNEYS, timeline([tick(3)], []))
    assert (load.offered_rps, load.served_rps) == (0.0, 0.0)


def test_a_fault_that_is_still_in_place_is_not_reverted_though_the_system_has_recovered() -> None:
    """The standby answers every read: steady state says nothing of the process that was struck."""
    found = timeline([tick(3.0), tick(6.0), tick(11.0)], [NOTICED, CLOSED])
    found.reverted_ns, found.remains = 0, ["main.primary does not answer"]
    outcome = judge_drill("d", DRILL, JOURNEYS, found)
    assert (outcome.held, outcome.recovered, outcome.reverted) == (True, True, False)
    assert decide(failures_of([], [outcome], []))[1][-1] == (
        "Drill d was not reverted, the fault is still in place: main.primary does not answer."
    )


def test_a_slow_recovery_does_not_say_that_the_fault_is_in_place() -> None:
    """Two facts, and a reader who is told the wrong one looks in the wrong place."""
    outcome = judge_drill("d", DRILL, JOURNEYS, timeline([tick(11.5, latency_ms=80)], [NOTICED, CLOSED]))
    assert (outcome.held, outcome.recovered, outcome.reverted) == (False, False, True)
    assert outcome.reasons == ["no steady state within 6 s of the revert"]
    assert "in place" not in " ".join(decide(failures_of([], [outcome], []))[1])


def test_a_drill_at_another_rate_than_the_plans_does_not_hold() -> None:
    """Chance moves a count by its root; a tenth less of ten thousand is a driver that did not do as it was told."""
    found = timeline([tick(at / 4) for at in range(1, 45)], [NOTICED, CLOSED])
    found.planned = 4_400.0
    assert judge_drill("d", DRILL, JOURNEYS, found).held
    found.planned = 5_000.0
    outcome = judge_drill("d", DRILL, JOURNEYS, found)
    assert outcome.reasons == ["4,400 arrivals fell due where 5,000 were planned"]


def seen_until(at_s: float, *others: Tick, reverted_s: float = 5.0) -> Timeline:
    """What is known while the load still runs: ticks and events until then, no end."""
    ticks = [*others, *(tick(one / 4) for one in range(1, int(at_s * 4) + 1))]
    known = timeline(sorted(ticks, key=lambda one: one.at_ns), [NOTICED, CLOSED])
    known.ended_ns, known.reverted_ns = 0, round(reverted_s * S)
    return known


def test_a_drill_is_over_when_signal_promises_and_proof_have_all_been_there_for_two_seconds() -> None:
    """The breaker closed at 5.9 s: over at 8 s, not at 7.75 s."""
    assert not is_over(seen_until(7.75), DRILL, JOURNEYS)
    assert is_over(seen_until(8.0), DRILL, JOURNEYS)


def test_a_drill_is_not_over_without_its_signal_its_proof_or_its_promises() -> None:
    """Any one that is missing keeps the load going, to the end of the tail."""
    assert not is_over(seen_until(11.0, reverted_s=0), DRILL, JOURNEYS)
    assert not is_over(seen_until(8.0, tick(6.5, errors=1)), DRILL, JOURNEYS)
    assert not is_over(replace(seen_until(11.0), events=[NOTICED]), DRILL, JOURNEYS)
    assert not is_over(replace(seen_until(11.0), events=[]), DRILL, JOURNEYS)


def test_the_load_is_told_to_end_once_and_only_when_the_drill_is_over() -> None:
    """A load that ends by itself is told nothing."""

    async def conduct(*looks: bool, ends_by_itself: bool = False) -> int:
        ended, answers = list[bool](), iter(looks)
        over = asyncio.Event()

        async def end() -> None:
            ended.append(True)
            over.set()

        async def send() -> None:
            if not ends_by_itself:
                await over.wait()

        sending = asyncio.create_task(send())
        await asyncio.wait_for(end_once_over(sending, lambda: next(answers), end), 5)
        await sending
        return len(ended)

    assert asyncio.run(conduct(True)) == 1
    assert asyncio.run(conduct(False, True)) == 1
    assert asyncio.run(conduct(False, ends_by_itself=True)) == 0
