"""One process of the fleet that `hot_key` measures: reads a Zipf background, and a part of it one key, when told to.

    python -m benchmarks.protect.hot_key_reader VALKEY_URL [CONTROL_URL]

A line of JSON on standard input is an Order; the answer is what happened since the one before. The token of the
control node stands in TENFOLD_CONTROL_TOKEN. Without its address there are no hot keys: near cache alone.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from itertools import accumulate

import msgspec

from tenfold.channel import Channel
from tenfold.kernel import Duration
from tenfold.protect.reads.hot import HotKeys, link_hot_keys
from tenfold.protect.reads.ladder import LadderExhausted, ReadLadder, Step
from tenfold.protect.reads.near import NearCache
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.testing import CountingRung
from tenfold.telemetry import Event, EventLog

KEYS = 20_000
PREFIX = "hot:"
TICK_S = 0.01
NEAR_TTL = Duration.from_ms(500)
PATIENCE = Duration.from_s(2)
"""Two cores carry ten such processes, a cluster and a control node here; a stall of theirs is not what is measured."""


class Order(msgspec.Struct):
    """What to read from now on: `reads_per_s` in all, of them `share` the key `hot` (0: none of it)."""

    reads_per_s: int
    hot: str = ""
    share: float = 0.0


class Account(msgspec.Struct):
    """What happened since the order before: reads of the hot key, of all; those that reached Valkey; what rose when."""

    hot_reads: int
    reads: int
    hot_rung_reads: int
    rung_reads: int
    failures: int
    hot: list[str]
    risen: dict[str, tuple[int, str]]


class Reader:
    """A service that reads through a ladder, `reads_per_s` times a second whatever the answers take."""

    def __init__(self, valkey_url: str, control_url: str) -> None:
        self._order = Order(reads_per_s=0)
        self._chance = random.Random(os.getpid())
        self._weights = list(accumulate(1 / rank for rank in range(1, KEYS + 1)))
        self._names = [f"sku/{rank}" for rank in range(1, KEYS + 1)]
        self._reads: Counter[str] = Counter()
        self._failures = 0
        self._risen: dict[str, tuple[int, str]] = {}
        self._valkey = ValkeyRung(
            "main", valkey_url, ttl=Duration.from_s(600), prefix=PREFIX, timeout=PATIENCE, connect_timeout=PATIENCE
        )
        self._rung = CountingRung(self._valkey)
        self._near = NearCache("price", bytes_max=32 << 20, ttl=NEAR_TTL)
        self._events = EventLog("reader")
        self._events.listen(self._note)
        self._hot = HotKeys("price", events=self._events) if control_url else None
        self._channel: Channel | None = None
        if self._hot is not None:
            self._channel = Channel(control_url, os.environ["TENFOLD_CONTROL_TOKEN"], service="bench")
            link_hot_keys(self._channel, [self._hot])
            self._channel.open()
        step = Step(self._rung, timeout=PATIENCE, inflight_max=4_096)
        self._ladder = ReadLadder("price", near=self._near, steps=[step], hot=self._hot)

    def take(self, order: Order) -> Account:
        """Read as ordered from now on; answers what came of the order before."""
        account = Account(
            hot_reads=self._reads[self._order.hot],
            reads=self._reads.total(),
            hot_rung_reads=self._rung.reads[self._order.hot],
            rung_reads=self._rung.reads.total(),
            failures=self._failures,
            hot=self._hot.keys() if self._hot else [],
            risen=self._risen,
        )
        self._reads.clear()
        self._rung.reads.clear()
        self._risen = {}
        self._order = order
        return account

    async def read_for_ever(self) -> None:
        """Reads that are due are made each 10 ms; those that the near cache does not answer run beside each other."""
        due, running = 0.0, set[asyncio.Task[None]]()
        next_s = time.monotonic()
        while True:
            next_s += TICK_S
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
            due += self._order.reads_per_s * TICK_S
            for key in self._wanted(int(due)):
                self._reads[key] += 1
                if self._ladder.near_hit(key) is None:
                    task = asyncio.create_task(self._climb(key))
                    running.add(task)
                    task.add_done_callback(running.discard)
            due -= int(due)

    async def close(self) -> None:
        await self._ladder.close()
        await self._valkey.close()
        if self._channel is not None:
            self._channel.close()

    def _wanted(self, number: int) -> list[str]:
        order = self._order
        ranked = self._chance.choices(self._names, cum_weights=self._weights, k=number)
        return [order.hot if order.share and self._chance.random() < order.share else key for key in ranked]

    async def _climb(self, key: str) -> None:
        try:
            await self._ladder.read(key)
        except LadderExhausted:
            self._failures += 1

    def _note(self, event: Event) -> None:
        if event.kind == "hot-key-risen":
            key = event.subject.partition("/")[2]
            self._risen.setdefault(key, (event.monotonic_ns, str(event.detail["by"])))


async def serve(valkey_url: str, control_url: str) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    reader = Reader(valkey_url, control_url)
    reading = asyncio.create_task(reader.read_for_ever())
    try:
        while line := await orders.readline():
            account = reader.take(msgspec.json.decode(line, type=Order))
            sys.stdout.write(msgspec.json.encode(account).decode() + "\n")
            sys.stdout.flush()
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await reader.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
