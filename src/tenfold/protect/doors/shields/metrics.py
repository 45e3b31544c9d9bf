"""What is counted of features."""

from tenfold.telemetry import Registry


class ShieldMetrics:
    """The metrics of one process's features."""

    def __init__(self, registry: Registry) -> None:
        self.requests = registry.counter(
            "tenfold_shield_requests_total",
            "Requests of each feature: served, or why not.",
            ("feature", "end"),
        )
        self.seconds = registry.timer(
            "tenfold_shield_served_seconds", "How long a feature took that was served.", ("feature",)
        )
        self.shielded = registry.gauge("tenfold_shield_shielded", "1 while anybody misses the feature.", ("feature",))
