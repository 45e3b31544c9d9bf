"""The verdict of one step: was the promise kept, and if not, who was the limit: the server, or the generator itself?

Whether it was neither, but the machine under both, is asked of what the machine did (`bottleneck`).

Two questions, each answered by its own evidence:

* Was the promise kept? By response time, from when each request was due, over every arrival: one never sent counts
  as slower than any, and as one that was not answered. Errors count against the availability that was promised.
* Did the generator keep up? Its lateness (due to taken in hand; a wait for a connection that the server holds is not
  in it) is at p99 at most a tenth of the tightest promise, for a ruler may be wrong by a tenth of what it measures; and
  its one thread used less than 95 % of a core.

| promise | generator kept up | service times kept the promise, no errors | limited by |
|---|---|---|---|
| kept | either way | | none: response time holds the generator's own delay, so it was kept in spite of it |
| missed | yes | either way | server |
| missed | no | yes | generator: the delay arose before anything was sent |
| missed | no | no | inconclusive: both were late, and each may be the reason for the other |
| not proven | yes | | inconclusive |

A promise is *not proven* when a journey was never asked for, or missed its p99 with so few requests that a single one
is more than the hundredth that may be slow. With so few, a p99 kept means that every one was in time: proof enough.
"""

from collections.abc import Collection, Mapping

from tenfold.fleet.machine import MachineUse
from tenfold.plan.model import Journey, Slo
from tenfold.rehearse.bottleneck import Bottleneck, LimitedBy, bottleneck_of
from tenfold.rehearse.headline import listed
from tenfold.rehearse.load.result import JourneyResult, StageResult
from tenfold.rehearse.verdict import JourneyVerdict, StepVerdict
from tenfold.telemetry import Histogram

CPU_RATIO_MAX = 0.95
LATENESS_SHARE_MAX = 0.1
_PROMISED = 0.99
_SAMPLES_MIN = round(1 / (1 - _PROMISED))


def judge_step(
    result: StageResult,
    factor: float,
    journeys: Mapping[str, Journey],
    *,
    use: MachineUse | None = None,
    services: Collection[str] = (),
) -> StepVerdict:
    """What one step of the climb showed. `journeys` say what was promised, `use` what the machine did meanwhile."""
    seen = {name: result.journeys.get(name, JourneyResult()) for name in journeys}
    late_ms = generator_late_ms(result)
    limited = limited_by(result, journeys)
    bottleneck = bottleneck_of(limited, use, driver_late_ms=late_ms, services=services)
    if unasked := _only_unasked(seen, journeys):
        bottleneck = Bottleneck(limited, "", f"nobody asked for {listed(unasked)}")
    return StepVerdict(
        factor=factor,
        duration_s=result.duration.s,
        target_rps=result.target_rps,
        sent_rps=result.sent_rps,
        dropped=result.dropped,
        requests=result.requests,
        errors=result.errors,
        limited_by=bottleneck.limited_by,
        journeys={name: _journey_verdict(seen[name], journey.slo) for name, journey in journeys.items()},
        culprit=bottleneck.by,
        evidence=bottleneck.evidence,
        generator_late_ms=late_ms,
        machine=use,
    )


def _only_unasked(seen: Mapping[str, JourneyResult], journeys: Mapping[str, Journey]) -> list[str]:
    """Journeys that nobody asked for, where they are all that missed: no machine is to blame for what was not done."""
    missed = [name for name, journey in journeys.items() if not slo_held(seen[name], journey.slo)]
    asked = any(seen[name].requests + seen[name].dropped for name in missed)
    return [] if asked else missed


def generator_late_ms(result: StageResult) -> float:
    """The generator's own delay, at p99."""
    return result.lateness.quantile(_PROMISED) / 1e6


def limited_by(result: StageResult, journeys: Mapping[str, Journey]) -> LimitedBy:
    """Who kept the step from holding; see the table above."""
    promised = [(result.journeys.get(name, JourneyResult()), journey.slo) for name, journey in journeys.items()]
    missed = [(seen, slo) for seen, slo in promised if not slo_held(seen, slo)]
    if not missed:
        return "none"
    if not kept_up(result, journeys):
        harmless = all(_answered(seen, slo) and _in_time(seen.service, 0, slo) for seen, slo in missed)
        return "generator" if harmless else "inconclusive"
    return "server" if any(_proven(seen, slo) for seen, slo in missed) else "inconclusive"


def kept_up(result: StageResult, journeys: Mapping[str, Journey]) -> bool:
    """Whether the generator was no limit: in time, and with processor time to spare."""
    tightest_ns = min(journey.slo.p99.ns for journey in journeys.values())
    in_time = result.lateness.quantile(_PROMISED) <= tightest_ns * LATENESS_SHARE_MAX
    return in_time and result.cpu_ratio < CPU_RATIO_MAX


def slo_held(seen: JourneyResult, slo: Slo) -> bool:
    """Whether one journey kept its promise; one that nobody asked for has shown nothing."""
    due = seen.requests + seen.dropped
    return due > 0 and _available(seen, slo) and _in_time(seen.latency, seen.dropped, slo)


def quantile_of_all(latency: Histogram, dropped: int, q: float) -> int | None:
    """The quantile over every arrival, in nanoseconds; None when it falls among the dropped, which never ended."""
    if not latency.count:
        return None if dropped else 0
    among_ended = q * (latency.count + dropped) / latency.count
    return latency.quantile(among_ended) if among_ended <= 1 else None


def _in_time(latency: Histogram, dropped: int, slo: Slo) -> bool:
    p99_ns = quantile_of_all(latency, dropped, _PROMISED)
    return p99_ns is not None and p99_ns <= slo.p99.ns


def _available(seen: JourneyResult, slo: Slo) -> bool:
    """Errors and arrivals never sent are at most the share that may fail."""
    failed, due = seen.errors + seen.dropped, seen.requests + seen.dropped
    return failed <= _may_fail(due, slo)


def _answered(seen: JourneyResult, slo: Slo) -> bool:
    """The server's part of availability: of what was sent to it, enough was answered rightly."""
    return seen.requests > 0 and seen.errors <= _may_fail(seen.requests, slo)


def _may_fail(count: int, slo: Slo) -> float:
    """Of so many; a hair more, so that 1 of 10,000 is within 99.99 % in binary too."""
    return (1 - slo.availability_ratio) * count + 1e-6


def _proven(seen: JourneyResult, slo: Slo) -> bool:
    """Whether a miss is one: by failures, or by a p99 that more than one slow request decided."""
    due = seen.requests + seen.dropped
    return due > 0 and (due >= _SAMPLES_MIN or not _available(seen, slo))


def _journey_verdict(seen: JourneyResult, slo: Slo) -> JourneyVerdict:
    return JourneyVerdict(
        requests=seen.requests,
        errors=seen.errors,
        p50_ms=_quoted_ms(seen, 0.5),
        p99_ms=_quoted_ms(seen, _PROMISED),
        p999_ms=_quoted_ms(seen, 0.999),
        slo_held=slo_held(seen, slo),
        p99_max_ms=slo.p99.ms,
        availability_ratio=slo.availability_ratio,
    )


def _quoted_ms(seen: JourneyResult, q: float) -> float:
    """For the record: a quantile that falls among the dropped is quoted as the slowest that ended."""
    ns = quantile_of_all(seen.latency, seen.dropped, q)
    return (seen.latency.max if ns is None else ns) / 1e6
