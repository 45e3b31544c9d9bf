"""Single flight: one load of a key, however many callers want it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from tenfold.kernel import TenfoldError

Loaded = TypeVar("Loaded")


class FlightsFull(TenfoldError):
    """As many different keys are being loaded as may be."""


class LoadCancelled(TenfoldError):
    """The load itself was cancelled; its callers were not."""


class _Flight(Generic[Loaded]):
    """One load and those who wait for it. The load is a task of its own: no caller can take it down."""

    def __init__(self, load: Awaitable[Loaded], landed: Callable[[], object]) -> None:
        self._waiters: list[asyncio.Future[Loaded]] = []
        self._landed = landed
        self.task: asyncio.Future[Loaded] = asyncio.ensure_future(load)
        self.task.add_done_callback(self._land)

    def join(self) -> asyncio.Future[Loaded]:
        waiter: asyncio.Future[Loaded] = self.task.get_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def _land(self, task: asyncio.Future[Loaded]) -> None:
        self._landed()
        error = LoadCancelled("The load was cancelled.") if task.cancelled() else task.exception()
        for waiter in self._waiters:
            if waiter.done():
                continue
            if error is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(task.result())


class SingleFlight(Generic[Loaded]):
    """Callers of one event loop share loads by key; at most `flights_max` keys are loaded at a time."""

    def __init__(self, *, flights_max: int = 10_000) -> None:
        self._flights: dict[str, _Flight[Loaded]] = {}
        self._flights_max = flights_max

    async def do(self, key: str, loader: Callable[[], Awaitable[Loaded]]) -> Loaded:
        """What `loader` answers, or raises, for everyone who asks while it runs; it begins when nobody else's does.

        A caller who is cancelled leaves, and the load goes on. Raises FlightsFull, and LoadCancelled when the load
        was cancelled under its callers.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._begin(key, loader)
        return await flight.join()

    def _begin(self, key: str, loader: Callable[[], Awaitable[Loaded]]) -> _Flight[Loaded]:
        if len(self._flights) >= self._flights_max:
            raise FlightsFull(f"{self._flights_max} keys are being loaded; '{key}' was not begun.")
        flight = self._flights[key] = _Flight(loader(), lambda: self._flights.pop(key, None))
        return flight

    def __len__(self) -> int:
        """How many keys are being loaded."""
        return len(self._flights)

    async def close(self) -> None:
        """Cancel every load and wait until they have ended; their callers get LoadCancelled."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
