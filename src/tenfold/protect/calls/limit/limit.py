"""What every limit must do: decide. Who guards is a `Limiter` or a `Shedder` (after Netflix concurrency-limits)."""

import enum
from typing import Protocol

from tenfold.protect.calls.limit.window import Window

BACKOFF = 0.9


class End(enum.Enum):
    """ANSWERED: its length counts. DROPPED: too much was asked. IGNORED: it says nothing, as when it failed at once
    (a failure is quick, and a baseline made of failures would be too low) or its caller left."""

    ANSWERED = "answered"
    DROPPED = "dropped"
    IGNORED = "ignored"


def end_of(error: BaseException | type[BaseException] | None) -> End:
    """What it says that a call ended with this exception, or with none."""
    if error is None:
        return End.ANSWERED
    kind = error if isinstance(error, type) else type(error)
    return End.DROPPED if issubclass(kind, TimeoutError) else End.IGNORED


class Limit(Protocol):
    """How many calls may run at a time, learned from how long they take. For one guard, which locks around it."""

    @property
    def value(self) -> int:
        """1 or more."""
        ...

    def sample(self, now_ns: int, latency_ns: int, inflight: int, *, dropped: bool = False) -> None:
        """One call has ended: it began when `inflight` ran, itself among them. `dropped`: it timed out or was refused
        further down, so its length says nothing."""
        ...


class FixedLimit:
    """As many as you say. Right as long as nothing changes."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value

    def sample(self, now_ns: int, latency_ns: int, inflight: int, *, dropped: bool = False) -> None:
        """Learns nothing."""


class AimdLimit:
    """For dependencies that refuse or time out by themselves; latency means nothing to it.

    Up by one while they answer, down by a tenth when they refuse (Chiu and Jain, 1989).
    """

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
