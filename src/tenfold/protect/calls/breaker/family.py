"""Breakers by dependency, operation and key class, in bounded memory however many keys there are."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import overload

from tenfold.kernel import Clock
from tenfold.kernel.forks import tell_forks
from tenfold.protect.calls.breaker.breaker import Breaker
from tenfold.protect.calls.breaker.keyed import KeyedBreaker
from tenfold.protect.calls.breaker.keys import KeyClasses, Troubled
from tenfold.protect.calls.breaker.metrics import BreakerMetrics
from tenfold.protect.calls.breaker.policy import Policy
from tenfold.protect.calls.breaker.state import BreakerState, Hold
from tenfold.telemetry import EventLog, Registry

_DEFAULT = Policy()
Path = tuple[str, ...]


class Breakers:
    """The breakers of one process. Safe for threads; survives a fork.

    `policies` are stated by "dependency/operation" or by "dependency"; `policy` is for all others. At most
    `operations_max` operations have breakers of their own, what is beyond shares the one named "other". Of key
    classes, those in trouble are remembered, `keys_max` of all operations together (at most 2 kB each): beyond that
    the one that was least recently in trouble is forgotten, and counted. Labels of metrics name operations only.
    """

    def __init__(
        self,
        *,
        policy: Policy = _DEFAULT,
        policies: Mapping[str, Policy] | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        operations_max: int = 256,
        keys_max: int = 4_096,
    ) -> None:
        self._policy = policy
        self._policies = dict(policies or {})
        self._clock = clock
        self._registry = registry or Registry()
        self._events = events
        self._operations_max = operations_max
        self._troubled = Troubled(keys_max, self._registry)
        self._breakers: dict[Path, Breaker] = {}
        self._keys: dict[Path, KeyClasses] = {}
        self._holds: Mapping[Path, Hold] = {}
        self._listeners: list[Callable[[Breaker], None]] = []
        self._lock = threading.RLock()
        tell_forks(self)

    @overload
    def of(self, dependency: str, operation: str = "") -> Breaker: ...
    @overload
    def of(self, dependency: str, operation: str, key_class: str) -> Breaker | KeyedBreaker: ...
    def of(self, dependency: str, operation: str = "", key_class: str = "") -> Breaker | KeyedBreaker:
        """The breaker of a dependency, of one operation of it, or of one class of its keys (a store, a supplier).

        With classes a row of failures trips the class alone; the operation as a whole is judged by ratios, over all
        classes.
        """
        path = (dependency, operation) if operation else (dependency,)
        if not key_class:
            return self._breakers.get(path) or self._make(path)
        keys = self._keys.get(path) or self._make_keys(path)
        return KeyedBreaker(keys, key_class)

    def isolate(self, dependency: str, operation: str = "", key_class: str = "", *, owner: str, reason: str) -> None:
        """Hold open everything below, what will be used later too, until `release`."""
        self._by_hand(dependency, operation, key_class, BreakerState.OPEN, owner, reason)

    def trust(self, dependency: str, operation: str = "", key_class: str = "", *, owner: str, reason: str) -> None:
        """Hold closed everything below, what will be used later too, until `release`; what is isolated stays so."""
        self._by_hand(dependency, operation, key_class, BreakerState.CLOSED, owner, reason)

    def release(self, dependency: str, operation: str = "", key_class: str = "", *, owner: str, reason: str) -> None:
        """Take back what was done by hand at the same place; what is held above or below stays so."""
        self._by_hand(dependency, operation, key_class, None, owner, reason)

    def find(self, name: str) -> Breaker | None:
        """The breaker of this name as others call it; of a class whose operation is in use here, made if need be."""
        path = tuple(name.split("/", 2))
        known = self._breakers.get(path)
        if known is None and len(path) == 3 and path[:2] in self._keys:
            return self._keys[path[:2]].make(name)
        return known

    def listen(self, on_change: Callable[[Breaker], None]) -> None:
        """Call `on_change` after every change of state of any of them."""
        with self._lock:
            self._listeners.append(on_change)
            for breaker in self:
                breaker.listen(on_change)

    def __iter__(self) -> Iterator[Breaker]:
        """Those that there are: of operations, and of key classes in trouble."""
        with self._lock:
            return iter([*self._breakers.values(), *self._troubled])

    def after_fork(self) -> None:
        """In a forked child: a lock may be held by a thread that is not here."""
        self._lock = threading.RLock()
        self._troubled.after_fork()

    def _make(self, path: Path) -> Breaker:
        with self._lock:
            if path not in self._breakers and len(self._breakers) >= self._operations_max:
                path = self._shared(path)
            if path not in self._breakers:
                self._breakers[path] = self._grown(path)
            return self._breakers[path]

    def _make_keys(self, path: Path) -> KeyClasses:
        with self._lock:
            if path not in self._keys and len(self._keys) >= self._operations_max:
                path = self._shared(path)
            if path not in self._keys:
                whole = self._breakers[(*path, "*")] = self._grown((*path, "*"))
                self._keys[path] = self._grown_keys(path, whole)
            return self._keys[path]

    def _shared(self, path: Path) -> Path:
        """Whose breaker an operation uses for which there is no room: that of the place where it is isolated, if it is;
        there are no more of those than people made.
        """
        return next((held for held in self._holds if _is_below(path, held)), ("other",))

    def _grown(self, path: Path) -> Breaker:
        name = "/".join(path)
        policy = self._policy_of(path)
        if path[-1] == "*":
            policy = policy.but(failures_max=0)
        breaker = Breaker(name, policy=policy, clock=self._clock, registry=self._registry, events=self._events)
        for on_change in self._listeners:
            breaker.listen(on_change)
        hold = self._hold_of(path)
        if hold is not None:
            breaker.force(hold)
        return breaker

    def _grown_keys(self, path: Path, whole: Breaker) -> KeyClasses:
        name = "/".join(path)
        metrics = BreakerMetrics(f"{name}/each", self._registry, self._events)
        policy = self._policy_of(path)
        return KeyClasses(
            name, whole, self._troubled, policy, clock=self._clock, metrics=metrics, listeners=self._listeners
        )

    def _policy_of(self, path: Path) -> Policy:
        by_operation = self._policies.get("/".join(path[:2]))
        return by_operation or self._policies.get(path[0]) or self._policy

    def _by_hand(
        self, dependency: str, operation: str, key_class: str, state: BreakerState | None, owner: str, reason: str
    ) -> None:
        """Hold what is at this place and below in `state`; None: no longer. A key class has nothing below."""
        if not key_class:
            self._hold(_path(dependency, operation), state, owner, reason)
            return
        one = self.of(dependency, operation, key_class)
        if state is None:
            one.release(owner=owner, reason=reason)
        else:
            one.force(Hold(state, owner, reason))

    def _hold(self, top: Path, state: BreakerState | None, owner: str, reason: str) -> None:
        """Swapped whole: whoever grows a breaker meanwhile goes on looking at what was there."""
        hold = Hold(state, owner, reason) if state is not None else None
        with self._lock:
            before = self._holds
            others = {held: other for held, other in before.items() if held != top}
            self._holds = others if hold is None else {**others, top: hold}
        for path, breaker in self._below(top):
            counts = self._hold_of(path)
            if not _gives_way(breaker.hold, _counting(before, path), counts):
                continue
            if counts is None:
                breaker.release(owner=owner, reason=reason)
            elif counts != breaker.hold:
                breaker.force(counts)

    def _hold_of(self, path: Path) -> Hold | None:
        return _counting(self._holds, path)

    def _below(self, top: Path) -> list[tuple[Path, Breaker]]:
        with self._lock:
            return [(path, breaker) for path, breaker in self._breakers.items() if _is_below(path, top)]


def _path(dependency: str, operation: str) -> Path:
    return (dependency, operation) if operation else (dependency,)


def _counting(holds: Mapping[Path, Hold], path: Path) -> Hold | None:
    """The one that counts here: whoever isolates it, before whoever trusts it."""
    above = [hold for held, hold in holds.items() if _is_below(path, held)]
    return next((hold for hold in above if hold.state is BreakerState.OPEN), above[0] if above else None)


def _gives_way(present: Hold | None, came: Hold | None, counts: Hold | None) -> bool:
    """Whether a breaker takes what counts now, None too, in the place of its present hold.

    It does when that came from above, which is told by identity, since a person may hold both in the same words. What
    holds this one breaker alone gives way to nothing but isolation, before which nobody's trust counts.
    """
    if present is None or present is came:
        return True
    return counts is not None and (present.state, counts.state) == (BreakerState.CLOSED, BreakerState.OPEN)


def _is_below(path: Path, top: Path) -> bool:
    return path[: len(top)] == top
