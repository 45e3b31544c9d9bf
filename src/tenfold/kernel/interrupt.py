"""Ending on a signal: the work is cancelled, cleans up, and the exit status says which signal it was."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tenfold.kernel.errors import TenfoldError

Answer = TypeVar("Answer")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CLEAN_UP_LIMIT_S = 10.0


class Interrupted(TenfoldError):
    """A signal ended the work before it was done. `status` is what a shell expects: 128 + signal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Interrupted by {signal.Signals(number).name}; everything that was started has been ended.")
        self.status = 128 + number


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """A SIGINT that comes inside is answered at its end, by KeyboardInterrupt. For the main thread, around imports.

    Raised in the middle of one it may be lost: Python ignores what is raised in a callback of the import lock.
    """
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def run_until_signal(work: Coroutine[object, object, Answer], *, clean_up_limit_s: float = CLEAN_UP_LIMIT_S) -> Answer:
    """Run `work` to its end. The first signal cancels it, further ones are ignored while it cleans up.

    Work that goes on for longer than `clean_up_limit_s` after that is cancelled again, and again: Python 3.11's
    `wait_for` loses a cancellation that comes in the moment in which what it waits for is done.
    Raises Interrupted once it has cleaned up.
    """
    return asyncio.run(_cancelled_by_signal(work, clean_up_limit_s))


async def _cancelled_by_signal(work: Coroutine[object, object, Answer], clean_up_limit_s: float) -> Answer:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    caught: list[int] = []

    def cancel() -> None:
        if task.cancel():
            loop.call_later(clean_up_limit_s, cancel)

    def interrupt(number: int) -> None:
        if not caught:
            cancel()
        caught.append(number)

    for number in SIGNALS:
        loop.add_signal_handler(number, interrupt, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not caught:
            raise
        raise Interrupted(caught[0]) from None
