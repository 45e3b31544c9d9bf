"""`slow 1000 % of`: the process takes that multiple of the time for whatever it does: it runs in short bursts only."""

from tenfold.fleet.faults.injection import NodeInjection
from tenfold.fleet.faults.pulse import Pulse
from tenfold.fleet.service import Service
from tenfold.plan.model import FaultKind

BURST_S = 0.015
"""What slows runs for so long at a time: shorter than what is asked of a service usually takes."""


class Slow(NodeInjection[Service]):
    kind = FaultKind(word="slow", services=True, share_above=1.0)
    suffers = Service

    async def inject(self) -> None:
        self.struck.faulted("slowed")
        await Pulse.begin(self.struck, self.kind.word, stopped_s=BURST_S * (self.share - 1), running_s=BURST_S)
