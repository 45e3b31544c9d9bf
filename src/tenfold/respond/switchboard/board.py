"""The switchboard of a control node: what it checks, records and ends."""

from functools import partial

from tenfold.protect.live.switches.declaration import DECLARED
from tenfold.protect.live.switches.record import TOPIC
from tenfold.respond.control import ControlNode
from tenfold.respond.switchboard.check import refusal_of_declaration, refusal_of_switch
from tenfold.respond.switchboard.declarations import Declarations
from tenfold.respond.switchboard.expiry import Expiry


class Switchboard:
    """Checks every change from its making on; records and ends from `open` to `close`, in the node's loop."""

    def __init__(self, node: ControlNode) -> None:
        self.declarations = Declarations(node)
        self.expiry = Expiry(node)
        node.checks[TOPIC] = partial(refusal_of_switch, declared=self.declarations.get, names=self.declarations.names)
        node.checks[DECLARED] = refusal_of_declaration

    def open(self) -> None:
        self.declarations.open()
        self.expiry.open()

    async def close(self) -> None:
        await self.expiry.close()
        await self.declarations.close()
