"""An event loop whose time costs nothing."""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tenfold.kernel import Duration, VirtualClock

Result = TypeVar("Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Lets the clock jump to the next timer instead of waiting for it."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("every task waits for something that nobody will do")
        self._clock.advance(Duration(math.ceil(timeout * 1e9)))
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._virtual_clock = clock
        super().__init__(_JumpingSelector(clock))

    def time(self) -> float:
        return self._virtual_clock.monotonic_ns() / 1e9


def run_in_virtual_time(main: Callable[[VirtualClock], Coroutine[Any, Any, Result]]) -> Result:
    """Run `main` in an event loop whose timers take no time: `asyncio.sleep(3600)` is over at once.

    The clock given to `main` is the loop's. For code without sockets and threads; raises RuntimeError when every
    task waits and no timer is left, which is a deadlock.
    """
    clock = VirtualClock()
    with asyncio.Runner(loop_factory=lambda: _VirtualLoop(clock)) as runner:
        return runner.run(main(clock))
