"""An event loop in a thread of its own: how code that knows no `await` uses what needs one."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as TooSlow
from typing import Any, TypeVar

from tenfold.kernel import Duration, TenfoldError
from tenfold.kernel.forks import tell_forks
from tenfold.kernel.tasks import end_tasks

Result = TypeVar("Result")
CLOSE_LIMIT = Duration.from_s(5)


class PortalTimeout(TenfoldError):
    """The call took longer than its caller would wait; it was cancelled."""


class PortalClosed(TenfoldError):
    """The portal was closed; it calls no more."""


class Portal:
    """Runs coroutines for threads. Its loop starts with the first call, and anew in a process that was forked."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        tell_forks(self)

    def call(self, work: Callable[[], Coroutine[Any, Any, Result]], *, timeout: Duration) -> Result:
        """What `work()` answers or raises. Raises PortalTimeout, and PortalClosed."""
        loop = self._open()
        future = asyncio.run_coroutine_threadsafe(work(), loop)
        try:
            return future.result(timeout.s)
        except TooSlow:
            if future.done():
                raise  # its own timeout, not ours
            future.cancel()
            raise PortalTimeout(f"A call through portal '{self._name}' took longer than {timeout}.") from None
        except CancelledError as error:
            raise PortalClosed(f"Portal '{self._name}' was closed during the call.") from error

    def close(self) -> None:
        """End what runs and the thread; whoever waits gets PortalClosed."""
        with self._lock:
            self._closed = True
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(CLOSE_LIMIT.s)

    def _open(self) -> asyncio.AbstractEventLoop:
        loop = self._loop
        if loop is not None:
            return loop
        with self._lock:
            if self._closed:
                raise PortalClosed(f"Portal '{self._name}' is closed; the call was not made.")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def after_fork(self) -> None:
        """In a forked child: the thread has stayed with the parent, perhaps with the lock in its hand."""
        self._lock = threading.Lock()
        self._loop = self._thread = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(end_tasks(*asyncio.all_tasks(loop)))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
