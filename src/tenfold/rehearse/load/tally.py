"""Counts what became of requests, in the form in which it is reported: one `Tick` at a time.

Histograms are kept as the sparse counts that go over the wire, so that a tick costs nothing but its encoding: a pause
of two milliseconds four times a second would be the generator's own lateness.
"""

from collections.abc import Sequence

from tenfold.rehearse.load.messages import JourneyTick, Tick
from tenfold.rehearse.load.request import Request, Script
from tenfold.rehearse.load.response import Response
from tenfold.telemetry import Counter, DurationHistogram, Gauge, Registry
from tenfold.telemetry.histogram import bucket_of


class StageTally:
    """One stage after the other; `take` gives what was counted since the last."""

    def __init__(self, scripts: Sequence[Script], registry: Registry) -> None:
        self._names = [script.name for script in scripts]
        self._metrics = DriverMetrics(self._names, registry)
        self.begin("")

    def begin(self, stage: str) -> None:
        self._tick = self._empty(stage)

    def take(self, *, at_ns: int, cpu_ns: int, inflight: int, waiting: int, lasted_ns: int | None = None) -> Tick:
        """Everything since the last call, stamped; the last of a stage says how long its arrivals fell due."""
        tick, self._tick = self._tick, self._empty(self._tick.stage)
        tick.at_ns, tick.cpu_ns = at_ns, cpu_ns
        tick.last, tick.lasted_ns = lasted_ns is not None, lasted_ns or 0
        tick.inflight, tick.waiting = inflight, waiting
        self._metrics.add(tick)
        return tick

    def due(self, lateness_ns: int) -> None:
        """An arrival fell due and was taken in hand this much later."""
        tick = self._tick
        tick.due += 1
        bucket = bucket_of(lateness_ns)
        tick.lateness[bucket] = tick.lateness.get(bucket, 0) + 1

    def waited(self) -> None:
        self._tick.waited += 1

    def sent(self) -> None:
        self._tick.sent += 1

    def retried(self) -> None:
        self._tick.retried += 1

    def dropped(self, request: Request) -> None:
        self._tick.dropped += 1
        self._tick.journeys[request.script.name].dropped += 1

    def answered(self, request: Request, response: Response, now_ns: int) -> None:
        """An answer came; it is right when the journey says what its status means."""
        meaning = request.script.answers.get(response.status)
        seen = self._ended(request, meaning or f"status-{response.status}", now_ns)
        if meaning is None:
            seen.errors += 1
        elif response.degraded:
            seen.degraded += 1

    def failed(self, request: Request, error: str, now_ns: int) -> None:
        self._ended(request, error, now_ns).errors += 1

    def _ended(self, request: Request, meaning: str, now_ns: int) -> JourneyTick:
        seen = self._tick.journeys[request.script.name]
        seen.requests += 1
        seen.answers[meaning] = seen.answers.get(meaning, 0) + 1
        bucket = bucket_of(now_ns - request.due_ns)
        seen.latency[bucket] = seen.latency.get(bucket, 0) + 1
        bucket = bucket_of(now_ns - request.sent_ns)
        seen.service[bucket] = seen.service.get(bucket, 0) + 1
        self._metrics.responses[request.script.name].record_ns(now_ns - request.due_ns)
        return seen

    def _empty(self, stage: str) -> Tick:
        return Tick(
            stage=stage,
            at_ns=0,
            due=0,
            sent=0,
            dropped=0,
            inflight=0,
            lateness={},
            waited=0,
            journeys={name: JourneyTick() for name in self._names},
            cpu_ns=0,
        )


class DriverMetrics:
    """The driver's counts for /metrics: brought up to date at every tick."""

    def __init__(self, names: Sequence[str], registry: Registry) -> None:
        timers = registry.timer(
            "tenfold_driver_response_seconds", "From when a request was due to its last byte.", ("journey",)
        )
        self.responses: dict[str, DurationHistogram] = {name: timers.child(name) for name in names}
        self._ended = registry.counter(
            "tenfold_driver_requests_total", "Requests that ended, by answer.", ("journey", "answer")
        )
        self._sent: Counter = registry.counter("tenfold_driver_sent_total", "Arrivals put on the wire.").child()
        self._dropped: Counter = registry.counter("tenfold_driver_dropped_total", "Arrivals never sent.").child()
        self._inflight: Gauge = registry.gauge("tenfold_driver_inflight", "Requests without an answer yet.").child()
        self._cpu: Gauge = registry.gauge("tenfold_driver_cpu_seconds", "Processor time since the start.").child()

    def add(self, tick: Tick) -> None:
        self._sent.inc(tick.sent)
        self._dropped.inc(tick.dropped)
        self._inflight.set(tick.inflight)
        self._cpu.set(tick.cpu_ns / 1e9)
        for name, seen in tick.journeys.items():
            for answer, count in seen.answers.items():
                self._ended.child(name, answer).inc(count)
