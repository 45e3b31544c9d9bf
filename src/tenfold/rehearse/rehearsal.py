"""Conducts one rehearsal: the climb, the drills, the audit, the verdict.

It is handed servers and services that run and a load driver that waits; it owns none of them.
"""

import asyncio
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from tenfold.fleet import FAULTS, Estate, Injection, Node, Shieldable
from tenfold.fleet.machine import Calibration, MachineUse, warnings_of
from tenfold.kernel import Clock, Duration
from tenfold.plan.model import Drill, Engine, Fault, Plan, Steps
from tenfold.rehearse.audit import audit
from tenfold.rehearse.bottleneck import DRIVER, LimitedBy, bottleneck_of
from tenfold.rehearse.climb import climb, drill_stage, rate_at, warm_up
from tenfold.rehearse.decision import decide, failures_of
from tenfold.rehearse.drill import Timeline, carry_out, judge_drill
from tenfold.rehearse.enough import end_once_over, is_over
from tenfold.rehearse.fault import FaultJournal, Faults, Successive
from tenfold.rehearse.headline import headline, reasons_by_cause
from tenfold.rehearse.load.load import Load, StageResult
from tenfold.rehearse.load.messages import Stage, Tick
from tenfold.rehearse.monitor import ProcessMonitor
from tenfold.rehearse.repeat import Repeats
from tenfold.rehearse.stage_watch import StageWatch
from tenfold.rehearse.step import generator_late_ms, judge_step, kept_up
from tenfold.rehearse.verdict import CrashVerdict, DrillVerdict, InvariantVerdict, Machine, StepVerdict, Verdict
from tenfold.rehearse.view.run_record import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a rehearsal is held: what runs, who sends, who watches, and where things are written down."""

    estate: Estate
    load: Load
    record: RunRecord
    monitor: ProcessMonitor
    faults: FaultJournal
    features: Callable[[str], Shieldable]
    """What shields the feature of that name."""
    answers: Path
    """The journal of acknowledged answers that the driver writes."""
    calibrate: Callable[[], Calibration]
    """Measures what the machine is, for about a second; it blocks."""
    crashes: Callable[[], Sequence[CrashVerdict]]
    """Services that ended without being told to, so far."""
    clock: Clock

    def parts(self) -> dict[int, str]:
        """The run's processes that have a name, by id."""
        nodes = {node.pid: node.name for node in (*self.estate.nodes, *self.estate.services)}
        return {**nodes, self.load.pid: DRIVER}


class Rehearsal:
    """One rehearsal of one plan, or of all of it but the drills that are `left_out`."""

    def __init__(self, plan: Plan, steps: Steps, stand: Stand, *, left_out: Sequence[str] = ()) -> None:
        self._plan = plan
        self._steps = steps
        self._stand = stand
        self._left_out = left_out
        self._record = stand.record
        self._watch = StageWatch(stand.parts, lambda: stand.estate.services, stand.answers.parent)
        self._repeats = Repeats()

    async def run(self) -> Verdict:
        """From the first request to the verdict."""
        self._record.phase("warm-up")
        calibration = await self._calibrate()
        await self._warm_up()
        steps = await self._climb()
        drills = await self._drill()
        settled, invariants = await self._audit()
        crashes = list(self._stand.crashes())
        failures = failures_of(steps, drills, invariants, left_out=self._left_out, settled=settled, crashes=crashes)
        (decision, reasons), causes = decide(failures), reasons_by_cause(failures)
        return Verdict(
            schema=1,
            run_id=self._record.progress.run_id,
            plan=self._plan.name,
            verdict=decision,
            reasons=reasons,
            machine=machine(),
            steps=steps,
            drills=drills,
            invariants=invariants,
            headline=headline(causes),
            causes=causes,
            calibration=calibration,
            crashes=crashes,
        )

    async def _calibrate(self) -> Calibration:
        """What this machine is, and a warning when the plan asks more than it is likely to bear."""
        found = await asyncio.to_thread(self._stand.calibrate)
        asked_rps = self._plan.peak.daily_peak_rps * max(self._steps.factors)
        for warning in warnings_of(found, asked_rps):
            self._record.warn(warning)
        return found

    async def _warm_up(self) -> None:
        await self._run(warm_up(self._plan.peak, self._steps.warm_up))

    async def _climb(self) -> list[StepVerdict]:
        self._record.phase("steps")
        return [await self._step(factor, stage) for factor, stage in climb(self._plan.peak, self._steps)]

    async def _step(self, factor: float, stage: Stage) -> StepVerdict:
        """Once, and once more when the machine was the limit."""
        self._record.begin_step(factor)
        once = partial(self._climbed, factor, stage)
        found = await self._repeats.tried(once, _length(stage), self._record.repeat_step)
        self._record.end_step(found)
        return found

    async def _climbed(self, factor: float, stage: Stage) -> StepVerdict:
        begun = await self._watch.begin()
        result = await self._run(stage, lambda _, done_ratio: self._record.step_done(factor, done_ratio))
        use = await self._watch.end(begun)
        return judge_step(result, factor, self._plan.journeys, use=use, services=self._plan.services)

    async def _drill(self) -> list[DrillVerdict]:
        self._record.phase("drills")
        wanted = [(name, drill) for name, drill in self._plan.drills.items() if name not in self._left_out]
        return [await self._tried_drill(name, drill) for name, drill in wanted]

    async def _tried_drill(self, name: str, drill: Drill) -> DrillVerdict:
        """Once, and once more when the machine was the limit."""
        length = _length(drill_stage(self._plan.peak, self._steps, name, drill))
        found = await self._repeats.tried(partial(self._carry_out, name, drill), length, self._record.repeat_drill)
        self._record.end_drill(found)
        return found

    async def _carry_out(self, name: str, drill: Drill) -> DrillVerdict:
        stand, record = self._stand, self._record
        timeline = Timeline(began_ns=stand.clock.monotonic_ns())
        stated = [drill.after, drill.fault] if drill.after else [drill.fault]
        fault = Successive([Faults(name, self._injections(one), stand.faults) for one in stated])
        stage = drill_stage(self._plan.peak, self._steps, name, drill)
        record.drill_state(name, "steady")
        begun = await self._watch.begin()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._run(stage, lambda tick, _: timeline.ticks.append(tick)))
            await carry_out(fault, drill.hold, timeline, stand.clock, lambda state: record.drill_state(name, state))
            await end_once_over(sending, lambda: self._is_over(drill, timeline), lambda: stand.load.end(stage.name))
        timeline.ended_ns = stand.clock.monotonic_ns()
        timeline.planned = sending.result().planned
        timeline.events = stand.monitor.since(timeline.began_ns)
        verdict = judge_drill(name, drill, self._plan.journeys, timeline)
        record.mark_drill(verdict, timeline)
        return self._attributed(verdict, sending.result(), await self._watch.end(begun))

    def _attributed(self, verdict: DrillVerdict, result: StageResult, use: MachineUse) -> DrillVerdict:
        """The same with what the machine did meanwhile, and with whom it was that kept it from holding."""
        late_ms = generator_late_ms(result)
        limited: LimitedBy = "none"
        if not verdict.held:
            limited = "server" if kept_up(result, self._plan.journeys) else "inconclusive"
        found = bottleneck_of(limited, use, driver_late_ms=late_ms, services=self._plan.services)
        return msgspec.structs.replace(
            verdict,
            limited_by=found.limited_by,
            culprit=found.by,
            evidence=found.evidence,
            generator_late_ms=late_ms,
            machine=use,
        )

    def _is_over(self, drill: Drill, timeline: Timeline) -> bool:
        timeline.events = self._stand.monitor.since(timeline.began_ns)
        return is_over(timeline, drill, self._plan.journeys)

    def _injections(self, fault: Fault) -> list[Injection[Any]]:
        """One for each node or feature that is struck; none for a fault of the load."""
        injection = FAULTS[fault.kind]
        struck: Sequence[Node | Shieldable] = self._stand.estate.struck_by(fault)
        if injection.kind.features:
            struck = [self._stand.features(name) for name in fault.at]
        elif injection.kind.journeys:
            struck = []
        return [injection(one, fault.share) for one in struck]

    async def _audit(self) -> tuple[bool, list[InvariantVerdict]]:
        """A plan without a database has nothing that could be asked; the verdict says that nothing is known."""
        self._record.phase("audit")
        database = self._database()
        if database is None:
            return True, []
        return await audit(
            self._stand.estate.references[f"{database}.primary.control_url"],
            self._stand.answers,
            self._plan.settled,
            self._plan.invariants,
            self._stand.clock,
            self._record.end_invariant,
        )

    def _database(self) -> str | None:
        """The server that queries are put to: a plan with queries has exactly one such."""
        servers = self._plan.servers.items()
        return next((name for name, server in servers if server.engine is Engine.POSTGRESQL), None)

    async def _run(self, stage: Stage, watch: Callable[[Tick, float], None] = lambda *_: None) -> StageResult:
        """Send one stage; the record and `watch` see every tick, `watch` with the share of the stage that is over."""
        began_ns = self._stand.clock.monotonic_ns()
        length_ns = _length(stage).ns
        self._record.begin_stage(stage.name)

        def on_tick(tick: Tick) -> None:
            elapsed_ns = min(tick.at_ns - began_ns, length_ns - 1)
            self._record.tick(tick, rate_at(stage, elapsed_ns), elapsed_ns / length_ns)
            watch(tick, elapsed_ns / length_ns)

        return await self._stand.load.run(stage, on_tick)


def _length(stage: Stage) -> Duration:
    return Duration(sum(segment.duration_ns for segment in stage.segments))


def machine() -> Machine:
    """The machine that a verdict is worth something on."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=platform.processor() or platform.machine(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=platform.platform(),
    )
