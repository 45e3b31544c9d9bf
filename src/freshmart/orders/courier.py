"""Carries accepted orders from the outbox to their effects, exactly once.

    outbox ──► relay ──► stream ──► consumer ──► effects, and the outbox row goes, in one transaction

Either loop may be interrupted at any point by anything: both begin again with what the outbox says.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from freshmart.cashier import Collector
from freshmart.orders.outbox import apply_effects, bury, read_waiting
from freshmart.orders.postgres import UNREACHABLE
from freshmart.orders.relay import Relay
from freshmart.session import session_settings
from tenfold.kernel import Duration
from tenfold.stream import Message, Stream, StreamUnreachable
from tenfold.telemetry import EventLog, Registry

GROUP = "effects"
BATCH_MAX = 500
WAITING_MAX = 5_000
TRIES_MAX = 3
POLL_S = 0.1
"""How often the relay looks: an order's effects follow it by this much at most, while everything works. Looking four
times as often cost the worker three times as much at the peak, for batches of eight orders."""
PAUSE_S = 0.1
BLOCK = Duration.from_s(1)
TIMEOUT_S = 5.0
_RELAY_LOCK = 0x6672657372656C61  # one relay at a time; a second would only send everything twice


class Courier:
    """Two loops on connections of their own, and the collector's. `is_ready`: all did their last round."""

    def __init__(
        self,
        primary_url: str,
        stream: Stream,
        *,
        registry: Registry,
        events: EventLog,
        collector: Collector | None = None,
    ) -> None:
        self._primary_url = primary_url
        self._stream = stream
        self._events = events
        self._consumer = f"{socket.gethostname()}-{os.getpid()}"
        self._loops: dict[str, Callable[[Any], Awaitable[None]]] = {"relay": self._relay, "consumer": self._consume}
        if collector is not None:
            self._loops["collector"] = lambda one: collector.run(one, lambda: self._went_well("collector"))
        self._well = dict.fromkeys(self._loops, False)
        self._tasks: list[asyncio.Task[None]] = []
        counter = registry.counter("freshmart_effects_total", "Orders by what the worker did.", ("what",))
        self._sent, self._resent = counter.child("sent"), counter.child("resent")
        self._applied, self._repeated = counter.child("applied"), counter.child("repeated")
        self._buried = counter.child("buried")

    @property
    def is_ready(self) -> bool:
        return all(self._well.values())

    def open(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(name, loop)) for name, loop in self._loops.items()]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stream.close()

    async def _keep(self, name: str, loop: Callable[[Any], Awaitable[None]]) -> None:
        """Run `loop` on a connection; when the database or the stream is away, again on a new one until it is back."""
        while True:
            try:
                connection = await asyncpg.connect(
                    self._primary_url,
                    timeout=TIMEOUT_S,
                    command_timeout=TIMEOUT_S,
                    server_settings=session_settings(name),
                )
                try:
                    await loop(connection)
                finally:
                    connection.terminate()
            except (*UNREACHABLE, StreamUnreachable) as error:
                self._interrupted(name, error)
            await asyncio.sleep(PAUSE_S)

    def _interrupted(self, name: str, error: Exception) -> None:
        if self._well[name]:
            self._events.emit("worker-interrupted", name, error=type(error).__name__)
        self._well[name] = False

    def _went_well(self, name: str) -> None:
        if not self._well[name]:
            self._events.emit("worker-running", name)
        self._well[name] = True

    async def _relay(self, connection: Any) -> None:
        relay = Relay()
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _RELAY_LOCK):
            self._went_well("relay")  # another worker's relay is at work
            await asyncio.sleep(BLOCK.s)
        while True:
            due = relay.due(await read_waiting(connection, WAITING_MAX), time.monotonic_ns())
            if due:
                await self._stream.publish([order.bytes for order in due])
                relay.sent(due, time.monotonic_ns())
                self._sent.inc(len(due))
                self._resent.value = relay.resent
            self._went_well("relay")
            await asyncio.sleep(POLL_S)

    async def _consume(self, connection: Any) -> None:
        while True:
            messages = await self._stream.consume(GROUP, self._consumer, count=BATCH_MAX, block=BLOCK)
            self._went_well("consumer")
            if messages:
                done = await self._apply(connection, messages)
                await self._stream.ack(GROUP, done)

    async def _apply(self, connection: Any, messages: list[Message]) -> list[str]:
        """Apply what can be applied; answers the ids of the messages that nobody need see again."""
        orders = {message.id: order for message in messages if (order := _order_of(message)) is not None}
        strangers = [message for message in messages if message.id not in orders]
        for message in strangers:
            await self._bury(connection, message, "not an order's id")
        try:
            await self._apply_together(connection, list(orders.values()))
        except UNREACHABLE:
            raise
        except asyncpg.PostgresError:
            known = [message for message in messages if message.id in orders]
            done = [m.id for m in known if await self._apply_alone(connection, m, orders[m.id])]
            return [message.id for message in strangers] + done
        return [message.id for message in messages]

    async def _apply_together(self, connection: Any, orders: list[UUID]) -> None:
        applied = await apply_effects(connection, orders)
        self._applied.inc(applied)
        self._repeated.inc(len(orders) - applied)

    async def _apply_alone(self, connection: Any, message: Message, order: UUID) -> bool:
        """Whether the message is done with: applied, or tried often enough. Otherwise it comes again by itself."""
        try:
            await self._apply_together(connection, [order])
        except UNREACHABLE:
            raise
        except asyncpg.PostgresError as error:
            if message.deliveries < TRIES_MAX:
                return False
            await self._bury(connection, message, str(error))
        return True

    async def _bury(self, connection: Any, message: Message, reason: str) -> None:
        await bury(connection, message.id, message.body, reason)
        self._buried.inc()
        self._events.emit("message-buried", message.id, reason=reason)


def _order_of(message: Message) -> UUID | None:
    return UUID(bytes=message.body) if len(message.body) == 16 else None
