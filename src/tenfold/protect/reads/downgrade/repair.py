"""The repair: every key of a cache compared with the database, and put right where it is wrong."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.protect.reads.audit import BatchComparison, ReadMany, Wrong
from tenfold.protect.reads.found import Found
from tenfold.telemetry import Registry

SETTLE = Duration.from_ms(500)
TIMEOUT = Duration.from_s(1)
PATIENCE = Duration.from_s(10)
POLL_S = 0.005

Result = TypeVar("Result")


class RepairStalled(TenfoldError):
    """The database could not be proven to be newer than what was compared: its lag is unknown or does not end."""


class RepairableCache(Protocol):
    """A cache as its repairer sees it. It holds the keys of one kind of value."""

    def scan(self, count: int) -> AsyncIterator[list[str]]:
        """All keys that lie there from beginning to end, in lists of about `count`; some may come twice."""
        ...

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Found]:
        """What lies there, in one round trip; absent keys are left out."""
        ...

    async def replace_many(self, wrong: Sequence[Wrong]) -> int:
        """Put `stored` in the place of `cached`, or nothing when it is None, where `cached` lies there still.

        Compare and set, key by key: whatever came meanwhile is newer, and stays. Answers how many were replaced.
        """
        ...


class Repaired(NamedTuple):
    """What a repair came to. `unclear`: it changed whenever it was looked at, so that somebody keeps it right."""

    keys: int
    wrong: int
    replaced: int
    unclear: int


class Repair:
    """Rewrites what is wrong and leaves the rest alone, at most `keys_per_s_max` keys a second.

    A key is wrong by the same rule as in an audit: it differs twice, `settle` apart and when the database's answers are
    proven to be newer than the first look (`proven_ns`), and neither side has changed. That is also why a replica may
    be the judge: it never overrules a value that it has not heard of yet. At most `pending_max` batches wait for it.
    """

    def __init__(
        self,
        name: str,
        *,
        cache: RepairableCache,
        database: ReadMany,
        proven_ns: Callable[[], int] | None = None,
        settle: Duration = SETTLE,
        keys_per_s_max: float = 10_000,
        batch: int = 256,
        pending_max: int = 64,
        timeout: Duration = TIMEOUT,
        patience: Duration = PATIENCE,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.name = name
        self._cache, self._database = cache, database
        self._clock = clock = clock or SystemClock()
        self._proven_ns = proven_ns or clock.monotonic_ns
        self._settle_ns, self._timeout_s = settle.ns, timeout.s
        self._patience_ns = settle.ns + patience.ns
        self._ns_per_key = 1e9 / keys_per_s_max
        self._batch, self._pending_max = batch, pending_max
        self._pending: deque[BatchComparison] = deque()
        registry = registry or Registry()
        keys = registry.counter("tenfold_repair_keys_total", "Cached keys that a repair compared.", ("repair",))
        replaced = registry.counter("tenfold_repair_replaced_total", "Wrong keys that it put right.", ("repair",))
        self._keys, self._replaced = keys.child(name), replaced.child(name)

    async def run(self) -> Repaired:
        """Once through everything.

        Raises what the two places raise, TimeoutError when one takes too long, RepairStalled when the proof that a
        batch waits for does not come within `settle` and `patience`.
        """
        self._pending.clear()
        done = Repaired(0, 0, 0, 0)
        due_ns = self._clock.monotonic_ns()
        async for keys in self._cache.scan(self._batch):
            done = _sum(done, await self._begin(keys))
            due_ns += round(len(keys) * self._ns_per_key)
            await self._pace(due_ns)
            while self._is_due() or len(self._pending) >= self._pending_max:
                done = _sum(done, await self._end_oldest())
        while self._pending:
            done = _sum(done, await self._end_oldest())
        return done

    async def mend(self, wrong: Sequence[Wrong]) -> int:
        """Put single keys right that an audit found wrong; answers how many were wrong still. Raises like `run`."""
        replaced = await self._in_time(self._cache.replace_many(wrong)) if wrong else 0
        self._replaced.inc(replaced)
        return replaced

    async def _pace(self, due_ns: int) -> None:
        ahead_ns = due_ns - self._clock.monotonic_ns()
        await asyncio.sleep(max(0, ahead_ns) / 1e9)

    def _is_due(self) -> bool:
        return bool(self._pending) and self._proven_ns() >= self._pending[0].read_ns + self._settle_ns

    async def _begin(self, keys: Sequence[str]) -> Repaired:
        batch = BatchComparison(*await self._read(keys), self._clock.monotonic_ns())
        if batch.suspects:
            self._pending.append(batch)
        self._keys.inc(len(keys))
        return Repaired(len(keys), 0, 0, 0)

    async def _end_oldest(self) -> Repaired:
        """Wait until the oldest batch can be judged, and put right what is wrong."""
        await self._until_due()
        batch = self._pending.popleft()
        batch.look_again(*await self._read(batch.suspects), self._clock.monotonic_ns())
        wrong, batch.wrong = batch.wrong, []
        replaced = await self.mend(wrong)
        if batch.suspects:
            self._pending.append(batch)
            return Repaired(0, len(wrong), replaced, 0)
        return Repaired(0, len(wrong), replaced, batch.unclear)

    async def _until_due(self) -> None:
        while not self._is_due():
            if self._clock.monotonic_ns() > self._pending[0].read_ns + self._patience_ns:
                raise RepairStalled(f"Repair '{self.name}' waits for a database whose lag does not end; it gave up.")
            await asyncio.sleep(POLL_S)

    async def _read(self, keys: Sequence[str]) -> tuple[Mapping[str, Found], Mapping[str, Found]]:
        cached = await self._in_time(self._cache.read_many(keys))
        return cached, (await self._in_time(self._database(list(cached))) if cached else {})

    async def _in_time(self, work: Awaitable[Result]) -> Result:
        async with asyncio.timeout(self._timeout_s):
            return await work


def _sum(one: Repaired, other: Repaired) -> Repaired:
    return Repaired(*(a + b for a, b in zip(one, other, strict=True)))
