"""What keeps a living process from its work: a queue of connections that is full, or a rhythm of stops."""

from tenfold.fleet.child import Child
from tenfold.fleet.crowd import Crowd
from tenfold.fleet.ports import LOOPBACK
from tenfold.fleet.pulse import Pulse

BURST_S = 0.015
"""What slows runs for so long at a time: shorter than what is asked of a service usually takes."""
FLAP_S = 0.7


class Hindrance:
    """Of one node; whatever was begun is ended together."""

    def __init__(self) -> None:
        self._crowd: Crowd | None = None
        self._pulse: Pulse | None = None

    async def crowd(self, port: int) -> None:
        """Nobody else gets as far as the queue. Raises CrowdTooSmall, OSError."""
        self._crowd = await Crowd.fill(LOOPBACK, port)

    async def slow(self, child: Child, ratio: float) -> None:
        """It takes that many times as long for whatever it does."""
        await self._beat(child, BURST_S * (ratio - 1), BURST_S)

    async def flap(self, child: Child) -> None:
        """Now it serves, now it does not."""
        await self._beat(child, FLAP_S, FLAP_S)

    async def end(self) -> None:
        """The process runs, if it does, and its queue is free."""
        if self._crowd is not None:
            self._crowd.disperse()
            self._crowd = None
        await self._rest()

    async def _beat(self, child: Child, stopped_s: float, running_s: float) -> None:
        await self._rest()
        self._pulse = Pulse(child, stopped_s=stopped_s, running_s=running_s)

    async def _rest(self) -> None:
        pulse, self._pulse = self._pulse, None
        if pulse is not None:
            await pulse.close()
