"""A thread that looks at what is due, and sleeps until something ends or there is news."""

import threading
from collections.abc import Callable

LOOK_S = 1.0
"""So long until it looks again, at the latest: also after a look that failed."""
SOON_S = 0.1
"""The same until the control node is heard, which is then told at once what is declared."""
_FAR_MS = 1 << 62
"""While it looks, every end that comes in is one more reason to look again."""


class Lookout:
    """From `open` to `close`, in one process: a forked child makes its own.

    `look` answers in how many seconds to look again; `now_ms` is wall time, as are the ends of rules.
    """

    def __init__(self, look: Callable[[], float], now_ms: Callable[[], int]) -> None:
        self._look = look
        self._now_ms = now_ms
        self._looks_at_ms = 0
        self._news = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Look now, and from now on."""
        self._thread = threading.Thread(target=self._run, name="tenfold-switches", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Look no more, within `timeout_s`; the thread itself may say so, and does not wait."""
        self._closing = True
        self._news.set()
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def wake(self) -> None:
        """There is news."""
        self._news.set()

    def expect(self, end_ms: int | None) -> None:
        """Something ends then: look sooner if that is before it would; else it sleeps on, as in a moment of change
        every process of a machine has better things to do.
        """
        if end_ms is not None and end_ms < self._looks_at_ms:
            self._news.set()

    def _run(self) -> None:
        rest_s = 0.0
        while not self._closing:
            self._news.wait(rest_s)
            self._news.clear()
            self._looks_at_ms = _FAR_MS
            try:
                rest_s = self._look()
                self._looks_at_ms = self._now_ms() + int(rest_s * 1000)
            except Exception:  # also what a listener of events raises: nothing may end this thread
                rest_s = LOOK_S
