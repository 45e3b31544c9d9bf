"""Stops and continues a process in a rhythm: slow when the rhythm is short, flapping when it is long."""

import asyncio
import signal

from tenfold.fleet.node import Node


class Pulse:
    """From its making to `close`, which leaves the process running. Begins with a stop.

    A process that is killed while it is stopped dies all the same, so whoever ends the run needs to know nothing of it.
    """

    def __init__(self, node: Node, *, stopped_s: float, running_s: float) -> None:
        self._node = node
        self._pid = node.pid
        self._lengths_s = (stopped_s, running_s)
        self._task = asyncio.create_task(self._beat(), name=f"pulse-{node.name}")

    @classmethod
    async def begin(cls, node: Node, word: str, *, stopped_s: float, running_s: float) -> None:
        """At a node that runs, in the place of an earlier one of that fault, until the fault or the node ends."""
        await node.active_faults.end(word)
        if node.pid:
            node.active_faults.begin(word, cls(node, stopped_s=stopped_s, running_s=running_s).close)

    async def close(self) -> None:
        """It runs again when this answers."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._node.send(signal.SIGCONT)  # a task that was cancelled before its first step has no `finally`

    async def _beat(self) -> None:
        stopped_s, running_s = self._lengths_s
        try:
            while self._node.pid == self._pid:  # not of the process that takes its place
                self._node.send(signal.SIGSTOP)
                await asyncio.sleep(stopped_s)
                self._node.send(signal.SIGCONT)
                await asyncio.sleep(running_s)
        finally:
            self._node.send(signal.SIGCONT)
