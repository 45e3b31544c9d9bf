"""`flap`: the process serves, and takes connections and says nothing, in turn. It begins with silence."""

from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.faults.pulse import Pulse
from tenfold.fleet.service import Service
from tenfold.plan.model import FaultKind

FLAP_S = 0.7


class Flap(NodeInjection[Service]):
    kind = FaultKind(word="flap", services=True)
    suffers = Service

    async def inject(self) -> None:
        self.struck.faulted("flapping")
        await Pulse.begin(self.struck, self.kind.word, stopped_s=FLAP_S, running_s=FLAP_S)
