"""What processes report: the newest report of each topic from each process, and the readers of a topic."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from tenfold.channel.messages import REPORT_BYTES_MAX
from tenfold.telemetry import Registry

PLACES_MAX = 16_384
HELD_BYTES_MAX = 64 << 20
TOPICS_OF_PROCESS_MAX = 32

OnReport = Callable[[str, bytes], None]
"""Called with the id of the process and its payload, as JSON."""


class Inbox:
    """Reports by topic and process; when full, the oldest goes."""

    def __init__(
        self, registry: Registry | None = None, *, places_max: int = PLACES_MAX, bytes_max: int = HELD_BYTES_MAX
    ) -> None:
        self._places_max = places_max
        self._bytes_max = bytes_max
        self._reports: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._bytes = 0
        self._topics: dict[str, set[str]] = {}
        self._readers: dict[str, tuple[OnReport, ...]] = {}
        registry = registry or Registry()
        self._received = registry.counter("tenfold_control_reports_total", "Reports of processes.").child()
        self._evicted = registry.counter(
            "tenfold_control_reports_evicted_total", "Reports that made room for newer ones."
        ).child()
        self._failures = registry.counter(
            "tenfold_control_report_failures_total", "Reports that a reader raised at."
        ).child()

    def on_report(self, topic: str, reader: OnReport) -> None:
        """Have `reader` called with every report of `topic`, in the node's loop; it must not block."""
        self._readers[topic] = (*self._readers.get(topic, ()), reader)

    def receive(self, process_id: str, topic: str, payload: bytes) -> str:
        """Keep and tell it; answers why not, nothing when it is taken."""
        if len(payload) > REPORT_BYTES_MAX:
            return f"a report has at most {REPORT_BYTES_MAX} bytes"
        topics = self._topics.get(process_id, set())
        if topic not in topics and len(topics) >= TOPICS_OF_PROCESS_MAX:
            return f"a process reports of at most {TOPICS_OF_PROCESS_MAX} topics"
        self._remove((topic, process_id))
        self._reports[topic, process_id] = payload
        self._topics.setdefault(process_id, set()).add(topic)
        self._bytes += len(payload)
        while len(self._reports) > self._places_max or self._bytes > self._bytes_max:
            self._remove(next(iter(self._reports)))
            self._evicted.inc()
        self._received.inc()
        for reader in self._readers.get(topic, ()):
            self._tell(reader, process_id, payload)
        return ""

    def of(self, topic: str) -> Mapping[str, bytes]:
        """The newest report of each process."""
        return {process: payload for (about, process), payload in self._reports.items() if about == topic}

    def forget(self, process_id: str) -> None:
        """The process is gone, and what it said with it."""
        for topic in list(self._topics.get(process_id, ())):
            self._remove((topic, process_id))

    def _remove(self, place: tuple[str, str]) -> None:
        self._bytes -= len(self._reports.pop(place, b""))
        topics = self._topics.get(place[1], set())
        topics.discard(place[0])
        if not topics:
            self._topics.pop(place[1], None)

    def _tell(self, reader: OnReport, process_id: str, payload: bytes) -> None:
        try:
            reader(process_id, payload)
        except Exception:
            self._failures.inc()
