"""What one stage came to: the sum of its ticks."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tenfold.kernel import Duration
from tenfold.rehearse.load.messages import JourneyTick, Stage, Tick
from tenfold.telemetry import Histogram


@dataclass(slots=True)
class JourneyResult:
    """One journey of a stage. `latency` is response time, `service` service time, both of all that ended."""

    requests: int = 0
    errors: int = 0
    degraded: int = 0
    dropped: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)

    def add(self, seen: JourneyTick) -> None:
        self.requests += seen.requests
        self.errors += seen.errors
        self.degraded += seen.degraded
        self.dropped += seen.dropped
        for answer, count in seen.answers.items():
            self.answers[answer] = self.answers.get(answer, 0) + count
        self.latency.add(Histogram.from_counts(seen.latency))
        self.service.add(Histogram.from_counts(seen.service))


@dataclass(slots=True)
class StageResult:
    """One stage. `lateness` is the generator's own delay; `cpu_ns` the processor time it used."""

    stage: Stage
    lasted_ns: int | None = None
    """How long arrivals fell due when that is not as long as was planned."""
    due: int = 0
    sent: int = 0
    dropped: int = 0
    waited: int = 0
    retried: int = 0
    cpu_ns: int = 0
    lateness: Histogram = field(default_factory=Histogram)
    journeys: dict[str, JourneyResult] = field(default_factory=dict)

    @property
    def duration(self) -> Duration:
        """How long arrivals fell due; the wait for the last answers is not in it."""
        planned_ns = sum(segment.duration_ns for segment in self.stage.segments)
        return Duration(planned_ns if self.lasted_ns is None else min(planned_ns, self.lasted_ns))

    @property
    def planned(self) -> float:
        """How many arrivals were ordered for as long as it lasted."""
        planned, left_ns = 0.0, self.duration.ns
        for segment in self.stage.segments:
            planned += segment.rate_rps * min(segment.duration_ns, left_ns) / 1e9
            left_ns -= min(segment.duration_ns, left_ns)
        return planned

    @property
    def target_rps(self) -> float:
        """The mean rate that was ordered."""
        return self.planned / self.duration.s if self.duration.ns else 0.0

    @property
    def sent_rps(self) -> float:
        return self.sent / self.duration.s if self.duration.ns else 0.0

    @property
    def cpu_ratio(self) -> float:
        """The share of one core that the driver used; it has one thread."""
        return self.cpu_ns / self.duration.ns if self.duration.ns else 0.0

    @property
    def requests(self) -> int:
        return sum(journey.requests for journey in self.journeys.values())

    @property
    def errors(self) -> int:
        return sum(journey.errors for journey in self.journeys.values())


def sum_of(stage: Stage, ticks: Iterable[Tick], cpu_before_ns: int) -> StageResult:
    """All ticks of one stage added up; `cpu_before_ns` is what the driver had used before it."""
    result = StageResult(stage)
    for tick in ticks:
        result.due += tick.due
        result.sent += tick.sent
        result.dropped += tick.dropped
        result.waited += tick.waited
        result.retried += tick.retried
        result.cpu_ns = tick.cpu_ns - cpu_before_ns
        result.lasted_ns = tick.lasted_ns if tick.last else None
        result.lateness.add(Histogram.from_counts(tick.lateness))
        for name, seen in tick.journeys.items():
            result.journeys.setdefault(name, JourneyResult()).add(seen)
    return result
