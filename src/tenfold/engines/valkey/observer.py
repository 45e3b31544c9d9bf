"""What a cluster shows of itself, and whom it tells when traffic doubts a server: one object for all of its parts."""

from collections.abc import Callable
from typing import Any

from tenfold.engines.valkey.succession import Health, Standing
from tenfold.telemetry import EventLog, Registry


class ClusterObserver:
    """Told by shards; `on_doubt` hears why each time. `renewals`: how often a history was found to be a new one."""

    def __init__(self, name: str, *, registry: Registry, events: EventLog | None, health: Callable[[], Health]) -> None:
        self.on_doubt: list[Callable[[str], None]] = []
        self.renewals = 0
        self._name = name
        self._events = events
        label = ("cluster",)
        primaries = registry.gauge("tenfold_cluster_primary", "1 while every primary is confirmed.", label)
        primaries.child(name).ask(lambda: float(health().primary))
        doubts = registry.counter("tenfold_cluster_doubts_total", "Servers suspected by traffic.", label)
        hedges = registry.counter("tenfold_cluster_hedges_total", "Batches that a replica was asked too.", label)
        self._doubts, self.hedged = doubts.child(name), hedges.child(name).inc

    def doubted(self, reason: str) -> None:
        """Traffic has made a server suspected."""
        self._doubts.inc()
        self._emit("cluster-doubted", reason=reason)
        for listener in self.on_doubt:
            listener(reason)

    def changed(self, standing: Standing) -> None:
        """An examination found another primary, or another history."""
        self.renewals += standing.renewed
        kind = "cluster-primary-confirmed" if standing.primary else "cluster-primary-lost"
        self._emit(kind, primary=standing.primary, renewed=standing.renewed, readable=sorted(standing.readable))

    def _emit(self, kind: str, **evidence: Any) -> None:
        if self._events is not None:
            self._events.emit(kind, self._name, **evidence)
