"""`stop`: an orderly shutdown that does not wait for clients; undone by a new start on the same port."""

from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.node import Node
from tenfold.plan.model import EVERY_NODE, FaultKind


class Stop(NodeInjection[Node]):
    kind = FaultKind(word="stop", nodes=EVERY_NODE, servers=True, services=True)
    undone_by = "start"

    async def inject(self) -> None:
        await self.struck.stop()
