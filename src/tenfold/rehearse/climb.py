"""The climb: from a normal day to ten times its peak, as stages that the load driver can send."""

from tenfold.fleet import FAULTS
from tenfold.kernel import Duration
from tenfold.plan.model import Drill, Peak, Steps
from tenfold.rehearse.drill import LEAD
from tenfold.rehearse.load.messages import Segment, Stage

WARM_UP = "warm-up"


def warm_up(peak: Peak, length: Duration) -> Stage:
    """One normal day in `length`: each hour at its real share of the daily peak. It fills caches and pools."""
    busiest = max(peak.hours)
    hour_ns = length.ns // len(peak.hours)
    return Stage(
        name=WARM_UP,
        segments=[Segment(rate_rps=peak.daily_peak_rps * share / busiest, duration_ns=hour_ns) for share in peak.hours],
    )


def climb(peak: Peak, steps: Steps) -> list[tuple[float, Stage]]:
    """Each factor with its stage, lowest first; the last is held for `peak_hold`."""
    return [(factor, _step(peak, factor, _hold(steps, factor))) for factor in steps.factors]


def drill_stage(peak: Peak, steps: Steps, name: str, drill: Drill) -> Stage:
    """The load under which a drill runs: the last step's rate, from the lead to the end of the tail at the latest.

    While the fault is held the load may itself be the fault: more of it, or a share of it on one thing.
    """
    rate_rps = peak.daily_peak_rps * steps.factors[-1]
    load = FAULTS[drill.fault.kind].load(drill.fault)
    held = Segment(rate_rps * load.multiple, drill.hold.ns, focus=load.focus, focus_ratio=load.focus_ratio)
    return Stage(name=name, segments=[Segment(rate_rps, LEAD.ns), held, Segment(rate_rps, drill.tail.ns)])


def rate_at(stage: Stage, elapsed_ns: int) -> float:
    """The arrival rate that the stage asks for at that moment, in requests a second; 0 when it is over."""
    for segment in stage.segments:
        if elapsed_ns < segment.duration_ns:
            return segment.rate_rps
        elapsed_ns -= segment.duration_ns
    return 0.0


def step_name(factor: float) -> str:
    """How people say it: `10×`, `2.5×`."""
    return f"{factor:g}×"


def _step(peak: Peak, factor: float, hold: Duration) -> Stage:
    return Stage(name=step_name(factor), segments=[Segment(peak.daily_peak_rps * factor, hold.ns)])


def _hold(steps: Steps, factor: float) -> Duration:
    return steps.peak_hold if factor == steps.factors[-1] else steps.hold
