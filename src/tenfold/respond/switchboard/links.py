"""The node's chain of digests from its beginning, page by page; and where the node says that it ends."""

from collections.abc import Iterator

from tenfold.channel.messages import Change, decode
from tenfold.protect.live.switches.declaration import DECLARED
from tenfold.protect.live.switches.record import TOPIC
from tenfold.respond.control import ControlClient
from tenfold.respond.control.chain import Head, Link
from tenfold.respond.switchboard.history import InForce

_CHAINED = (TOPIC, DECLARED)
"""The topics whose records must be what the chain leads to."""
PAGE = 1000


def in_force(control: ControlClient) -> InForce:
    """To be asked before the links are walked: those must lead at least so far."""
    return {topic: control.records_at(topic) for topic in _CHAINED}


class Links:
    """To be walked once. `pages_max` bounds it: `all` is False when there are more. `head` is known at the end,
    as it was in the same moment as the last page; `since_ns` is when the first entry was made.
    """

    def __init__(self, control: ControlClient, *, pages_max: int | None = None) -> None:
        self.head: Head | None = None
        self.since_ns = 0
        self.all = False
        self._control = control
        self._pages_max = pages_max

    def __iter__(self) -> Iterator[Link]:
        after, pages = 0, 0
        while pages != self._pages_max:
            chain = self._control.chain(after, limit=PAGE)
            pages += 1
            if chain.links and not self.since_ns:
                self.since_ns = _made_ns(chain.links[0])
            yield from chain.links
            if len(chain.links) < PAGE:
                self.head, self.all = chain.head, True
                return
            after = chain.links[-1].epoch


def _made_ns(link: Link) -> int:
    try:
        line = decode(link.text.encode())
    except ValueError:
        return 0
    return line.at_ns if isinstance(line, Change) else 0
