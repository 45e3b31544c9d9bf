"""A shedder's door as `with` and `async with`."""

import asyncio
import random
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from tenfold.kernel import Duration, TenfoldError
from tenfold.protect.calls.limit import End, end_of
from tenfold.protect.doors.admission.ticket import NEVER_NS, Fate, Ticket
from tenfold.protect.doors.deadline import deadline_ns

RETRY_AFTER_S_MAX = 4
"""A refused caller is told to come back after 1 to so many whole seconds, by lot, so that not all do at once."""


class ShedderDoor(Protocol):
    """What a request asks of the shedder that it comes to."""

    name: str
    now_ns: Callable[[], int]

    def enter(self, tier: int, tenant: str = "", deadline_ns: int = NEVER_NS) -> Ticket: ...
    def attend(self, ticket: Ticket, wake: Callable[[], None]) -> None: ...
    def give_up(self, ticket: Ticket, fate: Fate | None = None) -> None: ...
    def leave(self, ticket: Ticket, end: End = End.ANSWERED) -> None: ...


class LoadShed(TenfoldError):
    """The request was not begun. `fate`: SHED, EXPIRED or LATE."""

    def __init__(self, shedder: str, ticket: Ticket) -> None:
        self.fate = ticket.fate
        self.retry_after = Duration.from_s(random.randint(1, RETRY_AFTER_S_MAX))
        super().__init__(
            f"Shedder '{shedder}' did not begin a request of tier P{ticket.tier}: {_REASONS[ticket.fate]}.",
            remedy=f"Try again in {self.retry_after}.",
        )


_REASONS = {
    Fate.SHED: "there is more to do than can be done, and others come first",
    Fate.EXPIRED: "its turn did not come in time",
    Fate.LATE: "its deadline had passed",
    Fate.GONE: "its caller had left",
}


class Admit:
    """One request, used once."""

    __slots__ = ("_deadline_ns", "_shedder", "_tenant", "_tier", "ticket")

    def __init__(self, shedder: ShedderDoor, tier: int, tenant: str, deadline_ns: int | None) -> None:
        self._shedder = shedder
        self._tier = tier
        self._tenant = tenant
        self._deadline_ns = deadline_ns
        self.ticket: Ticket | None = None

    def _enter(self) -> Ticket:
        due_ns = deadline_ns() if self._deadline_ns is None else self._deadline_ns
        self.ticket = self._shedder.enter(self._tier, self._tenant, NEVER_NS if due_ns is None else due_ns)
        return self.ticket

    def _judge(self, ticket: Ticket) -> None:
        if ticket.fate is not Fate.ADMITTED:
            raise LoadShed(self._shedder.name, ticket)

    def __enter__(self) -> None:
        ticket = self._enter()
        if ticket.fate is Fate.WAITING:
            wait_blocking(self._shedder, ticket)
        self._judge(ticket)

    async def __aenter__(self) -> None:
        ticket = self._enter()
        if ticket.fate is Fate.WAITING:
            await wait(self._shedder, ticket)
        self._judge(ticket)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.ticket is not None:
            self._shedder.leave(self.ticket, end_of(kind))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, at)


async def wait(shedder: ShedderDoor, ticket: Ticket) -> None:
    """Until the ticket waits no longer; a cancellation gives its place, or its turn, to somebody else."""
    loop, thread = asyncio.get_running_loop(), threading.get_ident()
    decided: asyncio.Future[None] = loop.create_future()

    def decide() -> None:
        if not decided.done():
            decided.set_result(None)

    def wake() -> None:
        if threading.get_ident() == thread:
            decide()
        else:
            loop.call_soon_threadsafe(decide)

    shedder.attend(ticket, wake)
    timer = loop.call_later(max(0, ticket.until_ns - shedder.now_ns()) / 1e9, shedder.give_up, ticket)
    try:
        await decided
    except BaseException:
        shedder.give_up(ticket, Fate.GONE)
        shedder.leave(ticket, End.IGNORED)
        raise
    finally:
        timer.cancel()


def wait_blocking(shedder: ShedderDoor, ticket: Ticket) -> None:
    """The same for a thread."""
    decided = threading.Event()
    shedder.attend(ticket, decided.set)
    try:
        if not decided.wait(max(0, ticket.until_ns - shedder.now_ns()) / 1e9):
            shedder.give_up(ticket)
    except BaseException:
        shedder.give_up(ticket, Fate.GONE)
        shedder.leave(ticket, End.IGNORED)
        raise
