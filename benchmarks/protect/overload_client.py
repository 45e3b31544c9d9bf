"""Who asks: an open stream of requests that are sent when they are due, whatever came of the ones before.

    python -m benchmarks.protect.overload_client PORT PER_S LENGTH_S SETTLE_S SEED MIX   (MIX: 0.08,0.12,0.3,0.5)
    python -m benchmarks.protect.overload_client PORT closed LENGTH_S SETTLE_S SEED CONNECTIONS

Prints what it saw as JSON. Response times count from when a request was due. The second form keeps CONNECTIONS
requests under way: what comes through then is the capacity.
"""

import asyncio
import random
import sys
import time
from collections.abc import Callable
from itertools import accumulate

import msgspec

CONNECTIONS_MAX = 3_000
TICK_S = 0.001
STORES = 50
DRAIN_S = 1.0

Answered = Callable[[bool], None]


class Seen(msgspec.Struct):
    """By tier: asked and answered with 200, of those that were due after the settling."""

    offered: list[int]
    answered: list[int]
    in_time: int = 0
    """Answered before the stream ended."""
    response_ms: list[list[float]] = []
    """By tier."""
    length_s: float = 0.0
    unsent: int = 0
    """Due, and without a connection: the generator's fault."""
    late_ms: list[float] = []
    """How much after it was due each was sent."""


class Connection(asyncio.Protocol):
    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self.answered: Answered = lambda _ok: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._pool.idle.append(self)
        self.answered(data.startswith(b"HTTP/1.1 200"))


class Pool:
    """Connections that nobody uses, the most recently used last."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.idle: list[Connection] = []
        self._opened = 0

    async def open(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(min(count, CONNECTIONS_MAX - self._opened)):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
            self.idle.append(connection)
            self._opened += 1

    def ask(self, tier: int, tenant: int, answered: Answered) -> bool:
        if not self.idle:
            return False
        connection = self.idle.pop()
        connection.answered = answered
        connection.transport.write(b"GET /%d/%d HTTP/1.1\r\nhost: l\r\n\r\n" % (tier, tenant))
        return True


async def open_stream(
    pool: Pool, per_s: float, length_s: float, settle_s: float, chance: random.Random, mix: list[float]
) -> Seen:
    seen = Seen([0] * len(mix), [0] * len(mix), response_ms=[[] for _ in mix], length_s=length_s - settle_s)
    tiers, weights = range(len(mix)), list(accumulate(mix))
    began_s = time.perf_counter() + 0.05
    counted_s, end_s, due_s = began_s + settle_s, began_s + length_s, began_s

    def ask(tier: int, due_s: float) -> None:
        counted = due_s >= counted_s

        def answered(ok: bool) -> None:
            now_s = time.perf_counter()
            if ok and counted:
                seen.answered[tier] += 1
                seen.response_ms[tier].append((now_s - due_s) * 1e3)
            if ok and counted_s <= now_s <= end_s:
                seen.in_time += 1

        sent = pool.ask(tier, chance.randrange(STORES), answered)
        if counted:
            seen.offered[tier] += 1
            seen.unsent += not sent
            seen.late_ms.append((time.perf_counter() - due_s) * 1e3)

    while due_s < end_s:
        now_s = time.perf_counter()
        while due_s <= now_s and due_s < end_s:
            ask(chance.choices(tiers, cum_weights=weights)[0], due_s)
            due_s += chance.expovariate(per_s)
        if len(pool.idle) < 50:
            await pool.open(20)
        await asyncio.sleep(min(max(TICK_S, due_s - time.perf_counter()), 0.05))
    await asyncio.sleep(DRAIN_S)
    return seen


async def closed_stream(pool: Pool, length_s: float, settle_s: float, connections: int) -> Seen:
    seen = Seen([0], [0], length_s=length_s - settle_s)
    began_s = time.perf_counter()

    def again(ok: bool) -> None:
        seen.in_time += ok and began_s + settle_s <= time.perf_counter() <= began_s + length_s
        if time.perf_counter() < began_s + length_s:
            pool.ask(0, 0, again)

    for _ in range(connections):
        pool.ask(0, 0, again)
    await asyncio.sleep(length_s + 0.5)
    return seen


async def main(port: str, per_s: str, length_s: str, settle_s: str, seed: str, mix: str) -> None:
    pool = Pool(int(port))
    if per_s == "closed":
        await pool.open(int(mix))
        seen = await closed_stream(pool, float(length_s), float(settle_s), int(mix))
    else:
        await pool.open(200)
        shares = [float(share) for share in mix.split(",")]
        seen = await open_stream(pool, float(per_s), float(length_s), float(settle_s), random.Random(int(seed)), shares)
    sys.stdout.write(msgspec.json.encode(seen).decode() + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
