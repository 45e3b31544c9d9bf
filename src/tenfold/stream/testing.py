"""A stream in memory, for your tests: it passes the same conformance suite as the engines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.stream.message import Message, StreamUnreachable


@dataclass(slots=True)
class _Delivery:
    """Who holds a message, since when, and how many have had it."""

    consumer: str
    since_ns: int
    deliveries: int = 1


@dataclass(slots=True)
class _Group:
    """How far a group has come, and what it was given and has not acknowledged."""

    offset: int = 0
    pending: dict[str, _Delivery] = field(default_factory=dict)


class MemoryStream:
    """Messages in a list. `unreachable` makes every call fail; `lose_everything` is a server that came back empty."""

    def __init__(
        self,
        name: str = "memory",
        *,
        deliveries_max: int = 5,
        idle_max: Duration | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.unreachable = False
        self._deliveries_max = deliveries_max
        self._idle_ns = idle_max.ns if idle_max else 5_000_000_000
        self._clock = clock or SystemClock()
        self._published = asyncio.Event()
        self._last_number = 0
        self.lose_everything()

    def lose_everything(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._order: list[str] = []
        self._groups: dict[str, _Group] = {}
        self._dead: list[Message] = []

    async def publish(self, bodies: Sequence[bytes]) -> list[str]:
        self._reach("publish")
        ids = [f"{self._last_number + place:016d}" for place in range(1, len(bodies) + 1)]
        self._last_number += len(bodies)
        self._order.extend(ids)
        self._bodies.update(zip(ids, bodies, strict=True))
        self._published.set()
        return ids

    async def consume(self, group: str, consumer: str, *, count: int, block: Duration) -> list[Message]:
        self._reach("consume")
        messages = self._abandoned(group, consumer, count) or self._new(group, consumer, count)
        if not messages and block.ns > 0:
            await self._wait(block)
            messages = self._new(group, consumer, count)
        return messages

    async def ack(self, group: str, ids: Sequence[str]) -> None:
        self._reach("ack")
        for message_id in ids:
            self._group(group).pending.pop(message_id, None)

    async def dead_letters(self, count: int) -> list[Message]:
        self._reach("dead_letters")
        return self._dead[:count]

    async def close(self) -> None:
        """Nothing to close."""

    def _reach(self, action: str) -> None:
        if self.unreachable:
            raise StreamUnreachable(f"Stream '{self.name}' did not answer to {action} (on purpose).")

    def _group(self, name: str) -> _Group:
        return self._groups.setdefault(name, _Group())

    async def _wait(self, block: Duration) -> None:
        self._published.clear()
        try:
            await asyncio.wait_for(self._published.wait(), block.s)
        except TimeoutError:
            return
        self._reach("consume")

    def _new(self, group_name: str, consumer: str, count: int) -> list[Message]:
        group, now_ns = self._group(group_name), self._clock.monotonic_ns()
        ids = self._order[group.offset : group.offset + count]
        group.offset += len(ids)
        group.pending.update({message_id: _Delivery(consumer, now_ns) for message_id in ids})
        return [Message(message_id, self._bodies[message_id]) for message_id in ids]

    def _abandoned(self, group_name: str, consumer: str, count: int) -> list[Message]:
        group, now_ns = self._group(group_name), self._clock.monotonic_ns()
        idle = (item for item in group.pending.items() if now_ns - item[1].since_ns >= self._idle_ns)
        messages: list[Message] = []
        for message_id, delivery in list(islice(idle, count)):
            message = Message(message_id, self._bodies[message_id], delivery.deliveries + 1)
            if message.deliveries > self._deliveries_max:
                del group.pending[message_id]
                self._dead.append(message._replace(deliveries=delivery.deliveries))
            else:
                group.pending[message_id] = _Delivery(consumer, now_ns, message.deliveries)
                messages.append(message)
        return messages
