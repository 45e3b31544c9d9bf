"""A rehearsal that never happened: what Progress looks like at any second of one, for whatever draws it.

Only for tests and for looking at pages. Deterministic: the same seed and second give the same record.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from tenfold.fleet.machine import MachineUse, ProcessUse
from tenfold.rehearse.decision import decide, failures_of
from tenfold.rehearse.headline import headline, in_sight, reasons_by_cause
from tenfold.rehearse.summary import summary_of
from tenfold.rehearse.verdict import (
    DrillVerdict,
    InvariantVerdict,
    JourneyVerdict,
    Machine,
    StepVerdict,
    Verdict,
)
from tenfold.rehearse.view.progress import (
    DrillView,
    InvariantView,
    Mark,
    RunMessage,
    RunProgress,
    Sample,
    ServerView,
    StepView,
)
from tenfold.rehearse.view.report import RunEvidence

PEAK_RPS = 300.0
SEEDED_S, WARM_S, CLIMB_S = 4.0, 9.0, 21.0
STEP_S, PEAK_S, DRILL_S = 8.0, 20.0, 10.0
SAMPLE_S = 0.25
FACTORS = tuple(range(1, 11))
DRILLS = (
    (
        "cache-primary-killed",
        "cache",
        "kill main.primary",
        "The standby cluster answers every read while main is dead.",
    ),
    ("replica-stopped", "database", "stop database.replica", "Reads that went to the replica are answered without it."),
    ("primary-cut", "database", "cut database.primary", "Orders wait and none is lost; reads do not notice."),
    ("object-store-refusing", "object-store", "refuse objects.s3", "Pages are served with a placeholder picture."),
)
INVARIANTS = (
    ("stock-never-negative", "No shelf is ever below zero.", 402_136),
    ("order-never-lost", "Every acknowledged order is in the database.", 31_204),
    ("order-never-doubled", "One key makes one order.", 31_204),
    ("price-never-wrong", "Every line was charged what the shelf said.", 248_117),
    ("effects-once", "Every order moved its stock exactly once.", 31_204),
)
SERVERS = (
    ("database.primary", "PostgreSQL 18", 5432, 212),
    ("database.replica", "PostgreSQL 18", 5433, 188),
    ("main.primary", "Valkey 9", 6379, 41),
    ("main.replica", "Valkey 9", 6380, 38),
    ("standby.primary", "Valkey 9", 6381, 40),
    ("standby.replica", "Valkey 9", 6382, 37),
    ("objects", "SeaweedFS", 8333, 96),
    ("api", "freshmart API", 8000, 133),
    ("worker", "freshmart worker", 8001, 74),
    ("driver", "load driver", 9100, 88),
)
SHARES = {"browse": 0.15, "price": 0.30, "availability": 0.25, "image": 0.10, "order": 0.105, "order-status": 0.095}
P99_MAX_MS = {name: 100.0 if name == "order" else 50.0 for name in SHARES}


@dataclass(frozen=True)
class Span:
    """A part of the run: from `start` to `end` seconds at `rate` requests a second."""

    kind: str
    name: str
    start: float
    end: float
    rate: float


def spans() -> list[Span]:
    made, at = [Span("warm-up", "warm-up", WARM_S, CLIMB_S, PEAK_RPS)], CLIMB_S
    for factor in FACTORS:
        length = PEAK_S if factor == FACTORS[-1] else STEP_S
        made.append(Span("steps", f"{factor}×", at, at + length, factor * PEAK_RPS))
        at += length
    for name, *_ in DRILLS:
        made.append(Span("drills", name, at, at + DRILL_S, 10 * PEAK_RPS))
        at += DRILL_S
    return made


SPANS = spans()
SPOILED = MachineUse(
    elapsed_s=8.0,
    cores=2,
    own_cpu_s=8.0,
    own=[ProcessUse("api", 4107, 6.0, 0.31), ProcessUse("driver", 4109, 2.0, 0.12)],
    kernel_cpu_s=0.3,
    others_cpu_s=7.7,
    others=[ProcessUse("stress", 4711, 7.6)],
    steal_s=0.0,
    idle_s=0.0,
    pressure_cpu_s=7.9,
    flush_ms=0.6,
)
LOAD_END_S = SPANS[-1].end
END_S = LOAD_END_S + 4.0


class SimulatedRehearsal:
    """`progress(at)` is what people would see `at` seconds into the run.

    `broken` names invariants to break, `left_out` drills that nobody wanted, `unreverted` those whose revert lies.
    The machine `spoiled` some steps both times they were tried, and others, `repeated`, the first time only.
    """

    def __init__(
        self,
        seed: int = 7,
        broken: tuple[str, ...] = (),
        missed: tuple[float, ...] = (),
        left_out: tuple[str, ...] = (),
        unreverted: tuple[str, ...] = (),
        spoiled: tuple[float, ...] = (),
        repeated: tuple[float, ...] = (),
    ) -> None:
        self._spoiled = spoiled
        self._repeated = repeated
        self._unreverted = unreverted
        self._broken = broken
        self._left_out = left_out
        self._missed = missed
        self.samples = list(_samples(random.Random(seed)))

    def progress(self, at: float, *, samples_max: int = 240) -> RunProgress:
        progress = RunProgress(
            run_id="20261122T180115.042Z-7f3a",
            plan="freshmart",
            title="Sale festival of a fresh-food retailer",
            began_at="2026-11-22T18:01:15.042Z",
            elapsed_s=min(at, END_S),
            daily_peak_rps=PEAK_RPS,
        )
        self._set_phase(progress, at)
        progress.servers = [_server(index, at, progress) for index in range(len(SERVERS))]
        progress.steps = [self._step(span, at) for span in SPANS if span.kind == "steps"]
        progress.drills = [self._drill(span, at) for span in SPANS if span.kind == "drills"]
        progress.invariants = [self._invariant(*known, at) for known in INVARIANTS]
        progress.samples = [sample for sample in self.samples if sample.at <= at][-samples_max:]
        progress.marks = [mark for mark in _marks() if mark.at <= at]
        progress.journeys = _journeys(progress)
        progress.messages = [
            RunMessage(
                at=f"18:0{1 + int(mark.at + 15) // 60}:{int(mark.at + 15) % 60:02}", kind=_tone(mark), text=mark.text
            )
            for mark in progress.marks
        ]
        return progress

    def _set_phase(self, progress: RunProgress, at: float) -> None:
        if at >= END_S:
            verdict = self.verdict()
            progress.phase, progress.phase_done_ratio = "done", 1.0
            progress.verdict, progress.reasons = verdict.verdict, in_sight(verdict.causes)
            progress.summary = summary_of(verdict)
            return
        limits = (("starting", 0.0, SEEDED_S), ("seeding", SEEDED_S, WARM_S), ("audit", LOAD_END_S, END_S))
        for kind, start, end in limits:
            if start <= at < end:
                progress.phase, progress.phase_done_ratio = kind, (at - start) / (end - start)
        for span in SPANS:
            if span.start <= at < span.end:
                first = next(other for other in SPANS if other.kind == span.kind)
                last = [other for other in SPANS if other.kind == span.kind][-1]
                progress.phase, progress.current = span.kind, span.name
                progress.phase_done_ratio = (at - first.start) / (last.end - first.start)

    def _step(self, span: Span, at: float) -> StepView:
        step = StepView(name=span.name, factor=span.rate / PEAK_RPS, target_rps=span.rate)
        if at < span.start:
            return step
        missed = step.factor in self._missed
        step.done_ratio = min(1.0, (at - span.start) / (span.end - span.start))
        step.state = "running" if at < span.end else "missed" if missed else "held"
        step.result = self._step_verdict(span, missed=missed and at >= span.end)
        if step.factor in self._spoiled + self._repeated and step.done_ratio > 0.5:
            self._spoil(step)
        return step

    def _spoil(self, step: StepView) -> None:
        """Two tries share the time of one here: the second begins half way, and a neighbour spoiled the first."""
        assert step.result
        first = msgspec.structs.replace(
            step.result,
            limited_by="machine",
            culprit="stress",
            evidence="other programs used 48% of the 2 cores (stress (pid 4711) 48%)",
            generator_late_ms=31.0,
            machine=SPOILED,
        )
        if step.done_ratio < 1:
            step.state, step.result = "repeating", first
        elif step.factor in self._spoiled:
            step.state, step.result = "inconclusive", msgspec.structs.replace(first, earlier=[first])
        else:
            step.result.earlier = [first]

    def _drill(self, span: Span, at: float) -> DrillView:
        if span.name in self._left_out:
            return msgspec.structs.replace(_drill(span, -1.0), state="left-out")
        view = _drill(span, at)
        if span.name in self._unreverted and view.result and view.state == "held":
            remains = [f"{view.fault.partition(' ')[2]} does not answer"]
            view.state, view.result = "failed", msgspec.structs.replace(view.result, reverted=False, remains=remains)
        return view

    def _invariant(self, name: str, says: str, checked: int, at: float) -> InvariantView:
        if at < END_S - 2.0:
            return InvariantView(name=name, says=says)
        broken = name in self._broken
        found = InvariantVerdict(name=name, held=not broken, checked=checked, violations=18 if broken else 0)
        return InvariantView(name=name, says=says, state="broken" if broken else "held", result=found)

    def verdict(self) -> Verdict:
        over = self.progress(END_S - 0.001)
        steps = [step.result for step in over.steps if step.result]
        drills = [drill.result for drill in over.drills if drill.result]
        invariants = [one.result for one in over.invariants if one.result]
        failures = failures_of(steps, drills, invariants, left_out=self._left_out)
        (decision, reasons), causes = decide(failures), reasons_by_cause(failures)
        machine = Machine(cores=2, processor="x86_64", memory_bytes=8 << 30, system="Linux 6.12")
        return Verdict(
            schema=1,
            run_id="20261122T180115.042Z-7f3a",
            plan="freshmart",
            verdict=decision,
            reasons=reasons,
            machine=machine,
            steps=steps,
            drills=drills,
            invariants=invariants,
            headline=headline(causes),
            causes=causes,
        )

    def evidence(self) -> RunEvidence:
        return RunEvidence(
            title="Sale festival of a fresh-food retailer",
            began_at="2026-11-22T18:01:15.042Z",
            elapsed_s=END_S,
            daily_peak_rps=PEAK_RPS,
            seed=32570,
            repeat="tenfold rehearse plans/freshmart.yaml --seed 32570",
            versions={
                "tenfold": "0.1.0",
                "Python": "3.11.9",
                "PostgreSQL": "18.0",
                "Valkey": "9.0.0",
                "SeaweedFS": "4.40",
            },
            p99_max_ms=P99_MAX_MS,
            says={name: says for name, says, _ in INVARIANTS},
            faults={name: fault for name, _, fault, _ in DRILLS},
            left_out=list(self._left_out),
            samples=self.samples,
            marks=list(_marks()),
        )

    def _step_verdict(self, span: Span, *, missed: bool) -> StepVerdict:
        factor, seconds = span.rate / PEAK_RPS, span.end - span.start
        sent_rps = span.rate * (0.81 if factor in self._missed else 0.9994)
        slowest_ms = 3.4 + 1.62 * factor + (90.0 if factor in self._missed else 0.0)
        errors = 214 if missed else 0
        journeys = {}
        for index, (name, share) in enumerate(SHARES.items()):
            p99 = slowest_ms * (1.0 if name == "order" else 0.45 + 0.05 * index)
            journeys[name] = JourneyVerdict(
                requests=round(sent_rps * seconds * share),
                errors=errors if name == "order" else 0,
                p50_ms=round(p99 / 6, 2),
                p99_ms=round(p99, 2),
                p999_ms=round(p99 * 2.1, 2),
                slo_held=p99 <= P99_MAX_MS[name] and not (errors and name == "order"),
                p99_max_ms=P99_MAX_MS[name],
            )
        return StepVerdict(
            factor=factor,
            duration_s=seconds,
            target_rps=span.rate,
            sent_rps=sent_rps,
            dropped=37 if missed else 0,
            requests=round(sent_rps * seconds),
            errors=errors,
            limited_by="server" if missed else "none",
            journeys=journeys,
        )


def _samples(chance: random.Random) -> Iterator[Sample]:
    count = int((LOAD_END_S - WARM_S) / SAMPLE_S)
    for number in range(count):
        at = WARM_S + number * SAMPLE_S
        span = next(span for span in SPANS if span.start <= at < span.end)
        target = span.rate
        if span.kind == "warm-up":
            target = PEAK_RPS * (0.25 + 0.75 * math.sin(math.pi * (at - WARM_S) / (CLIMB_S - WARM_S)) ** 2)
        into = at - span.start
        hurt = span.kind == "drills" and 3.0 <= into < 6.4
        p99 = (3.4 + 1.62 * target / PEAK_RPS) * chance.lognormvariate(0, 0.12) * (chance.uniform(2, 5) if hurt else 1)
        yield Sample(
            at=round(at, 3),
            rate_rps=round(target * chance.gauss(1, 0.008), 1),
            target_rps=round(target, 1),
            p50_ms=round(p99 / 6, 2),
            p99_ms=round(p99, 2),
            errors=0,
            inflight=round(target * p99 / 4000) + chance.randint(0, 3),
        )


def _marks() -> Iterator[Mark]:
    for span in SPANS:
        if span.kind == "steps":
            yield Mark(
                at=span.start, kind="step", subject=span.name, text=f"Step {span.name}: {span.rate:,.0f} requests/s"
            )
        if span.kind == "drills":
            fault = next(fault for name, _, fault, _ in DRILLS if name == span.name)
            moments = (
                (3.0, "inject", fault),
                (3.12, "noticed", "breaker opened"),
                (6.0, "revert", "fault reverted"),
                (6.9, "recovered", "steady state again"),
            )
            for into, kind, text in moments:
                yield Mark(at=span.start + into, kind=kind, subject=span.name, text=f"{span.name}: {text}")


def _tone(mark: Mark) -> str:
    return {"inject": "bad", "recovered": "good"}.get(mark.kind, "info")


def _server(index: int, at: float, progress: RunProgress) -> ServerView:
    name, role, port, rss_mib = SERVERS[index]
    faulted = any(drill.fault.endswith(name) and drill.state == "injected" for drill in _drills(at))
    if at < 0.4 * index:
        return ServerView(name=name, role=role, state="starting")
    busy = 0.04 if progress.phase not in ("steps", "drills") else 0.12 + 0.05 * (index % 5)
    return ServerView(
        name=name,
        role=role,
        state="faulted" if faulted else "ready",
        address=f"127.0.0.1:{port}",
        pid=4100 + index,
        rss_bytes=rss_mib << 20,
        cpu_ratio=0.0 if faulted else busy,
    )


def _drills(at: float) -> list[DrillView]:
    return [_drill(span, at) for span in SPANS if span.kind == "drills"]


def _drill(span: Span, at: float) -> DrillView:
    name, target, fault, proves = next(drill for drill in DRILLS if drill[0] == span.name)
    drill = DrillView(name=name, target=target, proves=proves, fault=fault)
    into = at - span.start
    if into < 0:
        return drill
    drill.state = "steady" if into < 3 else "injected" if into < 6 else "reverting" if into < 9 else "held"
    if into > 3.12:
        held_rps = span.rate if drill.state == "held" else 0.0
        drill.result = DrillVerdict(
            name=name,
            target=target,  # type: ignore[arg-type]
            proves=proves,
            held=drill.state == "held",
            requests=int(min(into, DRILL_S) * span.rate),
            errors=0,
            detect_ms=120.0,
            recover_ms=900.0 if into > 6.9 else None,
            reverted=True,
            recovered=into > 6.9,
            offered_rps=held_rps,
            served_rps=held_rps,
        )
    return drill


def _journeys(progress: RunProgress) -> dict[str, dict[str, float]]:
    if progress.phase not in ("steps", "drills", "warm-up"):
        return {}
    p99 = progress.samples[-1].p99_ms if progress.samples else 0.0
    return {
        name: {
            "requests": round(share * 24_000),
            "errors": 0,
            "degraded": 0,
            "p50_ms": p99 / 7,
            "p99_ms": p99 if name == "order" else p99 * 0.6,
            "p99_max_ms": P99_MAX_MS[name],
        }
        for name, share in SHARES.items()
    }
