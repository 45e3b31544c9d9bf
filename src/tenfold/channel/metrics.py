"""What the channel counts."""

from collections.abc import Callable

from tenfold.telemetry import Registry


class ChannelMetrics:
    """The metrics of one process's channel."""

    def __init__(self, registry: Registry, *, epoch: Callable[[], float], connected: Callable[[], float]) -> None:
        registry.gauge("tenfold_channel_epoch", "The newest epoch in force in this process.").child().ask(epoch)
        registry.gauge("tenfold_channel_connected", "1 while the control node is followed.").child().ask(connected)
        self.applied = registry.counter("tenfold_channel_applied_total", "Changes applied.").child()
        self.reconnects = registry.counter("tenfold_channel_reconnects_total", "Streams after the first.").child()
        self.dropped = registry.counter(
            "tenfold_channel_reports_dropped_total", "Reports that were never sent: too many, too large, node away."
        ).child()
        self.failures = registry.counter(
            "tenfold_channel_subscriber_failures_total", "Changes that a subscriber, events that a listener raised at."
        ).child()
