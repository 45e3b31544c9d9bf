"""Single flight among the threads of one process."""

import contextvars
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from tenfold.kernel import Duration
from tenfold.kernel.forks import tell_forks
from tenfold.protect.reads.flight.crew import Crew
from tenfold.protect.reads.flight.errors import FlightsFull, LoadCancelled, WaitTimeout

Loaded = TypeVar("Loaded")


class _Flight(Generic[Loaded]):
    """One load, and the bell that rings for everyone when it has landed."""

    def __init__(self, loader: Callable[[], Loaded]) -> None:
        self._load = loader
        self._context = contextvars.copy_context()  # what the first caller's code expects to find, such as a trace
        self._bell = threading.Event()
        self._loaded: list[Loaded] = []
        self._error: BaseException | None = None
        self._traceback: TracebackType | None = None

    def run(self) -> None:
        """Load, in a thread of the crew. Never raises."""
        try:
            self._loaded.append(self._context.run(self._load))
        except BaseException as error:  # whatever it is, those who wait must hear of it
            self._error = error
            self._traceback = error.__traceback__

    def land(self, error: Exception | None = None) -> None:
        self._error = error or self._error
        self._bell.set()

    def join(self, key: str, timeout: Duration | None) -> Loaded:
        if not self._bell.wait(timeout.s if timeout is not None else None):
            raise WaitTimeout(f"'{key}' was not loaded within {timeout}; its load goes on.")
        if self._loaded:
            return self._loaded[0]
        raise self._verdict(key)

    def _verdict(self, key: str) -> Exception:
        error = self._error
        if isinstance(error, Exception):
            return error.with_traceback(self._traceback)  # else it would grow by every caller that raises it
        return LoadCancelled(f"The load of '{key}' was ended by {type(error).__name__}.")


class ThreadFlight(Generic[Loaded]):
    """Callers of any thread share loads by key: the sync twin of `SingleFlight`.

    Loads run in at most `threads_max` daemon threads of their own, begun when needed and ended when idle, so that no
    caller's time-out, interruption or end can take a load down with it. At most `flights_max` keys are under way,
    those included that wait for a thread. A forked child begins with none. A loader must not wait for another key of
    the same flight: when all threads do, nobody is left to load it.
    """

    def __init__(self, *, threads_max: int = 32, flights_max: int = 1_024) -> None:
        self._threads_max = threads_max
        self._flights_max = flights_max
        self._flights: dict[str, _Flight[Loaded]] = {}
        self.after_fork()
        tell_forks(self)

    def do(self, key: str, loader: Callable[[], Loaded], *, timeout: Duration | None = None) -> Loaded:
        """What `loader` answers, or raises, for everyone who asks while it runs; it begins when nobody else's does.

        A caller who is interrupted, or has waited for `timeout` (WaitTimeout), leaves, and the load goes on. Raises
        FlightsFull, and LoadCancelled when the flight was closed or its load was ended by something like SystemExit.
        """
        with self._lock:
            flight = self._flights.get(key) or self._begin(key, loader)
        return flight.join(key, timeout)

    def __len__(self) -> int:
        """How many keys are being loaded."""
        return len(self._flights)

    def close(self) -> None:
        """Wake every caller by LoadCancelled. Loads that run end by themselves: no thread can be ended from outside."""
        with self._lock:
            flights, self._flights = self._flights, {}
            self._crew.forget()
        for key, flight in flights.items():
            flight.land(LoadCancelled(f"The flight was closed; '{key}' was not loaded."))

    def _begin(self, key: str, loader: Callable[[], Loaded]) -> _Flight[Loaded]:
        if len(self._flights) >= self._flights_max:
            raise FlightsFull(f"{self._flights_max} keys are being loaded; '{key}' was not begun.")
        flight = _Flight(loader)
        # Given to the crew first: an interruption between the two lines costs a second load, never a hung caller.
        self._crew.give(lambda: self._run(key, flight))
        self._flights[key] = flight
        return flight

    def _run(self, key: str, flight: _Flight[Loaded]) -> None:
        flight.run()
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
        flight.land()

    def after_fork(self) -> None:
        """In the child: the threads that load, and perhaps hold the lock, were left with the parent."""
        self._lock = threading.Lock()
        self._flights = {}
        self._crew = Crew(threads_max=self._threads_max)
