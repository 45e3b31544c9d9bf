"""What a shedder counts."""

from tenfold.protect.doors.admission.ticket import Fate
from tenfold.telemetry import Registry

COUNTED = (Fate.ADMITTED, Fate.SHED, Fate.EXPIRED, Fate.LATE, Fate.GONE)


class AdmissionMetrics:
    """Counters and timers of one shedder, by tier."""

    def __init__(self, name: str, tiers: int, registry: Registry) -> None:
        fates = registry.counter(
            "tenfold_admission_requests_total", "Requests by tier and what became of them.", ("shedder", "tier", "fate")
        )
        waits = registry.timer(
            "tenfold_admission_wait_seconds", "How long those waited who waited and were admitted.", ("shedder", "tier")
        )
        ranks = [f"P{tier}" for tier in range(tiers)]
        self.fates = [{fate: fates.child(name, rank, fate.value) for fate in COUNTED} for rank in ranks]
        self.admitted = [by_fate[Fate.ADMITTED] for by_fate in self.fates]
        self.waits = [waits.child(name, rank) for rank in ranks]
