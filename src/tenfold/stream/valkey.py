"""A stream on Valkey or Redis Streams."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.stream.message import Message, StreamUnreachable
from tenfold.telemetry import Registry

IDLE_MAX = Duration.from_s(5)
TIMEOUT = Duration.from_s(1)
_BODY = b"b"
_TRIED = b"n"


class ValkeyStream:
    """One stream under `name`, its dead letters under `name:dead`, both trimmed to about `length_max`.

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
        connections_max: int = 8,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.name = name
        self._dead = f"{name}:dead"
        self._length_max = length_max
        self._deliveries_max = deliveries_max
        self._idle_ms = max(1, round(idle_max.ms))
        self._timeout_s = timeout.s
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._look_again_ns: dict[str, int] = {}
        self._client = _connect(url, timeout, connections_max)
        self._declare(registry or Registry())

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
        if not bodies:
            return []
        async with self._reaching("publish"), self._client.pipeline(transaction=False) as pipeline:
            for body in bodies:
                pipeline.execute_command("XADD", self.name, "MAXLEN", "~", self._length_max, "*", _BODY, body)
            ids = await pipeline.execute()
        self._published.inc(len(ids))
        return [message_id.decode() for message_id in ids]

    async def consume(self, group: str, consumer: str, *, count: int, block: Duration) -> list[Message]:
        async with self._reaching("consume", wait_s=block.s):
            try:
                messages = await self._abandoned(group, consumer, count)
                messages = messages or await self._new(group, consumer, count, block)
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                await self._make_group(group)
                messages = await self._new(group, consumer, count, block)
        self._consumed.inc(len(messages))
        return messages

    async def ack(self, group: str, ids: Sequence[str]) -> None:
        if ids:
            async with self._reaching("ack"):
                self._acked.inc(await self._client.execute_command("XACK", self.name, group, *ids))

    async def dead_letters(self, count: int) -> list[Message]:
        async with self._reaching("dead_letters"):
            entries = await self._client.execute_command("XRANGE", self._dead, "-", "+", "COUNT", count)
        return [_message(entry_id, fields, int(fields[3])) for entry_id, fields in entries]

    async def close(self) -> None:
        await self._client.aclose()

    async def _new(self, group: str, consumer: str, count: int, block: Duration) -> list[Message]:
        command = ("XREADGROUP", "GROUP", group, consumer, "COUNT", count)
        wait = ("BLOCK", max(1, round(block.ms))) if block.ns > 0 else ()
        answer = await self._client.execute_command(*command, *wait, "STREAMS", self.name, ">")
        entries = answer[0][1] if answer else []
        return [_message(entry_id, fields, 1) for entry_id, fields in entries]

    async def _abandoned(self, group: str, consumer: str, count: int) -> list[Message]:
        """What others were given and have held too long, looked for twice in each `idle_max` while there is none."""
        now_ns = self._now_ns()
        if now_ns < self._look_again_ns.get(group, 0):
            return []
        command = ("XPENDING", self.name, group, "IDLE", self._idle_ms, "-", "+", count)
        pending = await self._client.execute_command(*command)
        if not pending:
            self._look_again_ns[group] = now_ns + self._idle_ms * 500_000
            return []
        return await self._claim(group, consumer, {row[0]: row[3] for row in pending})

    async def _claim(self, group: str, consumer: str, deliveries: dict[bytes, int]) -> list[Message]:
        """Take the messages over; of two consumers who try, the server gives each message to one."""
        command = ("XCLAIM", self.name, group, consumer, self._idle_ms, *deliveries)
        claimed = await self._client.execute_command(*command)
        messages = [_message(entry_id, fields, deliveries[entry_id] + 1) for entry_id, fields in claimed]
        self._claimed.inc(len(messages))
        await self._bury(group, [message for message in messages if message.deliveries > self._deliveries_max])
        return [message for message in messages if message.deliveries <= self._deliveries_max]

    async def _bury(self, group: str, messages: list[Message]) -> None:
        """Move messages to the dead letters, in one transaction with their acknowledgement."""
        if not messages:
            return
        async with self._client.pipeline(transaction=True) as pipeline:
            for message in messages:
                fields = (_BODY, message.body, _TRIED, message.deliveries - 1)
                pipeline.execute_command("XADD", self._dead, "MAXLEN", "~", self._length_max, "*", *fields)
                pipeline.execute_command("XACK", self.name, group, message.id)
            await pipeline.execute()
        self._dead_lettered.inc(len(messages))

    async def _make_group(self, group: str) -> None:
        """From the oldest message on; another consumer may have made it meanwhile."""
        try:
            await self._client.execute_command("XGROUP", "CREATE", self.name, group, "0", "MKSTREAM")
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    @asynccontextmanager
    async def _reaching(self, action: str, wait_s: float = 0.0) -> AsyncIterator[None]:
        """Give every call its end, and every failure of the server its name."""
        try:
            async with asyncio.timeout(self._timeout_s + wait_s):
                yield
        except (RedisError, OSError, TimeoutError) as error:
            self._failures.inc()
            kind = type(error).__name__
            raise StreamUnreachable(f"Stream '{self.name}' did not answer to {action} ({kind}).") from error


def _connect(url: str, timeout: Duration, connections_max: int) -> Any:
    """A client without a read timeout of its own, because a blocking read may wait; `_reaching` ends every call."""
    pool = ConnectionPool.from_url(
        url,
        max_connections=connections_max,
        socket_timeout=None,
        socket_connect_timeout=timeout.s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    client = Redis.from_pool(pool)
    client.response_callbacks.clear()  # replies as they come: lists of bytes
    return client


def _message(entry_id: bytes, fields: Sequence[bytes], deliveries: int) -> Message:
    """From an entry's fields: name, value, name, value …; the body comes first."""
    return Message(entry_id.decode(), fields[1], deliveries)
