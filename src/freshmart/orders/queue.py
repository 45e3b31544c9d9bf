"""Who waits at the order desk: in the order in which they came, and of each key one at a time. Pure."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import chain, islice, takewhile

from freshmart.orders.order import Order, OrderDecision


class Waiting:
    """One order and whoever waits for its decision. `alone`: something was wrong with a batch it stood in."""

    __slots__ = ("alone", "due_ns", "future", "order")

    def __init__(self, order: Order, due_ns: int, future: asyncio.Future[OrderDecision]) -> None:
        self.order = order
        self.due_ns = due_ns
        self.future = future
        self.alone = False

    def tell(self, end: OrderDecision | Exception) -> None:
        """Unless they have gone."""
        if self.future.done():
            return
        if isinstance(end, OrderDecision):
            self.future.set_result(end)
        else:
            self.future.set_exception(end)


class OrderQueue:
    """The first of a key is queued or out with a batch; whoever uses the same key stands behind it until it is over.

    Ordered both ways, so that one who leaves costs no search.
    """

    def __init__(self) -> None:
        self._queued: OrderedDict[str, Waiting] = OrderedDict()
        self._behind: dict[str, dict[Waiting, None]] = {}
        """By the key of each that is queued or out: those with the same, the next first."""

    def __bool__(self) -> bool:
        """Whether somebody can be taken."""
        return bool(self._queued)

    def __iter__(self) -> Iterator[Waiting]:
        """All but those that are out."""
        return chain(self._queued.values(), chain.from_iterable(self._behind.values()))

    def add(self, waiting: Waiting) -> None:
        key = waiting.order.key
        if key in self._behind:
            self._behind[key][waiting] = None
        else:
            self._behind[key] = {}
            self._queued[key] = waiting

    def leave(self, waiting: Waiting) -> None:
        """It waits no longer, queued or behind; one that is out leaves when its batch is put back."""
        key = waiting.order.key
        if self._queued.get(key) is waiting:
            del self._queued[key]
            self.over(key)
        else:
            self._behind.get(key, {}).pop(waiting, None)

    def over(self, key: str) -> None:
        """The order of that key is: whoever used the same is next."""
        behind = self._behind[key]
        if behind:
            self._queued[key] = waiting = next(iter(behind))
            del behind[waiting]
        else:
            del self._behind[key]

    def take(self, count_max: int) -> list[Waiting]:
        """The next batch, which is out from now on: those who may stand together, or one alone."""
        first = islice(self._queued.values(), count_max)
        batch = list(takewhile(lambda waiting: not waiting.alone, first)) or [next(iter(self._queued.values()))]
        for waiting in batch:
            del self._queued[waiting.order.key]
        return batch

    def put_back(self, batch: Sequence[Waiting]) -> None:
        """To the front, in their order: they came first. Whoever has left meanwhile is not begun again."""
        for waiting in reversed(batch):
            key = waiting.order.key
            if waiting.future.done():
                self.over(key)
            else:
                self._queued[key] = waiting
                self._queued.move_to_end(key, last=False)
