"""Takes acknowledgements and reports to the control node, many at once, in a thread of its own.

Nobody waits for it: what does not fit is dropped and counted, what cannot be sent now is tried again later.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

import msgspec

from tenfold.channel.messages import ACKS_MAX, REPORT_BYTES_MAX, REPORTS_MAX, Acks, AppliedEpoch, Report, Reports
from tenfold.channel.subscribers import Delivery
from tenfold.channel.wire import ControlAddress, Failure, StreamLost, abandon
from tenfold.kernel import Backoff, Duration
from tenfold.telemetry import Counter

GATHER = Duration.from_ms(50)
"""So long what is to be said is gathered, less up to a half, so that many processes do not speak at once."""
BATCH_BYTES_MAX = 512 << 10


class _Ack(NamedTuple):
    """An epoch of a store and when it was applied here (monotonic)."""

    incarnation: str
    epoch: int
    applied_ns: int
    told: Delivery


class Uplink:
    """`acked` and `report` may be called from any thread and never block.

    `chore` is called by the thread at each turn and answers in how many seconds it wants to be called again, or
    None. It is for what must not hold up whoever applies changes, such as writing to a disk.
    """

    def __init__(
        self,
        address: ControlAddress,
        process: str,
        dropped: Counter,
        *,
        chore: Callable[[], float | None],
        seed: int = 0,
    ) -> None:
        self._address = address
        self._process = process
        self._dropped = dropped
        self._chore = chore
        self._chance = random.Random(seed)
        self._backoff = Backoff(random.Random(seed), first=Duration.from_ms(250), longest=Duration.from_s(2))
        self._acks: deque[_Ack] = deque(maxlen=ACKS_MAX)
        self._unsaid: list[_Ack] = []
        self._reports: deque[Report] = deque()
        self._news = threading.Condition(threading.Lock())
        self._closing = False
        self._connection = address.connect()
        self._thread = threading.Thread(target=self._run, name="tenfold-channel-uplink", daemon=True)

    def open(self) -> None:
        self._thread.start()

    def acked(self, incarnation: str, epoch: int, told: Delivery) -> None:
        """`epoch` of that store was applied just now. It is said at the next `prompt`: in the moment of a change every
        process of a machine has better things to do. The oldest is lost when too many wait, as later ones imply it.
        """
        self._acks.append(_Ack(incarnation, epoch, time.monotonic_ns(), told))

    def prompt(self) -> None:
        """A good moment to say what was acknowledged; the node's beats give it, to each process at its own time."""
        if self._acks or self._unsaid:
            self.wake()

    def report(self, topic: str, payload: bytes) -> bool:
        """Have `payload` sent soon; false when it is too large. When too many wait the oldest is dropped."""
        if len(payload) > REPORT_BYTES_MAX:
            self._dropped.inc()
            return False
        with self._news:
            if len(self._reports) >= REPORTS_MAX:
                self._reports.popleft()
                self._dropped.inc()
            self._reports.append(Report(topic, msgspec.Raw(payload)))
            self._news.notify()
        return True

    def wake(self) -> None:
        """There is something to say or to do."""
        with self._news:
            self._news.notify()

    def close(self, *, timeout_s: float) -> None:
        """Say what is still to be said if the node answers at once, do the chore, and end."""
        with self._news:
            self._closing = True
            self._news.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def drop(self) -> None:
        """For a forked child: the thread is the parent's, and so is what waits to be sent."""
        abandon(self._connection.sock)

    def _run(self) -> None:
        chore_s: float | None = None
        closing = False
        while not closing:
            closing = self._closing
            self._await_news(chore_s)
            chore_s = self._chore()
            if not self._deliver():
                self._rest(self._backoff.next_s())
        self._connection.close()

    def _await_news(self, patience_s: float | None) -> None:
        """Wait until there is something to do, then a little longer, for what comes along with it."""
        with self._news:
            if not (self._reports or self._closing):
                self._news.wait(patience_s)
        self._rest(GATHER.s * self._chance.uniform(0.5, 1.0))

    def _rest(self, length_s: float) -> None:
        with self._news:
            self._news.wait_for(lambda: self._closing, length_s)

    def _deliver(self) -> bool:
        """Send what waits, or as much as one request holds; false when it could not be sent."""
        try:
            self._send_acks()
            self._send_reports()
        except Failure:
            self._connection.close()
            return False
        self._backoff.reset()
        return True

    def _send_acks(self) -> None:
        while self._acks:
            self._unsaid.append(self._acks.popleft())
        del self._unsaid[:-ACKS_MAX]
        if not self._unsaid:
            return
        now_ns, incarnation = time.monotonic_ns(), self._unsaid[-1].incarnation
        applied = [
            AppliedEpoch(ack.epoch, now_ns - ack.applied_ns, *ack.told)
            for ack in self._unsaid
            if ack.incarnation == incarnation  # a store that was replaced asks for no word any longer
        ]
        self._post("/acks", msgspec.json.encode(Acks(self._process, applied, incarnation)))
        self._unsaid.clear()

    def _send_reports(self) -> None:
        """A report that was sent once is not sent again: the next one of its topic says more."""
        with self._news:
            count = self._batch_length()
            batch = [self._reports.popleft() for _ in range(count)]
        if not batch:
            return
        try:
            self._post("/reports", msgspec.json.encode(Reports(self._process, batch)))
        except Failure:
            self._dropped.inc(len(batch))
            raise

    def _batch_length(self) -> int:
        size_bytes = 0
        for count, report in enumerate(islice(self._reports, REPORTS_MAX)):
            size_bytes += len(bytes(report.payload))
            if size_bytes > BATCH_BYTES_MAX:
                return count
        return len(self._reports)

    def _post(self, path: str, body: bytes) -> None:
        """Raises one of Failure. A kept connection that the node has closed meanwhile is opened once more."""
        kept = self._connection.sock is not None
        try:
            status = self._exchange(path, body)
        except Failure:
            self._connection.close()
            if not kept:
                raise
            status = self._exchange(path, body)
        if status >= 500 or status == 401:
            raise StreamLost(f"the node answered {status}")

    def _exchange(self, path: str, body: bytes) -> int:
        response = self._address.send(self._connection, "POST", path, {"Content-Type": "application/json"}, body)
        response.read()
        return response.status
