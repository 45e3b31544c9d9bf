"""Guards a dependency: lets as many calls through as its limit says, and tells the limit how they went."""

import threading
from types import TracebackType

from tenfold.kernel import Clock, SystemClock, TenfoldError
from tenfold.kernel.forks import tell_forks
from tenfold.protect.calls.limit.gradient import GradientLimit
from tenfold.protect.calls.limit.limit import End, Limit, end_of
from tenfold.telemetry import Registry


class LimitReached(TenfoldError):
    """The call was not made: as many as the limit allows are under way."""


class Limiter:
    """Refuses and never lets wait; who should wait by rank goes to a `Shedder`. For threads and event loops alike.

    with limiter.admit():            # async with does the same; raises LimitReached
        answer = await call()        # a timeout belongs inside: TimeoutError tells the limit "too much"
    """

    def __init__(
        self, name: str, limit: Limit | None = None, *, clock: Clock | None = None, registry: Registry | None = None
    ) -> None:
        self.name = name
        self.limit: Limit = limit or GradientLimit()
        self.inflight = 0
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._lock = threading.Lock()
        self._generation = 0
        self._declare(registry or Registry())
        tell_forks(self)

    def _declare(self, registry: Registry) -> None:
        labels = ("limiter",)
        value = registry.gauge("tenfold_limit_calls", "Calls allowed at a time now.", labels)
        value.child(self.name).ask(lambda: self.limit.value)
        inflight = registry.gauge("tenfold_limit_inflight_calls", "Calls under way.", labels)
        inflight.child(self.name).ask(lambda: self.inflight)
        refused = registry.counter("tenfold_limit_refused_total", "Calls not made: the limit was reached.", labels)
        self._refused = refused.child(self.name)

    def admit(self) -> "Permit":
        """A permit to be used by `with` or `async with`, or ended by `release`. Raises LimitReached."""
        permit = self.try_admit()
        if permit is None:
            raise LimitReached(
                f"Limiter '{self.name}' is full: {self.limit.value} calls are under way; this one was not made.",
                remedy="Answer without it, or try again later.",
            )
        return permit

    def try_admit(self) -> "Permit | None":
        """A permit, or None when the limit is reached."""
        with self._lock:
            if self.inflight >= self.limit.value:
                self._refused.value += 1
                return None
            self.inflight += 1
            return Permit(self, self._now_ns(), self.inflight, self._generation)

    def _end(self, permit: "Permit", end: End) -> None:
        with self._lock:
            if permit.generation != self._generation:
                return
            self.inflight -= 1
            if end is not End.IGNORED:
                now_ns = self._now_ns()
                self.limit.sample(now_ns, now_ns - permit.began_ns, permit.inflight, dropped=end is End.DROPPED)

    def after_fork(self) -> None:
        """The calls under way are the parent's; what was learned of the dependency stays true."""
        self._lock = threading.Lock()
        self._generation += 1
        self.inflight = 0


class Permit:
    """One call that may be made. It ends once; ending it again does nothing."""

    __slots__ = ("_limiter", "began_ns", "generation", "inflight")

    def __init__(self, limiter: Limiter, began_ns: int, inflight: int, generation: int) -> None:
        self._limiter: Limiter | None = limiter
        self.began_ns = began_ns
        self.inflight = inflight
        self.generation = generation

    def release(self, end: End = End.ANSWERED) -> None:
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter._end(self, end)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release(end_of(kind))

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.release(end_of(kind))
