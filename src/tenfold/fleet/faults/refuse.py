"""`refuse`: connections to the S3 gateway are refused; the store behind it is not touched."""

from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.seaweedfs import GatewayNode
from tenfold.plan.model import Engine, FaultKind


class Refuse(NodeInjection[GatewayNode]):
    kind = FaultKind(word="refuse", nodes=((Engine.SEAWEEDFS, "s3"),))
    suffers = GatewayNode

    async def inject(self) -> None:
        await self.struck.stop()
