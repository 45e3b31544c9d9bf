"""Where a downgrade stands, and what it shows of that: metrics, and the log that its events go to."""

import enum
from collections.abc import Callable
from typing import Any

from tenfold.telemetry import EventLog, Registry


class Phase(enum.Enum):
    NORMAL = "normal"
    DOWNGRADED = "downgraded"
    """Reads leave the cache, or have left it."""
    REPAIRING = "repairing"
    RETURNING = "returning"
    """Reads come back, share by share."""


_LABEL = ("downgrade",)
_GAUGE = {Phase.NORMAL: 0, Phase.DOWNGRADED: 1, Phase.REPAIRING: 2, Phase.RETURNING: 3}
_EVENT = {
    Phase.NORMAL: "downgrade-ended",
    Phase.DOWNGRADED: "downgrade-begun",
    Phase.REPAIRING: "downgrade-repairing",
    Phase.RETURNING: "downgrade-returning",
}


class DowngradeMetrics:
    """`phase` and `share` are asked by the gauges."""

    def __init__(
        self,
        name: str,
        registry: Registry,
        events: EventLog | None,
        *,
        phase: Callable[[], Phase],
        share: Callable[[], float],
    ) -> None:
        self._name = name
        self._events = events
        phases = registry.gauge("tenfold_downgrade_phase", "0 normal, 1 downgraded, 2 repairing, 3 returning.", _LABEL)
        phases.child(name).ask(lambda: _GAUGE[phase()])
        shares = registry.gauge(
            "tenfold_downgrade_cache_ratio", "Share of keys that may be read from the cache.", _LABEL
        )
        shares.child(name).ask(share)
        transitions = registry.counter(
            "tenfold_downgrade_transitions_total", "Changes of phase, by the one that began.", (*_LABEL, "to")
        )
        self._transitions = {phase: transitions.child(name, phase.value) for phase in Phase}
        self.shed = registry.counter(
            "tenfold_downgrade_shed_total", "Reads that only the near cache may answer.", _LABEL
        ).child(name)

    def changed(self, phase: Phase, evidence: dict[str, Any]) -> None:
        self._transitions[phase].inc()
        self.tell(_EVENT[phase], evidence)

    def tell(self, kind: str, evidence: dict[str, Any]) -> None:
        if self._events is not None:
            self._events.emit(kind, self._name, **evidence)
