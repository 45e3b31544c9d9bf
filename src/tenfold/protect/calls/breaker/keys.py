"""The key classes that are in trouble: the only ones that cost memory."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from tenfold.kernel import Clock
from tenfold.protect.calls.breaker.breaker import Breaker
from tenfold.protect.calls.breaker.metrics import BreakerMetrics
from tenfold.protect.calls.breaker.policy import Policy
from tenfold.protect.calls.breaker.state import BreakerState, Hold
from tenfold.telemetry import Registry

_LOOK = 8
"""So many of those who were not in trouble for longest are looked at for one that admits, and is forgotten first."""


class Troubled:
    """At most `keys_max` breakers of key classes, least recently in trouble first. Reading needs no lock.

    What a person holds open or closed stays so when its breaker is forgotten: holds are kept by themselves.
    """

    def __init__(self, keys_max: int, registry: Registry) -> None:
        self._keys_max = keys_max
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()
        self._holds: Mapping[str, Hold] = {}
        self._lock = threading.RLock()
        registry.gauge("tenfold_breaker_keys", "Key classes whose trouble is remembered.").child().ask(
            lambda: float(len(self._breakers))
        )
        self._forgotten = registry.counter(
            "tenfold_breaker_keys_forgotten_total", "Key classes whose trouble was forgotten to make room."
        ).child()
        self.get = self._breakers.get

    def make(self, name: str, grow: Callable[[str], Breaker]) -> Breaker:
        """The breaker of this name, now the most recently in trouble."""
        with self._lock:
            breaker = self._breakers.get(name)
            if breaker is None:
                self._make_room()
                breaker = self._breakers[name] = grow(name)
            else:
                self._breakers.move_to_end(name)
            return breaker

    def hold_of(self, name: str) -> Hold | None:
        """The hold that a person has on that class; None without one."""
        return self._holds.get(name)

    def hold(self, name: str, hold: Hold | None) -> None:
        """From now on, of breakers that are made later too; None: nobody does. Swapped whole, for those who read."""
        with self._lock:
            others = {held: other for held, other in self._holds.items() if held != name}
            self._holds = others if hold is None else {**others, name: hold}

    def __iter__(self) -> Iterator[Breaker]:
        with self._lock:
            return iter(list(self._breakers.values()))

    def __len__(self) -> int:
        return len(self._breakers)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def _make_room(self) -> None:
        """Let go who is calm again, two for each that comes; when that makes no room, forget one."""
        for name, breaker in list(islice(self._breakers.items(), 2)):
            if breaker.is_calm:
                del self._breakers[name]
        if len(self._breakers) >= self._keys_max:
            del self._breakers[self._to_forget()]
            self._forgotten.inc()

    def _to_forget(self) -> str:
        """One that admits, else the oldest that nobody holds, else the oldest: its hold is not forgotten."""
        oldest, looked = next(iter(self._breakers)), 0
        for name, breaker in self._breakers.items():
            if breaker.hold is not None:
                continue
            if breaker.state is BreakerState.CLOSED:
                return name
            oldest, looked = (name, 1) if not looked else (oldest, looked + 1)
            if looked == _LOOK:
                break
        return oldest


class KeyClasses:
    """The classes of one operation, with what their breakers have in common; `whole` is the operation's own."""

    def __init__(
        self,
        name: str,
        whole: Breaker,
        troubled: Troubled,
        policy: Policy,
        *,
        clock: Clock | None,
        metrics: BreakerMetrics,
        listeners: Sequence[Callable[[Breaker], None]],
    ) -> None:
        self.name = name
        self.whole = whole
        self.slow_ns = policy.slow.ns or sys.maxsize
        self._troubled = troubled
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._listeners = listeners
        self.hold_of = troubled.hold_of

    def get(self, name: str) -> Breaker | None:
        return self._troubled.get(name)

    def make(self, name: str) -> Breaker:
        return self._troubled.make(name, self._grow)

    def force(self, name: str, hold: Hold) -> None:
        """Hold it, whether its breaker is remembered or not."""
        self._troubled.hold(name, hold)
        part = self.get(name)
        if part is None:
            self.make(name)
        else:
            part.force(hold)

    def release(self, name: str, *, owner: str, reason: str) -> None:
        """Take back what `force` did."""
        self._troubled.hold(name, None)
        part = self.get(name)
        if part is not None:
            part.release(owner=owner, reason=reason)

    def _grow(self, name: str) -> Breaker:
        breaker = Breaker(name, policy=self._policy, clock=self._clock, metrics=self._metrics)
        hold = self.hold_of(name)
        if hold is not None:
            breaker.force(hold)
        for on_change in self._listeners:
            breaker.listen(on_change)
        return breaker
