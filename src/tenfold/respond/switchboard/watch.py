"""Changes of switches as they are made, each with who has it in force and how fast."""

import queue
from collections.abc import Iterator

from tenfold.protect.channel import Change, Channel
from tenfold.protect.switches.record import TOPIC
from tenfold.respond.switchboard.following import OPERATOR, Following
from tenfold.respond.switchboard.history import Entry, entry
from tenfold.respond.switchboard.operator import SwitchOperator

WAITING_MAX = 10_000
PATIENCE_S = 3.0


def watch(
    operator: SwitchOperator, url: str, token: str, *, name: str | None = None
) -> Iterator[tuple[Entry, Following]]:
    """Every change from now on, until nobody asks any more. What is set already is not told again."""
    changes: queue.Queue[Change] = queue.Queue(WAITING_MAX)
    newest = operator.newest()
    with Channel(url, token, service=OPERATOR) as channel:
        channel.subscribe(TOPIC, changes.put_nowait)
        while True:
            change = changes.get()
            if change.epoch > newest and name in (None, change.key):
                yield entry(change), operator.acknowledged(change.epoch, within_s=PATIENCE_S)
