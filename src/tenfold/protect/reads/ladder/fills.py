"""Writes values back into a rung in the background, to a bound."""

import asyncio

from tenfold.protect.calls.breaker import Breaker, BreakerState
from tenfold.protect.reads.drain import Drain
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder.rung import NotAsked, Step
from tenfold.telemetry import Registry


class Fills:
    """What waits to be written to one rung.

    A fill is a kindness: it is dropped and counted when too many wait, when the rung is in trouble and when it fails.
    """

    def __init__(self, step: Step, ladder: str, *, registry: Registry, waiting_max: int, batch_max: int = 64) -> None:
        self._step = step
        self._drain: Drain[Found] = Drain(self._write_and_count, batch_max=batch_max, waiting_max=waiting_max)
        labels = ("ladder", "rung")
        done = registry.counter("tenfold_fills_total", "Values written back to a rung.", labels)
        dropped = registry.counter("tenfold_fills_dropped_total", "Values not written back to a rung.", labels)
        self._done, self._dropped = done.child(ladder, step.rung.name), dropped.child(ladder, step.rung.name)

    def offer(self, key: str, found: Found) -> None:
        """Have `found` written soon; the newest value of a key wins."""
        if not self._drain.offer(key, found):
            self._dropped.inc()

    async def write(self, key: str, found: Found) -> None:
        """Have it written before this ends; a fill that fails is dropped and counted as any other."""
        await self._write_and_count({key: found})

    async def close(self) -> None:
        """Drop what waits and end what runs."""
        self._dropped.inc(await self._drain.close())

    async def _write_and_count(self, batch: dict[str, Found]) -> None:
        (self._done if await self._write(batch) else self._dropped).inc(len(batch))

    async def _write(self, batch: dict[str, Found]) -> bool:
        """Whether the batch was written. A rung in trouble is left alone: probes are for readers."""
        breaker = self._step.breaker
        if breaker is None:
            return await self._fill(batch) is None
        epoch = breaker.admit() if breaker.state is BreakerState.CLOSED else 0
        if not epoch:
            return False
        try:
            error = await self._fill(batch)
        except BaseException:
            breaker.abandoned(epoch)
            raise
        _report(error, breaker, epoch)
        return error is None

    async def _fill(self, batch: dict[str, Found]) -> Exception | None:
        """What kept the rung from taking it. A rung is foreign code: that may be anything."""
        try:
            async with asyncio.timeout(self._step.timeout.s):
                await self._step.rung.fill(batch)
        except Exception as error:
            return error
        return None


def _report(error: Exception | None, breaker: Breaker, epoch: int) -> None:
    if error is None:
        breaker.succeeded(epoch)
    elif isinstance(error, NotAsked):
        breaker.abandoned(epoch)
    else:
        breaker.failed(f"fill ({type(error).__name__})", epoch)
