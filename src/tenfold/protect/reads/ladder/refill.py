"""Reads anew, in batches, what a near cache held: after a gap or an emptying, sooner than readers would one by one."""

import asyncio
from collections.abc import Sequence

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect.reads.drain import Drain
from tenfold.protect.reads.found import ReadMany
from tenfold.protect.reads.near import NearCache
from tenfold.telemetry import Registry


class Refill:
    """What waits to be read anew for one near cache. For one event loop.

    A key alone costs a climb; in a batch it costs a twentieth. At most `keys_per_s_max`, so that readers come first.
    What cannot be read, or is more than `waiting_max`, is left to them.
    """

    def __init__(
        self,
        near: NearCache,
        read_many: ReadMany,
        *,
        batch_max: int = 128,
        keys_per_s_max: float = 10_000,
        waiting_max: int = 1_000_000,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self._near = near
        self._read_many = read_many
        self._pause_s = batch_max / keys_per_s_max
        self._clock = clock or SystemClock()
        label = ("cache",)
        done = (registry or Registry()).counter("tenfold_refilled_total", "Values read anew in batches.", label)
        self._done = done.child(near.name)
        self._drain: Drain[None] = Drain(self._load_and_pause, batch_max=batch_max, waiting_max=waiting_max)

    def begin(self, keys: Sequence[str]) -> None:
        """Read these anew in the background, in their order, after what waits already."""
        for key in keys:
            self._drain.offer(key, None)

    async def close(self) -> None:
        await self._drain.close()

    async def _load_and_pause(self, batch: dict[str, None]) -> None:
        await self._load(list(batch))
        await asyncio.sleep(self._pause_s)

    async def _load(self, keys: Sequence[str]) -> None:
        tokens = {key: self._near.begin(key) for key in keys}
        try:
            found = await self._read_many(keys)
        except Exception:  # the source is foreign code; a reader who needs it will climb
            return
        now_ns = self._clock.wall_ns()
        for key, one in found.items():
            age = Duration(max(0, now_ns - one.true_at_ns)) if one.true_at_ns else None
            self._near.put(key, one.value, version=one.version, token=tokens[key], age=age)
        self._done.inc(len(found))
