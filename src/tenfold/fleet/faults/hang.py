"""`hang`: SIGSTOP. The kernel goes on taking connections for the process, and nobody is there to answer."""

import signal

from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.node import Node
from tenfold.plan.model import Engine, FaultKind


class Hang(NodeInjection[Node]):
    kind = FaultKind(word="hang", nodes=((Engine.VALKEY, "primary"), (Engine.VALKEY, "replica")), services=True)

    async def inject(self) -> None:
        self.struck.faulted("hung")
        self.struck.send(signal.SIGSTOP)
