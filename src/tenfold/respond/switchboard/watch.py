"""Changes of switches as they are made, each with who has it in force and how fast; whatever becomes of the node.

The channel is only a bell: what is told stands in the history, so that nothing is missed while the node is away, or
when two changes of one switch come at once.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tenfold.channel import Change, Channel
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control import ControlUnreachableError
from tenfold.respond.switchboard.following import OPERATOR, Following
from tenfold.respond.switchboard.history import HistoryEntry, entry
from tenfold.respond.switchboard.operator import SwitchOperator

PATIENCE_S = 3.0
LOOK_S = 1.0
"""So often is looked when the bell is silent, which it is while the node is away."""
PAGE = 100


class Away(NamedTuple):
    """The control node has not answered since that moment (wall time). Said once."""

    since_ns: int
    why: str


class Back(NamedTuple):
    """It answers again."""

    away_s: float


Seen = tuple[HistoryEntry, Following] | Away | Back


class _Told(NamedTuple):
    """The newest change that was told, or was there before. Epochs of another store say nothing beside it."""

    store: str
    epoch: int
    at_ns: int

    def precedes(self, change: Change, store: str) -> bool:
        return change.epoch > self.epoch if store == self.store else change.at_ns > self.at_ns


def watch(
    operator: SwitchOperator,
    url: str,
    token: str,
    *,
    name: str | None = None,
    now_ns: Callable[[], int] = time.time_ns,
) -> Iterator[Seen]:
    """Every change from now on, until nobody asks any more. What is set already is not told again."""
    bell = threading.Event()
    seen, away_ns = _newest(operator), 0
    with Channel(url, token, service=OPERATOR) as channel:
        channel.subscribe(TOPIC, lambda _: bell.set())
        while True:
            bell.clear()
            try:
                store = operator.control.store()
                changes = _since(operator, name, seen, store)
                if away_ns:
                    yield Back((now_ns() - away_ns) / 1e9)
                    away_ns = 0
                for change in changes:
                    follows = operator.acknowledged(change.epoch, within_s=PATIENCE_S)
                    seen = _Told(store, change.epoch, change.at_ns)
                    yield entry(change), follows
            except ControlUnreachableError as error:
                if not away_ns:
                    away_ns = now_ns()
                    yield Away(away_ns, str(error.__cause__ or error))
            bell.wait(LOOK_S)


def _newest(operator: SwitchOperator) -> _Told:
    newest = next(iter(operator.control.history(TOPIC, limit=1)), None)
    store = operator.control.store()
    return _Told(store, newest.epoch, newest.at_ns) if newest is not None else _Told(store, 0, 0)


def _since(operator: SwitchOperator, name: str | None, seen: _Told, store: str) -> list[Change]:
    """The changes after what was seen, oldest first."""
    found: list[Change] = []
    before: int | None = None
    while page := operator.control.history(TOPIC, name, before=before, limit=PAGE):
        new = [change for change in page if seen.precedes(change, store)]
        found += new
        if len(new) < len(page):
            break
        before = page[-1].epoch
    return found[::-1]
