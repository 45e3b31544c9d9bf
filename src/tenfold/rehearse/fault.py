"""Faults: what a drill does to a node, and how it is undone, written to disk before it is done.

The journal is one JSON line a change. A fault is armed before its node is touched, so that whoever finds the journal
later (the guard, or the next run) knows what may still be broken even when the run died in between.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from tenfold.fleet import Node
from tenfold.kernel import Clock
from tenfold.kernel.clock import utc
from tenfold.plan.model import FaultKind

REVERTS = {
    FaultKind.KILL: "start",
    FaultKind.STOP: "start",
    FaultKind.CUT: "mend",
    FaultKind.REFUSE: "mend",
}


class FaultRecord(msgspec.Struct, frozen=True):
    """One line of the journal. `state` is armed or reverted; `revert` is the node's verb that undoes the fault."""

    at: str
    drill: str
    node: str
    fault: str
    revert: str
    state: str
    by: str


class FaultJournal:
    """The faults of one run, on disk before they happen."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def write(self, drill: str, node: str, fault: FaultKind, state: str) -> None:
        """Append one line and see it to the disk."""
        record = FaultRecord(
            at=utc(self._clock.wall_ns()),
            drill=drill,
            node=node,
            fault=fault.value,
            revert=REVERTS[fault],
            state=state,
            by="drill",
        )
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())


class Fault:
    """One fault on one node: `inject` and `revert`, each journalled, each safe to call twice."""

    def __init__(self, drill: str, kind: FaultKind, node: Node, journal: FaultJournal) -> None:
        self._drill = drill
        self._kind = kind
        self._node = node
        self._journal = journal
        self.armed = False

    async def inject(self) -> None:
        self._journal.write(self._drill, self._node.name, self._kind, "armed")
        self.armed = True
        await self._verb(self._kind.value)()

    async def revert(self) -> None:
        if not self.armed:
            return
        await self._verb(REVERTS[self._kind])()
        self._journal.write(self._drill, self._node.name, self._kind, "reverted")
        self.armed = False

    def _verb(self, name: str) -> Callable[[], Awaitable[None]]:
        verb: Callable[[], Awaitable[None]] = getattr(self._node, name)
        return verb
