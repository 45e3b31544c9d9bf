"""Whether the control node is there: counted, and told when that changes."""

from collections.abc import Callable

from tenfold.telemetry import Counter


class Contact:
    """One process's. `tell` takes the kind of an event and its evidence; times in monotonic nanoseconds."""

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
