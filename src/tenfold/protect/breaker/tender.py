"""Runs the fleet's merge on a control node: reports of breakers in, words out."""

from tenfold.kernel import Clock
from tenfold.protect.breaker.fleet import FleetBreakers
from tenfold.protect.breaker.messages import TOPIC, BreakerReport
from tenfold.protect.channel.tender import Put, Tender


class BreakersTender(Tender[BreakerReport]):
    """What the processes know of their breakers, put together for all of them."""

    def __init__(self, put: Put, *, fleet: FleetBreakers | None = None, clock: Clock | None = None) -> None:
        self.fleet = fleet or FleetBreakers()
        super().__init__(TOPIC, BreakerReport, self.fleet, put, clock=clock)
