"""How often and how fast a service that crashes is started again. Pure: time comes in."""

from collections import deque

from tenfold.kernel import Duration, GrowingPause

RESTARTS_MAX = 5
WITHIN = Duration.from_s(60)
FIRST, LONGEST = Duration.from_ms(100), Duration.from_s(5)


class RestartBound:
    """Of one service: at most RESTARTS_MAX in any WITHIN, each after a longer pause than the one before."""

    def __init__(self) -> None:
        self._restarts_ns: deque[int] = deque(maxlen=RESTARTS_MAX)
        self._pause = GrowingPause(FIRST, LONGEST)

    def next_s(self, now_ns: int) -> float | None:
        """How long to wait before the next restart, which is counted; None when there were too many of late."""
        if len(self._restarts_ns) == RESTARTS_MAX and now_ns - self._restarts_ns[0] < WITHIN.ns:
            return None
        if self._restarts_ns and now_ns - self._restarts_ns[-1] >= WITHIN.ns:
            self._pause.reset()
        self._restarts_ns.append(now_ns)
        wait_ns = self._pause.ns
        self._pause.grow()
        return wait_ns / 1e9
