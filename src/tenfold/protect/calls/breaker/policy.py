"""When a breaker opens, how long it rests, and how it comes back: a record of thresholds."""

from dataclasses import dataclass, replace
from typing import Any, Self, TypedDict

from tenfold.kernel import Duration, TenfoldError

NEVER = Duration(0)
WINDOW = Duration.from_s(2)
COOL_DOWN = Duration.from_ms(250)
COOL_DOWN_MAX = Duration.from_s(1)
CALM = Duration.from_s(10)
PROBE_LEASE = Duration.from_s(1)
RAMP = Duration.from_s(1.5)


class PolicyInvalid(TenfoldError):
    """Thresholds with which a breaker could not work."""


class Thresholds(TypedDict, total=False):
    """The fields of a Policy, for whoever states some of them by name."""

    failures_max: int
    window: Duration
    window_calls: int
    calls_min: int
    ratio: float
    timeout_ratio: float
    slow: Duration
    slow_ratio: float
    cool_down: Duration
    cool_down_max: Duration
    calm: Duration
    probes: int
    probe_lease: Duration
    ramp: Duration
    ramp_from: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The thresholds of one kind of dependency. Ratios are of calls, 0..1."""

    failures_max: int = 5
    """So many failures in a row open it; 0: it is judged by the window alone, on the ramp too."""
    window: Duration = WINDOW
    """Judged is what happened in it."""
    window_calls: int = 0
    """When not 0, the last so many calls are judged instead, however old; at least `calls_min`."""
    calls_min: int = 20
    """With fewer calls no ratio is a sign of anything."""
    ratio: float = 0.5
    """Failures, timeouts among them."""
    timeout_ratio: float = 0.3
    """Timeouts alone: less is borne, since each has held a caller for as long as it was willing to wait."""
    slow: Duration = NEVER
    """An answer that took as long is slow; 0: none is."""
    slow_ratio: float = 0.5
    cool_down: Duration = COOL_DOWN
    """How long it rests after it opened; doubled by each probe that fails and by each early return to OPEN."""
    cool_down_max: Duration = COOL_DOWN_MAX
    """A dependency that is back waits no longer than this to be found."""
    calm: Duration = CALM
    """One doubling is forgotten for each so long time in CLOSED."""
    probes: int = 1
    """So many calls must be answered before it trusts the dependency again."""
    probe_lease: Duration = PROBE_LEASE
    """A probe that has not reported by then is given up; better longer than the callers' timeout."""
    ramp: Duration = RAMP
    """From the probes' success until as much is admitted as before; 0: at once."""
    ramp_from: float = 0.1
    """Which part of that the ramp begins with."""

    def __post_init__(self) -> None:
        ratios = (self.ratio, self.timeout_ratio, self.slow_ratio, self.ramp_from)
        if not all(0 < ratio <= 1 for ratio in ratios):
            raise PolicyInvalid(f"A breaker's ratios are above 0 and at most 1, not {ratios}.")
        if self.probes < 1 or self.calls_min < 1 or min(self.failures_max, self.window_calls) < 0:
            raise PolicyInvalid("A breaker needs at least one probe and one call to judge by; counts are not negative.")
        if 0 < self.window_calls < self.calls_min:
            raise PolicyInvalid(
                f"A breaker that judges {self.window_calls} calls never sees the {self.calls_min} of calls_min: state "
                f"calls_min={self.window_calls} or less, or window_calls={self.calls_min} or more."
            )
        if min(self.window.ns, self.cool_down.ns, self.probe_lease.ns, self.calm.ns) <= 0:
            raise PolicyInvalid("A breaker's window, cool-down, calm and probe lease are longer than nothing.")

    def but(self, **changes: Any) -> Self:
        """The same with some thresholds changed."""
        return replace(self, **changes)
