"""The faults of a drill, each written to disk before it is injected, and proven gone after its revert.

The journal is one JSON line a change. A fault is armed before its node is touched, so that whoever finds the journal
later (the guard, or the next run) knows what may still be broken even when the run died in between.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tenfold.fleet import Injection
from tenfold.kernel import Clock, Duration
from tenfold.kernel.clock import utc

GAP = Duration.from_ms(200)
"""Between one fault and the next of the same drill."""


class Injectable(Protocol):
    """What a drill does and undoes."""

    async def inject(self) -> None: ...

    async def revert(self) -> None: ...

    async def remains(self) -> list[str]:
        """What is still in place after the revert, as people would say it; empty when it is proven that nothing is."""
        ...


class FaultRecord(msgspec.Struct, frozen=True):
    """One line of the journal. `state` is armed or reverted; `revert` is how the fault is undone."""

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

    def write(self, drill: str, fault: Injection[Any], state: str) -> None:
        """Append one line and see it to the disk."""
        record = FaultRecord(
            at=utc(self._clock.wall_ns()),
            drill=drill,
            node=fault.struck.name,
            fault=fault.kind.word,
            revert=fault.undone_by,
            state=state,
            by="drill",
        )
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())


class Faults:
    """One fault on everything that it strikes, each injection journalled; `inject` and `revert` are safe to call twice.

    A fault of the load strikes nothing: there is nothing to inject here, nothing to revert, and nothing remains.
    """

    def __init__(self, drill: str, injections: Sequence[Injection[Any]], journal: FaultJournal) -> None:
        self._drill = drill
        self._injections = injections
        self._journal = journal
        self._armed: list[Injection[Any]] = []
        self._unproven: list[Injection[Any]] = []

    async def inject(self) -> None:
        """All at the same moment, as far as one process can."""
        for injection in self._injections:
            self._journal.write(self._drill, injection, "armed")
            self._armed.append(injection)
        await asyncio.gather(*(injection.inject() for injection in self._injections))

    async def revert(self) -> None:
        """In the plan's order, so that a primary is there before its replica asks for it."""
        while self._armed:
            await self._armed[0].revert()
            self._unproven.append(self._armed.pop(0))

    async def remains(self) -> list[str]:
        """What the faults themselves find; the journal says "reverted" of those that find nothing."""
        found = await asyncio.gather(*(injection.remains_after() for injection in self._unproven))
        for injection, remains in zip(self._unproven, found, strict=True):
            if not remains:
                self._journal.write(self._drill, injection, "reverted")
        self._unproven = [injection for injection, remains in zip(self._unproven, found, strict=True) if remains]
        return [remains for remains in found if remains]


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

    async def remains(self) -> list[str]:
        return [remains for fault in reversed(self._faults) for remains in await fault.remains()]
