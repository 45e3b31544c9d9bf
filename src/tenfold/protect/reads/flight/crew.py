"""A few daemon threads for work that may hang."""

import threading
from collections import deque
from collections.abc import Callable

from tenfold.kernel import Duration

IDLE_MAX = Duration.from_s(10)


class Crew:
    """At most `threads_max` threads, begun when there is more work than idle hands, ended when idle for `idle_max`.

    Unlike an executor's, they do not keep the interpreter from ending while work hangs. How much waits is for the
    caller to bound. What is given must not raise.
    """

    def __init__(self, *, threads_max: int, idle_max: Duration = IDLE_MAX) -> None:
        self._threads_max = threads_max
        self._idle_max_s = idle_max.s
        self._work: deque[Callable[[], None]] = deque()
        self._called = threading.Condition(threading.Lock())
        self._idle = 0
        self._threads: list[threading.Thread] = []

    def give(self, work: Callable[[], None]) -> None:
        """Have `work` done soon, in the order given. Raises RuntimeError when there is no thread and none can begin."""
        with self._called:
            self._work.append(work)
            if len(self._work) <= self._idle or not self._has_room():
                self._called.notify()
                return
            try:
                self._begin_thread()
            except RuntimeError:  # the machine has no more threads: those that run will come to it
                if not self._has_hands():
                    self._work.remove(work)
                    raise

    def forget(self) -> None:
        """Leave undone what was not begun."""
        with self._called:
            self._work.clear()

    def _has_room(self) -> bool:
        return len(self._threads) < self._threads_max or not self._has_hands(self._threads_max)

    def _has_hands(self, least: int = 1) -> bool:
        """Whether so many threads live; one whose start was interrupted may never have."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return len(self._threads) >= least

    def _begin_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name="tenfold-flight", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            work()
            del work  # what it loaded must not outlive it here while the thread is idle

    def _next(self) -> Callable[[], None] | None:
        """Wait for work; None: idle for long enough, and this thread is no more counted on."""
        with self._called:
            while not self._work:
                self._idle += 1
                try:
                    called = self._called.wait(self._idle_max_s)
                finally:
                    self._idle -= 1
                if not called and not self._work:
                    self._threads.remove(threading.current_thread())
                    return None
            return self._work.popleft()
