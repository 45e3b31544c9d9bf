"""Makes a change, in the name of the person who is signed in."""

from functools import partial

from tenfold.channel import Change
from tenfold.console.door import Admitted
from tenfold.console.switchboard import change as changes
from tenfold.console.switchboard.change import Drafting, Proposal
from tenfold.console.switchboard.desk import Answer, Desk, Work
from tenfold.console.switchboard.epoch import NEVER, looked_at
from tenfold.console.switchboard.watch import Watch


class Hand:
    """Whatever came of it, what was seen before is old."""

    def __init__(self, desk: Desk, watch: Watch) -> None:
        self._desk = desk
        self._watch = watch

    async def make(self, drafting: Drafting, reason: str, admitted: Admitted) -> Change | Proposal:
        """The change, or what stands in its way. A form that does not say what was looked at changes nothing."""
        confirmed = admitted.fields.get("confirmed") == "1"
        seen = looked_at(admitted.fields)
        making = partial(changes.make, drafting, reason, confirmed, NEVER if seen is None else seen)
        return await self.do(making, admitted)

    async def do(self, work: Work[Answer], admitted: Admitted) -> Answer:
        """Raises what the desk raises."""
        try:
            return await self._desk.ask(work, by=admitted.session.name)
        finally:
            self._watch.expire()
