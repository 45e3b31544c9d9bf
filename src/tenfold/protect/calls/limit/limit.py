"""What every limit must do: decide. Who guards is a `Limiter` or a `Shedder` (after Netflix concurrency-limits)."""

from typing import Protocol


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
