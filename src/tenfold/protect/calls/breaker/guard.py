"""A call inside a breaker, for sync and async code alike."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from tenfold.protect.calls.breaker.state import BreakerState, CircuitOpen


class Guarded(Protocol):
    """What a guard asks, and tells how the call went."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> BreakerState: ...
    def admit(self) -> int: ...
    def succeeded(self, epoch: int | None = None, *, took_ns: int = 0) -> None: ...
    def failed(self, reason: str, epoch: int | None = None, *, timeout: bool = False) -> None: ...
    def abandoned(self, epoch: int | None = None) -> None: ...


class Guard:
    """Good for one `with`. An exception is a failure, a TimeoutError a timeout; a cancellation says nothing.

    `now_ns` is given where answers may be slow: then it is measured how long they took.
    """

    __slots__ = ("_began_ns", "_breaker", "_epoch", "_now_ns")

    def __init__(self, breaker: Guarded, now_ns: Callable[[], int] | None) -> None:
        self._breaker = breaker
        self._now_ns = now_ns
        self._epoch = self._began_ns = 0

    def __enter__(self) -> None:
        self._epoch = self._breaker.admit()
        if not self._epoch:
            name, state = self._breaker.name, self._breaker.state.value
            raise CircuitOpen(f"Breaker '{name}' is {state}; the call was not made.")
        if self._now_ns is not None:
            self._began_ns = self._now_ns()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            took_ns = self._now_ns() - self._began_ns if self._now_ns is not None else 0
            self._breaker.succeeded(self._epoch, took_ns=took_ns)
        elif issubclass(kind, Exception):
            self._breaker.failed(kind.__name__, self._epoch, timeout=issubclass(kind, TimeoutError))
        else:
            self._breaker.abandoned(self._epoch)
