"""The records every part emits: numbers that add up, and events that say what happened when.

metrics      counters, gauges and histograms in a registry, cheap enough for the hottest path
histogram    a distribution of latencies with a bounded relative error, mergeable
exposition   the registry as Prometheus text, and a small server for processes that have none of their own
events       what happened, to whom, when; kept in memory to a bound and appended to a file
"""

from tenfold.telemetry.events import Event, EventFolder, EventLog, EventReader
from tenfold.telemetry.exposition import CONTENT_TYPE, MetricsServer, render
from tenfold.telemetry.histogram import Histogram
from tenfold.telemetry.metrics import Counter, DurationHistogram, Gauge, Registry

__all__ = [
    "CONTENT_TYPE",
    "Counter",
    "DurationHistogram",
    "Event",
    "EventFolder",
    "EventLog",
    "EventReader",
    "Gauge",
    "Histogram",
    "MetricsServer",
    "Registry",
    "render",
]
