"""Stops and continues a process in a rhythm: slow when the rhythm is short, flapping when it is long."""

import asyncio
import signal

from tenfold.fleet.child import Child


class Pulse:
    """From its making to `close`, which leaves the process running. Begins with a stop.

    A process that is killed while it is stopped dies all the same, so whoever ends the run needs to know nothing of it.
    """

    def __init__(self, child: Child, *, stopped_s: float, running_s: float) -> None:
        self._child = child
        self._lengths_s = (stopped_s, running_s)
        self._task = asyncio.create_task(self._beat(), name=f"pulse-{child.name}")

    async def close(self) -> None:
        """It runs again when this answers."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._child.send(signal.SIGCONT)  # a task that was cancelled before its first step has no `finally`

    async def _beat(self) -> None:
        stopped_s, running_s = self._lengths_s
        try:
            while self._child.exit_status is None:
                self._child.send(signal.SIGSTOP)
                await asyncio.sleep(stopped_s)
                self._child.send(signal.SIGCONT)
                await asyncio.sleep(running_s)
        finally:
            self._child.send(signal.SIGCONT)
