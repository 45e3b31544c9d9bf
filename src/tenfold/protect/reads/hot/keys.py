"""Hot keys of one kind of value in this process: found here and in the fleet, pinned in the near cache."""

import threading
import uuid
from collections.abc import Callable

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.kernel.forks import tell_forks
from tenfold.kernel.shares import KEY_HASHES, key_hash
from tenfold.protect.reads.hot.detector import HOT_MAX, SHARE, Detector
from tenfold.protect.reads.hot.messages import HotReport, HotSet
from tenfold.protect.reads.hot.metrics import HotMetrics
from tenfold.protect.reads.hot.pinner import FLEET_KEEP, HotPinner, Refresh
from tenfold.protect.reads.hot.sample_weight import SampleWeight
from tenfold.protect.reads.near import NearCache
from tenfold.telemetry import EventLog, Registry

HOLD = Duration.from_s(1)
REPORT_EVERY_NS = 500_000_000
NEWS_EVERY_NS = 20_000_000
LEADERS_MAX = 64
_NOW = Duration(0)

Send = Callable[[HotReport], object]


class HotKeys:
    """Watches the reads of one near cache, and keeps what is hot in it for `hold` after each sight of its value.

    Feed it by `saw` (each read that the near cache could not answer), `sampled` (the near cache's hook for hits) and
    `found` (each answer from below). `send` takes a report for the control node and must return at once; what the
    control node says goes into `notified`. Without either, a process finds and holds its own hot keys.

    `process` is this process's name in the fleet, any unique text, by default one made up.

    Nothing runs in the background: reads drive it, and a key without reads needs nothing. Safe from any thread;
    about a microsecond a call. A fork begins with nothing.
    """

    def __init__(
        self,
        name: str,
        *,
        send: Send | None = None,
        hold: Duration = HOLD,
        share: float = SHARE,
        hot_max: int = HOT_MAX,
        process: str = "",
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self._send = send
        self._hold = hold
        self._hot_max = hot_max
        self._clock = clock or SystemClock()
        self._now_ns = self._clock.monotonic_ns
        self._detector = Detector(share=share, hot_max=hot_max)
        self._sample_weight = SampleWeight()
        self._near: NearCache | None = None
        self._refresh: Refresh | None = None
        self._metrics = HotMetrics(
            name,
            registry or Registry(),
            events,
            keys=lambda: len(self._pinner),
            sketch_bytes=lambda: self._detector.held_bytes,
        )
        self._begin(process or uuid.uuid4().hex[:16])
        tell_forks(self)

    def after_fork(self) -> None:
        """In the child: somebody else, who knows nothing yet."""
        self._begin(uuid.uuid4().hex[:16])

    def _begin(self, process: str) -> None:
        """What a process has of its own."""
        self._lock = threading.Lock()
        self._process = process
        turn = key_hash(process) / KEY_HASHES
        self._pinner = HotPinner(process, hold=self._hold, turn=turn, clock=self._clock, metrics=self._metrics)
        self._pinner.attach(self._near, self._refresh)
        self._detector.clear()
        self._report_at_ns = self._reported_at_ns = 0

    def attach(self, near: NearCache, refresh: Refresh) -> None:
        """Watch `near` and hold keys in it. `refresh(key)` has one read in the background, from any thread."""
        self._near, self._refresh = near, refresh
        self._pinner.attach(near, refresh)
        near.sampled = self.sampled

    def connect(self, send: Send) -> None:
        """Where reports go from now on."""
        self._send = send

    def saw(self, key: str) -> None:
        """A read of `key` that the near cache did not answer."""
        self._count(key, 1, self._now_ns())

    def sampled(self, key: str, weight: int) -> int:
        """A near hit that stands for `weight` of them; answers how many the next one shall stand for."""
        now_ns = self._now_ns()
        self._count(key, weight, now_ns)
        return self._sample_weight.sampled(weight, now_ns)

    def is_hot(self, key: str) -> bool:
        return key in self._pinner

    def keys(self) -> list[str]:
        """What is hot here now, in order."""
        self._cool(self._now_ns())
        return self._pinner.keys()

    def found(self, key: str, value: bytes | None, version: int, age: Duration = _NOW) -> Duration | None:
        """A rung answered; `age` is since the value was certainly true.

        For a hot key: how long the near cache shall hold it; None for every other.
        """
        if not self._pinner.found(key, value, version, age, self._now_ns()):
            return None
        self._tell_soon()
        return self._hold if value is not None else None

    def notified(self, fleet: HotSet | None) -> None:
        """The control node says what is hot in the fleet; None when nothing is.

        A set that was kept somewhere and told late is not believed: it is about a traffic that has been.
        """
        now_ns, wall_ms = self._now_ns(), self._clock.wall_ns() / 1e6
        is_recent = fleet is not None and wall_ms - fleet.at_ms < FLEET_KEEP.ms
        self._pinner.follow(fleet.keys[: self._hot_max] if fleet is not None and is_recent else (), now_ns)
        self._cool(now_ns)

    @property
    def held_bytes(self) -> int:
        """About how much memory the sketch takes."""
        return self._detector.held_bytes

    def _count(self, key: str, weight: int, now_ns: int) -> None:
        with self._lock:
            has_risen = self._detector.saw(key, weight, now_ns)
        if has_risen:
            self._pinner.rise(key, self._detector.share_of(key), now_ns)
            self._tell_soon()
        self._pinner.ask_if_due(key, now_ns)
        if now_ns >= self._report_at_ns:
            self._report(now_ns)

    def _tell_soon(self) -> None:
        self._report_at_ns = min(self._report_at_ns, self._reported_at_ns + NEWS_EVERY_NS)

    def _report(self, now_ns: int) -> None:
        self._reported_at_ns, self._report_at_ns = now_ns, now_ns + REPORT_EVERY_NS
        self._cool(now_ns)
        if self._send is None:
            return
        with self._lock:
            total, grain = self._detector.total, self._detector.grain
            reads = {key: round(count, 1) for key, count in self._detector.leaders(LEADERS_MAX)}
        self._metrics.reported()
        self._send(HotReport(self.name, self._process, round(total, 1), grain, reads, self._pinner.news()))

    def _cool(self, now_ns: int) -> None:
        with self._lock:
            local = set(self._detector.hot(now_ns))
        self._pinner.cool(local, now_ns)
