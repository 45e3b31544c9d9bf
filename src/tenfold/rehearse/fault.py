"""Faults: what a drill does to a node, and how it is undone, written to disk before it is done.

The journal is one JSON line a change. A fault is armed before its node is touched, so that whoever finds the journal
later (the guard, or the next run) knows what may still be broken even when the run died in between.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from tenfold.kernel import Clock, Duration
from tenfold.kernel.clock import utc
from tenfold.plan.model import Fault, FaultKind

REVERTS = {
    FaultKind.KILL: "start",
    FaultKind.STOP: "start",
    FaultKind.CUT: "mend",
    FaultKind.REFUSE: "mend",
    FaultKind.HANG: "mend",
    FaultKind.BLACKHOLE: "mend",
    FaultKind.SCRAMBLE: "mend",
    FaultKind.SLOW: "mend",
    FaultKind.FLAP: "mend",
    FaultKind.SHIELD: "unshield",
}
GAP = Duration.from_ms(200)
"""Between one fault and the next of the same drill."""


class Struck(Protocol):
    """Whatever has the verbs of a fault and of its revert: a node, a feature."""

    @property
    def name(self) -> str: ...


class Injectable(Protocol):
    """What a drill does and undoes."""

    async def inject(self) -> None: ...

    async def revert(self) -> None: ...


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


class Faults:
    """One fault on every node that it strikes: `inject` and `revert`, each journalled, each safe to call twice.

    A fault of the load strikes no node: there is nothing to inject here, and nothing to revert.
    """

    def __init__(self, drill: str, fault: Fault, nodes: Sequence[Struck], journal: FaultJournal) -> None:
        self._drill = drill
        self._fault = fault
        self._nodes = nodes
        self._journal = journal
        self._armed: list[Struck] = []

    async def inject(self) -> None:
        """All nodes at the same moment, as far as one process can."""
        kind = self._fault.kind
        for node in self._nodes:
            self._journal.write(self._drill, node.name, kind, "armed")
            self._armed.append(node)
        await asyncio.gather(*(_verb(node, kind.value)(*self._arguments) for node in self._nodes))

    async def revert(self) -> None:
        """In the plan's order, so that a primary is there before its replica asks for it."""
        while self._armed:
            node = self._armed[0]
            await _verb(node, REVERTS[self._fault.kind])()
            self._journal.write(self._drill, node.name, self._fault.kind, "reverted")
            self._armed.pop(0)

    @property
    def _arguments(self) -> tuple[float, ...]:
        return (self._fault.share,) if self._fault.share else ()


class Successive:
    """One fault after the other; what was done last is undone first."""

    def __init__(self, faults: Sequence[Injectable]) -> None:
        self._faults = faults

    async def inject(self) -> None:
        for number, fault in enumerate(self._faults):
            if number:
                await asyncio.sleep(GAP.s)
            await fault.inject()

    async def revert(self) -> None:
        for fault in reversed(self._faults):
            await fault.revert()


def _verb(node: Struck, name: str) -> Callable[..., Awaitable[None]]:
    verb: Callable[..., Awaitable[None]] = getattr(node, name)
    return verb
