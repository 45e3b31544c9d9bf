"""A limit for what says no: up by one while it answers, down by a tenth when it refuses (Chiu and Jain, 1989)."""

from tenfold.protect.calls.limit.window import Window

BACKOFF = 0.9


class AimdLimit:
    """For dependencies that refuse or time out by themselves; latency means nothing to it."""

    def __init__(self, *, initial: int = 20, least: int = 1, most: int = 1000) -> None:
        self._least = least
        self._most = most
        self._window = Window()
        self.value = initial

    def sample(self, now_ns: int, latency_ns: int, inflight: int, *, dropped: bool = False) -> None:
        seen = self._window.add(now_ns, latency_ns, inflight, dropped)
        if seen is None:
            return
        if seen.dropped_ratio > 0:
            self.value = max(self._least, int(self.value * BACKOFF))
        elif seen.inflight >= self.value / 2:
            self.value = min(self._most, self.value + 1)
