"""What a breaker shows of itself; the keys of one operation share one, so that labels do not grow with keys."""

from collections.abc import Callable
from typing import Any

from tenfold.protect.calls.breaker.state import BreakerState
from tenfold.telemetry import EventLog, Registry

_GAUGE = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
_EVENT = {state: f"breaker-{state.value}" for state in BreakerState} | {BreakerState.OPEN: "breaker-opened"}


class BreakerMetrics:
    """The metrics of one label value, and the log that events go to."""

    __slots__ = ("_events", "_held", "_label", "_states", "_transitions")

    def __init__(self, label: str, registry: Registry | None = None, events: EventLog | None = None) -> None:
        registry = registry or Registry()
        self._events = events
        self._label = label
        self._states = registry.gauge("tenfold_breaker_state", "0 closed, 1 half open, 2 open.", ("breaker",))
        self._held = registry.gauge("tenfold_breaker_held", "1 while a person holds it open or closed.", ("breaker",))
        transitions = registry.counter(
            "tenfold_breaker_transitions_total", "Changes of state, by the state that began.", ("breaker", "to")
        )
        self._transitions = {state: transitions.child(label, state.value) for state in BreakerState}

    def show(self, state: Callable[[], BreakerState], held: Callable[[], bool]) -> None:
        """Let the gauges ask this breaker; of those that share metrics, one does."""
        self._states.child(self._label).ask(lambda: _GAUGE[state()])
        self._held.child(self._label).ask(lambda: int(held()))

    def changed(self, state: BreakerState, subject: str, evidence: dict[str, Any]) -> None:
        self._transitions[state].inc()
        self.tell(_EVENT[state], subject, evidence)

    def tell(self, kind: str, subject: str, evidence: dict[str, Any]) -> None:
        if self._events is not None:
            self._events.emit(kind, subject, **evidence)
