"""`blackhole`: the process hangs, and its queue of connections is full: the kernel drops whoever else knocks, as a lost
network does."""

import signal

from tenfold.fleet.faults.backlog import BacklogFill
from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.node import Node
from tenfold.fleet.ports import LOOPBACK
from tenfold.plan.model import Engine, FaultKind


class Blackhole(NodeInjection[Node]):
    kind = FaultKind(word="blackhole", nodes=((Engine.VALKEY, "primary"), (Engine.VALKEY, "replica")))

    async def inject(self) -> None:
        """Raises BacklogUnfilled, OSError."""
        self.struck.faulted("hung")
        self.struck.send(signal.SIGSTOP)
        await self.struck.active_faults.end(self.kind.word)
        fill = await BacklogFill.open(LOOPBACK, self.struck.port)
        self.struck.active_faults.begin(self.kind.word, fill.close)
