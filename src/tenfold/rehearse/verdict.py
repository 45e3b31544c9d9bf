"""What a rehearsal found: the record that `verdict.json` is. `decision` says what it means.

The format is schema 1, stable: docs/reference/verdict.md. Keys are only ever added, and only such as may be missing.
"""

from typing import Literal

import msgspec

from tenfold.fleet.machine import Calibration, MachineUse
from tenfold.rehearse.bottleneck import LimitedBy
from tenfold.rehearse.headline import Reason

Decision = Literal["go", "no-go", "inconclusive"]


class Machine(msgspec.Struct, omit_defaults=True):
    """Where it was measured: a figure without its machine is no figure."""

    cores: int
    processor: str = ""
    memory_bytes: int = 0
    system: str = ""


class JourneyVerdict(msgspec.Struct):
    """One journey during one step. Latencies are response times: from when a request was due to its last byte."""

    requests: int
    errors: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    slo_held: bool
    p99_max_ms: float = 0.0
    """What the plan promises; 0 in a record that does not say."""
    availability_ratio: float = 1.0
    """The share that must be answered rightly."""


class StepVerdict(msgspec.Struct):
    """One step of the climb. `dropped` arrivals fell due and were never sent; each is a missed promise.

    `culprit` names what `limited_by` is about (a process, a program, the disk) and `evidence` says how it is known.
    `earlier` is the try before this one, which the machine spoiled.
    """

    factor: float
    duration_s: float
    target_rps: float
    sent_rps: float
    dropped: int
    requests: int
    errors: int
    limited_by: LimitedBy
    journeys: dict[str, JourneyVerdict]
    culprit: str = ""
    evidence: str = ""
    generator_late_ms: float = 0.0
    """The generator's own delay, at p99."""
    machine: MachineUse | None = None
    earlier: list["StepVerdict"] = []

    @property
    def held(self) -> bool:
        """Whether the rate was reached, every arrival sent, and every promise kept."""
        kept = all(journey.slo_held for journey in self.journeys.values())
        return self.limited_by == "none" and not self.dropped and kept

    @property
    def slowest_p99_ms(self) -> float:
        """Of the slowest journey; 0 when there was none."""
        return max((journey.p99_ms for journey in self.journeys.values()), default=0.0)


class DrillVerdict(msgspec.Struct):
    """One fault under load. `detect_ms` and `recover_ms` are None when it was never noticed or never over.

    `reverted`: the fault itself has proven that it is gone; if it has not, `remains` says what is still in place.
    `recovered`: steady state under load was reached. `reasons` say why the drill did not hold.

    `degraded` requests were answered with less, or refused where the plan allows it. `offered_rps` fell due while the
    fault was in, `served_rps` were answered as promised: not refused, and within the p99 of their journey.
    """

    name: str
    target: Literal["cache", "database", "object-store", "service", "traffic"]
    proves: str
    held: bool
    requests: int
    errors: int
    detect_ms: float | None
    recover_ms: float | None
    reverted: bool
    degraded: int = 0
    offered_rps: float = 0.0
    served_rps: float = 0.0
    recovered: bool = False
    reasons: list[str] = []
    remains: list[str] = []
    limited_by: LimitedBy = "none"
    culprit: str = ""
    evidence: str = ""
    generator_late_ms: float = 0.0
    machine: MachineUse | None = None
    earlier: list["DrillVerdict"] = []
    recover_max_ms: float = 0.0
    """Within which the plan wants steady state again after the revert; 0 in a record that does not say."""


class InvariantVerdict(msgspec.Struct):
    """What must hold after the load, and in how many of the places looked at it does not."""

    name: str
    held: bool
    checked: int
    violations: int


class CrashVerdict(msgspec.Struct, frozen=True):
    """A service ended without being told to. `status` is its exit status, minus the signal's number; `at` a step, a
    drill or a phase."""

    service: str
    status: int
    at: str

    @property
    def says(self) -> str:
        return f"Service '{self.service}' crashed (status {self.status}) at {self.at}."


class Verdict(msgspec.Struct):
    """The whole of `verdict.json`."""

    schema: Literal[1]
    run_id: str
    plan: str
    verdict: Decision
    reasons: list[str]
    machine: Machine
    steps: list[StepVerdict]
    drills: list[DrillVerdict]
    invariants: list[InvariantVerdict]
    headline: str = ""
    causes: list[Reason] = []
    """What `reasons` say one by one, by what it was for; the first is the headline."""
    calibration: Calibration | None = None
    crashes: list[CrashVerdict] = []
