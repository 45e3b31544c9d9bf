"""The thread that follows the control node, one stream after another, and whether the node is there."""

import random
import threading
from collections.abc import Callable

from tenfold.channel.wire import ControlStream
from tenfold.kernel import Backoff
from tenfold.telemetry import Counter


class Follower:
    """From `open` to `close`, in one process: a forked child makes its own.

    `begin` answers the next stream; `hear` is given its lines, and whatever it raises ends the stream; `lost` is told
    why it ended, unless it was `close` that ended it.
    """

    def __init__(
        self,
        *,
        begin: Callable[[], ControlStream],
        hear: Callable[[bytes], None],
        lost: Callable[[str], None],
        chance: random.Random,
    ) -> None:
        self._begin, self._hear, self._lost = begin, hear, lost
        self._backoff = Backoff(chance)
        self._stop = threading.Event()
        self._stream: ControlStream | None = None
        self._thread = threading.Thread(target=self._follow, name="tenfold-channel", daemon=True)

    @property
    def closed(self) -> bool:
        return self._stop.is_set()

    def open(self) -> None:
        self._thread.start()

    def close(self, *, timeout_s: float) -> None:
        """Hang up and end, within `timeout_s`; the thread itself may say so, and does not wait."""
        self._stop.set()
        stream = self._stream
        if stream is not None:
            stream.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def drop(self) -> None:
        """For a forked child: the thread is the parent's, and so is its connection."""
        if self._stream is not None:
            self._stream.drop()

    def _follow(self) -> None:
        while not self._stop.is_set():
            reason = self._follow_once()
            if not self._stop.is_set():
                self._lost(reason)
                self._stop.wait(self._backoff.next_s())

    def _follow_once(self) -> str:
        """Follow one stream to its end; answers why it ended."""
        self._stream = self._begin()
        try:
            for line in self._stream.lines():
                self._hear(line)
                self._backoff.reset()
                if self._stop.is_set():
                    break
        except Exception as error:  # also what a listener of events raises: nothing may end this thread
            return f"{type(error).__name__}: {error}"
        finally:
            self._stream.end()
        return "closed"


class Contact:
    """Whether the node is there: counted, and told when that changes.

    `tell` takes the kind of an event and its evidence; times are in monotonic nanoseconds.
    """

    def __init__(self, tell: Callable[..., None], reconnects: Counter) -> None:
        self.connected = False
        self._tell = tell
        self._reconnects = reconnects
        self._streams = 0
        self._lost_at_ns = 0

    def lost(self, reason: str, epoch: int, now_ns: int) -> None:
        """A stream ended or never came about. Attempts that fail one after the other are one loss."""
        if self.connected or not self._lost_at_ns:
            self._lost_at_ns = now_ns
            self._tell("channel-lost", reason=reason, epoch=epoch)
        self.connected = False

    def heard(self, epoch: int, now_ns: int) -> None:
        """A line came that could be followed."""
        if self.connected:
            return
        self.connected = True
        self._streams += 1
        if self._streams > 1:
            self._reconnects.inc()
        if self._lost_at_ns:
            self._tell("channel-restored", epoch=epoch, away_ms=(now_ns - self._lost_at_ns) / 1e6)
