"""What the switches of a process count."""

from tenfold.telemetry import Registry


class Meters:
    """The metrics of one process's switches."""

    def __init__(self, registry: Registry) -> None:
        self.reads = registry.counter("tenfold_switch_reads_total", "Reads of each switch.", ("switch",))
        self.changes = registry.counter("tenfold_switch_changes_total", "Settings put in force.").child()
        self.ended = registry.counter(
            "tenfold_switch_ended_total", "Times a switch went back by itself because its time was over."
        ).child()
        self.refused = registry.counter(
            "tenfold_switch_refused_total", "Records that could not be put in force; the last good one went on."
        ).child()
        self.failures = registry.counter(
            "tenfold_switch_callback_failures_total", "Callbacks and listeners of events that raised at a change."
        ).child()
