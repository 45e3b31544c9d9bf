"""The control channel as a service sees it: records by topic that are simply there, newest first known.

No request waits for it and nothing here raises because the node is away: what was known last goes on being true,
from the keepsake on disk when the process has just begun. One daemon thread follows the node's stream and tells the
subscribers, a second one takes acknowledgements and reports back; a forked child gets its own and a new process id.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tenfold.channel.follower import Contact, Follower
from tenfold.channel.known_records import NOTHING, Followed, KnownRecords, LineRefusal, Records, State
from tenfold.channel.messages import Beat, decode
from tenfold.channel.metrics import ChannelMetrics
from tenfold.channel.process import Process
from tenfold.channel.snapshot import KEEP_EVERY, SnapshotFile, SnapshotRefused, SnapshotWriter
from tenfold.channel.subscribers import Delivery, Loop, OnChange, Subscribers, in_loop
from tenfold.channel.uplink import Uplink
from tenfold.channel.wire import ControlAddress, ControlStream, StreamLost
from tenfold.kernel import Duration, TenfoldError
from tenfold.kernel.forks import tell_forks
from tenfold.telemetry import EventLog, Registry

CLOSE_TIMEOUT = Duration.from_s(2)


class ChannelClosed(TenfoldError):
    """The channel was closed and is used again."""


class Channel:
    """Follows the control node at `url` from `open` to `close`. Everything may be called from any thread.

    `keepsake` is the file of the last good state; several processes of a service may share it.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        service: str,
        instance: str = "",
        store: str = "",
        keepsake: Path | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.process = Process.this(service, instance=instance, store=store)
        self._address = ControlAddress(url, token)
        self._writer = SnapshotWriter(SnapshotFile(keepsake)) if keepsake else None
        self._unkept = ""
        self._events = events
        self._known = KnownRecords()
        self._metrics = ChannelMetrics(
            registry or Registry(), epoch=lambda: float(self.epoch), connected=lambda: float(self.connected)
        )
        self._subscribers = Subscribers(self._metrics.failures)
        self._untold: Followed | None = None
        self._opened = False
        self._begin_life()

    def _begin_life(self) -> None:
        """Make what belongs to one process and not to its children."""
        seed = int(self.process.id[:16], 16)
        self._contact = Contact(self._emit, self._metrics.reconnects)
        self._follower = Follower(
            begin=self._begin_stream, hear=self._hear, lost=self._lost, chance=random.Random(seed)
        )
        self._uplink = Uplink(self._address, self.process.id, self._metrics.dropped, chore=self._keep, seed=seed)

    def open(self) -> None:
        """Take up the last good state and begin to follow. Never waits for the network and never fails for its sake."""
        if self._follower.closed:
            raise ChannelClosed(f"The control channel to {self._address.url} is closed.", remedy="Make a new one.")
        if self._opened:
            return
        if self.process.pid != os.getpid():
            self.process = self.process.forked()
            self._begin_life()
        self._opened = True
        if self._writer is not None:
            self._recall(self._writer.keepsake)
        tell_forks(self)
        self._start()

    def close(self) -> None:
        """End both threads, within CLOSE_TIMEOUT each, and write the keepsake; what is known can still be read."""
        if self._follower.closed:
            return
        self._follower.close(timeout_s=CLOSE_TIMEOUT.s)
        if self._opened:
            self._uplink.close(timeout_s=CLOSE_TIMEOUT.s)
        self._opened = False

    def __enter__(self) -> "Channel":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """True while the control node is followed."""
        return self._contact.connected

    @property
    def epoch(self) -> int:
        """The newest epoch that is in force here."""
        return self._known.state.epoch

    @property
    def state(self) -> State:
        return self._known.state

    def current(self, topic: str) -> Records:
        """The records of `topic` by key, as they are now: a view that will not change under the reader."""
        return self._known.state.topics.get(topic, NOTHING)

    def subscribe(self, topic: str, on_change: OnChange, *, loop: Loop | None = None) -> Callable[[], None]:
        """Call `on_change` with every record of `topic` there is, before this returns, and then with every change.

        Changes come in order, in the channel's thread or, given `loop`, all of it in that loop's. A subscriber must
        not block; one that raises is counted, and the acknowledgement says so; one that raises
        ChangeRefused has not put it in force, which is said apart. Answers how to leave. In a forked child
        the change that the parent was just telling is told again.
        """
        teller = in_loop(loop, on_change) if loop is not None else on_change
        with self._subscribers.lock:
            return self._subscribers.join(topic, teller, self.current(topic).values())

    def report(self, topic: str, payload: Any) -> bool:
        """Have `payload`, anything that msgspec can encode, told to the node soon; false when it is too large.

        The node keeps the newest of each topic from each process. What cannot be sent is dropped and counted.
        """
        return self._uplink.report(topic, msgspec.json.encode(payload))

    def _start(self) -> None:
        self._uplink.open()
        self._follower.open()

    def _recall(self, keepsake: SnapshotFile) -> None:
        try:
            state = keepsake.load()
        except SnapshotRefused as error:
            self._emit("channel-keepsake-refused", path=str(keepsake.path), reason=str(error.__cause__))
            return
        self._put_in_force(Followed(state, tuple(sorted(state.records(), key=lambda record: record.epoch))))

    def _begin_stream(self) -> ControlStream:
        state = self._known.state
        knows = {"Epoch": str(state.epoch), "Incarnation": state.incarnation, "Boot": state.boot}
        headers = self.process.headers() | {f"Tenfold-{name}": fact for name, fact in knows.items()}
        self._known.begin()
        return ControlStream(self._address, headers)

    def _hear(self, line: bytes) -> None:
        """Raises ValueError for a line that is none and StreamLost for one that cannot be followed."""
        said = decode(line)
        followed = self._known.weigh(said)
        if isinstance(followed, LineRefusal):
            raise StreamLost(followed.value)
        if isinstance(said, Beat):
            self._uplink.prompt()
        else:
            told = self._put_in_force(followed)
            self._uplink.acked(followed.state.incarnation, followed.state.epoch, told)
        self._contact.heard(self.epoch, time.monotonic_ns())

    def _put_in_force(self, followed: Followed) -> Delivery:
        """Swap the state, then tell; answers what came of telling."""
        with self._subscribers.lock:
            self._untold = followed
            self._known.follow(followed)
            told = self._subscribers.tell(followed.changes)
            self._untold = None
        self._metrics.applied.inc(len(followed.changes))
        return told

    def _lost(self, reason: str) -> None:
        self._contact.lost(reason, self.epoch, time.monotonic_ns())

    def _keep(self) -> float | None:
        """The uplink's chore: answers in how many seconds there is something to keep. Why it cannot be is said once,
        however often it is tried.
        """
        if self._writer is None:
            return None
        try:
            rest_s = self._writer.keep(self._known.state, time.monotonic_ns(), at_once=self._follower.closed)
        except OSError as error:
            before, self._unkept = self._unkept, str(error)
            if self._unkept != before:
                self._emit("channel-keepsake-failed", reason=self._unkept)
            return KEEP_EVERY.s
        if rest_s is None:
            self._unkept = ""
        return rest_s

    def _emit(self, kind: str, **evidence: Any) -> None:
        """Emit an event. A listener that raises is counted, and ends none of the channel's threads."""
        try:
            if self._events is not None:
                self._events.emit(kind, self._address.url, **evidence)
        except Exception:
            self._metrics.failures.inc()

    def after_fork(self) -> None:
        """Begin this process's own life: new id, new locks, new threads; the parent's sockets are left alone."""
        if not self._opened:
            return
        self._follower.drop()
        self._uplink.drop()
        self.process = self.process.forked()
        self._subscribers.lock = threading.RLock()
        self._begin_life()
        untold, self._untold = self._untold, None
        if untold is not None and untold.state is self._known.state:
            self._subscribers.tell(untold.changes)
        self._start()
