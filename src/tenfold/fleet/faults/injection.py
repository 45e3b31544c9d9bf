"""What every kind of fault has: a declaration for the plan, an injection, a revert, and a proof of the revert."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from tenfold.fleet import proc
from tenfold.fleet.node import Node
from tenfold.fleet.readiness import POLL_S
from tenfold.kernel import TenfoldError
from tenfold.plan.model import Fault, FaultKind

PROOF_LIMIT_S = 5.0


class FaultUnsupported(TenfoldError):
    """A node was to suffer a fault that its engine does not know."""


class Named(Protocol):
    """Whatever a fault strikes."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LoadShape:
    """What the load is while a fault is held: `multiple` of the rate, `focus_ratio` of it on the journey `focus`."""

    multiple: float = 1.0
    focus: str = ""
    focus_ratio: float = 0.0


S = TypeVar("S", bound=Named)
N = TypeVar("N", bound=Node)


class Injection(ABC, Generic[S]):
    """One fault on one thing, `struck`. Injecting and reverting are each safe to call twice."""

    kind: ClassVar[FaultKind]
    undone_by: ClassVar[str]
    """How the journal of faults calls the revert."""

    def __init__(self, struck: S, share: float = 0.0) -> None:
        self.struck = struck
        self.share = share

    @abstractmethod
    async def inject(self) -> None:
        """Answers when the fault can be seen from outside."""

    @abstractmethod
    async def revert(self) -> None:
        """Undo it. Answering proves nothing: `remains` is asked."""

    @abstractmethod
    async def remains(self) -> str:
        """What is still in place now, as `main.primary does not answer`; empty when nothing is."""

    async def remains_after(self, limit_s: float = PROOF_LIMIT_S) -> str:
        """What is still in place when it is gone or the limit is over, whichever is first: the proof of the revert."""
        clock = asyncio.get_running_loop().time
        deadline_s = clock() + limit_s
        while (remains := await self.remains()) and clock() < deadline_s:  # noqa: ASYNC110  # as `until`
            await asyncio.sleep(POLL_S)
        return remains

    @classmethod
    def load(cls, fault: Fault) -> LoadShape:  # noqa: ARG003  # only a fault of the load reads it
        """The load while the fault is held: as planned, unless the customers themselves are the fault."""
        return LoadShape()


class NodeInjection(Injection[N]):
    """A fault of a server or service; `suffers` is the class of those that can. Raises FaultUnsupported."""

    suffers: ClassVar[type[Any]] = Node
    undone_by = "mend"

    def __init__(self, struck: N, share: float = 0.0) -> None:
        super().__init__(struck, share)
        if not isinstance(struck, self.suffers):
            raise FaultUnsupported(
                f"Node '{struck.name}' ({struck.role}) cannot suffer '{self.kind.word}'.", remedy="Use kill or stop."
            )

    async def revert(self) -> None:
        """What goes on at the node ends; its process runs on, or a new one starts. Raises ServerUnready."""
        await self.struck.active_faults.end(self.kind.word)
        await self.struck.mend()
        await self.struck.start()

    async def remains(self) -> str:
        """The process runs, no signal stops it, nothing goes on at it, and it answers a new connection."""
        found = proc.stat(self.struck.pid) if self.struck.pid else None
        if found is None:
            return f"{self.struck.name} does not run"
        if found.state == "T":
            return f"{self.struck.name} is stopped by a signal"
        if self.kind.word in self.struck.active_faults:
            return f"{self.kind.word} goes on at {self.struck.name}"
        return "" if await self.struck.serves() else f"{self.struck.name} does not answer"


class LoadInjection(Injection[Any]):
    """The customers themselves are the fault: it strikes no node, and is gone when the load is as planned."""

    undone_by = ""

    async def inject(self) -> None: ...

    async def revert(self) -> None: ...

    async def remains(self) -> str:
        return ""
