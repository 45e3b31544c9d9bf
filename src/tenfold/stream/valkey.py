"""A stream on Valkey or Redis Streams."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from tenfold.engines.valkey import MOVED, Call, Command, PrimaryUnknown, ReplyError, ValkeyCluster
from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.protect.calls.breaker import Breaker
from tenfold.stream.message import Message, StreamUnreachable
from tenfold.telemetry import EventLog, Registry

IDLE_MAX = Duration.from_s(5)
TIMEOUT = Duration.from_s(1)
BATCH_MAX = 1_000
"""Messages in one round trip: the server does nothing else meanwhile."""
NOW = Duration(0)
_BODY = b"b"
_TRIED = b"n"


class ValkeyStream:
    """One stream under `name`, its dead letters under `name:dead`, both trimmed to about `length_max`.

    `url` may name primary and replicas, Sentinels or a Cluster (see `address`): the stream follows a failover. In a
    Cluster `name` needs braces, `{orders}`, so that the dead letters lie beside it. No attempt is made while `breaker`
    is open; a consumer that waits for messages does not ask it.

    A server that came back empty is no error: groups are made again where they are missed. `idle_max` is how long a
    consumer may hold a message before it counts as dead; it must be longer than the slowest batch takes.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        length_max: int = 100_000,
        deliveries_max: int = 5,
        idle_max: Duration = IDLE_MAX,
        timeout: Duration = TIMEOUT,
        breaker: Breaker | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self._dead = f"{name}:dead"
        self._length_max = length_max
        self._deliveries_max = deliveries_max
        self._idle_ms = max(1, round(idle_max.ms))
        self._timeout_s = timeout.s
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._look_again_ns: dict[str, int] = {}
        registry = registry or Registry()
        self._breaker = breaker
        self._cluster = ValkeyCluster(
            name, url, timeout=timeout, connect_timeout=timeout, clock=clock, registry=registry, events=events
        )
        self._declare(registry)

    def _declare(self, registry: Registry) -> None:
        def counter(what: str, help_text: str) -> Any:
            return registry.counter(f"tenfold_stream_{what}_total", help_text, ("stream",)).child(self.name)

        self._published = counter("published", "Messages published.")
        self._consumed = counter("consumed", "Messages given to consumers.")
        self._claimed = counter("claimed", "Messages taken over from consumers that did not acknowledge them.")
        self._acked = counter("acked", "Messages acknowledged.")
        self._dead_lettered = counter("dead_lettered", "Messages given up after too many deliveries.")
        self._failures = counter("failures", "Calls that the stream did not answer.")

    async def publish(self, bodies: Sequence[bytes]) -> list[str]:
        ids: list[bytes] = []
        for first in range(0, len(bodies), BATCH_MAX):
            async with self._reaching("publish"):
                ids += await self._ask(*(self._added(self.name, body) for body in bodies[first : first + BATCH_MAX]))
        self._published.inc(len(ids))
        return [message_id.decode() for message_id in ids]

    async def consume(self, group: str, consumer: str, *, count: int, block: Duration) -> list[Message]:
        async with self._reaching("consume", wait=block):
            try:
                messages = await self._abandoned(group, consumer, count)
                messages = messages or await self._new(group, consumer, count, block)
            except ReplyError as error:
                if error.code != "NOGROUP":
                    raise
                await self._make_group(group)
                messages = await self._new(group, consumer, count, block)
        self._consumed.inc(len(messages))
        return messages

    async def ack(self, group: str, ids: Sequence[str]) -> None:
        if ids:
            async with self._reaching("ack"):
                self._acked.inc((await self._ask(("XACK", self.name, group, *ids)))[0])

    async def dead_letters(self, count: int) -> list[Message]:
        async with self._reaching("dead_letters"):
            (entries,) = await self._ask(("XRANGE", self._dead, "-", "+", "COUNT", count))
        return [_message(entry_id, fields, int(fields[3])) for entry_id, fields in entries]

    async def close(self) -> None:
        await self._cluster.close()

    async def _new(self, group: str, consumer: str, count: int, block: Duration) -> list[Message]:
        command: Command = ("XREADGROUP", "GROUP", group, consumer, "COUNT", count)
        wait: Command = ("BLOCK", max(1, round(block.ms))) if block.ns > 0 else ()
        reading: Command = (*command, *wait, "STREAMS", self.name, ">")
        (answer,) = await self._ask(reading, wait=block)
        entries = answer[0][1] if answer else []
        return [_message(entry_id, fields, 1) for entry_id, fields in entries]

    async def _abandoned(self, group: str, consumer: str, count: int) -> list[Message]:
        """What others were given and have held too long, looked for twice in each `idle_max` while there is none."""
        now_ns = self._now_ns()
        if now_ns < self._look_again_ns.get(group, 0):
            return []
        command = ("XPENDING", self.name, group, "IDLE", self._idle_ms, "-", "+", count)
        (pending,) = await self._ask(command)
        if not pending:
            self._look_again_ns[group] = now_ns + self._idle_ms * 500_000
            return []
        return await self._claim(group, consumer, {row[0]: row[3] for row in pending})

    async def _claim(self, group: str, consumer: str, deliveries: dict[bytes, int]) -> list[Message]:
        """Take the messages over; of two consumers who try, the server gives each message to one."""
        command: Command = ("XCLAIM", self.name, group, consumer, self._idle_ms, *deliveries)
        (claimed,) = await self._ask(command)
        messages = [_message(entry_id, fields, deliveries[entry_id] + 1) for entry_id, fields in claimed]
        self._claimed.inc(len(messages))
        await self._bury(group, [message for message in messages if message.deliveries > self._deliveries_max])
        return [message for message in messages if message.deliveries <= self._deliveries_max]

    async def _bury(self, group: str, messages: list[Message]) -> None:
        """Move messages to the dead letters, in one transaction with their acknowledgement."""
        if not messages:
            return
        moves: list[Command] = []
        for message in messages:
            moves.append((*self._added(self._dead, message.body), _TRIED, message.deliveries - 1))
            moves.append(("XACK", self.name, group, message.id))
        *_, moved = await self._ask(("MULTI",), *moves, ("EXEC",))
        for reply in moved:
            if isinstance(reply, ReplyError):
                raise reply
        self._dead_lettered.inc(len(messages))

    async def _make_group(self, group: str) -> None:
        """From the oldest message on; another consumer may have made it meanwhile."""
        try:
            await self._ask(("XGROUP", "CREATE", self.name, group, "0", "MKSTREAM"))
        except ReplyError as error:
            if error.code != "BUSYGROUP":
                raise

    def _added(self, name: str, body: bytes) -> tuple[str | bytes | int, ...]:
        return ("XADD", name, "MAXLEN", "~", self._length_max, "*", _BODY, body)

    async def _ask(self, *commands: Command, wait: Duration = NOW) -> list[Any]:
        """The primary's replies, in one go. A server that is not known as the primary did nothing: ask once more."""
        calls = [Call(self.name, command) for command in commands]
        try:
            return await self._asked(calls, wait)
        except (PrimaryUnknown, ReplyError) as error:
            if isinstance(error, ReplyError) and error.code not in MOVED:
                raise
            await self._cluster.examine()
            return await self._asked(calls, wait)

    async def _asked(self, calls: Sequence[Call], wait: Duration) -> list[Any]:
        if wait.ns > 0:
            return [await self._cluster.call_waiting(call, wait) for call in calls]
        return await self._cluster.call_many(calls)

    @asynccontextmanager
    async def _reaching(self, action: str, wait: Duration = NOW) -> AsyncIterator[None]:
        """Give every call its end, and every failure of the server its name."""
        guard = self._breaker.guard() if self._breaker is not None and wait.ns == 0 else nullcontext()
        try:
            with guard:
                async with asyncio.timeout(self._timeout_s + wait.s):
                    yield
        except (TenfoldError, OSError, TimeoutError) as error:
            self._failures.inc()
            kind = type(error).__name__
            raise StreamUnreachable(f"Stream '{self.name}' did not answer to {action} ({kind}).") from error


def _message(entry_id: bytes, fields: Sequence[bytes], deliveries: int) -> Message:
    """From an entry's fields: name, value, name, value …; the body comes first."""
    return Message(entry_id.decode(), fields[1], deliveries)
