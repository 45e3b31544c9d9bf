"""Single flight among the tasks of one event loop."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from tenfold.kernel import Duration
from tenfold.kernel.tasks import end_tasks
from tenfold.protect.doors.deadline import for_many
from tenfold.protect.reads.flight.errors import FlightsFull, LoadCancelled, WaitTimeout

Loaded = TypeVar("Loaded")

LOAD_MAX = Duration.from_s(30)


class _Flight(Generic[Loaded]):
    """One load and those who wait for it. The load is a task of its own: no caller can take it down."""

    def __init__(self, key: str, load: Awaitable[Loaded], load_max_s: float, landed: Callable[[str], object]) -> None:
        self._key = key
        self._landed = landed
        self._waiters: set[asyncio.Future[Loaded]] = set()
        self._given_up = ""
        self.task: asyncio.Future[Loaded] = asyncio.ensure_future(load)
        self._loop = self.task.get_loop()
        self._alarm = self._loop.call_later(load_max_s, self._give_up, load_max_s)
        self.task.add_done_callback(self._land)

    async def join(self, timeout: Duration | None) -> Loaded:
        if self._given_up:
            raise LoadCancelled(self._given_up)
        waiter: asyncio.Future[Loaded] = self._loop.create_future()
        self._waiters.add(waiter)
        try:
            if timeout is not None and not (await asyncio.wait((waiter,), timeout=timeout.s))[0]:
                raise WaitTimeout(f"'{self._key}' was not loaded within {timeout}; its load goes on.")
            return await waiter
        finally:
            self._waiters.discard(waiter)

    def _give_up(self, load_max_s: float) -> None:
        """Wake everyone now: a load that has hung so long may not even heed its cancellation."""
        self._given_up = f"The load of '{self._key}' was given up after {load_max_s:g} s."
        self._wake(LoadCancelled(self._given_up))
        self.task.cancel()

    def _land(self, task: asyncio.Future[Loaded]) -> None:
        self._alarm.cancel()
        self._landed(self._key)
        if task.cancelled():
            self._wake(LoadCancelled(f"The load of '{self._key}' was cancelled."))
        elif (error := task.exception()) is None:
            self._wake(None)
        elif isinstance(error, Exception):
            self._wake(error)
        else:  # SystemExit and KeyboardInterrupt end the program by the load's own task, not in each caller once more
            self._wake(LoadCancelled(f"The load of '{self._key}' was ended by {type(error).__name__}."))

    def _wake(self, error: Exception | None) -> None:
        for waiter in self._waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(self.task.result())
            else:
                waiter.set_exception(error)
                waiter.exception()  # its caller may be leaving just now, and then nobody else retrieves it


class _Here(threading.local):
    """The flights of the loop that runs in this thread: another loop, or a forked child, has none of them."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.flights: dict[str, _Flight[object]] = {}


class SingleFlight(Generic[Loaded]):
    """Callers of one event loop share loads by key; at most `flights_max` keys are loaded at a time.

    A load that lasts `load_max` is given up, so that a loader that hangs does not hold its key for ever. Loops of
    other threads, later loops and forked children may use the same object: they share nothing.
    """

    def __init__(self, *, flights_max: int = 10_000, load_max: Duration = LOAD_MAX) -> None:
        self._here = _Here()
        self._flights_max = flights_max
        self._load_max_s = load_max.s

    async def do(self, key: str, loader: Callable[[], Awaitable[Loaded]], *, timeout: Duration | None = None) -> Loaded:
        """What `loader` answers, or raises, for everyone who asks while it runs; it begins when nobody else's does.

        A caller who is cancelled, or has waited for `timeout` (WaitTimeout), leaves, and the load goes on. Raises
        FlightsFull, and LoadCancelled when the load was cancelled or given up under its callers.
        """
        flights = self._flights()
        flight = flights.get(key)
        if flight is None:
            flight = self._begin(flights, key, loader)
        return await flight.join(timeout)

    def _flights(self) -> dict[str, _Flight[Loaded]]:
        here, loop = self._here, asyncio.get_running_loop()
        if here.loop is not loop:
            here.loop, here.flights = loop, {}
        return here.flights  # type: ignore[return-value]  # a thread-local class cannot be generic

    def _begin(
        self, flights: dict[str, _Flight[Loaded]], key: str, loader: Callable[[], Awaitable[Loaded]]
    ) -> _Flight[Loaded]:
        if len(flights) >= self._flights_max:
            raise FlightsFull(f"{self._flights_max} keys are being loaded; '{key}' was not begun.")
        with for_many():
            flight = flights[key] = _Flight(key, loader(), self._load_max_s, flights.pop)
        return flight

    def __len__(self) -> int:
        """How many keys are being loaded in the loop of this thread."""
        return len(self._here.flights)

    async def close(self) -> None:
        """Cancel every load of this loop and wait until they have ended; their callers get LoadCancelled."""
        await end_tasks(*(flight.task for flight in self._flights().values()))
