"""One key class of an operation: refused when the operation is, or when this class alone is broken."""

from tenfold.protect.calls.breaker.circuit import FIRST_EPOCH
from tenfold.protect.calls.breaker.guard import Guard
from tenfold.protect.calls.breaker.keys import KeyClasses
from tenfold.protect.calls.breaker.state import BreakerState, Hold

_BITS = 40
_PART = (1 << _BITS) - 1


class KeyedBreaker:
    """Used as a Breaker. It holds nothing itself: make one for a call, or keep it.

    A class without trouble has no breaker of its own; its first failure makes one, with the epoch that those calls
    were given which began before.
    """

    __slots__ = ("_keys", "_whole", "name")

    def __init__(self, keys: KeyClasses, key_class: str) -> None:
        self.name = f"{keys.name}/{key_class}"
        self._keys = keys
        self._whole = keys.whole

    @property
    def state(self) -> BreakerState:
        """That of the operation when it is in trouble, else of the class."""
        own = None if self._is_trusted else self._keys.get(self.name)
        part = own or self._keys.hold_of(self.name)
        whole = self._whole.state
        return part.state if part is not None and whole is BreakerState.CLOSED else whole

    def admit(self) -> int:
        """The epoch that admitted the call, 0 when refused."""
        whole = self._whole.admit()
        if not whole:
            return 0
        part = None if self._is_trusted else self._keys.get(self.name)
        if part is not None:
            epoch = part.admit()
        else:  # of a class that is well nothing is remembered, but that somebody may hold it open
            hold = self._keys.hold_of(self.name)
            epoch = FIRST_EPOCH if hold is None or hold.state is not BreakerState.OPEN else 0
        if not epoch:
            self._whole.abandoned(whole)
            return 0
        return whole << _BITS | epoch

    def succeeded(self, epoch: int | None = None, *, took_ns: int = 0) -> None:
        whole, own = _split(epoch)
        self._whole.succeeded(whole, took_ns=took_ns)
        part = self._keys.get(self.name)
        if part is None and took_ns >= self._keys.slow_ns:
            part = self._keys.make(self.name)
        if part is not None:
            part.succeeded(own, took_ns=took_ns)

    def failed(self, reason: str, epoch: int | None = None, *, timeout: bool = False) -> None:
        whole, own = _split(epoch)
        self._whole.failed(reason, whole, timeout=timeout)
        self._keys.make(self.name).failed(reason, own, timeout=timeout)

    def abandoned(self, epoch: int | None = None) -> None:
        whole, own = _split(epoch)
        self._whole.abandoned(whole)
        part = self._keys.get(self.name)
        if part is not None:
            part.abandoned(own)

    @property
    def _is_trusted(self) -> bool:
        """True when a person holds the whole operation closed: what this class found then counts for nothing."""
        hold = self._whole.hold
        return hold is not None and hold.state is BreakerState.CLOSED

    def guard(self) -> Guard:
        """As `Breaker.guard`."""
        return self._whole.guard_for(self)

    def force_open(self, *, owner: str, reason: str) -> None:
        self.force(Hold(BreakerState.OPEN, owner, reason))

    def force_closed(self, *, owner: str, reason: str) -> None:
        """Holds this class closed; the operation's own breaker still decides over all of them."""
        self.force(Hold(BreakerState.CLOSED, owner, reason))

    def force(self, hold: Hold) -> None:
        self._keys.force(self.name, hold)

    def release(self, *, owner: str, reason: str) -> None:
        self._keys.release(self.name, owner=owner, reason=reason)


def _split(epoch: int | None) -> tuple[int | None, int | None]:
    return (None, None) if epoch is None else (epoch >> _BITS, epoch & _PART)
