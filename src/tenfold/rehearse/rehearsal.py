"""Conducts one rehearsal: the climb, the drills, the audit, the verdict.

It is handed servers and services that run and a load driver that waits; it owns none of them.
"""

import asyncio
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenfold.fleet import FAULTS, Estate, Injection, Node, Shieldable
from tenfold.kernel import Clock
from tenfold.plan.model import Drill, Engine, Fault, Plan, Steps
from tenfold.rehearse.audit import audit
from tenfold.rehearse.climb import climb, drill_stage, rate_at, warm_up
from tenfold.rehearse.drill import Timeline, carry_out, judge_drill
from tenfold.rehearse.fault import FaultJournal, Faults, Successive
from tenfold.rehearse.load.load import Load, StageResult
from tenfold.rehearse.load.messages import Stage, Tick
from tenfold.rehearse.monitor import ProcessMonitor
from tenfold.rehearse.step import judge_step
from tenfold.rehearse.verdict import DrillVerdict, InvariantVerdict, Machine, StepVerdict, Verdict, decide
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
    clock: Clock


class Rehearsal:
    """One rehearsal of one plan, or of all of it but the drills that are `left_out`."""

    def __init__(self, plan: Plan, steps: Steps, stand: Stand, *, left_out: Sequence[str] = ()) -> None:
        self._plan = plan
        self._steps = steps
        self._stand = stand
        self._left_out = left_out
        self._record = stand.record

    async def run(self) -> Verdict:
        """From the first request to the verdict."""
        await self._warm_up()
        steps = await self._climb()
        drills = await self._drill()
        settled, invariants = await self._audit()
        decision, reasons = decide(steps, drills, invariants, left_out=self._left_out, settled=settled)
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
        )

    async def _warm_up(self) -> None:
        self._record.phase("warm-up")
        await self._run(warm_up(self._plan.peak, self._steps.warm_up))

    async def _climb(self) -> list[StepVerdict]:
        self._record.phase("steps")
        return [await self._step(factor, stage) for factor, stage in climb(self._plan.peak, self._steps)]

    async def _step(self, factor: float, stage: Stage) -> StepVerdict:
        self._record.begin_step(factor)
        result = await self._run(stage, lambda _, done_ratio: self._record.step_done(factor, done_ratio))
        verdict = judge_step(result, factor, self._plan.journeys)
        self._record.end_step(verdict)
        return verdict

    async def _drill(self) -> list[DrillVerdict]:
        self._record.phase("drills")
        wanted = [(name, drill) for name, drill in self._plan.drills.items() if name not in self._left_out]
        return [await self._carry_out(name, drill) for name, drill in wanted]

    async def _carry_out(self, name: str, drill: Drill) -> DrillVerdict:
        stand, record = self._stand, self._record
        timeline = Timeline(began_ns=stand.clock.monotonic_ns())
        stated = [drill.after, drill.fault] if drill.after else [drill.fault]
        fault = Successive([Faults(name, self._injections(one), stand.faults) for one in stated])
        stage = drill_stage(self._plan.peak, self._steps, name, drill)
        record.drill_state(name, "steady")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run(stage, lambda tick, _: timeline.ticks.append(tick)))
            group.create_task(
                carry_out(fault, drill.hold, timeline, stand.clock, lambda state: record.drill_state(name, state))
            )
        timeline.ended_ns = stand.clock.monotonic_ns()
        timeline.events = stand.monitor.since(timeline.began_ns)
        verdict = judge_drill(name, drill, self._plan.journeys, timeline)
        record.end_drill(verdict, timeline)
        return verdict

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
        length_ns = sum(segment.duration_ns for segment in stage.segments)
        self._record.begin_stage(stage.name)

        def on_tick(tick: Tick) -> None:
            elapsed_ns = min(tick.at_ns - began_ns, length_ns - 1)
            self._record.tick(tick, rate_at(stage, elapsed_ns), elapsed_ns / length_ns)
            watch(tick, elapsed_ns / length_ns)

        return await self._stand.load.run(stage, on_tick)


def machine() -> Machine:
    """The machine that a verdict is worth something on."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=platform.processor() or platform.machine(),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=platform.platform(),
    )
