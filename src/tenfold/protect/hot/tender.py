"""Runs the fleet's merge on a control node: reports of keys in, hot sets out."""

from tenfold.kernel import Clock
from tenfold.protect.channel.tender import Put, Tender
from tenfold.protect.hot.fleet import FleetHot
from tenfold.protect.hot.messages import TOPIC, HotReport


class FleetTender(Tender[HotReport]):
    """What the processes are asked for most, put together for all of them."""

    def __init__(self, put: Put, *, fleet: FleetHot | None = None, clock: Clock | None = None) -> None:
        self.fleet = fleet or FleetHot()
        super().__init__(TOPIC, HotReport, self.fleet, put, clock=clock)
