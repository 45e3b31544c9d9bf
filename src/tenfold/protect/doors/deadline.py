"""When the caller stops waiting: carried with the request, from process to process.

A deadline travels as what is left of it (`Tenfold-Deadline-Ms: 250`), since clocks of two machines disagree; inside a
process it is a moment on its monotonic clock, in a context variable, which tasks and `asyncio.to_thread` inherit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError

HEADER = "Tenfold-Deadline-Ms"
HEADER_BYTES = HEADER.lower().encode()
_LEFT_MS_MAX = 86_400_000
_SYSTEM = SystemClock()

_deadline_ns: ContextVar[int | None] = ContextVar("tenfold_deadline_ns", default=None)


class DeadlinePassed(TenfoldError):
    """The work was not begun: whoever asked for it has stopped waiting."""


def deadline_ns() -> int | None:
    """The moment on the monotonic clock after which nobody waits, or None."""
    return _deadline_ns.get()


@contextmanager
def for_many() -> Iterator[None]:
    """What is begun inside is done for many: no deadline of one of them holds for it."""
    token = _deadline_ns.set(None)
    try:
        yield
    finally:
        _deadline_ns.reset(token)


def due_within(length: Duration, clock: Clock = _SYSTEM) -> int:
    """When work that may take `length` has to be done, on the monotonic clock: by then, or by the caller's deadline."""
    due_ns, known_ns = clock.monotonic_ns() + length.ns, _deadline_ns.get()
    return due_ns if known_ns is None else min(due_ns, known_ns)


def time_left(clock: Clock = _SYSTEM) -> Duration | None:
    """What is left until the deadline, 0 at least; None when there is none."""
    due_ns = _deadline_ns.get()
    return None if due_ns is None else Duration(max(0, due_ns - clock.monotonic_ns()))


def check_deadline(clock: Clock = _SYSTEM) -> None:
    """Before something that costs: raises DeadlinePassed when nobody waits for it."""
    due_ns = _deadline_ns.get()
    if due_ns is not None and clock.monotonic_ns() >= due_ns:
        raise DeadlinePassed("The deadline of this request has passed; the work was not begun.")


@contextmanager
def deadline_within(length: Duration, clock: Clock = _SYSTEM) -> Iterator[None]:
    """What is done inside has `length` at most; a nearer deadline from outside stays."""
    token = set_deadline_ns(clock.monotonic_ns() + length.ns)
    try:
        yield
    finally:
        _deadline_ns.reset(token)


def set_deadline_ns(due_ns: int) -> Token[int | None]:
    """For who receives requests: from now on in this context, unless a nearer one is set. Answers the way back."""
    known_ns = _deadline_ns.get()
    return _deadline_ns.set(due_ns if known_ns is None else min(due_ns, known_ns))


def reset_deadline(token: Token[int | None]) -> None:
    _deadline_ns.reset(token)


def deadline_headers(clock: Clock = _SYSTEM) -> dict[str, str]:
    """What to send along with a request; empty when there is no deadline."""
    left = time_left(clock)
    return {} if left is None else {HEADER: str(left.ns // 1_000_000)}


def left_ns(written: bytes) -> int | None:
    """What the header says is left, in nanoseconds; None when it says nothing that could be meant."""
    if not written.isdigit() or len(written) > 9:
        return None
    return min(int(written), _LEFT_MS_MAX) * 1_000_000
