"""The run's record: what people see, kept while it changes, and shown to every viewer."""

import asyncio
from collections import deque
from collections.abc import Callable

from tenfold.kernel import Clock, Duration
from tenfold.kernel.clock import utc
from tenfold.rehearse.climb import step_name
from tenfold.rehearse.drill import Timeline
from tenfold.rehearse.load.messages import Tick
from tenfold.rehearse.verdict import DrillVerdict, InvariantVerdict, StepVerdict
from tenfold.rehearse.view.progress import DrillView, Mark, RunMessage, RunProgress, Sample, StepView
from tenfold.telemetry import Histogram

PAINT_EVERY = Duration.from_ms(250)
SAMPLES_SHOWN = 240
MESSAGES_SHOWN = 60


class RunRecord:
    """One mutable `RunProgress`, and the viewers who are shown it."""

    def __init__(self, progress: RunProgress, clock: Clock) -> None:
        self.progress = progress
        self.samples: list[Sample] = []
        self._clock = clock
        self._began_ns = clock.monotonic_ns()
        self._viewers: list[Callable[[RunProgress], None]] = []
        self._messages: deque[RunMessage] = deque(maxlen=MESSAGES_SHOWN)
        self._tick_ns = self._began_ns

    def show_to(self, viewer: Callable[[RunProgress], None]) -> None:
        """Call `viewer` with the record from now on; it must be quick and must not keep it."""
        self._viewers.append(viewer)

    def phase(self, name: str, current: str = "") -> None:
        self.progress.phase = name
        self.progress.current = current
        self.progress.phase_done_ratio = 0.0

    @property
    def moment(self) -> str:
        """What goes on now: a step, a drill, or else the phase."""
        return self.progress.current or self.progress.phase

    def say(self, kind: str, text: str) -> None:
        """One line for people."""
        self._messages.append(RunMessage(at=utc(self._clock.wall_ns()), kind=kind, text=text))
        self.progress.messages = list(self._messages)

    def warn(self, text: str) -> None:
        """What may spoil the run; it stays in sight."""
        self.progress.warnings = [*self.progress.warnings, text]
        self.say("bad", text)

    def begin_stage(self, name: str) -> None:
        self._tick_ns = self._clock.monotonic_ns()
        self.progress.current = name
        self.progress.journeys = {}

    def tick(self, tick: Tick, target_rps: float, done_ratio: float) -> None:
        """Draw what the driver saw since its last tick."""
        self.progress.phase_done_ratio = done_ratio
        latency = Histogram()
        errors = 0
        for name, seen in tick.journeys.items():
            mine = Histogram.from_counts(seen.latency)
            latency.add(mine)
            errors += seen.errors
            self._journey(name, seen.requests, seen.errors, seen.degraded, mine)
        length_s = max(1e-3, (tick.at_ns - self._tick_ns) / 1e9)
        self._tick_ns = tick.at_ns
        if not tick.last or errors or tick.dropped:  # the last is a moment long: its rate would be a dip that was none
            self._sample(tick, target_rps, tick.sent / length_s, latency, errors)

    def begin_step(self, factor: float) -> None:
        view = self._step(factor)
        view.state = "running"
        self.mark("step", step_name(factor), f"{step_name(factor)} begins", self._clock.monotonic_ns())

    def step_done(self, factor: float, done_ratio: float) -> None:
        self._step(factor).done_ratio = done_ratio

    def repeat_step(self, verdict: StepVerdict) -> None:
        """The machine spoiled it: what was found stays in sight while it is done once more."""
        view = self._step(verdict.factor)
        view.state, view.result = "repeating", verdict
        self.say("bad", f"{step_name(verdict.factor)} is repeated, the machine was the limit: {verdict.evidence}")

    def end_step(self, verdict: StepVerdict) -> None:
        view = self._step(verdict.factor)
        view.result, view.done_ratio = verdict, 1.0
        missed = "inconclusive" if verdict.limited_by in ("inconclusive", "machine") else "missed"
        view.state = "held" if verdict.held else missed

    def drill_state(self, name: str, state: str) -> None:
        self._drill(name).state = state

    def repeat_drill(self, verdict: DrillVerdict) -> None:
        """As for a step; the states of the second try follow."""
        view = self._drill(verdict.name)
        view.state, view.result = "repeating", verdict
        self.say("bad", f"{verdict.name} is repeated, the machine was the limit: {verdict.evidence}")
        self.show()  # the second try begins before anybody would look

    def end_drill(self, verdict: DrillVerdict) -> None:
        view = self._drill(verdict.name)
        view.result = verdict
        failed = "inconclusive" if verdict.limited_by == "machine" and verdict.reverted else "failed"
        view.state = "held" if verdict.held and verdict.reverted else failed
        for reason in verdict.reasons:
            self.say("bad", f"{verdict.name}: {reason}")
        for remains in verdict.remains:
            self.say("bad", f"{verdict.name}: the fault is still in place: {remains}")

    def end_invariant(self, verdict: InvariantVerdict) -> None:
        view = next(view for view in self.progress.invariants if view.name == verdict.name)
        view.state, view.result = "held" if verdict.held else "broken", verdict

    def mark(self, kind: str, subject: str, text: str, at_ns: int) -> None:
        """A moment that the charts point at."""
        self.progress.marks.append(Mark(at=self.elapsed_s(at_ns), kind=kind, subject=subject, text=text))

    def mark_drill(self, verdict: DrillVerdict, timeline: Timeline) -> None:
        """The moments of one try."""
        name = verdict.name
        self.mark("inject", name, "fault injected", timeline.injected_ns)
        if verdict.detect_ms is not None:
            self.mark("noticed", name, "noticed", timeline.injected_ns + round(verdict.detect_ms * 1e6))
        if verdict.reverted:
            self.mark("revert", name, "fault reverted", timeline.reverted_ns)
        if verdict.recover_ms is not None:
            self.mark("recovered", name, "recovered", timeline.reverting_ns + round(verdict.recover_ms * 1e6))

    def _step(self, factor: float) -> StepView:
        return next(view for view in self.progress.steps if view.factor == factor)

    def _drill(self, name: str) -> DrillView:
        return next(view for view in self.progress.drills if view.name == name)

    def elapsed_s(self, at_ns: int) -> float:
        """Seconds since the run began, of a CLOCK_MONOTONIC reading."""
        return (at_ns - self._began_ns) / 1e9

    async def paint(self) -> None:
        """Show the record to every viewer, PAINT_EVERY, until cancelled: changes come faster than people look."""
        while True:
            self.show()
            await asyncio.sleep(PAINT_EVERY.s)

    def show(self) -> None:
        """Show the record as it stands to every viewer."""
        self.progress.elapsed_s = self.elapsed_s(self._clock.monotonic_ns())
        for viewer in self._viewers:
            viewer(self.progress)

    def _journey(self, name: str, requests: int, errors: int, degraded: int, latency: Histogram) -> None:
        so_far = self.progress.journeys.setdefault(name, {"requests": 0, "errors": 0, "degraded": 0})
        so_far["requests"] += requests
        so_far["errors"] += errors
        so_far["degraded"] += degraded
        if latency.count:
            so_far["p50_ms"] = latency.quantile(0.5) / 1e6
            so_far["p99_ms"] = latency.quantile(0.99) / 1e6

    def _sample(self, tick: Tick, target_rps: float, rate_rps: float, latency: Histogram, errors: int) -> None:
        self.samples.append(
            Sample(
                at=self.elapsed_s(tick.at_ns),
                rate_rps=rate_rps,
                target_rps=target_rps,
                p50_ms=latency.quantile(0.5) / 1e6,
                p99_ms=latency.quantile(0.99) / 1e6,
                errors=errors + tick.dropped,
                inflight=tick.inflight,
            )
        )
        self.progress.samples = self.samples[-SAMPLES_SHOWN:]
