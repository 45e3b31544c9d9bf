"""What a process's hot keys show to the outside."""

from collections.abc import Callable

from tenfold.telemetry import EventLog, Registry


class HotMetrics:
    """Counters, gauges and events of one `HotKeys`. A key's text is told in events alone, never as a label."""

    def __init__(
        self,
        name: str,
        registry: Registry,
        events: EventLog | None,
        *,
        keys: Callable[[], int],
        sketch_bytes: Callable[[], int],
    ) -> None:
        self._name = name
        self._events = events
        label = ("hot",)
        registry.gauge("tenfold_hot_keys", "Keys that are hot in this process.", label).child(name).ask(keys)
        sketch = registry.gauge("tenfold_hot_sketch_bytes", "Bytes that the counts of keys take.", label)
        sketch.child(name).ask(sketch_bytes)
        risen = registry.counter("tenfold_hot_risen_total", "Keys that became hot, by who found out.", ("hot", "by"))
        self._risen = {by: risen.child(name, by) for by in ("process", "fleet")}

        def counter(noun: str, what: str) -> Callable[[], None]:
            return registry.counter(f"tenfold_hot_{noun}_total", what, label).child(name).inc

        self.refreshed = counter("refreshes", "Hot keys that this process asked for anew.")
        self.confirmed = counter("confirmed", "Hot values held longer because another process saw them unchanged.")
        self.replaced = counter("replaced", "Hot values dropped because another process saw a newer one.")
        self.reported = counter("reports", "Reports to the control node.")

    def risen(self, key: str, by: str, share: float) -> None:
        self._risen[by].inc()
        self._emit("hot-key-risen", key, by=by, share=round(share, 4))

    def cooled(self, key: str) -> None:
        self._emit("hot-key-cooled", key)

    def _emit(self, kind: str, key: str, **evidence: object) -> None:
        if self._events is not None:
            self._events.emit(kind, f"{self._name}/{key}", **evidence)
